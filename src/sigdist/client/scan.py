"""Scans files with the installed database, in every engine of the support matrix.

Rules:
1. A folder means every file below it; symbolic links are not followed.
2. Every file gets a verdict of every engine. An engine that is not on this machine has not scanned, and says why.
3. One file is clean only when every engine looked and found nothing.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import ENGINE_NAMES, DatabaseRefused, EngineMissing, Verdict, open_engine
from sigdist.client.refusals import AgentRefused
from sigdist.client.store import Installed


@dataclass(frozen=True)
class Scanned:
    """The verdicts on one file, by engine."""

    path: Path
    verdicts: dict[str, Verdict]

    @property
    def clean(self) -> bool:
        return all(verdict.outcome == "not_detected" for verdict in self.verdicts.values())

    def to_json(self) -> dict[str, Any]:
        verdicts = {engine: verdict.to_json() for engine, verdict in self.verdicts.items()}
        return {"path": str(self.path), "clean": self.clean, "verdicts": verdicts}


def files_below(paths: Sequence[Path]) -> list[Path]:
    """The files meant by `paths`, each once, in order. Raises AgentRefused for a path that is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise AgentRefused(f"there is no file {path}; check the path")
        found.update(dict.fromkeys(_walk(path) if path.is_dir() else [path]))
    return list(found)


def scan(installed: Installed, files: Sequence[Path]) -> list[Scanned]:
    """Every engine's verdict on every file, in the order of `files`. Raises AgentRefused."""
    verdicts: dict[Path, dict[str, Verdict]] = {path: {} for path in files}
    for engine in ENGINE_NAMES:
        for path, verdict in _scan_with(engine, installed, list(verdicts)):
            verdicts[path][engine] = verdict
    return [Scanned(path, found) for path, found in verdicts.items()]


def engine_versions() -> dict[str, str | None]:
    """The version of each engine of the matrix; None where this machine lacks it."""
    versions: dict[str, str | None] = {}
    for engine in ENGINE_NAMES:
        try:
            versions[engine] = open_engine(engine).version
        except EngineMissing:
            versions[engine] = None
    return versions


def _scan_with(name: str, installed: Installed, files: list[Path]) -> Iterator[tuple[Path, Verdict]]:
    try:
        database = open_engine(name).load(installed.folder)
    except EngineMissing as missing:
        return iter([(path, Verdict(name, "none", "not_scanned", reason=str(missing))) for path in files])
    except DatabaseRefused as refusal:
        raise AgentRefused(
            f"release {installed.number} does not load in {name}: {refusal}; run: guardia-agent update"
        ) from refusal
    return database.scan(files)


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise AgentRefused(f"cannot read the folder {error.filename}: {error.strerror}") from error

    for base, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        for name in sorted(names):
            path = Path(base) / name
            if path.is_file() and not path.is_symlink():
                yield path
