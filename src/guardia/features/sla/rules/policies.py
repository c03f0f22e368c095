"""What a contract promises for each severity (RC-2).

Rules:
- A policy says for each severity, 1 gravest to 4, a target or none, and which instants count towards it: those of the
  contract's `calendar`, or `always`.
- `phone_opens_24x7` lets the first confirmed call open every instant after it (RC-3); `always` needs no call.
- It is data that a case freezes at its submission (RC-12): nothing here looks up a newer one.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Literal, Self, cast

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.expectations import SEVERITIES, Malformed, inside, shown

Coverage = Literal["calendar", "always"]

_PROMISE_EXPECTED: Final = "an object with target, coverage and phone_opens_24x7"
_POLICY_EXPECTED: Final = 'an object with a promise for each of the severities "1" to "4"'


@dataclass(frozen=True)
class Promise:
    """The promise for one severity. Raises ValueError for a target that is not positive."""

    target: timedelta | None
    coverage: Coverage = "calendar"
    phone_opens_24x7: bool = False

    def __post_init__(self) -> None:
        if self.target is not None and self.target <= timedelta(0):
            raise ValueError("a target is a positive duration (RC-2)")

    @classmethod
    def parse(cls, value: object, place: str) -> Self:
        """The promise that a JSON object `{target, coverage, phone_opens_24x7}` describes. Raises Malformed."""
        parts = expectations.mapping(value, place, _PROMISE_EXPECTED)
        expectations.known_keys(parts, place, ("target", "coverage", "phone_opens_24x7"))
        expected = "a duration like PT4H, or null"
        target = expectations.required(parts, "target", place, expected)
        return cls(
            target=None if target is None else expectations.duration(target, inside(place, "target")),
            coverage=_parse_coverage(parts, place),
            phone_opens_24x7=expectations.boolean(
                parts.get("phone_opens_24x7", False), inside(place, "phone_opens_24x7")
            ),
        )


def _parse_coverage(parts: dict[str, Any], place: str) -> Coverage:
    expected = '"calendar" or "always"'
    coverage = expectations.required(parts, "coverage", place, expected)
    if coverage not in ("calendar", "always"):
        raise Malformed(inside(place, "coverage"), expected, shown(coverage))
    return cast("Coverage", coverage)


@dataclass(frozen=True)
class Policy:
    """The promises for the severities 1 to 4, in that order; `policy[severity]` is one of them."""

    promises: tuple[Promise, Promise, Promise, Promise]

    @cached_property
    def hears_calls(self) -> bool:
        """Whether a confirmed call can change anything."""
        return any(promise.phone_opens_24x7 for promise in self.promises)

    def __getitem__(self, severity: int) -> Promise:
        return self.promises[severity - 1]

    @classmethod
    def parse(cls, value: object, place: str = "policy") -> Self:
        """The policy that a JSON object `{"1": promise, ... "4": promise}` describes. Raises Malformed."""
        parts = expectations.mapping(value, place, _POLICY_EXPECTED)
        names = tuple(str(severity) for severity in SEVERITIES)
        expectations.known_keys(parts, place, names)
        first, second, third, fourth = (
            Promise.parse(expectations.required(parts, name, place, _PROMISE_EXPECTED), inside(place, name))
            for name in names
        )
        return cls((first, second, third, fourth))
