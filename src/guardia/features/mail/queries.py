"""Reads of mail: what arrived, what waits in quarantine, what was sent. Staff see all, customers their cases' only."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from guardia.features.mail.models import (
    AddressStanding,
    InboundMail,
    NotificationRule,
    OutboundMail,
    SenderProof,
)
from guardia.features.mail.rules.topics import muted_of
from guardia.kernel.errors import Forbidden, NotFound
from guardia.kernel.vocabulary import Actor

HOUR: Final = timedelta(hours=1)
MOST_STRANGERS: Final = 10_000


def mailbox_for(actor: Actor) -> QuerySet[InboundMail]:
    """Return everything that arrived, newest first, for staff; raise Forbidden for everybody else."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff read the mailbox."))
    return InboundMail.objects.order_by("-arrived_at", "-id")


def get_mail_for(actor: Actor, mail_id: UUID) -> InboundMail:
    """Return one message that arrived, for staff; raise Forbidden or NotFound."""
    mail = mailbox_for(actor).filter(id=mail_id).first()
    if mail is None:
        raise NotFound("mail_unknown", _("There is no such message."))
    return mail


def quarantine() -> QuerySet[InboundMail]:
    """Return the messages that wait for a person, oldest first."""
    return InboundMail.objects.filter(outcome="quarantined", settled_at=None).order_by("arrived_at", "id")


def mails_of_case(case_id: UUID) -> QuerySet[InboundMail]:
    """Return the messages that a case, already access-checked, was opened or continued by."""
    return InboundMail.objects.filter(case_id=case_id, outcome__in=["case", "reply"]).order_by("arrived_at")


def sent_of_case(case_id: UUID) -> QuerySet[OutboundMail]:
    """Return what was mailed about a case, already access-checked, oldest first."""
    return OutboundMail.objects.filter(case_id=case_id).order_by("created_at", "id")


def known_ids(ids: Collection[UUID]) -> set[UUID]:
    """Return those of the stored ids that have been decided."""
    return set(InboundMail.objects.filter(id__in=ids).values_list("id", flat=True))


def to_take_up(limit: int) -> list[tuple[UUID, UUID]]:
    """Return messages that left the quarantine, each with its person, in the order of their arrival."""
    rows = InboundMail.objects.filter(outcome="accepted", person_id__isnull=False).order_by("arrived_at", "id")
    return [(mail, person) for mail, person in rows.values_list("id", "person_id")[:limit] if person]


def first_of_bytes(digests: Collection[str], since: datetime) -> dict[str, InboundMail]:
    """Return the first message of each digest that arrived since an instant."""
    rows = InboundMail.objects.filter(digest__in=digests, arrived_at__gte=since).order_by("-arrived_at", "-id")
    return {mail.digest: mail for mail in rows}


def taken_before(senders: Collection[str], message_ids: Collection[str], since: datetime) -> set[tuple[str, ...]]:
    """Return sender, Message-ID, subject and text of what became a case or a reply since an instant."""
    rows = InboundMail.objects.filter(message_id__in=message_ids, outcome__in=["case", "reply"], arrived_at__gte=since)
    return set(rows.filter(sender__in=senders).values_list("sender", "message_id", "subject", "text"))


def opened_since(senders: Collection[str], since: datetime) -> dict[str, int]:
    """Return how many cases each address has opened by mail since an instant."""
    rows = InboundMail.objects.filter(sender__in=senders, arrived_at__gte=since, outcome="case")
    return dict(rows.values_list("sender").annotate(Count("id")))


def answered_since(addresses: Collection[str], since: datetime) -> dict[str, int]:
    """Return how many automatic mails each address was sent, or is about to be, since an instant."""
    rows = OutboundMail.objects.filter(address__in=addresses, created_at__gte=since, is_automatic=True)
    return dict(rows.exclude(state="withheld").values_list("address").annotate(Count("id")))


def strangers_since(since: datetime) -> list[str]:
    """Return the addresses of strangers that were sent an acknowledgement since an instant, one for each mail."""
    rows = OutboundMail.objects.filter(why="stranger", created_at__gte=since).exclude(state="withheld")
    return list(rows.values_list("address", flat=True)[:MOST_STRANGERS])


def flags_since(address: str, prefix: str, since: datetime) -> int:
    """Return how many mails with such a key an address was sent, or is about to be, since an instant."""
    rows = OutboundMail.objects.filter(address=address, created_at__gte=since, dedupe_key__startswith=prefix)
    return rows.exclude(state="withheld").count()


def find_proof(digest: str, now: datetime, *, lock: bool = False) -> SenderProof | None:
    """Return the link of a token that is neither used nor over, or None; `lock` keeps others from using it."""
    rows = SenderProof.objects.select_related("mail").filter(digest=digest, used_at=None, expires_at__gt=now)
    return (rows.select_for_update(of=("self",)) if lock else rows).first()


def find_any_proof(digest: str) -> SenderProof | None:
    """Return the link of a token, used or over as it may be, or None."""
    return SenderProof.objects.select_related("mail").filter(digest=digest).first()


def proofs_of(mail_id: UUID) -> int:
    """Return how many links were sent to prove a message."""
    return SenderProof.objects.filter(mail_id=mail_id).count()


def find_waiting(mail_id: UUID) -> InboundMail | None:
    """Return a message that waits in quarantine, or None."""
    return quarantine().filter(id=mail_id).first()


def find_of_senders(mail_id: UUID, senders: Collection[str]) -> InboundMail | None:
    """Return a message whose sender is one of these addresses and that waits or waited in quarantine, or None."""
    rows = InboundMail.objects.filter(id=mail_id, sender__in=senders)
    return rows.filter(Q(outcome="quarantined") | Q(settled_at__isnull=False)).first()


def waiting_of(senders: Collection[str], reasons: Collection[str]) -> QuerySet[InboundMail]:
    """Return what waits in quarantine of these addresses for one of these reasons, newest first."""
    rows = InboundMail.objects.filter(outcome="quarantined", settled_at=None, sender__in=senders, reason__in=reasons)
    return rows.order_by("-arrived_at", "-id")


def proofs_since(person_id: UUID, since: datetime, *, is_asked: bool) -> int:
    """Return how many links a person was sent since an instant: those asked for, or those that answered messages."""
    return SenderProof.objects.filter(person_id=person_id, created_at__gte=since, is_asked=is_asked).count()


def standings_of(addresses: Iterable[str]) -> dict[str, str]:
    """Return the addresses among these that bounce or complain, and which."""
    rows = AddressStanding.objects.filter(address__in=list(addresses))
    return dict(rows.values_list("address", "standing"))


def muted_by(people: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """Return what each person does not want to be told by mail."""
    rows = NotificationRule.objects.filter(person_id__in=people)
    return {row.person_id: muted_of(row.muted) for row in rows}


def due_ids(now: datetime, limit: int) -> list[UUID]:
    """Return mails that are due, those first that have waited longest."""
    rows = OutboundMail.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def find_due(mail_id: UUID, now: datetime) -> OutboundMail | None:
    """Return a mail that is due, or None where somebody else has dealt with it."""
    return OutboundMail.objects.filter(id=mail_id, next_attempt_at__lte=now).first()


def find_outbound(mail_id: UUID) -> OutboundMail | None:
    """Return a mail of ours, or None."""
    return OutboundMail.objects.filter(id=mail_id).first()


def thread_before(mail: OutboundMail) -> list[str]:
    """Return the Message-IDs of the first and the last mail about the same case to the same address before this one."""
    if mail.case_id is None:
        return []
    rows = OutboundMail.objects.filter(case_id=mail.case_id, address=mail.address, id__lt=mail.id)
    rows = rows.exclude(state__in=["withheld", "failed"]).order_by("created_at", "id")
    ends = [rows.values_list("message_id", flat=True).first(), rows.values_list("message_id", flat=True).last()]
    return list(dict.fromkeys(one for one in ends if one))


def find_reported(mail_ids: Collection[UUID], message_ids: Collection[str]) -> list[OutboundMail]:
    """Return the mails of ours that have one of these ids or Message-IDs, with their rows locked, in one order."""
    rows = OutboundMail.objects.select_for_update().filter(Q(id__in=mail_ids) | Q(message_id__in=message_ids))
    return list(rows.order_by("id"))
