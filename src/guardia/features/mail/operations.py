"""Changes of mail rows: what arrived is kept once by its stored id, what is to be sent once by its key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection

from guardia.features.mail.models import AddressStanding, InboundMail, NotificationRule, OutboundMail, SenderProof
from guardia.kernel.many_rows import insert_rows
from guardia.kernel.transactions import operation

WAITING, HANDING_OVER, WITHHELD = "waiting", "handing_over", "withheld"
LONGEST_REASON = 300
LONGEST_REPLY = 500


@dataclass(frozen=True)
class NewMail:
    """A mail to be sent: to whom, why, and its words; `withheld` says why it is kept but not sent.

    `paragraphs`: `{"text": …}`, or `{"text": label, "url": …}` for a link. `id` and `message_id` belong together.
    """

    id: UUID
    dedupe_key: str
    topic: str
    why: str
    address: str
    language: str
    subject: str
    paragraphs: Sequence[Mapping[str, str]]
    message_id: str
    is_automatic: bool = False
    company_id: UUID | None = None
    case_id: UUID | None = None
    person_id: UUID | None = None
    in_reply_to: str = ""
    references: str = ""
    answers_id: UUID | None = None
    withheld: str = ""


@operation
def post_mails(mails: Sequence[NewMail], now: datetime) -> None:
    """Write mails to be sent, each at most once for its key, and at most one automatic answer to a message.

    Wakes nobody: call `guardia.journeys.post.wake_post` in the same transaction, once.
    """
    rows = [
        {
            "id": one.id,
            "dedupe_key": one.dedupe_key,
            "topic": one.topic,
            "why": one.why,
            "is_automatic": one.is_automatic,
            "company_id": one.company_id,
            "case_id": one.case_id,
            "person_id": one.person_id,
            "address": one.address,
            "language": one.language,
            "subject": one.subject[:LONGEST_REASON],
            "paragraphs": list(one.paragraphs),
            "message_id": one.message_id,
            "in_reply_to": one.in_reply_to,
            "references": one.references,
            "answers_id": one.answers_id,
            "state": WITHHELD if one.withheld else WAITING,
            "next_attempt_at": None if one.withheld else now,
            "last_reply": one.withheld,
        }
        for one in mails
    ]
    same = {"created_at": now, "attempts": 0, "fate": "", "fate_detail": ""}
    insert_rows(OutboundMail, rows, "DO NOTHING", same)


@operation
def lock_messages(same: Collection[str]) -> None:
    """Let no other batch decide messages of which the same is told until this transaction ends, so that of two workers
    that have the same message one finds it decided. In one order, so that two batches never wait in a circle.
    """
    keys = sorted({int.from_bytes(sha256(told.encode()).digest()[:8], "big", signed=True) for told in same})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


@operation
def lock_strangers() -> None:
    """Let no other batch acknowledge strangers until this transaction ends: what is counted now stays true."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('mail of strangers', 0))")


def new_arrival(**facts: Any) -> InboundMail:
    """Return the row of a message, unsaved."""
    return InboundMail(**facts)


@operation
def keep_arrivals(rows: Sequence[InboundMail]) -> None:
    """Keep decided messages; a stored id that is known already is an IntegrityError, and nothing of it was new."""
    InboundMail.objects.bulk_create(rows)


@operation
def lock_mail(mail_id: UUID) -> InboundMail:
    """Return a message with its row locked."""
    return InboundMail.objects.select_for_update().get(id=mail_id)


@operation
def save_mail(mail: InboundMail, **values: Any) -> None:
    """Save these columns of a locked message."""
    for name, value in values.items():
        setattr(mail, name, value)
    mail.save(update_fields=list(values))


@operation
def add_proof(
    mail: InboundMail, person_id: UUID, digest: str, now: datetime, until: datetime, *, is_own: bool, is_asked: bool
) -> None:
    """Keep a link that was sent to a contact, by the SHA-256 of its token."""
    SenderProof.objects.create(
        mail=mail,
        person_id=person_id,
        digest=digest,
        is_own=is_own,
        is_asked=is_asked,
        created_at=now,
        expires_at=until,
    )


@operation
def use_proof(proof: SenderProof, now: datetime) -> None:
    """Mark a link as followed."""
    proof.used_at = now
    proof.save(update_fields=["used_at"])


@operation
def mute(person_id: UUID, topics: Sequence[str], now: datetime) -> None:
    """Let a person be told everything by mail but these topics."""
    NotificationRule.objects.update_or_create(
        person_id=person_id, defaults={"muted": sorted(set(topics)), "changed_at": now}
    )


@operation
def begin_handing_over(mail_id: UUID, now: datetime) -> bool:
    """Keep that a mail is about to be handed over; False where it no longer waits."""
    rows = OutboundMail.objects.filter(id=mail_id, state__in=[WAITING, HANDING_OVER], next_attempt_at__lte=now)
    return rows.update(state=HANDING_OVER) == 1


@operation
def settle_attempt(mail_id: UUID, **values: Any) -> bool:
    """Keep what an attempt came to; False where the mail is settled already."""
    return OutboundMail.objects.filter(id=mail_id, state__in=[WAITING, HANDING_OVER]).update(**values) == 1


@operation
def send_again(mail_id: UUID, now: datetime) -> bool:
    """Let a mail that was not sent wait again; False where it is none of those."""
    rows = OutboundMail.objects.filter(id=mail_id, state__in=["failed", "withheld", "uncertain"])
    return rows.update(state=WAITING, next_attempt_at=now, attempts=0, last_reply="") == 1


@operation
def set_fate(mail: OutboundMail, fate: str, at: datetime, detail: str) -> None:
    """Keep what became of a mail after it was sent."""
    mail.fate, mail.fate_at, mail.fate_detail = fate, at, detail[:LONGEST_REPLY]
    mail.save(update_fields=["fate", "fate_at", "fate_detail"])


@operation
def set_standing(address: str, standing: str, since: datetime, detail: str) -> None:
    """Keep that an address bounces or complains; a complaint outweighs a bounce."""
    rows = AddressStanding.objects.filter(address=address)
    if standing == "failing" and rows.filter(standing="complained").exists():
        return
    AddressStanding.objects.update_or_create(
        address=address, defaults={"standing": standing, "since": since, "detail": detail[:LONGEST_REPLY]}
    )


@operation
def clear_standing(addresses: Sequence[str], standing: str) -> None:
    """Forget that these addresses bounce, or that they complained."""
    AddressStanding.objects.filter(address__in=addresses, standing=standing).delete()
