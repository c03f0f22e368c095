"""Entitlement: the numbered checks E-1 to E-9 as a decision table, and what holds for every request."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.contracts.rules.entitlement import (
    ContractFacts,
    Granted,
    NotGranted,
    Phase,
    ProductFacts,
    decide,
)
from guardia.kernel.vocabulary import CaseClass

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
CONTRACT = ContractFacts(date(2026, 2, 1), date(2027, 2, 1), 20, 1, True, 3, True)
PRODUCT = ProductFacts("Atalaya Endpoint 8.2", date(2026, 2, 1), date(2027, 2, 1), Phase.FULL, None)
PREMIUM, STANDARD = CaseClass.PREMIUM, CaseClass.STANDARD
ALL_CHECKS = tuple(f"E-{n}" for n in range(1, 10))
UNSUPPORTED = "E-6 product_unsupported"
Row = tuple[str, dict[str, Any], dict[str, Any] | None, CaseClass, bool, str]

# What differs in the contract, what in the product (None: the request names none), class, consent: what comes of it.
TABLE: list[Row] = [
    ("everything in order", {}, {}, PREMIUM, False, "premium"),
    ("no product named", {}, None, PREMIUM, False, "premium"),
    ("standard is asked for", {}, {}, STANDARD, False, "standard"),
    ("first day", {"starts_on": TODAY}, None, PREMIUM, False, "premium"),
    ("begins tomorrow", {"starts_on": TODAY + DAY}, None, PREMIUM, True, "E-2 contract_not_begun"),
    ("begins tomorrow, standard", {"starts_on": TODAY + DAY}, None, STANDARD, True, "E-2 contract_not_begun"),
    ("last day", {"ends_on": TODAY + DAY}, None, PREMIUM, False, "premium"),
    ("over since today", {"ends_on": TODAY}, None, PREMIUM, True, "E-3 contract_over"),
    ("over, standard", {"ends_on": TODAY}, None, STANDARD, True, "E-3 contract_over"),
    ("no licence", {}, {"licence_starts_on": None}, PREMIUM, True, "E-4 product_not_licensed"),
    ("no licence, standard", {}, {"licence_ends_on": None}, STANDARD, True, "E-4 product_not_licensed"),
    ("licence begins tomorrow", {}, {"licence_starts_on": TODAY + DAY}, PREMIUM, True, "E-5 licence_not_begun"),
    ("licence begins today", {}, {"licence_starts_on": TODAY}, PREMIUM, False, "premium"),
    ("licence over since today", {}, {"licence_ends_on": TODAY}, STANDARD, True, "E-5 licence_over"),
    ("support ended", {}, {"phase": Phase.ENDED, "phase_ends_on": TODAY - DAY}, PREMIUM, True, UNSUPPORTED),
    ("support ended, undated", {}, {"phase": Phase.ENDED}, STANDARD, False, UNSUPPORTED),
    ("limited support", {}, {"phase": Phase.LIMITED, "phase_ends_on": TODAY + DAY}, PREMIUM, False, "premium"),
    ("limited until today", {}, {"phase": Phase.LIMITED, "phase_ends_on": TODAY}, PREMIUM, False, UNSUPPORTED),
    ("full phase until today", {}, {"phase": Phase.FULL, "phase_ends_on": TODAY}, PREMIUM, False, "premium"),
    ("plan without premium", {"has_premium": False}, None, PREMIUM, True, "E-7 plan_without_premium"),
    ("plan without premium, standard", {"has_premium": False}, None, STANDARD, False, "standard"),
    ("no named contact", {"is_named_contact": False}, None, PREMIUM, True, "E-8 not_a_named_contact"),
    ("no named contact, standard", {"is_named_contact": False}, None, STANDARD, False, "standard"),
    ("none left", {"premium_left": 0}, None, PREMIUM, False, "E-9 no_premium_left"),
    ("below none", {"premium_left": -1}, None, PREMIUM, False, "E-9 no_premium_left"),
    ("none left, with consent", {"premium_left": 0}, None, PREMIUM, True, "standard"),
    ("none left, standard", {"premium_left": 0}, None, STANDARD, False, "standard"),
    ("one left, with consent", {"premium_left": 1}, None, PREMIUM, True, "premium"),
    ("unlimited", {"premium_left": None}, None, PREMIUM, False, "premium"),
]  # fmt: skip


def outcome(decision: Granted | NotGranted) -> str:
    return decision.case_class.value if isinstance(decision, Granted) else f"{decision.check} {decision.code}"


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0]) for row in TABLE])
def test_the_first_check_that_fails_speaks(row: Row) -> None:
    _name, contract, product, wanted, consents, expected = row
    named = None if product is None else replace(PRODUCT, **product)
    decision = decide(replace(CONTRACT, **contract), wanted, consents_to_standard=consents, today=TODAY, product=named)
    assert outcome(decision) == expected


@pytest.mark.parametrize("wanted", [PREMIUM, STANDARD])
def test_e1_without_a_contract_nothing_is_granted(wanted: CaseClass) -> None:
    decision = decide(None, wanted, consents_to_standard=True, today=TODAY)
    assert outcome(decision) == "E-1 no_contract"


def test_what_is_granted_says_which_checks_it_passed() -> None:
    granted = decide(CONTRACT, PREMIUM, consents_to_standard=False, today=TODAY, product=PRODUCT)
    assert isinstance(granted, Granted)
    assert granted.checks == ALL_CHECKS
    unnamed = decide(CONTRACT, PREMIUM, consents_to_standard=False, today=TODAY)
    assert isinstance(unnamed, Granted)
    assert unnamed.checks == ("E-1", "E-2", "E-3", "E-7", "E-8", "E-9")


days = st.integers(-400, 400).map(lambda offset: TODAY + offset * DAY)
contracts = st.builds(
    ContractFacts, days, days, st.just(20), st.sampled_from([1, 2]), st.booleans(),
    st.none() | st.integers(-3, 3), st.booleans(),
)  # fmt: skip
products = st.builds(
    ProductFacts, st.just("A product"), st.none() | days, st.none() | days, st.sampled_from(Phase), st.none() | days
)


@given(
    contract=contracts,
    product=st.none() | products,
    wanted=st.sampled_from([PREMIUM, STANDARD]),
    consents=st.booleans(),
)
def test_premium_is_granted_only_where_every_check_holds(
    contract: ContractFacts, product: ProductFacts | None, wanted: CaseClass, *, consents: bool
) -> None:
    decision = decide(contract, wanted, consents_to_standard=consents, today=TODAY, product=product)
    in_term = contract.starts_on <= TODAY < contract.ends_on
    left = contract.premium_left is None or contract.premium_left > 0
    if isinstance(decision, NotGranted):
        assert decision.check in ALL_CHECKS
        assert decision.sentence % decision.values
        assert not (in_term and product is None and wanted is STANDARD)
        return
    assert in_term
    assert (decision.tier, decision.plan_rank) == (contract.plan_tier, contract.plan_rank)
    if product is not None:
        assert product.is_supported(TODAY)
    if decision.case_class is PREMIUM:
        assert wanted is PREMIUM
        assert contract.has_premium
        assert contract.is_named_contact
        assert left
    else:
        assert wanted is STANDARD or (consents and not left)


@given(contract=contracts, product=st.none() | products)
def test_standard_never_depends_on_class_contacts_or_balance(
    contract: ContractFacts, product: ProductFacts | None
) -> None:
    plain = replace(contract, has_premium=True, premium_left=None, is_named_contact=True)
    mine = decide(contract, STANDARD, consents_to_standard=False, today=TODAY, product=product)
    assert mine == decide(plain, STANDARD, consents_to_standard=True, today=TODAY, product=product)
