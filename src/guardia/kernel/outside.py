"""The outside world as journeys see it: ports here, adapters chosen by `guardia.wiring` (named in the settings).

Journeys say `outside().quarantine`; tests put twins in place with `replaced(...)`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from guardia.kernel.vocabulary import Lane
from sigdist.records import Build


class Intake(Protocol):
    """One quarantine object on its way in; unfinished it leaves nothing."""

    name: str

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...


class Quarantine(Protocol):
    """Where sealed samples lie."""

    def intake(self, key: bytes) -> Intake:
        """Open a new object, sealed with `key` as it is written."""

    def open(self, name: str) -> BinaryIO:
        """Open the sealed bytes; raise FileNotFoundError."""

    def read_clear(self, name: str, key: bytes) -> Iterator[bytes]:
        """Yield the clear bytes, for packing into a protected archive only."""

    def remove(self, name: str) -> None:
        """Remove an object; a missing one is no error."""

    def sweep(self, before: datetime) -> int:
        """Remove what killed processes left unfinished before an instant; return how many."""


class LabKeys(Protocol):
    """The keys that wrap each sample's own key."""

    def new_key(self) -> tuple[bytes, bytes, str]:
        """Return a new sample key, its wrapped form and the id of the wrapping key."""

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return a sample's key."""


class BuildStore(Protocol):
    """Database files of builds, by content."""

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Keep the files of a build."""

    def read(self, sha256: str) -> bytes:
        """Return a file's bytes; raise FileNotFoundError."""


class ReleaseTree(Protocol):
    """The static release tree and the keys that sign it."""

    def publish(self, lane: Lane, build: Build, now: datetime) -> None:
        """Show a build on a lane; a repetition changes nothing, an older number is refused."""

    def shown(self, lane: Lane) -> int | None:
        """Return the release number that a lane shows."""

    def refresh(self, lane: Lane, now: datetime) -> bool:
        """Sign metadata anew that will be over soon; False where nothing was due."""

    def sign_evidence(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the signed envelope of an in-toto statement."""

    def root_of(self, lane: Lane) -> Mapping[str, Any]:
        """Return a lane's trusted root document, for a machine's enrolment."""

    def admit(self, subscribers: Mapping[str, datetime | None]) -> None:
        """Let exactly these lane tokens (by SHA-256) into the accelerated lane, each until its instant."""


class Webhook(Protocol):
    """Where the operator wants escalations posted."""

    @property
    def is_set(self) -> bool: ...
    def send(self, body: bytes, now: datetime) -> None:
        """Post a signed body; raise WebhookRefused where it was not taken."""


class WebhookRefused(Exception):
    """The receiver of the webhook did not take a message."""


@dataclass(frozen=True)
class MailFacts:
    """How a message came. `id` is given where the same message may be met again, else made."""

    door: str
    arrived_at: datetime
    peer: str = ""
    helo: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    id: UUID | None = None


class MailUnreadable(Exception):
    """A stored message is damaged."""


class MailLocked(MailUnreadable):
    """A stored message is sealed with a key that is missing now: nothing is wrong with the message."""


class Claim(Protocol):
    """A stored message that nobody else takes until it is released, or its holder's process has ended."""

    id: UUID

    def release(self) -> None:
        """Let others take it; twice is no error."""


class MailSpool(Protocol):
    """Raw mail on disk, sealed, between the socket and the database. An envelope is that of `features.mail.rules`."""

    def keep(self, facts: MailFacts, raw: bytes) -> Any:
        """Store a message durably and return its envelope; one that was kept before stays as it is. Raises OSError."""

    def keep_many(self, messages: Sequence[tuple[MailFacts, bytes]]) -> list[Any]:
        """Store messages with one wait for the disk; return for each its envelope, or the OSError that it met."""

    def waiting(self, limit: int, now: datetime) -> list[UUID]:
        """Return what is to be dealt with, oldest first, without what is deferred."""

    def claim(self, mail_id: UUID) -> Claim | None:
        """Claim a waiting message; None where another has it, or it waits no more."""

    def take(self, limit: int, now: datetime) -> list[Claim]:
        """Claim up to `limit` waiting messages that nobody has, oldest first."""

    def read(self, mail_id: UUID) -> tuple[Any, bytes]:
        """Return envelope and bytes of a waiting message. Raises FileNotFoundError, MailUnreadable (MailLocked)."""

    def read_kept(self, mail_id: UUID) -> tuple[Any, bytes]:
        """Return envelope and bytes of a message that was dealt with. Raises FileNotFoundError, MailUnreadable."""

    def settle(self, mail_id: UUID) -> None:
        """It was dealt with: keep it, but let it wait no more; twice is no error."""

    def set_aside(self, mail_id: UUID) -> None:
        """It cannot be read: let it wait no more, and show it; twice is no error."""

    def defer(self, mail_id: UUID, until: datetime) -> None:
        """Let it be dealt with later; kept across restarts."""

    def count_waiting(self) -> int:
        """Return how many wait, deferred ones too."""

    def count_unreadable(self) -> int:
        """Return how many were set aside."""

    def oldest_waiting(self) -> datetime | None:
        """Return when the oldest waiting message came."""

    def beat(self, told: Mapping[str, Any], now: datetime) -> None:
        """The listener lives, and has done what is told. Raises OSError."""

    def listener_beat(self) -> datetime | None:
        """Return when the listener last said that it lives."""

    def listener_told(self) -> Mapping[str, Any]:
        """Return what it said that it had done; nothing where it never spoke."""

    def sweep(self, before: datetime) -> int:
        """Remove what killed processes left unfinished before an instant; return how many."""

    def forget(self, before: datetime) -> int:
        """Remove messages that were dealt with before an instant; return how many."""


@dataclass(frozen=True)
class CallFacts:
    """How a call began. `direction` is `in` or `page`; `caller` the number shown, or whom the line called."""

    id: UUID
    direction: str
    started_at: datetime
    caller: str = ""


@dataclass(frozen=True)
class CallNote:
    """One thing that happened in a call. Notes may hold what no log does (a PIN to check later): never show them."""

    at: datetime
    what: str
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class KeptSound:
    """A recording in a journal: µ-law at 8,000 Hz."""

    number: int
    kind: str
    started_at: datetime
    seconds: float
    voiced_s: float


@dataclass(frozen=True)
class CallRecord:
    """A journal as it is read back. `ended_at` is None where the line was killed during the call; `last_at` is the last
    instant that the journal knows of. `is_damaged`: a part of it is lost, and the note `damaged` stands in its place.
    """

    facts: CallFacts
    notes: Sequence[CallNote]
    sounds: Sequence[KeptSound]
    ended_at: datetime | None
    last_at: datetime
    is_damaged: bool = False


class JournalUnreadable(Exception):
    """A call's journal cannot be read."""


class JournalLocked(JournalUnreadable):
    """A call's journal is sealed with a lab key that is missing now: with the key it can be read."""


class CallJournal(Protocol):
    """The journal of a call that lives. What was noted outlives a `kill -9`; of sound at most a second is lost."""

    id: UUID

    def note(self, what: str, at: datetime, data: Mapping[str, Any] | None = None) -> None:
        """Write a note. Raises OSError."""

    def begin_sound(self, kind: str, at: datetime) -> int:
        """Begin a recording and return its number, from 1. Raises OSError."""

    def sound(self, number: int, audio: bytes, voiced_s: float, at: datetime) -> None:
        """Add a piece to a recording. Raises OSError."""

    def finish(self, at: datetime) -> None:
        """The call is over: the journal waits for being handed in. Twice is no error. Raises OSError."""


class CallJournals(Protocol):
    """Journals of calls on disk, sealed, between the phone line and the database."""

    def open(self, facts: CallFacts) -> CallJournal:
        """Begin a journal, held by this process until it is finished or the process has ended. Raises OSError."""

    def take(self, limit: int, now: datetime) -> list[Claim]:
        """Claim up to `limit` journals that wait and that nobody holds, oldest first: finished ones, and those whose
        process was killed.
        """

    def read(self, call_id: UUID) -> CallRecord:
        """Return a journal, wherever it is; a torn end and what is damaged are left out. Raises FileNotFoundError,
        JournalLocked, JournalUnreadable.
        """

    def read_sound(self, call_id: UUID, number: int) -> bytes:
        """Return a recording's sound. Raises FileNotFoundError (also where it has no such recording),
        JournalLocked, JournalUnreadable.
        """

    def has(self, call_id: UUID) -> bool:
        """Whether there is a journal, wherever it is."""

    def settle(self, call_id: UUID) -> None:
        """It was handed in: keep it, but let it wait no more; twice is no error."""

    def set_aside(self, call_id: UUID) -> None:
        """It cannot be read: let it wait no more, and show it; twice is no error."""

    def defer(self, call_id: UUID, until: datetime) -> None:
        """Let it be handed in later; kept across restarts."""

    def count_waiting(self) -> int:
        """Return how many wait, those of living calls too."""

    def count_locked(self) -> int:
        """Return how many of those that wait are sealed with a lab key that is missing now."""

    def count_unreadable(self) -> int:
        """Return how many were set aside."""

    def forget(self, before: datetime, keep: Collection[UUID] = ()) -> list[UUID]:
        """Remove the journals of calls that were handed in or set aside and began before an instant, without those of
        `keep`; return the ids of those that are gone. What is no journal, or cannot be removed, stops no other.
        """


class DnsUnsure(Exception):
    """DNS did not answer in time, or answered that it cannot now: asking later may tell more."""


class Resolver(Protocol):
    """Who answers questions to DNS."""

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the answers of a kind (`TXT`, `A`, `AAAA`, `MX`, `PTR`); none where there are none. Raises DnsUnsure.

        An MX is `preference host`; a TXT is its strings joined, a character for each byte.
        """


@dataclass(frozen=True)
class ReadyMail:
    """A mail as it is handed over: signed bytes, and the addresses of its envelope. `id` is one file or one mail."""

    id: UUID
    return_path: str
    recipient: str
    raw: bytes


class MailNotTaken(Exception):
    """A mail was not taken, in the server's words.

    `is_final`: asking again cannot help. `is_unreachable`: no server answers, so others would meet the same.
    `is_in_doubt`: the last byte went out and no answer came, so it may have been taken.
    """

    def __init__(
        self, words: str, *, is_final: bool = False, is_unreachable: bool = False, is_in_doubt: bool = False
    ) -> None:
        super().__init__(words)
        self.is_final, self.is_unreachable, self.is_in_doubt = is_final, is_unreachable, is_in_doubt


class MailRoute(Protocol):
    """A connection for one mail after the other; it is opened when first needed."""

    def send(self, mail: ReadyMail, before_last_dot: Callable[[], None]) -> str:
        """Hand a mail over and return what was said. Raises MailNotTaken.

        Where a repetition could be a second mail, `before_last_dot` is called just before the byte that hands it over;
        what it raises ends the attempt, and nothing was handed over.
        """

    def close(self) -> None:
        """End it; twice is no error."""


class MailTransport(Protocol):
    """Where mail goes."""

    def open(self) -> MailRoute:
        """Return a route; nothing is asked of the outside yet."""


class MailSigner(Protocol):
    """Who signs mail for our domain."""

    @property
    def is_ready(self) -> bool:
        """Whether there is a key; without one mail goes out unsigned."""

    def sign(self, raw: bytes) -> bytes:
        """Return a mail with its signature before it, or as it is where there is no key."""


@dataclass(frozen=True)
class Outside:
    """Every port."""

    quarantine: Quarantine
    lab_keys: LabKeys
    builds: BuildStore
    tree: ReleaseTree
    webhook: Webhook
    mail_spool: MailSpool
    resolver: Resolver
    mail_transport: MailTransport
    mail_signer: MailSigner
    call_journals: CallJournals


_replaced: ContextVar[Outside | None] = ContextVar("outside of a test", default=None)


@cache
def _wired() -> Outside:
    made: Outside = import_string(settings.GUARDIA_WIRING)()
    return made


def outside() -> Outside:
    """Return the ports of this process."""
    return _replaced.get() or _wired()


@contextmanager
def replaced(**ports: Any) -> Iterator[Outside]:
    """Put other adapters in place inside the block."""
    base = _replaced.get() or _wired()
    token = _replaced.set(replace(base, **ports))
    try:
        yield outside()
    finally:
        _replaced.reset(token)
