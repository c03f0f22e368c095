"""What both engines say about samples with a given database.

Rules:
- Every engine of the support matrix is asked; one that is not installed raises, it is never left out.
- An archive that is over a limit of ours, encrypted or damaged is `not_scanned` for an engine that found nothing in
  it: nobody has looked inside.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from engines import ENGINE_NAMES, Verdict, open_engine
from labkit.analysers.archives import look_into

Verdicts = Mapping[str, Verdict]


class ArchiveGuard:
    """Looks into each archive once, and takes back a `not_detected` where nobody could look inside."""

    def __init__(self) -> None:
        self._reasons: dict[Path, str | None] = {}

    def guarded(self, path: Path, verdict: Verdict) -> Verdict:
        """The verdict, or `not_scanned` where finding nothing means nothing."""
        if verdict.outcome != "not_detected":
            return verdict
        if path not in self._reasons:
            listing = look_into(path)
            self._reasons[path] = listing.reason if listing else None
        reason = self._reasons[path]
        return verdict if reason is None else Verdict(verdict.engine, verdict.engine_version, "not_scanned", (), reason)


class SampleScanner:
    """Scans samples in every engine. Raises EngineMissing when it is made."""

    def __init__(self) -> None:
        self.engines = {name: open_engine(name) for name in ENGINE_NAMES}
        self._archives = ArchiveGuard()

    def scan(self, database: Path, paths: Sequence[Path]) -> dict[Path, Verdicts]:
        """Each engine's verdict on each path. Raises DatabaseRefused."""
        found: dict[Path, dict[str, Verdict]] = {path: {} for path in paths}
        for name, engine in self.engines.items():
            for path, verdict in engine.load(database).scan(list(found)):
                found[path][name] = self._archives.guarded(path, verdict)
        return dict(found)
