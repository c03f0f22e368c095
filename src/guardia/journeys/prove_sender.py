"""Let a person stand up for a message whose sender nobody could prove: by a link, or signed in.

What is mailed and shown on the way tells that somebody wrote, and when; never what was written. Opening a link does
nothing, since mail scanners open them too: its page asks, and the answer acts. Who may is in
`guardia.features.mail.rules.proving`; what is accepted is taken up again by the mail worker and counts from its
arrival.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import (
    active_people_by_id,
    actor_of,
    find_person_by_email,
    find_person_of,
    people_of,
)
from guardia.features.accounts.rules.tokens import digest
from guardia.features.contracts.queries import find_contract, is_named_contact
from guardia.features.mail import operations, queries
from guardia.features.mail.operations import NewMail
from guardia.features.mail.rules.proving import (
    LINK_LIFE,
    MOST_LINKS_A_MESSAGE,
    MOST_LINKS_AN_HOUR,
    PROVABLE,
    Contact,
    counts_for,
)
from guardia.features.mail.rules.references import read_reference
from guardia.features.mail.rules.tokens import mail_key
from guardia.journeys.once import once
from guardia.journeys.post import wake_post
from guardia.journeys.proof_mails import denial_told, neutral_acknowledgement, proof_mail
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, NotFound, Refused
from guardia.kernel.transactions import journey, operation
from guardia.kernel.vocabulary import SYSTEM, Actor

__all__ = ["ask_contact", "confirm_proof", "deny_proof", "disown", "neutral_acknowledgement", "offer_proof", "vouch"]
HOUR: Final = timedelta(hours=1)
Mail = Any
Person = Any


@dataclass(frozen=True)
class ProvedMail:
    """A message that somebody stood up for: it counts from its arrival."""

    id: UUID
    arrived_at: datetime
    sender: str


@operation
def offer_proof(mail: Mail, person: Person, now: datetime, *, is_own: bool, asked: bool = False) -> NewMail | None:
    """Make a link for a kept message and return the mail that carries it to a contact, to be posted by the caller.

    `asked`: somebody asked for it on the page for the locked out; else the mail is the automatic answer to the message.
    None where the person has had three links of that kind within the hour, or the message ten in all: whoever forges
    messages of a contact does not keep that contact from asking for a link.
    """
    if queries.proofs_since(person.id, now - HOUR, is_asked=asked) >= MOST_LINKS_AN_HOUR:
        return None
    sent = queries.proofs_of(mail.id)
    if sent >= MOST_LINKS_A_MESSAGE:
        return None
    token = secrets.token_urlsafe(32)
    operations.add_proof(mail, person.id, digest(token), now, now + LINK_LIFE, is_own=is_own, is_asked=asked)
    return proof_mail(mail, person, now, token, sent, is_own=is_own, asked=asked)


def ask_contact(now: datetime, sender: str, contact: str, reference: str = "", *, ip: str = "") -> None:
    """Send a link to a contact for the message meant; say nothing of whether there was one, or a contact.

    The message is that of the reference, which was mailed to its sender; else the newest in quarantine of the address
    `sender`.
    """
    with journey():
        mail = _meant(sender.strip().lower(), reference)
        person = find_person_by_email(contact.strip()) if contact.strip() else None
        if mail is None or person is None:
            return
        mail = operations.lock_mail(mail.id)
        knows = _contact(person, now)
        has_reference = read_reference(_key(), reference) == mail.id
        if not _is_waiting(mail) or knows is None or _for_whom(mail, knows, now, has_reference=has_reference) is None:
            return
        is_own = person.email.lower() == mail.sender
        new = offer_proof(mail, person, now, is_own=is_own, asked=True)
        if new is None:
            return
        operations.post_mails([new], now)
        wake_post()
        detail = {"to": str(person.id), "ip": ip}
        record(SYSTEM, now, "proof_asked", f"mail {mail.id}", company_id=person.company_id, detail=detail)


def confirm_proof(token: str, now: datetime) -> ProvedMail:
    """Accept a message for the person who follows the link. Raises NotFound for a link that is unknown, used or over,
    Refused where the message was settled otherwise or the person may no longer stand up for it.
    """
    with journey():
        mail, proof, person = _opened(token, now)
        knows = _contact(person, now)
        # The reference was held by whoever asked for the link; the link itself stands for it.
        whose = _for_whom(mail, knows, now, has_reference=True) if knows else None
        if whose is None:
            raise Refused("may_not_vouch", _("Only a named contact of the same company can stand up for a colleague."))
        operations.use_proof(proof, now)
        return _accept(mail, whose, actor_of(person), now, "proved" if proof.is_own else "vouched")


def deny_proof(token: str, now: datetime) -> ProvedMail:
    """Refuse a message because the person says so; staff are told. Raises NotFound, Refused as `confirm_proof`."""
    with journey():
        mail, proof, person = _opened(token, now)
        operations.use_proof(proof, now)
        return _deny(mail, actor_of(person), now)


def vouch(actor: Actor, now: datetime, mail_id: UUID, *, idempotency_key: str | None = None) -> ProvedMail:
    """Accept a message that names the actor's own address, or a colleague's, as its sender.

    Raises NotFound for every message that is not the company's to settle, Forbidden where a named contact is needed,
    Refused where it was settled before.
    """
    with journey():
        mail, knows = _own_mail(actor, now, mail_id)

        def do() -> dict[str, str]:
            whose = _for_whom(mail, knows, now, has_reference=False)
            if whose is None:
                raise Forbidden("may_not_vouch", _("Only a named contact can stand up for the message of a colleague."))
            _demand_waiting(mail)
            how = "proved" if whose.person_id == knows.person_id else "vouched"
            _accept(mail, whose, actor, now, how)
            return {}

        once(actor, now, idempotency_key, "vouch_mail", {"mail": str(mail_id)}, do)
        return _proved(mail)


def disown(actor: Actor, now: datetime, mail_id: UUID, *, idempotency_key: str | None = None) -> ProvedMail:
    """Refuse a message that names the actor's own address, or a colleague's: nobody of the company wrote it.

    Raises as `vouch`.
    """
    with journey():
        mail, knows = _own_mail(actor, now, mail_id)

        def do() -> dict[str, str]:
            if _for_whom(mail, knows, now, has_reference=False) is None:
                raise Forbidden("may_not_vouch", _("Only a named contact can stand up for the message of a colleague."))
            _demand_waiting(mail)
            _deny(mail, actor, now)
            return {}

        once(actor, now, idempotency_key, "disown_mail", {"mail": str(mail_id)}, do)
        return _proved(mail)


def _key() -> bytes:
    return mail_key(settings.GUARDIA.secret_key.reveal())


def _meant(sender: str, reference: str) -> Mail | None:
    mail_id = read_reference(_key(), reference) if reference else None
    return queries.find_waiting(mail_id) if mail_id else queries.waiting_of([sender], PROVABLE).first()


def _opened(token: str, now: datetime) -> tuple[Mail, Any, Person]:
    """Lock the message before the link, so that two links of one message cannot both win."""
    found = queries.find_proof(digest(token), now)
    if found is None:
        raise NotFound("proof_unknown", _("This link is unknown, was used, or is over."))
    mail = operations.lock_mail(found.mail_id)
    proof = queries.find_proof(digest(token), now, lock=True)
    person = active_people_by_id([found.person_id]).get(found.person_id)
    if proof is None or person is None:
        raise NotFound("proof_unknown", _("This link is unknown, was used, or is over."))
    _demand_waiting(mail)
    return mail, proof, person


def _own_mail(actor: Actor, now: datetime, mail_id: UUID) -> tuple[Mail, Contact]:
    person = find_person_of(actor.company_id, UUID(actor.id)) if actor.company_id else None
    knows = _contact(person, now)
    addresses = [one.email.lower() for one in people_of(actor.company_id)] if knows and actor.company_id else []
    mail = queries.find_of_senders(mail_id, addresses)
    if knows is None or mail is None:
        raise NotFound("mail_unknown", _("There is no such message."))
    return operations.lock_mail(mail.id), knows


def _contact(person: Person | None, now: datetime) -> Contact | None:
    if person is None or not person.is_active or person.company_id is None or person.is_staff:
        return None
    return Contact(person.id, person.company_id, is_named=_is_named(person, now))


def _is_named(person: Person, now: datetime) -> bool:
    contract = find_contract(person.company_id, now)
    return contract is not None and is_named_contact(contract, person.id)


def _for_whom(mail: Mail, contact: Contact, now: datetime, *, has_reference: bool) -> Contact | None:
    if mail.reason not in PROVABLE or not mail.sender:
        return None
    sender = find_person_by_email(mail.sender)
    known = _contact(sender, now)
    if sender is not None and known is None:
        return None  # somebody who left, or one of our own staff: a member of staff decides
    return counts_for(known, contact, has_reference=has_reference)


def _is_waiting(mail: Mail) -> bool:
    return mail.outcome == "quarantined" and mail.settled_at is None


def _demand_waiting(mail: Mail) -> None:
    if not _is_waiting(mail):
        raise Refused("mail_settled", _("The message was settled in the meantime."))


def _accept(mail: Mail, whose: Contact, actor: Actor, now: datetime, how: str) -> ProvedMail:
    operations.save_mail(
        mail,
        outcome="accepted",
        person_id=whose.person_id,
        company_id=whose.company_id,
        settled_at=now,
        settled_by_name=actor.name,
        settled_how=how,
        settled_why="",
    )
    detail = {"how": how, "for": str(whose.person_id), "sender": mail.sender}
    record(actor, now, "mail_accepted", f"mail {mail.id}", company_id=whose.company_id, detail=detail)
    return _proved(mail)


def _deny(mail: Mail, actor: Actor, now: datetime) -> ProvedMail:
    operations.save_mail(
        mail,
        outcome="refused",
        reason="denied",
        settled_at=now,
        settled_by_name=actor.name,
        settled_how="refused",
        settled_why="",
    )
    operations.post_mails(denial_told(mail, now), now)
    wake_post()
    detail = {"sender": mail.sender}
    record(actor, now, "mail_denied", f"mail {mail.id}", company_id=actor.company_id, detail=detail)
    return _proved(mail)


def _proved(mail: Mail) -> ProvedMail:
    return ProvedMail(mail.id, mail.arrived_at, mail.sender)
