"""The quota ledger's movements, and changes to plans, contracts, licences and named contacts.

Who spends, adjusts or changes terms waits on the contract's row (`lock_contract`), so that of two who want the last
premium incident one is told that none is left. A plan's row is locked before any contract's. Each movement has a dedupe
key, so that a retry charges nothing twice.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from guardia.features.contracts import queries
from guardia.features.contracts.models import Contract, ContractChange, Licence, NamedContact, Plan, Product, QuotaEntry
from guardia.features.contracts.rules.ledger import Allowance, adjustment
from guardia.kernel.ids import uuid7
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor


@operation
def lock_contract(contract: Contract) -> Contract:
    """Return the contract with its row locked until the transaction ends: movements wait for each other here."""
    rows = Contract.objects.of_company(contract.company_id)
    rows.select_for_update().get(id=contract.id)
    # Read once more: a row joined to one that was waited for would be as it was before the waiting.
    return rows.select_related("plan", "company").get(id=contract.id)


@operation
def lock_contract_id(contract_id: UUID) -> None:
    """Lock a contract's row, whoever's it is, until the transaction ends; it is read afterwards."""
    rows = Contract.objects.across_companies("mail of several companies is decided together")
    rows.select_for_update().get(id=contract_id)


@operation
def hold_terms(ids: Sequence[UUID]) -> None:
    """Let nobody change these contracts until the transaction ends, without making others who only hold them wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM contracts_contract WHERE id = ANY(%s) ORDER BY id FOR SHARE", [list(ids)])


# -- the ledger --


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
def open_year(contract: Contract, actor: Actor, now: datetime) -> date:
    """Write what each contract year up to now opened with, once, and return the present one's first day (L-1)."""
    today = queries.contract_today(contract, now)
    opened = queries.opened_years(contract)
    for year, account in queries.year_accounts(contract, today).items():
        if year not in opened:
            kind = "grant" if year == contract.starts_on else "renew"
            _move(
                contract,
                kind,
                account.opened,
                f"grant:{contract.id}:{year}",
                actor,
                now,
                contract.plan.name,
                None,
                year,
            )
    return queries.year_of(contract, today)[0]


@operation
def reserve(contract: Contract, case_id: UUID, actor: Actor, now: datetime, reason: str) -> bool:
    """Reserve a premium incident for a case; False where none is left. The contract must be locked by the caller.

    A case that is charged already is not charged again (L-5).
    """
    if queries.standing_charge(case_id, contract.company_id) is not None:
        return True
    year = open_year(contract, actor, now)
    left, _spent = queries.balance(contract, queries.contract_today(contract, now))
    if left is not None and left <= 0:
        return False
    _move(
        contract, "reserve", -1, _case_key("reserve", case_id, contract.company_id), actor, now, reason, case_id, year
    )
    return True


def _case_key(kind: str, case_id: UUID, company_id: UUID) -> str:
    """The dedupe key of a case's movement: a case that was given back may be charged, and given back, once more."""
    times = queries.times_reserved(case_id, company_id) + (1 if kind == "reserve" else 0)
    return f"{kind}:{case_id}" if times <= 1 else f"{kind}:{case_id}:{times}"


@operation
def consume(case_id: UUID, company_id: UUID, actor: Actor, now: datetime, reason: str) -> bool:
    """Turn a reservation into a spent incident; False, and nothing happens, where the case is not charged."""
    entry = queries.standing_charge(case_id, company_id)
    if entry is None:
        return False
    key = _case_key("consume", case_id, company_id)
    _move(entry.contract, "consume", 0, key, actor, now, reason, case_id, entry.year_starts_on)
    return True


@operation
def refund(case_id: UUID, company_id: UUID, actor: Actor, now: datetime, reason: str) -> bool:
    """Give a case's premium incident back to the year it was charged to; False where the case is not charged (L-5)."""
    entry = queries.standing_charge(case_id, company_id)
    if entry is None:
        return False
    lock_contract(entry.contract)
    if queries.standing_charge(case_id, company_id) is None:  # somebody else gave it back meanwhile
        return False
    key = _case_key("refund", case_id, company_id)
    _move(entry.contract, "refund", 1, key, actor, now, reason, case_id, entry.year_starts_on)
    return True


@operation
def charge_again(case_id: UUID, company_id: UUID, actor: Actor, now: datetime, reason: str) -> tuple[str, ...]:
    """Charge a case whose incident was given back as it was charged before: to the same year, consumed if it had been.

    Return the movements; none where that year has no incident left, or where the case is charged.
    """
    rows = QuotaEntry.objects.of_company(company_id).filter(case_id=case_id).select_related("contract")
    before = rows.filter(kind="reserve").order_by("recorded_at", "id").last()
    if before is None:
        return ()
    contract = lock_contract(before.contract)
    if queries.standing_charge(case_id, company_id) is not None:
        return ()
    year = before.year_starts_on
    account = queries.year_accounts(contract, queries.contract_today(contract, now))[year]
    if queries.terms_of(contract).allowance.incidents is not None and account.left <= 0:
        return ()
    was_consumed = rows.filter(dedupe_key=_case_key("consume", case_id, company_id)).exists()
    kinds = ("reserve", "consume") if was_consumed else ("reserve",)
    for kind, amount in zip(kinds, (-1, 0), strict=False):
        _move(contract, kind, amount, _case_key(kind, case_id, company_id), actor, now, reason, case_id, year)
    return kinds


@operation
def adjust(contract: Contract, amount: int, actor: Actor, now: datetime, reason: str) -> None:
    """Add to (or take from) the running year. The contract must be locked by the caller."""
    year = open_year(contract, actor, now)
    _move(contract, "adjust", amount, f"adjust:{uuid7()}", actor, now, reason, None, year)


# -- contracts --


@operation
def add_contract(
    number: str,
    company_id: UUID,
    plan: Plan,
    starts_on: date,
    ends_on: date,
    calendar_version_id: UUID,
    now: datetime,
    **more: Any,
) -> Contract:
    """Add a contract, or return the one of that number."""
    facts = {"company_id": company_id, "plan": plan, "starts_on": starts_on, "ends_on": ends_on, "created_at": now}
    return Contract.objects.across_companies("contract numbers are unique over all companies").get_or_create(
        number=number, defaults={**facts, "calendar_version_id": calendar_version_id, **more}
    )[0]


@operation
def record_change(
    contract: Contract, kind: str, before: Mapping[str, Any], after: Mapping[str, Any], actor: Actor, now: datetime,
    reason: str,
) -> None:  # fmt: skip
    """Keep what was done to a contract."""
    ContractChange.objects.create(
        company_id=contract.company_id,
        contract=contract,
        kind=kind,
        before=dict(before),
        after=dict(after),
        actor=actor.as_json(),
        reason=reason,
        recorded_at=now,
    )


def _terms_changed(contract: Contract, before: Allowance, actor: Actor, now: datetime, reason: str) -> int:
    """Let the running year follow changed terms (L-4); return what was added. The year is open already."""
    account = list(queries.year_accounts(contract, queries.contract_today(contract, now)).values())[-1]
    amount = adjustment(before, queries.terms_of(contract).allowance, account.left)
    if amount:
        adjust(contract, amount, actor, now, reason)
    return amount


@operation
def set_plan(contract: Contract, plan: Plan, actor: Actor, now: datetime, reason: str) -> int:
    """Let a locked contract have another plan from now on; return what that added to the running year."""
    before = queries.terms_of(contract).allowance
    open_year(contract, actor, now)
    contract.plan = plan
    contract.save(update_fields=["plan"])
    return _terms_changed(contract, before, actor, now, reason)


@operation
def set_overrides(contract: Contract, overrides: Mapping[str, Any], actor: Actor, now: datetime, reason: str) -> int:
    """Let a locked contract have other overrides from now on; return what that added to the running year."""
    before = queries.terms_of(contract).allowance
    open_year(contract, actor, now)
    contract.overrides = dict(overrides)
    contract.save(update_fields=["overrides"])
    return _terms_changed(contract, before, actor, now, reason)


@operation
def set_account_manager(contract: Contract, person_id: UUID | None) -> None:
    """Say who of the vendor's staff manages the contract."""
    contract.account_manager_id = person_id
    contract.save(update_fields=["account_manager_id"])


@operation
def set_calendar(contract: Contract, calendar_version_id: UUID) -> None:
    """Let new cases of the contract count another calendar version; open ones keep theirs."""
    contract.calendar_version_id = calendar_version_id
    contract.save(update_fields=["calendar_version_id"])


@operation
def name_contact(contract: Contract, person_id: UUID, now: datetime) -> bool:
    """Name a contact of a contract, which the caller has locked; False where the contract names its number already.

    Naming one twice changes nothing.
    """
    rows = NamedContact.objects.of_company(contract.company_id).filter(contract=contract, until=None)
    if rows.filter(person_id=person_id).exists():
        return True
    if rows.count() >= queries.terms_of(contract).named_contacts:
        return False
    NamedContact.objects.create(company_id=contract.company_id, contract=contract, person_id=person_id, since=now)
    return True


@operation
def end_contact(contract: Contract, person_id: UUID, now: datetime) -> bool:
    """Let a named contact be one no more; False where the person is none."""
    rows = NamedContact.objects.of_company(contract.company_id).filter(contract=contract, until=None)
    return rows.filter(person_id=person_id).update(until=now) > 0


@operation
def add_licence(contract: Contract, product: Product, seats: int, starts_on: date, ends_on: date) -> Licence:
    """Add a licence."""
    return Licence.objects.create(
        company_id=contract.company_id,
        contract=contract,
        product=product,
        seats=seats,
        starts_on=starts_on,
        ends_on=ends_on,
    )


@operation
def end_licence(licence: Licence, ends_on: date) -> None:
    """Let a licence end on another day."""
    licence.ends_on = ends_on
    licence.save(update_fields=["ends_on"])


# -- plans and products --


@operation
def lock_plan(plan: Plan) -> Plan:
    """Return the plan with its row locked until the transaction ends."""
    return Plan.objects.select_for_update().get(code=plan.code)


@operation
def save_plan(code: str, values: Mapping[str, Any]) -> Plan:
    """Add a plan, or leave the one of that code as an operator may have edited it."""
    return Plan.objects.get_or_create(code=code, defaults=dict(values))[0]


@operation
def lock_contracts_on(plan: Plan) -> list[Contract]:
    """Return every contract that has the plan, locked: none opens a case while the plan changes."""
    return list(queries.contracts_on(plan).select_for_update().order_by("id"))


@operation
def edit_plan(
    plan: Plan, values: Mapping[str, Any], contracts: list[Contract], actor: Actor, now: datetime, reason: str
) -> None:
    """Change a locked plan; the running year of each contract on it, locked too, follows."""
    running = [
        contract for contract in contracts if queries.is_in_term(contract, queries.contract_today(contract, now))
    ]
    for contract in running:
        contract.plan = plan
        open_year(contract, actor, now)
    before = {contract.id: queries.terms_of(contract).allowance for contract in running}
    version = plan.version
    for name, value in values.items():
        setattr(plan, name, value)
    plan.version += 1
    plan.save(update_fields=[*values, "version"])
    for contract in running:
        _terms_changed(contract, before[contract.id], actor, now, reason)
        was = {"premium_incidents": before[contract.id].incidents, "plan_version": version}
        now_is = {"premium_incidents": queries.terms_of(contract).allowance.incidents, "plan_version": plan.version}
        record_change(contract, "plan_edited", was, now_is, actor, now, reason)


@operation
def retire_plan(plan: Plan, *, is_retired: bool) -> None:
    """Offer a plan to no further contract, or to further ones again."""
    plan.is_retired = is_retired
    plan.save(update_fields=["is_retired"])


@operation
def save_product(code: str, values: Mapping[str, Any]) -> Product:
    """Add a product, or change the one of that code."""
    return Product.objects.update_or_create(code=code, defaults=dict(values))[0]


@operation
def add_product(code: str, values: Mapping[str, Any]) -> Product:
    """Add a product, or leave the one of that code as it is."""
    return Product.objects.get_or_create(code=code, defaults=dict(values))[0]
