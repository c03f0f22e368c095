"""The phone line as a customer's person uses it: the digits of the contract, the right to phone, the own PIN's age."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from guardia.features.accounts.queries import people_by_id, people_of, pin_made_at
from guardia.features.accounts.rules.phone_pin import digits_of
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import contract_today, find_contract, is_in_term, is_named_contact
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class PhonePage:
    """What a person needs for a call. `lacks` says what is missing for the priority line, empty where nothing is:
    `not_named`, `expired`, `to_come`, `no_contract` or `no_phone`. `admins` name contacts; `manager` changes the plan.
    """

    contract: str
    digits: str
    lacks: str
    admins: tuple[str, ...]
    is_admin: bool
    manager: str
    manager_email: str
    pin_made_at: datetime | None


def phone_page(actor: Actor, now: datetime) -> PhonePage:
    """Return the page of the actor's own phone access."""
    company_id = actor.company_id
    contract = find_contract(company_id, now) if company_id else None
    people = people_of(company_id) if company_id else ()
    manager = _manager(contract)
    return PhonePage(
        contract=contract.number if contract else "",
        digits=digits_of(contract.number) if contract else "",
        lacks=_lacks(actor, contract, now),
        admins=tuple(person.name for person in people if person.is_company_admin),
        is_admin=actor.is_company_admin,
        manager=manager.get("name", ""),
        manager_email=manager.get("email", ""),
        pin_made_at=pin_made_at(UUID(actor.id), company_id) if company_id else None,
    )


def _lacks(actor: Actor, contract: Contract | None, now: datetime) -> str:
    if contract is None:
        return "no_contract"
    today = contract_today(contract, now)
    if not is_in_term(contract, today):
        return "to_come" if today < contract.starts_on else "expired"
    if not contract.plan.has_phone:
        return "no_phone"
    return "" if is_named_contact(contract, UUID(actor.id)) else "not_named"


def _manager(contract: Contract | None) -> Mapping[str, str]:
    if contract is None or contract.account_manager_id is None:
        return {}
    person = people_by_id([contract.account_manager_id]).get(contract.account_manager_id)
    return {"name": person.name, "email": person.email} if person else {}
