"""What a list of cases is narrowed to: a value, read from an address or a saved view and written back to one.

Rules:
- Every part is a name and a value of a query string; what is unknown or malformed is left out, never an error.
- `mine`, `me` and `none` are said, not resolved: a saved view means its reader, whoever that is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self
from uuid import UUID

from guardia.kernel.vocabulary import CaseClass, CaseKind, CaseState, Group, Severity

VIEWS: Final = ("open", "mine", "unassigned", "due", "signature", "waiting", "closed", "all")
DUE: Final = ("over", "1", "4", "24")
"""Overdue, or due within so many hours."""
LANGUAGES: Final = ("es", "en")
LONGEST: Final = 100


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _one_of(*values: object) -> Callable[[str], bool]:
    allowed = frozenset(map(str, values))
    return lambda text: text in allowed


_PARTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "group": _one_of(*Group, "mine"),
    "severity": _one_of(*map(int, Severity)),
    "class": _one_of(*CaseClass),
    "kind": _one_of(*CaseKind),
    "state": _one_of(*CaseState),
    "holder": lambda text: text in {"me", "none"} or _is_uuid(text),
    "company": bool,
    "plan": bool,
    "language": _one_of(*LANGUAGES, "mine"),
    "due": _one_of(*DUE),
    "tier": _one_of("premium", "standard"),
    "search": bool,
}
PARTS: Final = tuple(_PARTS)


@dataclass(frozen=True)
class QueueFilter:
    """A view and what narrows it further; `parts` holds only what is set."""

    view: str = "open"
    parts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the filter that a query string or a saved view describes."""
        parts = {}
        for name, is_known in _PARTS.items():
            text = str(given.get(name) or "").strip()[: 2 * LONGEST if name == "search" else LONGEST]
            if is_known(text):
                parts[name] = text
        view = str(given.get("view") or "")
        return cls(view if view in VIEWS else "open", MappingProxyType(parts))

    def __getitem__(self, name: str) -> str:
        """Return a part, or an empty text where it is not set."""
        return self.parts.get(name, "")

    def written(self) -> dict[str, str]:
        """Return the names and values for a query string or a saved view."""
        return {"view": self.view, **self.parts}

    @property
    def scope(self) -> str:
        """Which cases are looked at: open, closed or all."""
        return self.view if self.view in {"closed", "all"} else "open"

    @property
    def is_narrowed(self) -> bool:
        """Whether anything beside the view and a search narrows it."""
        return any(name != "search" for name in self.parts)
