"""Who may spend premium incidents: named by the company's administrator, or by the vendor's managers; with history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.accounts.queries import find_person_of
from guardia.features.contracts import operations as contracts
from guardia.features.contracts import queries
from guardia.features.contracts.rules.who_changes import MANAGERS
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, NotFound, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

BY_CUSTOMER = gettext_noop("By the company's administrator.")


def name_contact(
    actor: Actor, now: datetime, number: str, person_id: UUID, reason: str = "", *, idempotency_key: str | None = None
) -> None:
    """Name a contact, up to the contract's number of them. Raise Forbidden, NotFound, Refused."""
    reason = _reason_of(actor, reason)
    with journey():
        contract = queries.get_contract_for(actor, number)
        person = _person_of(contract, person_id)

        def name() -> dict[str, str]:
            locked = contracts.lock_contract(contract)
            if queries.is_named_contact(locked, person_id):
                return {"number": number}
            if not contracts.name_contact(locked, person_id, now):
                most = queries.terms_of(locked).named_contacts
                raise Refused("contacts_full", _full_words(most), {"person": _full_words(most)})
            contracts.record_change(locked, "contact_named", {}, {"person": person.name}, actor, now, reason)
            return {"number": number}

        once(actor, now, idempotency_key, "name_contact", {"number": number, "person": str(person_id)}, name)


def _full_words(most: int) -> str:
    if most == 0:
        return _("The contract has no named contacts: its plan has no premium incidents to spend.")
    return _("The contract names its %(most)d contacts already. End one of them first.") % {"most": most}


def end_contact(
    actor: Actor, now: datetime, number: str, person_id: UUID, reason: str = "", *, idempotency_key: str | None = None
) -> None:
    """Let a person be a named contact no more; cases that the person opened go on."""
    reason = _reason_of(actor, reason)
    with journey():
        contract = queries.get_contract_for(actor, number)
        person = _person_of(contract, person_id, also_gone=True)

        def end() -> dict[str, str]:
            locked = contracts.lock_contract(contract)
            if not contracts.end_contact(locked, person_id, now):
                sentence = _("%(name)s is no named contact of this contract.") % {"name": person.name}
                raise Refused("not_named", sentence, {"person": sentence})
            contracts.record_change(locked, "contact_ended", {"person": person.name}, {}, actor, now, reason)
            return {"number": number}

        once(actor, now, idempotency_key, "end_contact", {"number": number, "person": str(person_id)}, end)


def _reason_of(actor: Actor, reason: str) -> str:
    if actor.is_company_admin:
        return reason.strip()[:300] or BY_CUSTOMER
    if not actor.roles & MANAGERS:
        raise Forbidden(
            "contacts_are_managed",
            _("Contacts are named by the company's administrator, or by an account manager or duty manager."),
        )
    return checked_reason(reason)


def _person_of(contract: Any, person_id: UUID, *, also_gone: bool = False) -> Any:
    person = find_person_of(contract.company_id, person_id, also_gone=also_gone)
    if person is None:
        raise NotFound("person_unknown", _("There is no such person in this company."))
    return person
