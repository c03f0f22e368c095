"""Contracts, their years and what they grant."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cast import Cast

from guardia.features.accounts.models import Company
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.features.contracts.queries import find_contract
from guardia.features.contracts.rules.contract_year import contract_year
from guardia.features.contracts.rules.entitlement import ContractFacts, Granted, NotGranted, decide
from guardia.kernel.vocabulary import CaseClass

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(start=days, offset=st.integers(0, 40 * 366))
def test_a_day_lies_in_exactly_one_contract_year_and_years_follow_each_other(start: date, offset: int) -> None:
    today = start + timedelta(days=offset)
    first, last = contract_year(start, today)
    assert first <= today <= last
    assert 365 <= (last - first).days + 1 <= 366
    assert contract_year(start, first) == contract_year(start, last) == (first, last)
    assert contract_year(start, last + timedelta(days=1))[0] == last + timedelta(days=1)
    if first > start:
        assert contract_year(start, first - timedelta(days=1))[1] == first - timedelta(days=1)


@given(start=days, offset=st.integers(0, 40 * 366))
def test_a_contract_year_begins_on_the_anniversary(start: date, offset: int) -> None:
    first, _ = contract_year(start, start + timedelta(days=offset))
    assert first.month == start.month
    assert first.day == start.day or (start.month, start.day, first.day) == (2, 29, 28)


def test_a_contract_of_29_february_renews_on_the_28th_of_common_years() -> None:
    start = date(2024, 2, 29)
    assert contract_year(start, date(2025, 2, 27)) == (date(2024, 2, 29), date(2025, 2, 27))
    assert contract_year(start, date(2025, 2, 28)) == (date(2025, 2, 28), date(2026, 2, 27))
    assert contract_year(start, date(2028, 2, 28)) == (date(2027, 2, 28), date(2028, 2, 28))
    assert contract_year(start, date(2028, 2, 29))[0] == date(2028, 2, 29)


TODAY = date(2026, 11, 23)
FACTS: dict[str, Any] = {
    "starts_on": date(2026, 2, 1),
    "ends_on": date(2027, 2, 1),
    "plan_rank": 20,
    "plan_tier": 1,
    "has_premium": True,
    "premium_left": 3,
    "is_named_contact": True,
}


def decided(wanted: CaseClass = CaseClass.PREMIUM, *, consents: bool = False, **changes: Any) -> Granted | NotGranted:
    return decide(ContractFacts(**{**FACTS, **changes}), wanted, consents_to_standard=consents, today=TODAY)


def code_of(decision: Granted | NotGranted) -> str:
    return decision.code if isinstance(decision, NotGranted) else f"granted {decision.case_class.value}"


def test_e1_no_contract_grants_nothing() -> None:
    for wanted in (CaseClass.PREMIUM, CaseClass.STANDARD):
        assert code_of(decide(None, wanted, consents_to_standard=True, today=TODAY)) == "no_contract"


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "expected"),
    [
        (TODAY, TODAY + timedelta(days=1), "granted premium"),
        (TODAY + timedelta(days=1), TODAY + timedelta(days=9), "contract_over"),
        (TODAY - timedelta(days=9), TODAY, "contract_over"),
    ],
)
def test_e2_only_a_contract_in_term_grants_from_its_first_day_to_the_day_before_its_end(
    starts_on: date, ends_on: date, expected: str
) -> None:
    assert code_of(decided(starts_on=starts_on, ends_on=ends_on)) == expected


def test_e3_only_a_named_contact_spends_premium() -> None:
    assert code_of(decided(is_named_contact=False)) == "not_a_named_contact"
    assert code_of(decided(is_named_contact=False, consents=True)) == "not_a_named_contact"
    assert code_of(decided(CaseClass.STANDARD, is_named_contact=False)) == "granted standard"


def test_e4_a_plan_without_premium_grants_standard_only() -> None:
    assert code_of(decided(has_premium=False, premium_left=0, plan_tier=2)) == "plan_without_premium"
    assert code_of(decided(CaseClass.STANDARD, has_premium=False, premium_left=0, plan_tier=2)) == "granted standard"


def test_e5_with_none_left_it_is_standard_and_only_after_consent() -> None:
    assert code_of(decided(premium_left=0)) == "no_premium_left"
    assert code_of(decided(premium_left=0, consents=True)) == "granted standard"
    assert code_of(decided(premium_left=-1)) == "no_premium_left"
    assert code_of(decided(premium_left=None)) == "granted premium"
    assert code_of(decided(premium_left=1, consents=True)) == "granted premium"


@given(
    left=st.one_of(st.none(), st.integers(-2, 3)), wanted=st.sampled_from(["premium", "standard"]), named=st.booleans()
)
def test_tier_and_rank_follow_the_contract_never_the_class_or_the_balance(
    left: int | None, wanted: str, *, named: bool
) -> None:
    decision = decided(CaseClass(wanted), premium_left=left, is_named_contact=named, consents=True)
    if isinstance(decision, Granted):
        assert (decision.tier, decision.plan_rank) == (1, 20)


def overlap(company: Company, starts_on: date, ends_on: date, number: str = "MSA-9999") -> str:
    """Add a contract past the program; return the database's refusal, or nothing."""
    like = Contract.objects.across_companies("tests").select_related("plan").order_by("number").first()
    assert like is not None
    try:
        with transaction.atomic():
            Contract.objects.create(
                company=company, number=number, plan=like.plan, starts_on=starts_on, ends_on=ends_on,
                calendar_version_id=like.calendar_version_id, created_at=like.created_at,
            )  # fmt: skip
    except IntegrityError as error:
        return str(error)
    return ""


@pytest.mark.django_db
def test_terms_of_one_company_never_overlap(cast: Cast) -> None:
    contract = find_contract(cast.people["plus"].company_id, cast.now.date())
    assert contract is not None
    company, day = contract.company, timedelta(days=1)
    for starts_on, ends_on in (
        (contract.starts_on, contract.ends_on),
        (contract.ends_on - day, contract.ends_on + day),
        (contract.starts_on - day, contract.starts_on + day),
        (contract.starts_on + day, contract.starts_on + 2 * day),
        (contract.starts_on - day, contract.ends_on + day),
    ):
        assert "do_not_overlap" in overlap(company, starts_on, ends_on)
    assert overlap(company, contract.ends_on, contract.ends_on + 365 * day) == ""
    assert overlap(company, contract.starts_on - 365 * day, contract.starts_on, "MSA-9998") == ""
    assert "ends_after_it_starts" in overlap(company, contract.starts_on - 900 * day, contract.starts_on - 901 * day)


@pytest.mark.django_db
def test_the_terms_of_two_companies_may_run_side_by_side(cast: Cast) -> None:
    contract = find_contract(cast.people["plus"].company_id, cast.now.date())
    assert contract is not None
    other = Company.objects.create(name="A third company", created_at=cast.now)
    assert overlap(other, contract.starts_on, contract.ends_on) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "amount"), [("reserve", -2), ("reserve", 1), ("consume", -1), ("refund", 2), ("grant", -1), ("gift", 1)]
)
def test_a_movement_of_a_wrong_amount_is_refused_by_the_database(cast: Cast, kind: str, amount: int) -> None:
    contract = find_contract(cast.people["plus"].company_id, cast.now.date())
    assert contract is not None
    with pytest.raises(IntegrityError, match="quota_amount_fits_its_kind"), transaction.atomic():
        QuotaEntry.objects.create(
            company_id=contract.company_id, contract=contract, year_starts_on=contract.starts_on, kind=kind,
            amount=amount, dedupe_key=f"{kind}:{amount}", actor={}, reason="", recorded_at=cast.now,
        )  # fmt: skip
