"""Building the clean corpus from folders of a machine that is known to be clean.

Rules:
- The choice is deterministic: the same folders give the same files, whatever order the disk lists them in.
- Regular files of 1 byte to 1 MiB are taken, each content once, never through a symbolic link. Up to half are code
  (executables and libraries), the rest whatever the folders hold, both spread evenly over all folders by a hash.
- A file that holds the baseline's harmless test literal is no clean file for this database and is left out.
- A later folder only tops up what the earlier ones did not give.
- Done once, it is done: with a manifest of the same limit in place nothing is read again. A build that was
  interrupted finds its objects again; the manifest is written last.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from labkit.corpora.manifest import CorpusBroken, Entry, Manifest, object_path, read_manifest, write_manifest
from labkit.corpora.packages import owners
from labkit.wire.kinds import HEAD_BYTES, kind_of

MAX_FILE_BYTES: Final = 1024 * 1024
BASELINE_LITERAL: Final = b"LAB-HARMLESS-FAMILY-0001"
_REPORT_EVERY: Final = 100

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Candidate:
    order: bytes
    path: str
    code: bool


def build_corpus(
    sources: Sequence[Path], destination: Path, limit: int = 20_000, progress: Progress | None = None
) -> Manifest:
    """Fill `destination` with up to `limit` clean files. `progress` is told (files so far, limit).

    Raises CorpusBroken if the folders give no file at all, OSError if the disk refuses.
    """
    finished = _finished(destination, limit)
    if finished is not None:
        return finished
    destination.mkdir(parents=True, exist_ok=True)
    entries: dict[str, Entry] = {}
    for source in sources:
        for entry in _take(source, destination, limit - len(entries), entries):
            entries[entry.sha256] = entry
            if progress is not None and (len(entries) % _REPORT_EVERY == 0 or len(entries) == limit):
                progress(len(entries), limit)
    if not entries:
        raise CorpusBroken(f"no readable file of 1 byte to 1 MiB in {', '.join(map(str, sources))}: name other folders")
    packages = owners([entry.source for entry in entries.values()])
    manifest = Manifest.of([replace(entry, package=packages.get(entry.source)) for entry in entries.values()], limit)
    write_manifest(destination, manifest)
    return manifest


def _finished(destination: Path, limit: int) -> Manifest | None:
    try:
        manifest = read_manifest(destination)
    except CorpusBroken:
        return None  # none yet, or one that cannot be trusted: both are built anew
    return manifest if manifest.limit == limit else None


def _take(source: Path, destination: Path, wanted: int, known: dict[str, Entry]) -> Iterator[Entry]:
    """Up to `wanted` new entries of one source folder: at most half of them code first, then all the others."""
    candidates = sorted(_candidates(source), key=lambda candidate: candidate.order)
    code = [candidate for candidate in candidates if candidate.code]
    first = code[: wanted // 2]
    chosen = {candidate.path for candidate in first}
    rest = [candidate for candidate in candidates if not candidate.code]
    rest += [candidate for candidate in code if candidate.path not in chosen]
    seen = set(known)
    for candidate in [*first, *rest]:
        if wanted <= 0:
            return
        entry = _store(candidate.path, destination, seen)
        if entry is not None:
            seen.add(entry.sha256)
            wanted -= 1
            yield entry


def _candidates(source: Path) -> Iterator[_Candidate]:
    for folder, folders, files in os.walk(source):
        folders.sort()
        for name in files:
            path = os.path.join(folder, name)  # noqa: PTH118 - a hundred thousand of them
            try:
                facts = os.lstat(path)
            except OSError:
                continue  # it went away while we looked: not part of this choice
            if stat.S_ISREG(facts.st_mode) and 1 <= facts.st_size <= MAX_FILE_BYTES:
                within = os.path.relpath(path, source)
                order = hashlib.blake2b(os.fsencode(within), digest_size=16).digest()
                yield _Candidate(order, path, bool(facts.st_mode & stat.S_IXUSR) or ".so" in name)


def _store(path: str, destination: Path, seen: set[str]) -> Entry | None:
    """Copy one file in under its digest, or None if it is unreadable, changed, known already or not clean for us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError:
        return None  # not readable by us: another file takes its place
    if not 1 <= len(content) <= MAX_FILE_BYTES or BASELINE_LITERAL in content:
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 in seen:
        return None
    target = object_path(destination, sha256)
    if not _is_stored(target, len(content)):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{sha256}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(target)
    source = os.fsencode(path).decode("utf-8", "replace")
    return Entry(sha256, len(content), source, None, kind_of(content[:HEAD_BYTES]))


def _is_stored(target: Path, size: int) -> bool:
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False
