"""Send what is due: one mail at a time, no transaction open while a server is talked to, each mail once.

Steps, for each mail:

1. Claim it: an advisory lock of this session on the mail's id. It is gone the moment that its holder is, so a mail of a
   killed sender is free at once; whoever has the lock looks at the row anew.
2. A row found in `handing_over` was left by a sender that died at the dot: rule S-2 says what becomes of it.
3. Compose, sign, and hand over; just before the last dot, `handing_over` is committed.
4. Commit what the server said: sent, again later (S-1), or failed.

A mail that cannot be composed waits like one that was refused, and stops no other. Where no server answers, the round
ends: the others would meet the same.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from guardia.features.cases.queries import find_case_of_mail
from guardia.features.mail import operations, queries
from guardia.features.mail.rules.delivering import IN_DOUBT, may_be_sent_again, next_attempt, still_in_doubt
from guardia.features.mail.rules.letter_bytes import NoSuchAddress
from guardia.features.mail.rules.topics import SECRET, is_withheld
from guardia.journeys.post import mail_names
from guardia.journeys.tell_staff import tell_mail_fate
from guardia.kernel.outside import MailNotTaken, MailRoute, ReadyMail, outside
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey

_log = logging.getLogger("guardia.mail")
_ROUND: Final = 50
MOST: Final = 2000
Mail = Any
Now = Callable[[], datetime]
Compose = Callable[[Mail], bytes]


class NoLongerWaiting(Exception):
    """Somebody else has settled the mail meanwhile."""


@dataclass
class Sent:
    """What a run came to."""

    sent: int = 0
    later: int = 0
    failed: int = 0
    uncertain: int = 0
    withheld: int = 0


def send_due(now: Now, compose: Compose, at_most: int = MOST) -> Sent:
    """Send what is due and return the counts; several senders may run side by side.

    `compose` makes the bytes of a row; the door hands in `guardia.reports.own_letters.mail_bytes`.
    """
    counts, route = Sent(), outside().mail_transport.open()
    sender = _Sender(now, compose, route, counts)
    try:
        tried: set[UUID] = set()
        while len(tried) < at_most:
            due = [one for one in queries.due_ids(now(), _ROUND + len(tried)) if one not in tried][:_ROUND]
            if not due:
                break
            for mail_id in due:
                tried.add(mail_id)
                if not _deal_with(mail_id, sender):
                    return counts
    finally:
        route.close()
    return counts


@dataclass(frozen=True)
class _Sender:
    """What a run works with."""

    now: Now
    compose: Compose
    route: MailRoute
    counts: Sent


def _deal_with(mail_id: UUID, sender: _Sender) -> bool:
    """Take one mail up, if nobody else has it; False where no server answers."""
    now, counts = sender.now, sender.counts
    with _claimed(mail_id) as is_ours:
        mail = queries.find_due(mail_id, now()) if is_ours else None
        if mail is None or not _doubt_is_settled(mail, now(), counts) or _is_kept_back(mail, counts):
            return True
        try:
            return _hand_over(mail, sender)
        except NoLongerWaiting:
            return True
        except Exception as error:  # noqa: BLE001  a poisoned mail waits, with its error in view, and stops no other
            _poisoned(mail, error, now(), counts)
            return True


@contextmanager
def _claimed(mail_id: UUID) -> Iterator[bool]:
    """Hold the lock of a mail, if it is free; it ends with this session, however that ends."""
    key = int.from_bytes(mail_id.bytes[8:], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _poisoned(mail: Mail, error: Exception, now: datetime, counts: Sent) -> None:
    """Let a mail wait that broke something; one that was handed over meanwhile is left for S-2."""
    _log.error("mail %s cannot be sent", mail.id, exc_info=error)
    fresh = queries.find_outbound(mail.id)
    if fresh is not None and fresh.state == operations.WAITING:
        _later(mail, f"{type(error).__name__}: {error}", now, counts)


def _doubt_is_settled(mail: Mail, now: datetime, counts: Sent) -> bool:
    """Step 2: whether the mail may be sent, having been left at the dot or not."""
    return mail.state != operations.HANDING_OVER or _doubted(mail, "its sender was lost", now, counts)


def _doubted(mail: Mail, words: str, now: datetime, counts: Sent) -> bool:
    """S-2: whether a mail in doubt may be sent once more; else it is uncertain from now on."""
    if may_be_sent_again(mail.last_reply, is_automatic=mail.is_automatic):
        mail.last_reply = f"{IN_DOUBT}{words}"
        _settle(mail, state=operations.WAITING, last_reply=mail.last_reply, next_attempt_at=now)
        return True
    counts.uncertain += 1
    _settle(mail, state="uncertain", last_reply=f"{IN_DOUBT}{words}", next_attempt_at=None, **_wiped(mail))
    return False


def _is_kept_back(mail: Mail, counts: Sent) -> bool:
    """Keep a mail from an address that bounces or complained."""
    standing = queries.standings_of([mail.address]).get(mail.address, "")
    if not standing or not is_withheld(standing, mail.topic, is_automatic=mail.is_automatic):
        return False
    counts.withheld += 1
    _settle(mail, state=operations.WITHHELD, last_reply=standing, next_attempt_at=None)
    return True


def _hand_over(mail: Mail, sender: _Sender) -> bool:
    """Steps 3 and 4; False where no server answers."""
    now, counts = sender.now, sender.counts

    def at_the_dot() -> None:
        with journey():
            is_waiting = operations.begin_handing_over(mail.id, now())
        if not is_waiting:
            raise NoLongerWaiting

    try:
        raw = outside().mail_signer.sign(sender.compose(mail))
        ready = ReadyMail(mail.id, mail_names().return_path(mail.id), mail.address, raw)
        said = sender.route.send(ready, at_the_dot)
    except NoSuchAddress as error:
        _fail(mail, f"no address: {error}", now(), counts)
    except MailNotTaken as refusal:
        return _refused(mail, refusal, now(), counts)
    else:
        counts.sent += 1
        _settle(
            mail,
            state="sent",
            sent_at=now(),
            attempts=mail.attempts + 1,
            last_reply=said,
            next_attempt_at=None,
            **_wiped(mail),
        )
    return True


def _refused(mail: Mail, refusal: MailNotTaken, now: datetime, counts: Sent) -> bool:
    words = str(refusal)
    if refusal.is_final:
        _fail(mail, words, now, counts)
    elif not refusal.is_in_doubt:
        _later(mail, words, now, counts)
    elif _doubted(mail, words, now, counts):
        _later(mail, mail.last_reply, now, counts)
    return not refusal.is_unreachable


def _later(mail: Mail, words: str, now: datetime, counts: Sent) -> None:
    at = next_attempt(mail.created_at, mail.attempts + 1, now)
    if at is None:
        _fail(mail, words, now, counts)
        return
    counts.later += 1
    _settle(
        mail,
        state=operations.WAITING,
        attempts=mail.attempts + 1,
        last_reply=still_in_doubt(mail.last_reply, words),
        next_attempt_at=at,
    )


def _fail(mail: Mail, words: str, now: datetime, counts: Sent) -> None:
    """Give a mail up, and tell who has the case, where a customer waits for it."""
    counts.failed += 1
    with journey():
        values = {"state": "failed", "attempts": mail.attempts + 1, "next_attempt_at": None, **_wiped(mail)}
        is_news = operations.settle_attempt(mail.id, last_reply=_clean(words), **values)
        case = find_case_of_mail(mail.case_id) if is_news and mail.case_id else None
        if case is not None:
            tell_mail_fate(case, "mail_failed", mail.id, now)


def _wiped(mail: Mail) -> dict[str, Any]:
    """Nothing of a secret link stays once its mail is settled."""
    return {"paragraphs": []} if mail.topic in SECRET else {}


def _settle(mail: Mail, last_reply: str, **values: Any) -> None:
    with journey():
        operations.settle_attempt(mail.id, last_reply=_clean(last_reply), **values)


def _clean(words: str) -> str:
    """Return a server's words as the database keeps them."""
    return one_line(words)[: operations.LONGEST_REPLY]
