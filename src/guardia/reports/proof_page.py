"""What the page of a link shows, and what a contact who is signed in may stand up for: who is said to have written, and
when. Nothing of what was written, and nothing of any case.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from guardia.features.accounts.queries import find_person_by_email, people_by_id, people_of
from guardia.features.accounts.rules.tokens import digest
from guardia.features.contracts.queries import find_contract, is_named_contact
from guardia.features.mail.queries import find_any_proof, waiting_of
from guardia.features.mail.rules.proving import PROVABLE
from guardia.kernel.vocabulary import Actor

OPEN, ACCEPTED, DENIED, SETTLED, OVER, UNKNOWN = "open", "accepted", "denied", "settled", "over", "unknown"
MOST_WAITING: Final = 50


@dataclass(frozen=True)
class ProofView:
    """A link as its page shows it. `colleague` is the name of the contact whose address the message bears."""

    state: str
    sender: str = ""
    colleague: str = ""
    arrived_at: datetime | None = None
    company: str = ""
    is_own: bool = False
    used_at: datetime | None = None


@dataclass(frozen=True)
class WaitingMail:
    """A message in quarantine that bears an address of the reader's company."""

    id: UUID
    sender: str
    name: str
    arrived_at: datetime
    is_own: bool
    may_vouch: bool


def proof_view(token: str, now: datetime) -> ProofView:
    """Return what a link shows; every token that was not made here is `unknown` and shows nothing."""
    proof = find_any_proof(digest(token))
    person = people_by_id([proof.person_id]).get(proof.person_id) if proof else None
    if proof is None or person is None or not person.is_active or person.company is None:
        return ProofView(UNKNOWN)
    mail = proof.mail
    state = _state(proof, now)
    if state in {SETTLED, OVER}:
        return ProofView(state)
    colleague = find_person_by_email(mail.sender) if not proof.is_own else None
    return ProofView(
        state=state,
        sender=mail.sender,
        colleague=colleague.name if colleague else "",
        arrived_at=mail.arrived_at,
        company=person.company.name,
        is_own=proof.is_own,
        used_at=proof.used_at,
    )


def _state(proof: Any, now: datetime) -> str:
    mail = proof.mail
    if proof.used_at is not None:
        return DENIED if mail.reason == "denied" else ACCEPTED
    if proof.expires_at <= now:
        return OVER
    return OPEN if mail.outcome == "quarantined" and mail.settled_at is None else SETTLED


def waiting_mail(actor: Actor, now: datetime) -> tuple[WaitingMail, ...]:
    """Return the messages in quarantine that bear addresses of the actor's company, newest first."""
    if actor.company_id is None:
        return ()
    people = {person.email.lower(): person for person in people_of(actor.company_id)}
    mails = list(waiting_of(people, PROVABLE)[:MOST_WAITING])
    if not mails:
        return ()
    contract = find_contract(actor.company_id, now)
    is_named = contract is not None and is_named_contact(contract, UUID(actor.id))
    return tuple(
        WaitingMail(
            id=mail.id,
            sender=mail.sender,
            name=people[mail.sender].name,
            arrived_at=mail.arrived_at,
            is_own=str(people[mail.sender].id) == actor.id,
            may_vouch=is_named or str(people[mail.sender].id) == actor.id,
        )
        for mail in mails
    )
