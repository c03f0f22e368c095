"""Contracts, plans, licences, and the balance of premium incidents; days are those of the contract's own zone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Func, Q, QuerySet, Sum, Value
from django.utils.dateformat import format as dated
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guardia.features.contracts.models import Contract, ContractChange, Licence, NamedContact, Plan, Product, QuotaEntry
from guardia.features.contracts.rules.contract_year import contract_year, local_date, years_until
from guardia.features.contracts.rules.entitlement import (
    PREMIUM_TIER,
    STANDARD_TIER,
    ContractFacts,
    NotGranted,
    Phase,
    ProductFacts,
)
from guardia.features.contracts.rules.ledger import YearAccount, YearSums, accounts
from guardia.features.contracts.rules.plan_terms import Fault, TermsInForce, in_force
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Lane


def contract_today(contract: Contract, now: datetime) -> date:
    """Return the date that `now` has where the contract is."""
    return local_date(contract.zone, now)


def is_in_term(contract: Contract, today: date) -> bool:
    """Whether the contract covers `today`."""
    return contract.starts_on <= today < contract.ends_on


def find_contract(company_id: UUID, now: datetime) -> Contract | None:
    """Return the contract in term, else the next that begins, else the one that ended last, else None."""
    rows = Contract.objects.of_company(company_id).select_related("plan").order_by("starts_on")
    return in_term_or_nearest(list(rows), now)


def in_term_or_nearest(rows: Sequence[Contract], now: datetime) -> Contract | None:
    """Return of a company's contracts, by their beginning, the one that counts at an instant; see `find_contract`."""
    known = [(contract, contract_today(contract, now)) for contract in rows]
    in_term = [contract for contract, today in known if is_in_term(contract, today)]
    to_come = [contract for contract, today in known if today < contract.starts_on]
    over = [contract for contract, today in known if today >= contract.ends_on]
    return next(iter([*in_term, *to_come, *reversed(over)]), None)


def ids_of_companies(companies: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the ids of these companies' contracts, each with its company."""
    rows = Contract.objects.across_companies("mail of several companies is decided together")
    return dict(rows.filter(company_id__in=list(companies)).values_list("id", "company_id"))


def of_companies(companies: Iterable[UUID]) -> dict[UUID, list[Contract]]:
    """Return these companies' contracts by their beginning, with plan and company."""
    rows = Contract.objects.across_companies("mail of several companies is decided together")
    found: dict[UUID, list[Contract]] = {}
    for contract in rows.select_related("plan", "company").filter(company_id__in=list(companies)).order_by("starts_on"):
        found.setdefault(contract.company_id, []).append(contract)
    return found


def contacts_of_many(contracts: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return the ids of each contract's present named contacts, oldest first."""
    rows = NamedContact.objects.across_companies("mail of several companies is decided together")
    found: dict[UUID, list[UUID]] = {}
    named = rows.filter(contract_id__in=list(contracts), until=None).order_by("since")
    for contract_id, person_id in named.values_list("contract_id", "person_id"):
        found.setdefault(contract_id, []).append(person_id)
    return found


def get_contract_for(actor: Actor, number: str) -> Contract:
    """Return a contract that the actor may see, by its number; raise NotFound."""
    contract = Contract.objects.visible_to(actor).select_related("plan", "company").filter(number=number).first()
    if contract is None:
        raise NotFound("contract_unknown", _("There is no such contract."))
    return contract


def contracts_for(actor: Actor, search: str = "") -> QuerySet[Contract]:
    """Return the contracts that the actor may see, by company and term; `search` looks in number, company and plan."""
    rows = Contract.objects.visible_to(actor).select_related("plan", "company")
    if search:
        wanted = Q(number__icontains=search) | Q(company__name__icontains=search) | Q(plan__name__icontains=search)
        rows = rows.filter(wanted)
    return rows.order_by("company__name", "-starts_on")


def get_contract_of_case(contract_id: UUID) -> Contract:
    """Return the contract that a case, already access-checked, was opened under."""
    rows = Contract.objects.across_companies("the case in hand names its contract")
    return rows.select_related("plan").get(id=contract_id)


def overlapping(company_id: UUID, starts_on: date, ends_on: date) -> Contract | None:
    """Return a contract of the company whose term shares a day with `[starts_on, ends_on)`, or None."""
    return Contract.objects.of_company(company_id).filter(starts_on__lt=ends_on, ends_on__gt=starts_on).first()


def find_contract_of_number(number: str) -> Contract | None:
    """Return the contract of a number, or None."""
    return (
        Contract.objects.across_companies("contract numbers are unique over all companies")
        .filter(number=number)
        .first()
    )


def companies_of_digits(digits: str) -> list[UUID]:
    """Return the companies of the contracts, in term or not, whose numbers hold just these digits in this order."""
    rows = Contract.objects.across_companies("whoever phones says by digits which contract is meant")
    blank, every = Value(""), Value("g")
    keyed = Func(F("number"), Value("[^0-9]"), blank, every, function="regexp_replace", output_field=CharField())
    found = rows.alias(digits=keyed).filter(digits=digits)
    return sorted(set(found.values_list("company_id", flat=True))) if digits else []


def numbers_of_company(company_id: UUID) -> list[str]:
    """Return the numbers of a company's contracts, in term or not."""
    return list(Contract.objects.of_company(company_id).order_by("starts_on").values_list("number", flat=True))


def find_renewal(contract: Contract) -> Contract | None:
    """Return the contract that renews this one, or None."""
    return Contract.objects.of_company(contract.company_id).filter(renews=contract).first()


def lane_of(company_id: UUID, now: datetime) -> Lane:
    """Return the lane that a company's contract in term grants; the standard one without a contract."""
    contract = find_contract(company_id, now)
    in_term = contract is not None and is_in_term(contract, contract_today(contract, now))
    return Lane(contract.plan.lane) if contract is not None and in_term else Lane.STANDARD


def account_manager_of(contract_id: UUID) -> UUID | None:
    """Return who of the vendor's staff manages the contract."""
    rows = Contract.objects.across_companies("the case in hand names its contract").filter(id=contract_id)
    found: UUID | None = rows.values_list("account_manager_id", flat=True).first()
    return found


def changes_of(contract: Contract) -> QuerySet[ContractChange]:
    """Return what was done to a contract in hand, newest first."""
    return ContractChange.objects.of_company(contract.company_id).filter(contract=contract).order_by("-recorded_at")


# -- plans and products --


def plans(*, also_retired: bool = True) -> QuerySet[Plan]:
    """Return the plans by rank."""
    rows = Plan.objects.order_by("rank", "name")
    return rows if also_retired else rows.filter(is_retired=False)


def get_plan(code: str) -> Plan:
    """Return the plan of a code; raise NotFound."""
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        raise NotFound("plan_unknown", _("There is no such plan."))
    return plan


def contracts_on(plan: Plan) -> QuerySet[Contract]:
    """Return the contracts that have a plan."""
    return Contract.objects.across_companies("a plan's terms are those of every contract on it").filter(plan=plan)


def terms_of(contract: Contract) -> TermsInForce:
    """Return what holds for the contract: the plan's terms with its overrides."""
    plan = contract.plan
    return in_force(plan.premium_incidents, plan.named_contacts, plan.response, contract.overrides)


def products() -> QuerySet[Product]:
    """Return the vendor's products, by line and name."""
    return Product.objects.order_by("line", "name")


def get_product(code: str) -> Product:
    """Return the product of a code; raise NotFound."""
    product = Product.objects.filter(code=code).first()
    if product is None:
        raise NotFound("product_unknown", _("There is no such product."))
    return product


def licences_of(contract: Contract) -> QuerySet[Licence]:
    """Return the licences of a contract in hand, by product."""
    rows = Licence.objects.of_company(contract.company_id).filter(contract=contract).select_related("product")
    return rows.order_by("product__name", "starts_on")


def product_facts(contract: Contract | None, code: str, today: date) -> ProductFacts | None:
    """Return what the entitlement decision needs to know of a product; None where the request names none."""
    if not code or contract is None:
        return None
    rows = list(licences_of(contract).filter(product_id=code))
    if not rows:
        return ProductFacts(code, None, None, Phase.FULL, None)
    # The licence that covers today speaks for the product, else the next to begin, else the last.
    in_term = [row for row in rows if row.starts_on <= today < row.ends_on]
    licence = next(iter([*in_term, *[row for row in rows if today < row.starts_on], *reversed(rows)]))
    product = licence.product
    return ProductFacts(product.name, licence.starts_on, licence.ends_on, Phase(product.phase), product.phase_ends_on)


# -- named contacts --


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


def contact_history(contract: Contract) -> QuerySet[NamedContact]:
    """Return everybody who is or was a named contact of a contract in hand, oldest first."""
    return NamedContact.objects.of_company(contract.company_id).filter(contract=contract).order_by("since")


# -- the ledger --


def all_movements(contract: Contract) -> QuerySet[QuotaEntry]:
    """Return the whole ledger of a contract in hand, oldest first."""
    rows = QuotaEntry.objects.of_company(contract.company_id).filter(contract=contract)
    return rows.order_by("recorded_at", "id")


def year_of(contract: Contract, today: date) -> tuple[date, date]:
    """Return the first and last day of the contract year that holds `today`; before and after the term, the nearest."""
    return contract_year(contract.starts_on, _within(contract, today))


def _within(contract: Contract, day: date) -> date:
    return min(max(day, contract.starts_on), contract.ends_on - timedelta(days=1))


def movements(contract: Contract, today: date) -> QuerySet[QuotaEntry]:
    """Return the ledger of the contract year that holds `today`, oldest first."""
    start, _last = year_of(contract, today)
    return all_movements(contract).filter(year_starts_on=start)


def year_accounts(contract: Contract, today: date) -> dict[date, YearAccount]:
    """Return each contract year's account up to the one that holds `today`, by its first day."""
    sums = _sums(contract)
    years = years_until(contract.starts_on, _within(contract, today))
    allowance = terms_of(contract).allowance
    found = accounts((sums.get(year, YearSums()) for year in years), allowance, _carried_in(contract))
    return dict(zip(years, found, strict=True))


def opened_years(contract: Contract) -> set[date]:
    """Return the first days of the years that the ledger has opened."""
    return {year for year, sums in _sums(contract).items() if sums.opened is not None}


def _sums(contract: Contract) -> dict[date, YearSums]:
    rows = (
        QuotaEntry.objects.of_company(contract.company_id)
        .filter(contract=contract)
        .values("year_starts_on")
        .annotate(
            opened=Sum("amount", filter=Q(kind__in=["grant", "renew"])),
            adjusted=Sum("amount", filter=Q(kind="adjust")),
            spent=Sum("amount", filter=Q(kind__in=["reserve", "refund"])),
        )
    )
    return {row["year_starts_on"]: YearSums(row["opened"], row["adjusted"] or 0, -(row["spent"] or 0)) for row in rows}


def _carried_in(contract: Contract) -> int:
    """What was left over of the contract that this one renews; needed only where something may be carried over."""
    if contract.renews_id is None or not terms_of(contract).allowance.carry_over:
        return 0
    before = get_contract_of_case(contract.renews_id)
    return list(year_accounts(before, before.ends_on).values())[-1].left


def balance(contract: Contract, today: date) -> tuple[int | None, int]:
    """Return premium incidents left (None: unlimited) and spent in the contract year that holds `today`."""
    account = list(year_accounts(contract, today).values())[-1]
    is_unlimited = terms_of(contract).allowance.incidents is None
    return (None if is_unlimited else account.left), account.spent


def standing_charge(case_id: UUID, company_id: UUID) -> QuotaEntry | None:
    """Return the movement by which a case is charged now; None where it never was, or was given back."""
    rows = QuotaEntry.objects.of_company(company_id).filter(case_id=case_id).select_related("contract")
    return next(iter(standing_charges(rows.order_by("recorded_at", "id")).values()), None)


def standing_charges(entries: Iterable[QuotaEntry]) -> dict[UUID, QuotaEntry]:
    """Return the reservations among these movements that were not given back, by their id; oldest movement first."""
    by_case: dict[UUID, list[QuotaEntry]] = {}
    given_back: Counter[UUID] = Counter()
    for entry in entries:
        if entry.case_id is not None and entry.kind == "reserve":
            by_case.setdefault(entry.case_id, []).append(entry)
        elif entry.case_id is not None and entry.kind == "refund":
            given_back[entry.case_id] += 1
    standing = (charges[-1] for case_id, charges in by_case.items() if len(charges) > given_back[case_id])
    return {entry.id: entry for entry in standing}


def times_reserved(case_id: UUID, company_id: UUID) -> int:
    """Return how often an incident was reserved for a case, given back or not."""
    return QuotaEntry.objects.of_company(company_id).filter(case_id=case_id, kind="reserve").count()


# -- entitlement --


def facts_for(contract: Contract | None, person_id: UUID, now: datetime) -> ContractFacts | None:
    """Return what the entitlement decision needs to know."""
    if contract is None:
        return None
    plan = contract.plan
    left, _spent = balance(contract, contract_today(contract, now))
    return ContractFacts(
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        plan_rank=plan.rank,
        plan_tier=PREMIUM_TIER if plan.rank > 0 else STANDARD_TIER,
        has_premium=terms_of(contract).has_premium,
        premium_left=left,
        is_named_contact=is_named_contact(contract, person_id),
    )


def refusal_words(refused: NotGranted) -> str:
    """Return why something is not granted, in the reader's language."""
    return _(refused.sentence) % {
        name: day_words(value) if isinstance(value, date) else value for name, value in refused.values.items()
    }


def day_words(day: date) -> str:
    """Return such as "23 Nov 2026", in the reader's language."""
    month = "b" if (get_language() or "en").startswith("es") else "M"
    return dated(day, f"j {month} Y")


def fault_words(faults: Iterable[Fault]) -> Mapping[str, str]:
    """Return what is wrong with a plan or with overrides, by place, in the reader's language."""
    found: dict[str, Any] = {}
    for fault in faults:
        found.setdefault(fault.place, _(fault.sentence) % fault.values)
    return found


# -- calendars --


def contracts_on_calendars(version_ids: Sequence[UUID]) -> QuerySet[Contract]:
    """Return the contracts whose new cases count one of these calendar versions, by number."""
    rows = Contract.objects.across_companies("a calendar's next version is offered to all who hold an older one")
    return rows.filter(calendar_version_id__in=version_ids).select_related("company", "plan").order_by("number")
