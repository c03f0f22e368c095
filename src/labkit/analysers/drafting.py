"""What a draft works with, and what a proposal is.

Rules:
- A proposal is tried before it is shown: the database with its operations is loaded in both engines, the claim's
  samples are scanned, and so is every sample of malware and of closed cases.
- It says why it was chosen and what it would lose. People decide; nothing here is released.
"""

import itertools
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines import ENGINE_NAMES
from labkit.analysers.composing import Operation, Record, applied, write_database
from labkit.analysers.scans import SampleScanner, Verdicts
from labkit.wire.messages import DraftPayload, SampleRef

CorpusNames = Callable[[str, Path], Mapping[str, int]]
"""Asks the clean corpus: (engine, database folder) -> how many clean files each signature name hits."""


@dataclass(frozen=True)
class Proposal:
    """A correction: its operations, the reason for it, what it would lose, and whether it worked in each engine."""

    title: str
    reason: str
    operations: tuple[Operation, ...]
    satisfies: Mapping[str, bool]
    loses: tuple[str, ...] = ()
    recommended: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "reason": self.reason,
            "loses": list(self.loses),
            "operations": list(self.operations),
            "satisfies": dict(self.satisfies),
            "recommended": self.recommended,
        }


@dataclass
class Bench:
    """The samples of one draft on disk, the records they are to be judged by, and a folder to try databases in."""

    payload: DraftPayload
    paths: Mapping[str, Path]
    scratch: Path
    corpus_names: CorpusNames
    scanner: SampleScanner = field(default_factory=SampleScanner)
    _number: "itertools.count[int]" = field(default_factory=itertools.count)
    _before: dict[str, Verdicts] | None = None

    def path(self, sample: SampleRef) -> Path:
        return self.paths[sample.sha256]

    @property
    def claimed(self) -> list[SampleRef]:
        """The case's samples, each content once."""
        return list({sample.sha256: sample for sample in self.payload.samples}.values())

    @property
    def others(self) -> list[SampleRef]:
        """The malware and the samples of closed cases that are not the claim's own."""
        claimed = {sample.sha256 for sample in self.payload.samples}
        found = {sample.sha256: sample for sample in (*self.payload.malware, *self.payload.memory)}
        return [sample for sha256, sample in found.items() if sha256 not in claimed]

    def database(self, records: Sequence[Record]) -> Path:
        """A new database folder with these records."""
        return write_database(records, self.scratch / f"try-{next(self._number)}")

    def drop(self, database: Path) -> None:
        shutil.rmtree(database)

    def before(self) -> dict[str, Verdicts]:
        """The verdicts of the base database on every sample of the draft, by sha256; scanned once."""
        if self._before is None:
            self._before = self.verdicts(self.payload.records)
        return self._before

    def verdicts(self, records: Sequence[Record]) -> dict[str, Verdicts]:
        """The verdicts of a database with these records on every sample of the draft. Raises DatabaseRefused."""
        samples = [*self.claimed, *self.others]
        database = self.database(records)
        found = self.scanner.scan(database, [self.path(sample) for sample in samples])
        self.drop(database)
        return {sample.sha256: found[self.path(sample)] for sample in samples}

    def tried(self, title: str, reason: str, operations: Sequence[Operation], *, recommended: bool = False) -> Proposal:
        """The proposal with what trying it showed. Raises DatabaseRefused if its database does not load."""
        after = self.verdicts(applied(self.payload.records, operations))
        wanted = "detected" if self.payload.claim == "FN" else "not_detected"
        satisfies = {
            engine: all(after[sample.sha256][engine].outcome == wanted for sample in self.claimed)
            for engine in ENGINE_NAMES
        }
        return Proposal(title, reason, tuple(operations), satisfies, self._losses(after), recommended)

    def _losses(self, after: Mapping[str, Verdicts]) -> tuple[str, ...]:
        """In sentences: what other samples were right before and are wrong after."""
        wrong: dict[tuple[str, str], list[SampleRef]] = {}
        before = self.before()
        for sample in self.others:
            for engine in ENGINE_NAMES:
                outcomes = before[sample.sha256][engine].outcome, after[sample.sha256][engine].outcome
                if outcomes[0] == sample.expect != outcomes[1]:
                    wrong.setdefault((engine, sample.expect), []).append(sample)
        return tuple(_sentence(engine, expect, samples) for (engine, expect), samples in sorted(wrong.items()))


def _sentence(engine: str, expect: str, samples: Sequence[SampleRef]) -> str:
    names = ", ".join(f"{sample.name} ({sample.sha256[:12]})" for sample in samples[:3])
    more = f" and {len(samples) - 3} more" if len(samples) > 3 else ""  # noqa: PLR2004 - as many as are named
    what = "is no longer detected" if expect == "detected" else "is detected although it is clean"
    return f"{engine}: {len(samples)} known sample(s) would change: {names}{more} {what}"
