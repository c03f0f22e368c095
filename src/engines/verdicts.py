"""What an engine says about a file, and the two ways in which an engine can refuse to work.

Rules:
- A verdict has three values. `not_scanned` carries its reason and is never read as clean.
- Names are sorted and free of engine decoration, so that equal findings are equal values.
- An engine that is not installed and a database that does not load are different exceptions,
  because people react to them differently: install a package, or correct the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

Outcome = Literal["detected", "not_detected", "not_scanned"]


class EngineMissing(Exception):
    """The engine is not installed; the message says what is missing and how to install it."""


class DatabaseRefused(Exception):
    """The engine does not load this database; the message says what it refused and where."""


@dataclass(frozen=True)
class Verdict:
    """One engine's statement about one file."""

    engine: str
    engine_version: str
    outcome: Outcome
    names: tuple[str, ...] = ()
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.outcome not in get_args(Outcome):
            raise ValueError(f"verdict of {self.engine}: unknown outcome {self.outcome!r}")
        if bool(self.names) != (self.outcome == "detected"):
            raise ValueError(f"verdict of {self.engine}: names belong to 'detected', and only to it")
        if bool(self.reason) != (self.outcome == "not_scanned"):
            raise ValueError(f"verdict of {self.engine}: a reason belongs to 'not_scanned', and only to it")
        object.__setattr__(self, "names", tuple(sorted(set(self.names))))

    def to_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "engine_version": self.engine_version,
            "outcome": self.outcome,
            "names": list(self.names),
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Verdict":
        """Read a verdict back. Raises ValueError with the field that is wrong."""
        for field in ("engine", "engine_version", "outcome"):
            if not isinstance(document.get(field), str):
                raise ValueError(f"verdict: field {field!r} must be a string")  # noqa: TRY004 - one reaction: bad input
        names = document.get("names") or []
        reason = document.get("reason")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("verdict: field 'names' must be a list of strings")
        if reason is not None and not isinstance(reason, str):
            raise ValueError("verdict: field 'reason' must be a string or null")
        outcome = cast("Outcome", document["outcome"])
        return cls(document["engine"], document["engine_version"], outcome, tuple(names), reason)
