"""The two lanes, their keys and periods, and where their files lie in the tree.

Rules:
1. Each lane is a complete TUF repository with keys of its own for every role, root included. The same people hold the
   root keys of both lanes, but no signature of one lane means anything on the other.
2. Top-level targets only delegates: to `fast` (one key) on accelerated, to `stable` (two of three) on standard.
3. Periods: timestamp 1 day, snapshot 7 days, delegated role 90 days, targets 1 year, root 2 years.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

LaneName = Literal["accelerated", "standard"]
EVIDENCE_KEY = "evidence"
ROOT_KEYS = 5
ROOT_THRESHOLD = 3
PERIODS = {
    "timestamp": timedelta(days=1),
    "snapshot": timedelta(days=7),
    "role": timedelta(days=90),
    "targets": timedelta(days=365),
    "root": timedelta(days=730),
}
DELEGATED_PATHS = ["release.json", "yara/*", "clamav/*"]


@dataclass(frozen=True)
class Lane:
    """One lane: its name, its delegated role and that role's keys."""

    name: LaneName
    role: str
    role_keys: tuple[str, ...]
    role_threshold: int

    @property
    def root_keys(self) -> tuple[str, ...]:
        return tuple(f"{self.name}-root-{number}" for number in range(1, ROOT_KEYS + 1))

    def key(self, role: str) -> str:
        """The name of the key of the top-level role `targets`, `snapshot` or `timestamp`."""
        return f"{self.name}-{role}"

    def key_names(self) -> tuple[str, ...]:
        """Every key of the lane."""
        return (*self.root_keys, *(self.key(role) for role in ("targets", "snapshot", "timestamp")), *self.role_keys)


LANES: dict[str, Lane] = {
    "accelerated": Lane("accelerated", "fast", ("fast",), 1),
    "standard": Lane("standard", "stable", ("stable-1", "stable-2", "stable-3"), 2),
}


def lane_named(name: str) -> Lane:
    """The lane called `name`. Raises ValueError that lists the lanes."""
    if name not in LANES:
        raise ValueError(f"there is no lane {name!r}; the lanes are {', '.join(LANES)}")
    return LANES[name]


def metadata_folder(tree: Path, lane: Lane) -> Path:
    """Where the metadata of `lane` lies in the tree."""
    return tree / lane.name / "metadata"


def object_path(tree: Path, lane: Lane, target: str, sha256: str) -> Path:
    """Where the bytes of `target` lie: TUF's consistent-snapshot name, the hash before the base name."""
    folder, _, base = target.rpartition("/")
    return tree / lane.name / "targets" / folder / f"{sha256}.{base}"


def tree_lock(tree: Path) -> Path:
    """The file that whoever writes to the tree holds locked."""
    return tree / ".publish.lock"


def expiry(now: datetime, period: str) -> datetime:
    """When metadata signed at `now` runs out; whole seconds, UTC. Raises ValueError for a naive `now`."""
    if now.tzinfo is None:
        raise ValueError("`now` needs a time zone")
    return now.astimezone(UTC).replace(microsecond=0) + PERIODS[period]
