"""The mail spool: raw messages as sealed files, from the moment a sender hears 250 until they are cases, and after.

`FolderSpool` is the real one, `MemorySpool` its twin for tests; one contract test runs against both.

Rules:
- A message is kept when its file is whole, on disk, and named in `new/`: written in `incoming/`, synced, renamed, and
  the folder synced. Before that it is nowhere; a file of `incoming/` is never read, only swept.
- It may hold live malware: a file is a small header (which lab key wraps its own key), then envelope and bytes in the
  quarantine's sealed format. Mode 0600, in folders of mode 0700.
- Its name is its id, whose first 48 bits are the millisecond of its arrival, so names in order are mail in order.
- A claim is a lock on the file (flock), so that the claim of a killed process ends with it.
- A waiting message has the file time 0, a deferred one the instant until which it is. One that was dealt with lies in
  `kept/YYYYMM/`, its file time being that of the settling. One that cannot be read lies in `unreadable/`.
"""

import base64
import fcntl
import hashlib
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from guardia.adapters.lab_keys import LabKeyMissing, LabKeysRefused
from guardia.features.mail.rules.arrived import Envelope
from guardia.kernel import clock
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import Claim, LabKeys, MailFacts, MailLocked, MailUnreadable
from labkit.wire.sealed import SealBroken, Sealer, open_sealed

MAGIC: Final = b"GRDMAIL1"
BEAT: Final = "listener.beat"
NAME_LENGTH: Final = 36
_LENGTH_BYTES: Final = 4
_MOST_HEADER: Final = 4096
_TIMESTAMP_SHIFT: Final = 80


def instant_of(mail_id: UUID) -> datetime:
    """Return the millisecond of arrival that an id begins with."""
    return datetime.fromtimestamp((mail_id.int >> _TIMESTAMP_SHIFT) / 1000, UTC)


def envelope_of(facts: MailFacts, raw: bytes) -> Envelope:
    """Return the envelope under which a message is stored."""
    return Envelope(
        id=facts.id or uuid7(),
        arrived_at=facts.arrived_at,
        door=facts.door,
        peer=facts.peer,
        helo=facts.helo,
        sender=facts.sender,
        recipients=facts.recipients,
        size=len(raw),
        digest=hashlib.sha256(raw).hexdigest(),
    )


# ---- the file ----


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(_LENGTH_BYTES, "big") + part


def _unframed(content: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(content[:_LENGTH_BYTES], "big")
    return content[_LENGTH_BYTES : _LENGTH_BYTES + length], content[_LENGTH_BYTES + length :]


def _packed(envelope: Envelope, raw: bytes, keys: LabKeys) -> bytes:
    key, wrapped, key_id = keys.new_key()
    target = io.BytesIO()
    header = {"key": key_id, "wrapped": base64.b64encode(wrapped).decode()}
    target.write(MAGIC + _framed(json.dumps(header).encode()))
    facts = {**envelope.__dict__, "id": str(envelope.id), "arrived_at": envelope.arrived_at.isoformat()}
    sealer = Sealer(target, key)
    sealer.write(_framed(json.dumps(facts).encode()))
    sealer.write(raw)
    sealer.finish()
    return target.getvalue()


def _unpacked(content: bytes, mail_id: UUID, keys: LabKeys) -> tuple[Envelope, bytes]:
    """Return envelope and bytes. Raises MailUnreadable, also where the file is another message's; MailLocked."""
    try:
        if not content.startswith(MAGIC):
            raise MailUnreadable(f"{mail_id} is no stored message")
        header, sealed = _unframed(content[len(MAGIC) :])
        told = json.loads(header[:_MOST_HEADER])
        key = keys.unwrap(base64.b64decode(told["wrapped"]), told["key"])
        facts, raw = _unframed(b"".join(open_sealed(io.BytesIO(sealed), key)))
        envelope = _envelope(json.loads(facts))
    except LabKeyMissing as error:
        raise MailLocked(f"{mail_id}: {error}") from error
    except (SealBroken, LabKeysRefused, ValueError, KeyError, TypeError) as error:
        raise MailUnreadable(f"{mail_id}: {error}") from error
    if envelope.id != mail_id:
        raise MailUnreadable(f"{mail_id}: the file holds the message {envelope.id}")
    return envelope, raw


def _envelope(facts: dict[str, Any]) -> Envelope:
    return Envelope(
        **{
            **facts,
            "id": UUID(facts["id"]),
            "arrived_at": datetime.fromisoformat(facts["arrived_at"]),
            "recipients": tuple(facts["recipients"]),
        }
    )


# ---- the folder ----


class FileClaim:
    """A lock on a waiting file."""

    def __init__(self, mail_id: UUID, number: int) -> None:
        self.id = mail_id
        self._number: int | None = number

    def release(self) -> None:
        if self._number is not None:
            os.close(self._number)
            self._number = None


class FolderSpool:
    """Files of mode 0600 under a folder of mode 0700."""

    def __init__(self, folder: Path, keys: LabKeys) -> None:
        self.folder, self._keys = folder, keys
        self._incoming, self._new, self._kept, self._unreadable = (
            folder / name for name in ("incoming", "new", "kept", "unreadable")
        )
        for part in (folder, self._incoming, self._new, self._kept, self._unreadable):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.chmod(0o700)
        _fsync_folder(folder)

    def keep(self, facts: MailFacts, raw: bytes) -> Envelope:
        (done,) = self.keep_many([(facts, raw)])
        if isinstance(done, OSError):
            raise done
        return done

    def keep_many(self, messages: Sequence[tuple[MailFacts, bytes]]) -> list[Envelope | OSError]:
        done = [self._write(facts, raw) for facts, raw in messages]
        try:
            _fsync_folder(self._new)
        except OSError as error:
            # Not sure to be on disk: the sender must not hear 250, and sends again.
            for one in done:
                if isinstance(one, Envelope):
                    (self._new / str(one.id)).unlink(missing_ok=True)
            return [error for _ in done]
        return done

    def _write(self, facts: MailFacts, raw: bytes) -> Envelope | OSError:
        if facts.id and (before := self._kept_before(facts.id)):
            return before
        envelope = envelope_of(facts, raw)
        temporary = self._incoming / f"{envelope.id}.{secrets.token_hex(4)}"
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(_packed(envelope, raw, self._keys))
                file.flush()
                os.utime(file.fileno(), (0, 0))
                os.fsync(file.fileno())
            temporary.rename(self._new / str(envelope.id))
        except OSError as error:
            temporary.unlink(missing_ok=True)
            return error
        return envelope

    def _kept_before(self, mail_id: UUID) -> Envelope | None:
        """Return the envelope of a message that is met again; a damaged file of it is written anew."""
        for read in (self.read, self.read_kept):
            try:
                return read(mail_id)[0]
            except (FileNotFoundError, MailUnreadable):
                continue
        return None

    def _names(self) -> Iterator[UUID]:
        for name in sorted(os.listdir(self._new)):  # noqa: PTH208  names only, and many; their order is that of the ids
            try:
                yield UUID(name)
            except ValueError:
                continue  # not ours: a file that a person put there

    def _due(self, now: datetime) -> Iterator[UUID]:
        for mail_id in self._names():
            with suppress(FileNotFoundError):  # settled meanwhile
                if (self._new / str(mail_id)).stat().st_mtime <= now.timestamp():
                    yield mail_id

    def waiting(self, limit: int, now: datetime) -> list[UUID]:
        return list(islice(self._due(now), limit))

    def claim(self, mail_id: UUID) -> FileClaim | None:
        path = self._new / str(mail_id)
        try:
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(number).st_ino:
                return FileClaim(mail_id, number)
        except (BlockingIOError, FileNotFoundError):
            pass  # another holds it, or has settled it between our opening and our lock
        os.close(number)
        return None

    def take(self, limit: int, now: datetime) -> list[Claim]:
        claims = (claim for mail_id in self._due(now) if (claim := self.claim(mail_id)))
        return list(islice(claims, limit))

    def read(self, mail_id: UUID) -> tuple[Envelope, bytes]:
        return _unpacked((self._new / str(mail_id)).read_bytes(), mail_id, self._keys)

    def read_kept(self, mail_id: UUID) -> tuple[Envelope, bytes]:
        return _unpacked(self._kept_path(mail_id).read_bytes(), mail_id, self._keys)

    def _kept_path(self, mail_id: UUID) -> Path:
        return self._kept / f"{instant_of(mail_id):%Y%m}" / str(mail_id)

    def settle(self, mail_id: UUID) -> None:
        self._move(mail_id, self._kept_path(mail_id))

    def set_aside(self, mail_id: UUID) -> None:
        self._move(mail_id, self._unreadable / str(mail_id))

    def _move(self, mail_id: UUID, target: Path) -> None:
        source = self._new / str(mail_id)
        try:
            os.utime(source, (clock.now().timestamp(),) * 2)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            source.rename(target)
        except FileNotFoundError:
            if not target.exists() and source.exists():
                raise

    def defer(self, mail_id: UUID, until: datetime) -> None:
        with suppress(FileNotFoundError):  # settled meanwhile: there is nothing to put off
            os.utime(self._new / str(mail_id), (until.timestamp(), until.timestamp()))

    def count_waiting(self) -> int:
        return sum(len(name) == NAME_LENGTH for name in os.listdir(self._new))  # noqa: PTH208  as above

    def count_unreadable(self) -> int:
        return sum(1 for _ in self._unreadable.iterdir())

    def oldest_waiting(self) -> datetime | None:
        first = next(self._names(), None)
        return instant_of(first) if first else None

    def beat(self, told: Mapping[str, Any], now: datetime) -> None:
        new, at = self.folder / f".beat.{secrets.token_hex(4)}", now.timestamp()
        try:
            with open(new, "x", encoding="utf-8", opener=_private) as file:
                json.dump(told, file)
            os.utime(new, (at, at))
            new.replace(self.folder / BEAT)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def listener_beat(self) -> datetime | None:
        try:
            return datetime.fromtimestamp((self.folder / BEAT).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def listener_told(self) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = json.loads((self.folder / BEAT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return told

    def sweep(self, before: datetime) -> int:
        return _remove_older(self._incoming.iterdir(), before)

    def forget(self, before: datetime) -> int:
        gone = 0
        for month in list(self._kept.iterdir()):
            gone += _remove_older(month.iterdir(), before)
            with suppress(OSError):  # it still holds messages
                month.rmdir()
        return gone


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _fsync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove_older(paths: Iterable[Path], before: datetime) -> int:
    gone = 0
    for path in list(paths):
        with suppress(FileNotFoundError):  # finished or removed meanwhile
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                gone += 1
    return gone


# ---- the twin ----


@dataclass
class MemoryClaim:
    """A claim within this process."""

    id: UUID
    held: set[UUID]
    is_held: bool = True

    def release(self) -> None:
        if self.is_held:
            self.held.discard(self.id)
            self.is_held = False


@dataclass
class _Waiting:
    envelope: Envelope
    raw: bytes
    until: datetime | None = None


@dataclass
class MemorySpool:
    """The twin for tests; `fault` is what the disk says of the next message to be kept."""

    fault: OSError | None = None
    new: dict[UUID, _Waiting] = field(default_factory=dict)
    kept: dict[UUID, tuple[Envelope, bytes]] = field(default_factory=dict)
    settled_at: dict[UUID, float] = field(default_factory=dict)
    unreadable: dict[UUID, tuple[Envelope, bytes]] = field(default_factory=dict)
    held: set[UUID] = field(default_factory=set)
    told: Mapping[str, Any] = field(default_factory=dict)
    beat_at: datetime | None = None

    def keep(self, facts: MailFacts, raw: bytes) -> Envelope:
        if self.fault:
            raise self.fault
        if facts.id and facts.id in self.new:
            return self.new[facts.id].envelope
        if facts.id and facts.id in self.kept:
            return self.kept[facts.id][0]
        envelope = envelope_of(facts, raw)
        self.new[envelope.id] = _Waiting(envelope, raw)
        return envelope

    def keep_many(self, messages: Sequence[tuple[MailFacts, bytes]]) -> list[Envelope | OSError]:
        return [self.fault or self.keep(facts, raw) for facts, raw in messages]

    def waiting(self, limit: int, now: datetime) -> list[UUID]:
        return [mail_id for mail_id in sorted(self.new) if (self.new[mail_id].until or now) <= now][:limit]

    def claim(self, mail_id: UUID) -> MemoryClaim | None:
        if mail_id in self.held or mail_id not in self.new:
            return None
        self.held.add(mail_id)
        return MemoryClaim(mail_id, self.held)

    def take(self, limit: int, now: datetime) -> list[Claim]:
        claims = (claim for mail_id in self.waiting(len(self.new), now) if (claim := self.claim(mail_id)))
        return list(islice(claims, limit))

    def read(self, mail_id: UUID) -> tuple[Envelope, bytes]:
        if mail_id not in self.new:
            raise FileNotFoundError(str(mail_id))
        return self.new[mail_id].envelope, self.new[mail_id].raw

    def read_kept(self, mail_id: UUID) -> tuple[Envelope, bytes]:
        if mail_id not in self.kept:
            raise FileNotFoundError(str(mail_id))
        return self.kept[mail_id]

    def settle(self, mail_id: UUID) -> None:
        if mail_id in self.new:
            waiting = self.new.pop(mail_id)
            self.kept[mail_id] = (waiting.envelope, waiting.raw)
            self.settled_at[mail_id] = clock.now().timestamp()

    def set_aside(self, mail_id: UUID) -> None:
        if mail_id in self.new:
            waiting = self.new.pop(mail_id)
            self.unreadable[mail_id] = (waiting.envelope, waiting.raw)

    def defer(self, mail_id: UUID, until: datetime) -> None:
        if mail_id in self.new:
            self.new[mail_id].until = until

    def count_waiting(self) -> int:
        return len(self.new)

    def count_unreadable(self) -> int:
        return len(self.unreadable)

    def oldest_waiting(self) -> datetime | None:
        return instant_of(min(self.new)) if self.new else None

    def beat(self, told: Mapping[str, Any], now: datetime) -> None:
        self.told, self.beat_at = told, now

    def listener_beat(self) -> datetime | None:
        return self.beat_at

    def listener_told(self) -> Mapping[str, Any]:
        return self.told

    def sweep(self, before: datetime) -> int:  # noqa: ARG002  the port's signature
        return 0  # nothing of this twin is ever half-written

    def forget(self, before: datetime) -> int:
        gone = [mail_id for mail_id, at in self.settled_at.items() if at < before.timestamp()]
        for mail_id in gone:
            del self.kept[mail_id], self.settled_at[mail_id]
        return len(gone)
