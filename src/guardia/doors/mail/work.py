"""Takes stored messages out of the spool and into the desk: read, judged, decided in one transaction, then settled.

Rules:
- A message leaves the spool only after the transaction that decided it has ended; killed in between, the message is
  taken up again, meets its own row, and is settled. Nothing is lost, nothing is done twice.
- While the database is away, mail stays where it is, and keeps the instant at which it came.
- A batch that fails is tried again one by one, so that one message never holds up the others. One that fails again and
  again goes to the quarantine with its reason; one that cannot be read off the disk, or of which the database does not
  even take the bare facts, is set aside and shown.
- Where DNS did not answer, whoever wrote is not judged yet: a few minutes later it is asked again, at most so long.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Final, Protocol
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection

from guardia.features.mail.rules.arrived import Arrival, Envelope, Letter, Verdict
from guardia.features.mail.rules.deciding import Limits
from guardia.journeys.receive_mail import keep_unread, receive_mail
from guardia.journeys.take_up_mail import accepted_mail, back_to_quarantine
from guardia.kernel import clock
from guardia.kernel.outside import Claim, MailLocked, MailSpool, MailUnreadable

_log = logging.getLogger("guardia.mail")
BATCH: Final = 32
IDLE_S: Final = 0.2
DATABASE_AWAY_S: Final = 2.0
ASK_AGAIN_AFTER: Final = timedelta(seconds=45)
UNSURE_AT_MOST: Final = timedelta(minutes=10)
TRY_AGAIN_AFTER: Final = timedelta(seconds=20)
MOST_TRIES: Final = 3
JUDGES: Final = 8
MOST_BYTES: Final = 48 * 1024 * 1024
"""Of raw messages at a time."""
AWAY: Final = frozenset({"08", "53", "57"})
"""Classes of SQLSTATE: connection, resources, shut down."""


class Reader(Protocol):
    """What makes a letter of bytes, whatever they are."""

    def read(self, raw: bytes, envelope_sender: str | None) -> Letter: ...


Read = tuple[Envelope, bytes, Letter]
Judge = Callable[[bytes, Envelope, Sequence[str]], Verdict]


@dataclass
class MailWorker:
    """One process at work. `judge` asks DNS; `reader` reads in a process of its own."""

    spool: MailSpool
    reader: Reader
    judge: Judge
    limits: Limits
    batch: int = BATCH
    tries: dict[UUID, int] = field(default_factory=dict)
    judges: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(JUDGES, "judge"))

    def run(self, stop: Event) -> None:
        """Work for ever; a database that is away for a while is waited for."""
        while not stop.is_set():
            try:
                if not self.work():
                    stop.wait(IDLE_S)
            except Error:
                _log.exception("the database did not take the mail; it stays in the spool")
                connection.close()
                stop.wait(DATABASE_AWAY_S)

    def work(self) -> int:
        """Take in what waits, a batch of it, and what left the quarantine; return how many messages were looked at."""
        now = clock.now()
        claims = self.spool.take(self.batch, now)
        try:
            for read in self._in_memory(claims, now):
                verdicts = self.judges.map(lambda one: self._judged(*one[1]), read)
                judged = [(claim, arrival) for (claim, _), arrival in zip(read, verdicts, strict=True)]
                self._receive([one for one in judged if not self._is_deferred(*one, now)], now)
        finally:
            for claim in claims:
                claim.release()
        return len(claims) + self._take_up(now)

    # -- one message --

    def _in_memory(self, claims: Sequence[Claim], now: datetime) -> Iterator[list[tuple[Claim, Read]]]:
        """Read messages, and yield them in groups that fit into memory: a batch of large ones is several."""
        group: list[tuple[Claim, Read]] = []
        for claim in claims:
            message = self._read(claim, now)
            if message is not None:
                group.append((claim, message))
            if sum(len(raw) for _, (_, raw, _) in group) >= MOST_BYTES:
                yield group
                group = []
        yield group

    def _read(self, claim: Claim, now: datetime) -> Read | None:
        try:
            envelope, raw = self.spool.read(claim.id)
        except MailLocked as error:
            _log.error(
                "message %s waits for its key: put it back into the key file and start anew: %s", claim.id, error
            )
            self.spool.defer(claim.id, now + TRY_AGAIN_AFTER)
            return None
        except MailUnreadable:
            _log.exception("message %s cannot be read off the disk; it was set aside", claim.id)
            self.spool.set_aside(claim.id)
            return None
        except OSError:
            _log.exception("message %s is not to be had now", claim.id)
            self.spool.defer(claim.id, now + TRY_AGAIN_AFTER)
            return None
        return envelope, raw, self.reader.read(raw, None if envelope.door == "imap" else envelope.sender)

    def _judged(self, envelope: Envelope, raw: bytes, letter: Letter) -> Arrival:
        try:
            verdict = self.judge(raw, envelope, letter.all_senders)
        except Exception:  # noqa: BLE001  whatever a message does to it: nobody is proven by a failure
            _log.exception("message %s could not be judged", envelope.id)
            verdict = Verdict(is_unsure=True, why="the proofs could not be looked at")
        return Arrival(envelope, letter, verdict)

    def _is_deferred(self, claim: Claim, arrival: Arrival, now: datetime) -> bool:
        if not arrival.verdict.is_unsure or now - arrival.envelope.arrived_at > UNSURE_AT_MOST:
            return False
        age = now - arrival.envelope.arrived_at
        self.spool.defer(claim.id, now + max(ASK_AGAIN_AFTER, age))  # ever later: slow DNS may be an attacker's own
        return True

    # -- a batch --

    def _receive(self, arrivals: Sequence[tuple[Claim, Arrival]], now: datetime) -> None:
        if not arrivals:
            return
        try:
            receive_mail([arrival for _, arrival in arrivals], now, self.limits)
        except Error as error:
            if _is_away(error):
                raise
            self._one_by_one(arrivals, now)
        except Exception:  # noqa: BLE001  whatever it is, one message must not hold up the others
            _log.exception("a batch of %d messages was not taken in; they are tried one by one", len(arrivals))
            self._one_by_one(arrivals, now)
        else:
            for claim, _ in arrivals:
                self._settle(claim.id)

    def _one_by_one(self, arrivals: Sequence[tuple[Claim, Arrival]], now: datetime) -> None:
        for claim, arrival in arrivals:
            try:
                receive_mail([arrival], now, self.limits)
            except Exception as error:  # whatever it is, it is kept and shown
                if isinstance(error, Error) and _is_away(error):
                    raise
                _log.exception("message %s was not taken in", claim.id)
                self._failed(claim, arrival, f"{type(error).__name__}: {error}", now)
            else:
                self._settle(claim.id)

    def _failed(self, claim: Claim, arrival: Arrival, why: str, now: datetime) -> None:
        self.tries[claim.id] = self.tries.get(claim.id, 0) + 1
        if self.tries[claim.id] < MOST_TRIES:
            self.spool.defer(claim.id, now + TRY_AGAIN_AFTER)
            return
        try:
            keep_unread(arrival, why, now)
        except Exception as error:  # whatever it is, the messages behind it do not wait for it
            if isinstance(error, Error) and _is_away(error):
                raise
            _log.exception("message %s cannot even be kept as unread; it was set aside", claim.id)
            self.spool.set_aside(claim.id)
            self.tries.pop(claim.id, None)
        else:
            self._settle(claim.id)

    def _settle(self, mail_id: UUID) -> None:
        self.spool.settle(mail_id)
        self.tries.pop(mail_id, None)

    # -- what left the quarantine --

    def _take_up(self, now: datetime) -> int:
        """Take up messages whose sender was proven, or vouched for, after they had waited in quarantine."""
        taken = 0
        for mail_id, person_id in accepted_mail(self.batch):
            try:
                envelope, raw = self.spool.read_kept(mail_id)
                letter = self.reader.read(raw, envelope.sender)
                receive_mail([Arrival(envelope, letter, Verdict(), person_id)], now, self.limits)
                taken += 1
            except Exception as error:  # whatever it is, it is kept and shown
                if isinstance(error, Error) and _is_away(error):
                    raise
                _log.exception("message %s, cleared from quarantine, was not taken in", mail_id)
                self._not_taken_up(mail_id, f"{type(error).__name__}: {error}", now)
        return taken

    def _not_taken_up(self, mail_id: UUID, why: str, now: datetime) -> None:
        self.tries[mail_id] = self.tries.get(mail_id, 0) + 1
        if self.tries[mail_id] >= MOST_TRIES:
            back_to_quarantine(mail_id, why, now)
            self.tries.pop(mail_id, None)


def _is_away(error: Error) -> bool:
    """Whether the database itself is away, rather than unwilling to take a message: then it says nothing at all (no
    SQLSTATE); what the driver itself finds wrong with a message (DataError) has none either.
    """
    state = getattr(getattr(error, "__cause__", None), "sqlstate", None)
    is_lost = connection.connection is None or connection.connection.closed
    is_silent = state is None and isinstance(error, OperationalError | InterfaceError)
    return is_lost or is_silent or str(state)[:2] in AWAY
