"""Journals of phone calls: sealed files, one for each call, between the phone line and the database.

`FolderJournals` is the real one, `MemoryJournals` its twin for tests; one contract test runs against both.

Rules:
- A journal is one file that only grows: a header (which lab key wraps the journal's own key), then sealed frames.
- A note is on disk when `note` returns. Sound is handed to the system at once, so that it outlives a kill; it is on
  disk within a second.
- A disk that is full costs what could not be written, and nothing before or after it: a half frame is cut off again.
- The writer holds a lock on the file (flock), which ends with it: what nobody holds is over, finished or killed.
- A journal that waits lies in `new/`, beside it `<id>.later` where it was put off, its file time being until when.
  One that was handed in lies in `kept/YYYYMM/`, one that cannot be read in `unreadable/`. Mode 0600, folders 0700.
- Files of other names are not ours, and are left alone.
- Where a lab key is missing, the keys are read anew before a journal is said to be locked.
"""

import errno
import fcntl
import json
import logging
import os
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardia.adapters.call_frames import (
    Frame,
    audio_of,
    facts_frame,
    frames_of,
    header_of,
    is_locked,
    record_of,
    sealed_frame,
)
from guardia.adapters.lab_keys import LabKeysRefused
from guardia.adapters.mail_spool import FileClaim, MemoryClaim, instant_of
from guardia.kernel.outside import CallFacts, CallRecord, Claim, JournalLocked, JournalUnreadable, LabKeys

_log = logging.getLogger("guardia.calls")
MOST_BYTES: Final = 64 * 1024 * 1024
NAME_LENGTH: Final = 36
_SYNC_EVERY_S: Final = 1.0
_HEADER_BYTES: Final = 4096


# ---- a journal that is being written ----


class _Journal(ABC):
    """What the real journal and its twin have in common: which frames are written."""

    def __init__(self, call_id: UUID) -> None:
        self.id = call_id
        self._sounds_begun = 0
        self._mutex = threading.RLock()

    def note(self, what: str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        told = {"is": "note", "what": what, "at": at.isoformat(), "data": dict(data or {})}
        self._append((told, b""), is_kept_now=True)

    def begin_sound(self, kind: str, at: datetime) -> int:
        with self._mutex:
            number = self._sounds_begun + 1
            told = {"is": "sound", "number": number, "kind": kind, "at": at.isoformat()}
            self._append((told, b""), is_kept_now=False)
            self._sounds_begun = number
        return number

    def sound(self, number: int, audio: bytes, voiced_s: float, at: datetime) -> None:
        if not 1 <= number <= self._sounds_begun:
            raise ValueError(f"recording {number} was not begun")
        told = {"is": "piece", "number": number, "voiced": voiced_s, "at": at.isoformat()}
        self._append((told, audio), is_kept_now=False)

    @abstractmethod
    def _append(self, frame: Frame, *, is_kept_now: bool) -> None:
        """Add a frame, on disk at once where `is_kept_now`."""


class FileJournal(_Journal):
    """A journal that this process writes and holds; any thread may."""

    def __init__(self, call_id: UUID, file: int, cipher: AESGCM) -> None:
        super().__init__(call_id)
        self._file: int | None = file
        self._cipher = cipher
        self._end = os.fstat(file).st_size
        self._number = 0
        self._synced_at = time.monotonic()

    def finish(self, at: datetime) -> None:
        """End the journal. It is over even where the disk does not take its last word: then it ends as if killed."""
        with self._mutex:
            if self._file is None:
                return
            try:
                self._append(({"is": "end", "at": at.isoformat()}, b""), is_kept_now=True)
            finally:
                os.close(self._file)
                self._file = None

    def _append(self, frame: Frame, *, is_kept_now: bool) -> None:
        with self._mutex:
            if self._file is None:
                raise OSError(errno.EBADF, "the journal is finished")
            sealed = sealed_frame(frame, self._number, self.id, self._cipher)
            if frame[1] and self._end + len(sealed) > MOST_BYTES:
                raise OSError(errno.EFBIG, f"a journal holds at most {MOST_BYTES} bytes")
            self._write(self._file, sealed)
            self._end, self._number = self._end + len(sealed), self._number + 1
            if is_kept_now or time.monotonic() - self._synced_at >= _SYNC_EVERY_S:
                os.fdatasync(self._file)
                self._synced_at = time.monotonic()

    def _write(self, file: int, sealed: bytes) -> None:
        """Write a frame after the last whole one. What remains of an earlier attempt is cut off before and after."""
        if os.fstat(file).st_size != self._end:
            os.ftruncate(file, self._end)
        if os.pwrite(file, sealed, self._end) < len(sealed):
            os.ftruncate(file, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# ---- the folder ----


class FolderJournals:
    """Files of mode 0600 under a folder of mode 0700. `keys_anew` reads the lab keys again; raises LabKeysRefused."""

    def __init__(self, folder: Path, keys: LabKeys, keys_anew: Callable[[], LabKeys] | None = None) -> None:
        self.folder, self._keys, self._keys_anew = folder, keys, keys_anew
        self._begun, self._new, self._kept, self._unreadable = (
            folder / name for name in ("begun", "new", "kept", "unreadable")
        )

    def open(self, facts: CallFacts) -> FileJournal:
        """Begin a journal. It is named in `new/` once it is held and has its first frame: nobody takes it before."""
        for place in (self.folder, self._begun, self._new, self._kept, self._unreadable):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, wrapped, key_id = self._keys.new_key()
        temporary, target = self._begun / f"{facts.id}.{secrets.token_hex(4)}", self._new / str(facts.id)
        file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.write(file, header_of(wrapped, key_id))
            journal = FileJournal(facts.id, file, AESGCM(key))
            journal._append(facts_frame(facts), is_kept_now=True)  # noqa: SLF001  of this module
            os.link(temporary, target)
            _sync_folder(self._new)
        except BaseException:
            os.close(file)
            raise
        finally:
            temporary.unlink(missing_ok=True)
        return journal

    def take(self, limit: int, now: datetime) -> list[Claim]:
        claims = (claim for call_id in self._names() if self._is_due(call_id, now) and (claim := self._claim(call_id)))
        return list(islice(claims, limit))

    def _names(self) -> Iterator[UUID]:
        return _ids(sorted(_listed(self._new)))  # that of the ids is the order in which they began

    def _is_due(self, call_id: UUID, now: datetime) -> bool:
        try:
            return self._later(call_id).stat().st_mtime <= now.timestamp()
        except FileNotFoundError:
            return True

    def _later(self, call_id: UUID) -> Path:
        return self._new / f"{call_id}.later"

    def _claim(self, call_id: UUID) -> FileClaim | None:
        path = self._new / str(call_id)
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file).st_ino:
                return FileClaim(call_id, file)
        except (BlockingIOError, FileNotFoundError):
            pass  # its call lives, or another has it, or has settled it between our opening and our lock
        os.close(file)
        return None

    def read(self, call_id: UUID) -> CallRecord:
        return record_of(call_id, self._frames(call_id))

    def read_sound(self, call_id: UUID, number: int) -> bytes:
        return audio_of(self._frames(call_id), number)

    def _frames(self, call_id: UUID) -> list[Frame]:
        for path in self._paths(call_id):
            with suppress(FileNotFoundError, NotADirectoryError):
                return self._opened(path.read_bytes(), call_id)
        raise FileNotFoundError(errno.ENOENT, f"no journal {call_id}")

    def _opened(self, content: bytes, call_id: UUID) -> list[Frame]:
        try:
            return frames_of(content, call_id, self._keys)
        except JournalLocked:
            if not self._has_keys_anew():
                raise
        return frames_of(content, call_id, self._keys)

    def _has_keys_anew(self) -> bool:
        if self._keys_anew is None:
            return False
        try:
            self._keys = self._keys_anew()
        except LabKeysRefused as error:
            _log.error("the lab keys cannot be read anew: %s", error)
            return False
        return True

    def has(self, call_id: UUID) -> bool:
        return any(path.exists() for path in self._paths(call_id))

    def _paths(self, call_id: UUID) -> tuple[Path, ...]:
        name = str(call_id)
        return self._new / name, self._kept_path(call_id), self._unreadable / name

    def _kept_path(self, call_id: UUID) -> Path:
        return self._kept / f"{instant_of(call_id):%Y%m}" / str(call_id)

    def settle(self, call_id: UUID) -> None:
        self._move(call_id, self._kept_path(call_id))

    def set_aside(self, call_id: UUID) -> None:
        self._move(call_id, self._unreadable / str(call_id))

    def _move(self, call_id: UUID, target: Path) -> None:
        source = self._new / str(call_id)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            source.rename(target)
        except FileNotFoundError:
            if not target.exists():
                raise
        self._later(call_id).unlink(missing_ok=True)

    def defer(self, call_id: UUID, until: datetime) -> None:
        later = self._later(call_id)
        if (self._new / str(call_id)).exists():
            later.touch(mode=0o600)
            os.utime(later, (until.timestamp(), until.timestamp()))

    def count_waiting(self) -> int:
        return sum(1 for _ in self._names())

    def count_locked(self) -> int:
        heads = [head for call_id in self._names() if (head := _head_of(self._new / str(call_id)))]
        if any(is_locked(head, self._keys) for head in heads):
            self._has_keys_anew()
        return sum(is_locked(head, self._keys) for head in heads)

    def count_unreadable(self) -> int:
        return sum(1 for _ in _ids(_listed(self._unreadable)))

    def forget(self, before: datetime, keep: Collection[UUID] = ()) -> list[UUID]:
        gone: list[UUID] = []
        months = [self._kept / name for name in _listed(self._kept)]
        for place in (*months, self._unreadable):
            over = [one for one in _ids(_listed(place)) if instant_of(one) < before and one not in keep]
            gone += [one for one in over if _is_removed(place / str(one))]
        for month in months:
            with suppress(OSError):  # it still holds journals
                month.rmdir()
        for name in _listed(self._begun):  # of a process that was killed before its call had a journal
            with suppress(OSError):
                if (self._begun / name).stat().st_mtime < before.timestamp():
                    (self._begun / name).unlink()
        return gone


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  names only
    except (FileNotFoundError, NotADirectoryError):
        return []  # there was no call yet, or it is no folder of ours


def _ids(names: Iterable[str]) -> Iterator[UUID]:
    """Yield the ids among names; another is not ours: a file that a person or the system put there."""
    for name in names:
        if len(name) == NAME_LENGTH:
            with suppress(ValueError, OverflowError):
                call_id = UUID(name)
                instant_of(call_id)  # an id of another's making may tell none
                if str(call_id) == name:
                    yield call_id


def _is_removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.error("a journal cannot be erased: %s", error)
        return False
    return True


def _head_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError:
        return b""  # it was settled meanwhile


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


# ---- the twin ----


class MemoryJournal(_Journal):
    """A journal of the twin; `fault` is what the disk says of the next frame."""

    def __init__(self, facts: CallFacts, held: set[UUID]) -> None:
        super().__init__(facts.id)
        self.frames: list[Frame] = [facts_frame(facts)]
        self.fault: OSError | None = None
        self._held = held
        self._is_finished = False

    def finish(self, at: datetime) -> None:
        if self._is_finished:
            return
        try:
            self._append(({"is": "end", "at": at.isoformat()}, b""), is_kept_now=True)
        finally:
            self._is_finished = True
            self._held.discard(self.id)

    def _append(self, frame: Frame, *, is_kept_now: bool) -> None:  # noqa: ARG002  nothing is kept later here
        if self._is_finished:
            raise OSError(errno.EBADF, "the journal is finished")
        if self.fault:
            raise self.fault
        if frame[1] and sum(len(audio) for _, audio in self.frames) + len(frame[1]) > MOST_BYTES:
            raise OSError(errno.EFBIG, f"a journal holds at most {MOST_BYTES} bytes")
        self.frames.append((json.loads(json.dumps(frame[0])), frame[1]))


@dataclass
class MemoryJournals:
    """The twin for tests; `fault` is what the disk says of the next journal."""

    fault: OSError | None = None
    new: dict[UUID, MemoryJournal] = field(default_factory=dict)
    later: dict[UUID, datetime] = field(default_factory=dict)
    kept: dict[UUID, MemoryJournal] = field(default_factory=dict)
    unreadable: dict[UUID, MemoryJournal] = field(default_factory=dict)
    held: set[UUID] = field(default_factory=set)
    damaged: set[UUID] = field(default_factory=set)
    locked: set[UUID] = field(default_factory=set)

    def open(self, facts: CallFacts) -> MemoryJournal:
        if self.fault:
            raise self.fault
        if facts.id in self.new:
            raise FileExistsError(errno.EEXIST, str(facts.id))
        self.held.add(facts.id)
        self.new[facts.id] = MemoryJournal(facts, self.held)
        return self.new[facts.id]

    def take(self, limit: int, now: datetime) -> list[Claim]:
        free = [
            call_id for call_id in sorted(self.new) if call_id not in self.held and self.later.get(call_id, now) <= now
        ]
        self.held.update(free[:limit])
        return [MemoryClaim(call_id, self.held) for call_id in free[:limit]]

    def read(self, call_id: UUID) -> CallRecord:
        return record_of(call_id, self._frames(call_id))

    def read_sound(self, call_id: UUID, number: int) -> bytes:
        return audio_of(self._frames(call_id), number)

    def _frames(self, call_id: UUID) -> list[Frame]:
        if call_id in self.locked:
            raise JournalLocked(str(call_id))
        if call_id in self.damaged:
            raise JournalUnreadable(str(call_id))
        for place in (self.new, self.kept, self.unreadable):
            if call_id in place:
                return place[call_id].frames
        raise FileNotFoundError(errno.ENOENT, f"no journal {call_id}")

    def has(self, call_id: UUID) -> bool:
        return any(call_id in place for place in (self.new, self.kept, self.unreadable))

    def settle(self, call_id: UUID) -> None:
        self._move(call_id, self.kept)

    def set_aside(self, call_id: UUID) -> None:
        self._move(call_id, self.unreadable)

    def _move(self, call_id: UUID, target: dict[UUID, MemoryJournal]) -> None:
        if call_id in self.new:
            target[call_id] = self.new.pop(call_id)
            self.later.pop(call_id, None)
        elif call_id not in target:
            raise FileNotFoundError(errno.ENOENT, f"no journal {call_id}")

    def defer(self, call_id: UUID, until: datetime) -> None:
        if call_id in self.new:
            self.later[call_id] = until

    def count_waiting(self) -> int:
        return len(self.new)

    def count_locked(self) -> int:
        return len(self.locked & set(self.new))

    def count_unreadable(self) -> int:
        return len(self.unreadable)

    def forget(self, before: datetime, keep: Collection[UUID] = ()) -> list[UUID]:
        gone = []
        for place in (self.kept, self.unreadable):
            for call_id in [one for one in place if instant_of(one) < before and one not in keep]:
                del place[call_id]
                gone.append(call_id)
        return gone
