"""What the gates work with: the builds and samples on disk, the clean corpus, the engines, and verdicts asked once.

Rules:
- An engine that is missing or a build that it refuses is a failure of the gate that needs it, in words that say what
  to do; never a reason to leave the engine out.
- A verdict of a build on a sample is asked once and shared by the gates.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engines import Database, DatabaseRefused, Engine, EngineMissing, Hit, Verdict, open_engine
from labkit.analysers.scans import ArchiveGuard
from labkit.corpora.manifest import Corpus, Entry
from labkit.wire.messages import Failure, GatesPayload, SampleRef

MAX_FAILURES: Final = 50
_ROW: Final = 16
_ROWS_BEFORE: Final = 1
_ROWS: Final = 4

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """What a gate found: one English sentence, numbers, and the failures; without failures it is passed."""

    summary: str
    counts: Mapping[str, int | float] = field(default_factory=dict)
    failures: Sequence[Failure] = ()


class Unusable(Exception):
    """An engine or build cannot be used; the message is the failure's sentence."""


class Bench:
    """One gates job: payload, folders of the three builds, samples by sha256, corpus, a folder for scratch files."""

    def __init__(
        self,
        payload: GatesPayload,
        builds: Mapping[str, Path],
        samples: Mapping[str, Path],
        corpus_folder: Path,
        scratch: Path,
    ) -> None:
        self.payload = payload
        self.builds = builds
        self.scratch = scratch
        self._samples = samples
        self._corpus_folder = corpus_folder
        self._corpus: Corpus | None = None
        self._databases: dict[tuple[str, str], Database | str] = {}
        self._verdicts: dict[tuple[str, str, str], Verdict] = {}
        self._archives = ArchiveGuard()

    @property
    def corpus(self) -> Corpus:
        """The clean corpus, read at first use. Raises CorpusBroken."""
        if self._corpus is None:
            self._corpus = Corpus(self._corpus_folder)
        return self._corpus

    def corpus_facts(self) -> dict[str, str | int]:
        """The digest and number of files of the corpus, or nothing if no gate could read one."""
        if self._corpus is None:
            return {}
        return {"digest": self._corpus.manifest.digest, "files": len(self._corpus.manifest.entries)}

    def path(self, sample: SampleRef) -> Path:
        return self._samples[sample.sha256]

    def engine(self, name: str) -> Engine:
        """The engine. Raises Unusable with what is missing."""
        try:
            return open_engine(name)
        except EngineMissing as error:
            raise Unusable(str(error)) from error

    def database(self, engine: str, build: str) -> Database:
        """The database of one of `build`, `base`, `changed` in this engine, loaded once. Raises Unusable."""
        loaded = self._databases.get((engine, build))
        if loaded is None:
            try:
                loaded = self.engine(engine).load(self.builds[build])
            except (DatabaseRefused, Unusable) as error:
                loaded = str(error)
            self._databases[engine, build] = loaded
        if isinstance(loaded, str):
            raise Unusable(loaded)
        return loaded

    def verdicts(self, engine: str, build: str, samples: Sequence[SampleRef]) -> Iterator[tuple[SampleRef, Verdict]]:
        """A build's verdict on each sample, in their order, each content scanned once. Raises Unusable."""
        missing = [one for one in samples if (engine, build, one.sha256) not in self._verdicts]
        paths = {self.path(one): one.sha256 for one in missing}
        if paths:
            for path, verdict in self.database(engine, build).scan(list(paths)):
                self._verdicts[engine, build, paths[path]] = self._archives.guarded(path, verdict)
        for sample in samples:
            yield sample, self._verdicts[engine, build, sample.sha256]


def hit_failures(engine: str, path: Path, hits: Sequence[Hit], what: str, entry: Entry | SampleRef) -> list[Failure]:
    """A failure for each place where a rule hits a file, with the bytes around it; at least one, as there is a hit."""
    name, package = (entry.source, entry.package) if isinstance(entry, Entry) else (entry.name, None)
    return [
        Failure(
            what=f"{what} ({hit.rule})",
            engine=engine,
            rule=hit.rule,
            pattern=hit.pattern,
            file=name,
            package=package,
            size=entry.size,
            offset=hit.offset,
            length=hit.length,
            hex=() if hit.offset is None else hex_rows(path, hit.offset),
        )
        for hit in hits or [Hit("a rule that the engine does not locate", "", None, None)]
    ]


def hex_rows(path: Path, offset: int) -> tuple[tuple[int, str], ...]:
    """A few rows of 16 bytes around an offset, as (offset of the row, hex)."""
    start = max(0, offset // _ROW - _ROWS_BEFORE) * _ROW
    with path.open("rb") as source:
        source.seek(start)
        content = source.read(_ROW * _ROWS)
    return tuple((start + at, content[at : at + _ROW].hex()) for at in range(0, len(content), _ROW))
