"""Scenario files: a calendar, a policy and a history, written down to be judged.

Rules:
- A file holds one scenario or a list of them; what each must look like is in the specification ("Scenario file").
- A malformed one is refused with the place in the file: `events[2].at`, in a list `[4].events[2].at`.
- `expect` is for tests: it is neither needed nor read here.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Self

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.clock import Reading, TargetBeyondHorizon, evaluate
from guardia.features.sla.rules.events import Event, History
from guardia.features.sla.rules.expectations import LAST_YEAR, Malformed, inside, shown
from guardia.features.sla.rules.policies import Policy

_SCENARIO_EXPECTED = "an object with name, calendar, policy, events and as_of"


@dataclass(frozen=True)
class Scenario:
    """One scenario; `place` says where in its file it stands, "" when it is the whole file."""

    name: str
    calendar: Calendar
    policy: Policy
    history: History
    as_of: datetime
    place: str = ""

    @classmethod
    def parse(cls, value: object, place: str = "") -> Self:
        """The scenario that a JSON object describes. Raises Malformed."""
        parts = expectations.mapping(value, place or "the file", _SCENARIO_EXPECTED)
        written = {
            key: expectations.required(parts, key, place, expected)
            for key, expected in (
                ("name", "a text"),
                ("calendar", "an object with zone and weekly"),
                ("policy", "an object with a promise for each severity"),
                ("events", "a list of events"),
                ("as_of", "an instant with offset"),
            )
        }
        where = inside(place, "events")
        listed = expectations.sequence(written["events"], where, "a list of events")
        events = [Event.parse(event, f"{where}[{number}]") for number, event in enumerate(listed)]
        scenario = cls(
            name=expectations.text(written["name"], inside(place, "name")),
            calendar=Calendar.parse(written["calendar"], inside(place, "calendar")),
            policy=Policy.parse(written["policy"], inside(place, "policy")),
            history=History.of(events, where),
            as_of=expectations.instant(written["as_of"], inside(place, "as_of")),
            place=place,
        )
        scenario.read()
        return scenario

    def read(self) -> Reading:
        """The clock of this scenario. Raises Malformed where only the reckoning shows it to be impossible."""
        try:
            return evaluate(self.calendar, self.policy, self.history, self.as_of)
        except TargetBeyondHorizon as error:
            promise = inside(inside(self.place, "policy"), str(error.severity))
            expected = f"a target that ends before the year {LAST_YEAR + 1} in this calendar"
            raise Malformed(inside(promise, "target"), expected) from error
        except Malformed as error:
            raise Malformed(inside(self.place, error.place), error.expected, error.got) from error


def read_scenarios(text: str) -> list[Scenario]:
    """The scenarios of a file, in its order. Raises Malformed for the first thing in it that is not as it must be."""
    written = _json(text)
    if isinstance(written, list):
        return [Scenario.parse(scenario, f"[{number}]") for number, scenario in enumerate(written)]
    return [Scenario.parse(written)]


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Malformed(f"line {error.lineno} column {error.colno}", "JSON", error.msg) from error
    except RecursionError as error:
        raise Malformed("the file", "JSON of a reasonable depth", "deeper nesting") from error
    except Malformed:
        raise
    except ValueError as error:  # A number of thousands of digits, which Python refuses to read.
        raise Malformed("the file", "JSON with numbers of a reasonable length", "a longer one") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. One of two equal names would be lost without a word, so that is refused."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed("the file", "each name once in an object", f"{shown(twice)} twice")
    return found


def _no_number(constant: str) -> NoReturn:
    raise Malformed("the file", "JSON", f"{constant}, which is no JSON number")
