"""What a corpus consists of: one line of facts for each file, and one digest over all of them.

Layout of a corpus folder: `manifest.json` and `objects/<first two hex digits>/<sha256>`.

Rules:
- Content is a copy named by its SHA-256, so the corpus stays what it was when its sources change.
- The digest covers (sha256, size, kind) of every file in order of sha256: the same content, the same digest.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FORMAT: Final = "guardia-corpus/1"
MANIFEST: Final = "manifest.json"


class CorpusBroken(Exception):
    """The corpus folder does not hold what its manifest says, or holds no manifest."""


@dataclass(frozen=True)
class Entry:
    """One clean file: its content's digest and size, where it was found, the package that owns it, its kind."""

    sha256: str
    size: int
    source: str
    package: str | None
    kind: str


@dataclass(frozen=True)
class Manifest:
    entries: tuple[Entry, ...]
    digest: str
    limit: int

    @classmethod
    def of(cls, entries: list[Entry], limit: int) -> "Manifest":
        ordered = tuple(sorted(entries, key=lambda entry: entry.sha256))
        whole = hashlib.sha256()
        for entry in ordered:
            whole.update(f"{entry.sha256} {entry.size} {entry.kind}\n".encode())
        return cls(ordered, whole.hexdigest(), limit)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)

    def counts(self) -> dict[str, int]:
        """How many files there are of each kind."""
        found: dict[str, int] = {}
        for entry in self.entries:
            found[entry.kind] = found.get(entry.kind, 0) + 1
        return dict(sorted(found.items()))


class Corpus:
    """A corpus folder, read. Raises CorpusBroken if there is none or its manifest is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        self._by_sha256 = {entry.sha256: entry for entry in self.manifest.entries}

    def paths(self) -> list[Path]:
        return [object_path(self.folder, entry.sha256) for entry in self.manifest.entries]

    def entry(self, path: Path) -> Entry:
        """The facts of one of `paths()`."""
        return self._by_sha256[path.name]


def object_path(folder: Path, sha256: str) -> Path:
    """Where the bytes of a corpus file lie."""
    return folder / "objects" / sha256[:2] / sha256


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the corpus in `folder`. Raises CorpusBroken where it is missing or damaged."""
    path = folder / MANIFEST
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise CorpusBroken(f"{path} has format {document['format']!r}, expected {FORMAT!r}: build the corpus anew")
        entries = [Entry(*row) for row in document["files"]]
        manifest = Manifest.of(entries, document["limit"])
        stated = document["digest"]
    except FileNotFoundError as error:
        raise CorpusBroken(f"there is no clean corpus in {folder}: build it with `python -m labkit.corpora`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusBroken(f"{path} is damaged ({error}): delete it and build the corpus anew") from error
    if manifest.digest != stated:
        raise CorpusBroken(f"{path} does not have the digest that it states: delete it and build the corpus anew")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it whole or not at all; it is the last thing that a build of a corpus writes."""
    document = {
        "format": FORMAT,
        "digest": manifest.digest,
        "limit": manifest.limit,
        "counts": manifest.counts(),
        "bytes": manifest.size,
        "files": [[entry.sha256, entry.size, entry.source, entry.package, entry.kind] for entry in manifest.entries],
    }
    temporary = folder / f".{MANIFEST}.{os.getpid()}"
    with temporary.open("w", encoding="utf-8") as target:
        json.dump(document, target, separators=(",", ":"))
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(folder / MANIFEST)
