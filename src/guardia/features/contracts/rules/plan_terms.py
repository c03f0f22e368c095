"""What a plan, and a contract's overrides of it, may say: every fault with its place, at forms, journeys and commands.

- T-1 A promise for each class (premium, standard) and severity (1 to 4), none missing and none more.
- T-2 A target or an internal objective is a duration above nothing and of at most 90 days, or there is none.
- T-3 Coverage is `calendar` or `always`.
- T-4 Names that mean nothing here are refused: a slip of the pen would silently change a promise.
- T-5 Where a contract overrides a promise, it says all of it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from guardia.features.contracts.rules.durations import LONGEST, is_promise, parse_iso, words
from guardia.features.contracts.rules.ledger import Allowance
from guardia.kernel.vocabulary import Lane
from guardia.kernel.words import gettext_noop

CLASSES: Final = ("premium", "standard")
LEVELS: Final = ("1", "2", "3", "4")
OBJECTIVES: Final = ("next_answer", "resolution", "assignment")
PLAN_FIELDS: Final = (
    "name", "rank", "premium_incidents", "named_contacts", "lane", "has_phone", "response", "objectives",
    "escalation", "office",
)  # fmt: skip
OVERRIDE_FIELDS: Final = ("premium_incidents", "named_contacts", "carry_over", "response")
MOST_INCIDENTS, MOST_CONTACTS, HIGHEST_RANK = 100_000, 999, 999
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,19}", re.ASCII)
_LONGEST_NAME, _LONGEST_SHOWN = 40, 40

_MISSING: Final = gettext_noop("This is missing.")
_UNKNOWN: Final = gettext_noop("There is no such name in a plan.")
_NO_OBJECT: Final = gettext_noop("Expected an object with names and values, got %(got)s.")
_NO_DURATION: Final = gettext_noop(
    "“%(got)s” is no duration. Write it like 4 h, 30 min or PT4H; leave it empty for none."
)
_NOT_PROMISED: Final = gettext_noop("A target is more than nothing and at most %(days)s days, got %(got)s.")
_NO_COVERAGE: Final = gettext_noop("Choose what counts: the contract's calendar, or always; got %(got)s.")
_NO_NUMBER: Final = gettext_noop("Expected a whole number from %(least)s to %(most)s, got %(got)s.")
_NO_BOOLEAN: Final = gettext_noop("Expected yes or no, got %(got)s.")
_NO_NAME: Final = gettext_noop("Give a name of at most %(most)s characters.")
_NO_LANE: Final = gettext_noop("Choose the accelerated or the standard lane, got %(got)s.")
_NO_SLUG: Final = gettext_noop("At most 20 small letters, digits and hyphens, such as plus-2027; got %(got)s.")


@dataclass(frozen=True)
class Fault:
    """What is wrong, at which place (`response.premium.2.target`), as a sentence with its values."""

    place: str
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict)


Faults = Iterator[Fault]


def _got(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _names(value: object, place: str, wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> Faults:
    """T-1, T-4: whether an object has exactly these names."""
    if not isinstance(value, dict):
        yield Fault(place, _NO_OBJECT, {"got": _got(value)})
        return
    yield from (Fault(_inside(place, name), _MISSING) for name in wanted if name not in value)
    yield from (Fault(_inside(place, str(name)), _UNKNOWN) for name in value if name not in (*wanted, *optional))


def _parts(value: object, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((name, value[name]) for name in names if name in value)


def _target(value: object, place: str) -> Faults:
    """T-2."""
    if value is None:
        return
    span = parse_iso(value) if isinstance(value, str) else None
    if span is None:
        yield Fault(place, _NO_DURATION, {"got": _got(value)})
    elif not is_promise(span):
        yield Fault(place, _NOT_PROMISED, {"got": words(str(value)), "days": LONGEST.days})


def _boolean(value: object, place: str) -> Faults:
    if not isinstance(value, bool):
        yield Fault(place, _NO_BOOLEAN, {"got": _got(value)})


def _number(least: int, most: int, *, may_be_none: bool = False) -> Callable[[object, str], Faults]:
    def check(value: object, place: str) -> Faults:
        is_number = type(value) is int and least <= value <= most
        if not is_number and not (value is None and may_be_none):
            yield Fault(place, _NO_NUMBER, {"got": _got(value), "least": least, "most": most})

    return check


def _promise(value: object, place: str) -> Faults:
    yield from _names(value, place, ("target", "coverage"), ("phone_opens_24x7",))
    for name, part in _parts(value, ("target", "coverage", "phone_opens_24x7")):
        where = _inside(place, name)
        if name == "target":
            yield from _target(part, where)
        elif name == "coverage" and part not in ("calendar", "always"):  # T-3
            yield Fault(where, _NO_COVERAGE, {"got": _got(part)})
        elif name == "phone_opens_24x7":
            yield from _boolean(part, where)


def _objectives_of_level(value: object, place: str) -> Faults:
    yield from _names(value, place, (), OBJECTIVES)
    for name, part in _parts(value, OBJECTIVES):
        yield from _target(part, _inside(place, name))


def _by_class(value: object, place: str, check: Callable[[object, str], Faults], *, is_whole: bool) -> Faults:
    """Check what an object says for each class and severity; `is_whole`: none may be missing."""
    yield from _names(value, place, CLASSES if is_whole else (), CLASSES)
    for name, levels in _parts(value, CLASSES):
        yield from _names(levels, _inside(place, name), LEVELS if is_whole else (), LEVELS)
        for level, part in _parts(levels, LEVELS):
            yield from check(part, _inside(_inside(place, name), level))


def _response(value: object, place: str) -> Faults:
    yield from _by_class(value, place, _promise, is_whole=True)


def _objectives(value: object, place: str) -> Faults:
    if value != {}:
        yield from _by_class(value, place, _objectives_of_level, is_whole=True)


def _name(value: object, place: str) -> Faults:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_NAME:
        yield Fault(place, _NO_NAME, {"most": _LONGEST_NAME})


def _slug(value: object, place: str) -> Faults:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        yield Fault(place, _NO_SLUG, {"got": _got(value)})


def _lane(value: object, place: str) -> Faults:
    if value not in list(Lane):
        yield Fault(place, _NO_LANE, {"got": _got(value)})


def _office(value: object, place: str) -> Faults:
    yield from _names(value, place, ("calendar",))
    for name, part in _parts(value, ("calendar",)):
        if not isinstance(part, str) or not part.strip():
            yield Fault(_inside(place, name), _MISSING)


_INCIDENTS = _number(0, MOST_INCIDENTS, may_be_none=True)
_CONTACTS = _number(0, MOST_CONTACTS)
_PLAN_CHECKS: Final[Mapping[str, Callable[[object, str], Faults]]] = {
    "name": _name,
    "rank": _number(0, HIGHEST_RANK),
    "premium_incidents": _INCIDENTS,
    "named_contacts": _CONTACTS,
    "lane": _lane,
    "has_phone": _boolean,
    "response": _response,
    "objectives": _objectives,
    "escalation": _slug,
    "office": _office,
}
_OVERRIDE_CHECKS: Final[Mapping[str, Callable[[object, str], Faults]]] = {
    "premium_incidents": _INCIDENTS,
    "named_contacts": _CONTACTS,
    "carry_over": _number(0, MOST_INCIDENTS),
    "response": lambda value, place: _by_class(value, place, _promise, is_whole=False),  # T-5
}


def plan_faults(plan: object, place: str = "") -> list[Fault]:
    """Return everything that is wrong with a plan's values; empty where it can be kept (T-1 to T-4)."""
    found = list(_names(plan, place, PLAN_FIELDS))
    for name, part in _parts(plan, PLAN_FIELDS):
        found += _PLAN_CHECKS[name](part, _inside(place, name))
    return found


def code_faults(code: object, place: str = "code") -> list[Fault]:
    """Return what is wrong with a plan's code."""
    return list(_slug(code, place))


def override_faults(overrides: object) -> list[Fault]:
    """Return everything that is wrong with a contract's overrides."""
    found = list(_names(overrides, "", (), OVERRIDE_FIELDS))
    for name, part in _parts(overrides, OVERRIDE_FIELDS):
        found += _OVERRIDE_CHECKS[name](part, name)
    return found


@dataclass(frozen=True)
class TermsInForce:
    """What holds for a contract: its plan's promises with its own overrides."""

    allowance: Allowance
    named_contacts: int
    response: Mapping[str, Mapping[str, Any]]

    @property
    def has_premium(self) -> bool:
        """Whether there are premium incidents at all."""
        return self.allowance.incidents is None or self.allowance.incidents > 0


def in_force(
    incidents: int | None, named_contacts: int, response: Mapping[str, Mapping[str, Any]], overrides: Mapping[str, Any]
) -> TermsInForce:
    """Return a plan's terms with the overrides of a contract laid over them."""
    own = overrides.get("response", {})
    return TermsInForce(
        Allowance(overrides.get("premium_incidents", incidents), overrides.get("carry_over", 0)),
        overrides.get("named_contacts", named_contacts),
        {name: {**levels, **own.get(name, {})} for name, levels in response.items()},
    )
