"""What happens to a case, as far as its response clock listens (RC-3, RC-9, RC-13, RC-14).

Rules:
- Events are taken in the order of their instants, ties in the order in which they are given.
- Exactly one is `submitted`, and nothing comes before it.
- `answer_voided` voids the latest qualified answer that still stands; with none standing it is malformed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Self, cast, get_args

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.expectations import SEVERITIES, Malformed, inside, shown
from guardia.features.sla.rules.instants import in_utc

EventType = Literal["submitted", "phone_confirmed", "severity_changed", "answered", "answer_voided"]

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
_SEVERITY_NAMED: Final = {"submitted": "severity", "severity_changed": "to"}


@dataclass(frozen=True)
class Event:
    """One event; its instant is kept in UTC.

    `severity` is that of a submission or the new one of a change; `qualified` speaks of an answer.
    Raises ValueError for a naive instant, and for a severity that is missing or out of place.
    """

    at: datetime
    type: EventType
    severity: int | None = None
    qualified: bool = False
    is_qualified_answer: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.severity in SEVERITIES) != (self.type in _SEVERITY_NAMED):
            raise ValueError(f"{self.type}: a submission and a change of severity, and no other, name one from 1 to 4")
        object.__setattr__(self, "at", in_utc(self.at))
        # Only this stops the clock, unless it is voided: acknowledgements and notes do not (RC-9).
        object.__setattr__(self, "is_qualified_answer", self.type == "answered" and self.qualified)

    @classmethod
    def parse(cls, value: object, place: str) -> Self:
        """The event that a JSON object `{at, type, severity|to|qualified}` describes. Raises Malformed."""
        parts = expectations.mapping(value, place, "an event with at and type")
        at = expectations.required(parts, "at", place, "an instant with offset")
        kind = expectations.required(parts, "type", place, f"one of {', '.join(EVENT_TYPES)}")
        if not isinstance(kind, str) or kind not in EVENT_TYPES:
            raise Malformed(inside(place, "type"), f"one of {', '.join(EVENT_TYPES)}", shown(kind))
        severity, qualified = None, False
        if name := _SEVERITY_NAMED.get(kind):
            number = expectations.required(parts, name, place, "a severity from 1 to 4")
            severity = expectations.severity(number, inside(place, name))
        elif kind == "answered":
            said = expectations.required(parts, "qualified", place, "true or false")
            qualified = expectations.boolean(said, inside(place, "qualified"))
        return cls(expectations.instant(at, inside(place, "at")), cast("EventType", kind), severity, qualified)


@dataclass(frozen=True)
class History:
    """The events of one case in their order, checked. Build it with `History.of`, and keep it to judge it often."""

    events: tuple[Event, ...]
    has_answers: bool

    @classmethod
    def of(cls, events: Sequence[Event], place: str = "events") -> Self:
        """The events in order (RC-13). Raises Malformed, naming an event by its position as given."""
        ordered = tuple(sorted(events, key=_instant_of))
        if not ordered or ordered[0].type != "submitted":
            raise _refused(events, ordered, 0, place, "a submitted event before any other")
        standing, has_answers = 0, False
        for position, event in enumerate(ordered):
            if event.type == "submitted" and position:
                raise _refused(events, ordered, position, place, "only one submitted event")
            if event.is_qualified_answer:
                standing += 1
                has_answers = True
            elif event.type == "answer_voided":
                if not standing:
                    raise _refused(events, ordered, position, place, "a qualified answer that stands, to void")
                standing -= 1
        return cls(ordered, has_answers)

    def answer_as_of(self, as_of: datetime) -> int | None:
        """The position of the first qualified answer that stands at this instant (RC-9, RC-14), or None."""
        if not self.has_answers:
            return None
        standing: list[int] = []
        for position, event in enumerate(self.events):
            if event.at > as_of:
                break
            if event.is_qualified_answer:
                standing.append(position)
            elif event.type == "answer_voided":
                standing.pop()
        return standing[0] if standing else None


def _instant_of(event: Event) -> datetime:
    return event.at


def _refused(given: Sequence[Event], ordered: Sequence[Event], position: int, place: str, expected: str) -> Malformed:
    if not ordered:
        return Malformed(place, expected, "no event")
    event = ordered[position]
    number = next(number for number, other in enumerate(given) if other is event)
    return Malformed(f"{place}[{number}]", expected, f"{event.type} at {event.at.isoformat()}")
