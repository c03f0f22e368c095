"""The quota ledger's movements, and the making of plans and contracts.

Two people who spend the last premium incident at the same instant wait for each other on the contract's row; each
movement has a dedupe key, so that a retry charges nothing twice.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from guardia.features.contracts.models import Contract, NamedContact, Plan, QuotaEntry
from guardia.features.contracts.queries import balance
from guardia.features.contracts.rules.contract_year import contract_year
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor


@operation
def lock_contract(contract: Contract) -> Contract:
    """Return the contract with its row locked until the transaction ends: movements wait for each other here."""
    rows = Contract.objects.of_company(contract.company_id).select_related("plan").select_for_update(of=("self",))
    return rows.get(id=contract.id)


def _move(
    contract: Contract,
    kind: str,
    amount: int,
    key: str,
    actor: Actor,
    now: datetime,
    reason: str,
    case_id: UUID | None,
    year: date,
) -> None:
    QuotaEntry.objects.bulk_create(
        [
            QuotaEntry(
                company_id=contract.company_id,
                contract=contract,
                year_starts_on=year,
                kind=kind,
                amount=amount,
                case_id=case_id,
                dedupe_key=key,
                actor=actor.as_json(),
                reason=reason,
                recorded_at=now,
            )
        ],
        ignore_conflicts=True,
    )


@operation
def grant_year(contract: Contract, actor: Actor, now: datetime) -> date:
    """Write the year's grant, once, and return the year's first day."""
    year, _ = contract_year(contract.starts_on, now.date())
    amount = contract.plan.premium_incidents or 0
    _move(contract, "grant", amount, f"grant:{contract.id}:{year}", actor, now, contract.plan.name, None, year)
    return year


@operation
def reserve(contract: Contract, case_id: UUID, actor: Actor, now: datetime, reason: str) -> bool:
    """Reserve a premium incident for a case; False where none is left. The contract must be locked by the caller."""
    year = grant_year(contract, actor, now)
    left, _ = balance(contract, now.date())
    if left is not None and left <= 0:
        return False
    _move(contract, "reserve", -1, f"reserve:{case_id}", actor, now, reason, case_id, year)
    return True


def _reserved(case_id: UUID, company_id: UUID) -> QuotaEntry | None:
    return (
        QuotaEntry.objects.of_company(company_id)
        .filter(case_id=case_id, kind="reserve")
        .select_related("contract")
        .first()
    )


@operation
def consume(case_id: UUID, company_id: UUID, actor: Actor, now: datetime, reason: str) -> None:
    """Turn a reservation into a spent incident; without a reservation, or a second time, nothing happens."""
    entry = _reserved(case_id, company_id)
    if entry:
        _move(entry.contract, "consume", 0, f"consume:{case_id}", actor, now, reason, case_id, entry.year_starts_on)


@operation
def refund(case_id: UUID, company_id: UUID, actor: Actor, now: datetime, reason: str) -> None:
    """Give a case's premium incident back to the year it was charged to, once."""
    entry = _reserved(case_id, company_id)
    if entry:
        _move(entry.contract, "refund", 1, f"refund:{case_id}", actor, now, reason, case_id, entry.year_starts_on)


@operation
def save_plan(code: str, values: Mapping[str, Any]) -> Plan:
    """Add a plan, or leave the one of that code as an operator may have edited it."""
    return Plan.objects.get_or_create(code=code, defaults=dict(values))[0]


@operation
def add_contract(
    number: str, company_id: UUID, plan: Plan, starts_on: date, ends_on: date, calendar_version_id: UUID, now: datetime
) -> Contract:
    """Add a contract, or return the one of that number."""
    return Contract.objects.across_companies("contract numbers are unique over all companies").get_or_create(
        number=number,
        defaults={
            "company_id": company_id,
            "plan": plan,
            "starts_on": starts_on,
            "ends_on": ends_on,
            "calendar_version_id": calendar_version_id,
            "created_at": now,
        },
    )[0]


@operation
def name_contact(contract: Contract, person_id: UUID, now: datetime) -> None:
    """Name a contact, up to the plan's number of them; naming one twice changes nothing."""
    rows = NamedContact.objects.of_company(contract.company_id).filter(contract=contract, until=None)
    if rows.filter(person_id=person_id).exists():
        return
    if rows.count() >= contract.plan.named_contacts:
        raise ValueError(f"plan {contract.plan.name} names at most {contract.plan.named_contacts} contacts")
    NamedContact.objects.create(company_id=contract.company_id, contract=contract, person_id=person_id, since=now)
