"""Contracts and the balance of premium incidents."""

from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from guardia.features.contracts.models import Contract, NamedContact, QuotaEntry
from guardia.features.contracts.rules.contract_year import contract_year
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER, STANDARD_TIER, ContractFacts
from guardia.kernel.vocabulary import Actor, Lane


def find_contract(company_id: UUID, today: date) -> Contract | None:
    """Return the contract in term, else the one that ended last, else None."""
    rows = Contract.objects.of_company(company_id).select_related("plan")
    return rows.filter(starts_on__lte=today, ends_on__gt=today).first() or rows.order_by("-ends_on").first()


def get_contract_for(actor: Actor, contract_id: UUID) -> Contract:
    """Return a contract that the actor may see."""
    return Contract.objects.visible_to(actor).select_related("plan").get(id=contract_id)


def get_contract_of_case(contract_id: UUID) -> Contract:
    """Return the contract that a case, already access-checked, was opened under."""
    rows = Contract.objects.across_companies("the case in hand names its contract")
    return rows.select_related("plan").get(id=contract_id)


def is_in_term(contract: Contract, today: date) -> bool:
    """Whether the contract covers `today`."""
    return contract.starts_on <= today < contract.ends_on


def lane_of(company_id: UUID, today: date) -> Lane:
    """Return the lane that a company's contract in term grants; the standard one without a contract."""
    contract = find_contract(company_id, today)
    return Lane(contract.plan.lane) if contract and is_in_term(contract, today) else Lane.STANDARD


def is_named_contact(contract: Contract, person_id: UUID) -> bool:
    """Whether the person is a named contact of the contract now."""
    return (
        NamedContact.objects.of_company(contract.company_id)
        .filter(contract=contract, person_id=person_id, until=None)
        .exists()
    )


def contacts_of(contract: Contract) -> list[UUID]:
    """Return the ids of the contract's present named contacts, oldest first."""
    rows = NamedContact.objects.of_company(contract.company_id).filter(contract=contract, until=None)
    return list(rows.order_by("since").values_list("person_id", flat=True))


def movements(contract: Contract, today: date) -> QuerySet[QuotaEntry]:
    """Return the ledger of the contract year that holds `today`, oldest first."""
    start, _ = contract_year(contract.starts_on, today)
    return (
        QuotaEntry.objects.of_company(contract.company_id)
        .filter(contract=contract, year_starts_on=start)
        .order_by("recorded_at", "id")
    )


def balance(contract: Contract, today: date) -> tuple[int | None, int]:
    """Return premium incidents left (None: unlimited) and spent in the contract year that holds `today`.

    A year without its grant entry yet counts as granted: the entry is written with the year's first movement.
    """
    sums = movements(contract, today).aggregate(
        granted=Sum("amount", filter=Q(kind__in=["grant", "adjust"])),
        spent=Sum("amount", filter=Q(kind__in=["reserve", "refund"])),
    )
    spent = -(sums["spent"] or 0)
    if contract.plan.premium_incidents is None:
        return None, spent
    granted = contract.plan.premium_incidents if sums["granted"] is None else sums["granted"]
    return granted - spent, spent


def facts_for(contract: Contract | None, person_id: UUID, now: datetime) -> ContractFacts | None:
    """Return what the entitlement decision needs to know."""
    if contract is None:
        return None
    plan = contract.plan
    left, _ = balance(contract, now.date())
    return ContractFacts(
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        plan_rank=plan.rank,
        plan_tier=PREMIUM_TIER if plan.rank > 0 else STANDARD_TIER,
        has_premium=plan.premium_incidents is None or plan.premium_incidents > 0,
        premium_left=left,
        is_named_contact=is_named_contact(contract, person_id),
    )
