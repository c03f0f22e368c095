"""The one shape in which every engine of the support matrix is used.

Rules:
- `load` either gives a database that scans, or raises DatabaseRefused; it never loads a part of a database.
- A database folder without files for an engine is a database that detects nothing.
- `scan` answers for every path it was given, once. Trouble with one file is that file's `not_scanned`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engines.verdicts import Verdict


@dataclass(frozen=True)
class Hit:
    """Where in a file a rule's pattern lies. `offset` and `length` are bytes; None where the engine does not tell."""

    rule: str
    pattern: str
    offset: int | None
    length: int | None


class Database(Protocol):
    """A loaded database of one engine."""

    def scan(
        self, paths: Sequence[Path], *, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Path, Verdict]]:
        """The verdict on each path. `progress` is told how many are done so far."""
        ...

    def locate(self, path: Path) -> list[Hit]:
        """Each place in the file at `path` that a detecting rule's patterns match, bounded in number."""
        ...


class Engine(Protocol):
    """An installed engine."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def load(self, folder: Path) -> Database:
        """Load the engine's part of the database under `folder`. Raises DatabaseRefused."""
        ...
