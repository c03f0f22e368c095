"""Looks into zip archives without trusting them: what is in there, or why it was not looked at.

Rules:
- Limits on members, depth, bytes, ratio and time. Over a limit, the answer is a reason, and whoever wants to call the
  archive clean has to say "not scanned" instead.
- The directory's size is checked before it is parsed, and content is counted as it comes out, never as declared.
- Nothing is written to disk, no member's name is ever used as a path.
"""

import hashlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final

from labkit.wire.kinds import HEAD_BYTES, FileKind, kind_of

MAX_MEMBERS: Final = 10_000
MAX_DEPTH: Final = 5
MAX_BYTES: Final = 512 * 1024 * 1024
MAX_NESTED_BYTES: Final = 64 * 1024 * 1024
MAX_RATIO: Final = 300
MAX_SECONDS: Final = 20.0
_MAX_DIRECTORY_BYTES: Final = 4 * 1024 * 1024
_RATIO_COUNTS_FROM: Final = 64 * 1024 * 1024
_SHOWN_NAME: Final = 120
_PIECE: Final = 64 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR_BYTES: Final = 20
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class OverLimit(Exception):
    """The archive is over a limit, or damaged: it was not looked through."""


@dataclass(frozen=True)
class Member:
    """One member of an archive; `name` is only for showing, `depth` 1 is the archive itself."""

    name: str
    size: int
    depth: int
    kind: FileKind
    sha256: str | None


@dataclass(frozen=True)
class Listing:
    """The members that were seen; with a reason, there was more that was not."""

    members: tuple[Member, ...] = ()
    reason: str | None = None


@dataclass
class _Budget:
    """What is left for one file, over all its depths."""

    clock: Callable[[], float]
    until: float
    packed: int
    bytes: int = MAX_BYTES
    members: list[Member] = field(default_factory=list)

    def member(self) -> None:
        if len(self.members) >= MAX_MEMBERS:
            raise OverLimit(f"the archive has more than {MAX_MEMBERS} members")

    def spend(self, amount: int) -> None:
        self.bytes -= amount
        out = MAX_BYTES - self.bytes
        if self.bytes < 0:
            raise OverLimit(f"the archive unpacks to more than {MAX_BYTES // 2**20} MiB")
        if out > _RATIO_COUNTS_FROM and out > MAX_RATIO * self.packed:
            raise OverLimit(f"the archive unpacks to more than {MAX_RATIO} times its size")
        if self.clock() > self.until:
            raise OverLimit(f"the archive takes more than {MAX_SECONDS:g} s to unpack")


def look_into(path: Path, clock: Callable[[], float] = time.monotonic) -> Listing | None:
    """The members of a zip archive, or None if the file is none."""
    with path.open("rb") as source:
        if kind_of(source.read(HEAD_BYTES)) != "zip":
            return None
        budget = _Budget(clock, clock() + MAX_SECONDS, max(1, path.stat().st_size))
        try:
            _list(source, 1, budget)
        except OverLimit as limit:
            return Listing(tuple(budget.members), str(limit))
    return Listing(tuple(budget.members))


def _list(source: BinaryIO, depth: int, budget: _Budget) -> None:
    if depth > MAX_DEPTH:
        raise OverLimit(f"the archive holds archives more than {MAX_DEPTH} deep")
    _check_directory(source)
    try:
        with zipfile.ZipFile(source) as archive:
            for info in archive.infolist():
                budget.member()
                _member(archive, info, depth, budget)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, NotImplementedError) as error:
        raise OverLimit(f"the archive is damaged or of an unknown form: {error}") from error


def _check_directory(source: BinaryIO) -> None:
    """Refuse an archive by its end record, before a parser allocates what that record claims."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(0, size - 65_535 - _END.size))
    tail = source.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise OverLimit("the archive is damaged: it has no directory")
    if tail[max(0, at - _ZIP64_LOCATOR_BYTES) : at].startswith(b"PK\x06\x07"):
        raise OverLimit("the archive is of the zip64 form, which is only needed for huge ones")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, at)
    if entries > MAX_MEMBERS:
        raise OverLimit(f"the archive has more than {MAX_MEMBERS} members")
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise OverLimit(f"the archive's directory is larger than {_MAX_DIRECTORY_BYTES // 1024} KiB")
    source.seek(0)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int, budget: _Budget) -> None:
    shown = info.filename[:_SHOWN_NAME]
    if info.is_dir():
        return
    if info.flag_bits & _ENCRYPTED:
        budget.members.append(Member(shown, info.file_size, depth, "data", None))
        raise OverLimit("the archive is encrypted")
    if info.compress_type not in _METHODS:
        raise OverLimit(f"the archive uses compression method {info.compress_type}, which is not unpacked here")
    nested = io.BytesIO()
    with archive.open(info) as opened:
        size, sha256, head = _drain(opened, nested, budget)
    kind = kind_of(head)
    budget.members.append(Member(shown, size, depth, kind, sha256))
    if kind == "zip":
        if size > MAX_NESTED_BYTES:
            raise OverLimit(f"the archive holds an archive larger than {MAX_NESTED_BYTES // 2**20} MiB")
        _list(nested, depth + 1, budget)


def _drain(opened: IO[bytes], nested: io.BytesIO, budget: _Budget) -> tuple[int, str, bytes]:
    digest = hashlib.sha256()
    head = b""
    size = 0
    while piece := opened.read(_PIECE):
        budget.spend(len(piece))
        digest.update(piece)
        head = head or piece[:HEAD_BYTES]
        size += len(piece)
        if head.startswith(b"PK") and size <= MAX_NESTED_BYTES:
            nested.write(piece)
    return size, digest.hexdigest(), head
