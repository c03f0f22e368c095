"""Contracts, their years and what they grant."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.support.cast import Cast

from guardia.features.accounts.models import Company
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.features.contracts.queries import find_contract
from guardia.features.contracts.rules.contract_year import contract_year

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
    contract = find_contract(cast.people["plus"].company_id, cast.now)
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
    contract = find_contract(cast.people["plus"].company_id, cast.now)
    assert contract is not None
    other = Company.objects.create(name="A third company", created_at=cast.now)
    assert overlap(other, contract.starts_on, contract.ends_on) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "amount"),
    [("reserve", -2), ("reserve", 1), ("consume", -1), ("refund", 2), ("grant", -1), ("renew", -1), ("gift", 1)],
)
def test_a_movement_of_a_wrong_amount_is_refused_by_the_database(cast: Cast, kind: str, amount: int) -> None:
    contract = find_contract(cast.people["plus"].company_id, cast.now)
    assert contract is not None
    with pytest.raises(IntegrityError, match="quota_amount_fits_its_kind"), transaction.atomic():
        QuotaEntry.objects.create(
            company_id=contract.company_id, contract=contract, year_starts_on=contract.starts_on, kind=kind,
            amount=amount, dedupe_key=f"{kind}:{amount}", actor={}, reason="", recorded_at=cast.now,
        )  # fmt: skip
