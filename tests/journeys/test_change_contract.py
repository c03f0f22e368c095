"""Contracts change in the open: terms never overlap, the year follows a change of plan, what was spent stays spent."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.support.cast import Cast

from guardia.features.cases import queries as cases
from guardia.features.contracts import queries
from guardia.features.contracts.models import Contract, ContractChange, QuotaEntry
from guardia.journeys.adjust_quota import adjust_quota, refund_incident
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_contract import (
    NewContract,
    change_overrides,
    change_plan,
    new_contract,
    renew_contract,
    set_account_manager,
    set_calendar,
)
from guardia.journeys.licences import add_licence, end_licence
from guardia.journeys.move_case import close_case, reject_case
from guardia.journeys.named_contacts import end_contact, name_contact
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.kernel.vocabulary import Lane

pytestmark = pytest.mark.django_db
PLUS = "MSA-4071"


def contract_of(cast: Cast, number: str = PLUS) -> Contract:
    return queries.get_contract_for(cast.account_manager, number)


def left(cast: Cast, now: datetime | None = None, number: str = PLUS) -> int | None:
    contract = contract_of(cast, number)
    return queries.balance(contract, queries.contract_today(contract, now or cast.now))[0]


def ledger(cast: Cast) -> list[tuple[str, int]]:
    return list(queries.all_movements(contract_of(cast)).values_list("kind", "amount"))


def asked(cast: Cast, **changes: Any) -> NewContract:
    company = cast.people["standard"].company_id
    facts = NewContract(company, "MSA-9000", "plus", date(2030, 1, 1), date(2030, 12, 31), "ES-MD", "Europe/Madrid")
    return replace(facts, **changes)


def test_a_new_contract_is_made_of_a_plan_with_its_calendar_and_kept_as_a_change(cast: Cast) -> None:
    assert new_contract(cast.account_manager, cast.now, asked(cast), "Sold") == "MSA-9000"
    contract = contract_of(cast, "MSA-9000")
    assert (contract.starts_on, contract.ends_on) == (date(2030, 1, 1), date(2031, 1, 1))
    assert contract.calendar_version_id == contract_of(cast).calendar_version_id
    change = ContractChange.objects.across_companies("test").get(contract=contract)
    assert (change.kind, change.actor["name"], change.reason) == ("created", "Rosa Lamas", "Sold")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"company": None}, "company"),
        ({"number": "msa 1"}, "number"),
        ({"first_day": None}, "first_day"),
        ({"last_day": None}, "last_day"),
        ({"last_day": date(2029, 12, 31)}, "last_day"),
        ({"last_day": date(2099, 12, 31)}, "last_day"),
        ({"region": "Spain"}, "region"),
        ({"zone": "Europe/Sevilla"}, "zone"),
    ],
)
def test_a_contract_that_cannot_be_is_refused_at_its_field(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        new_contract(cast.account_manager, cast.now, asked(cast, **changes), "Sold")
    assert list(refused.value.fields) == [field]


def test_a_contract_that_shares_a_day_with_another_is_refused_with_its_number(cast: Cast) -> None:
    running = contract_of(cast, "STD-2210")
    last_shared = running.ends_on - timedelta(days=1)
    with pytest.raises(Refused, match="STD-2210 covers some of these days") as refused:
        new_contract(cast.account_manager, cast.now, asked(cast, first_day=last_shared), "Sold")
    assert refused.value.code == "contract_overlaps"
    new_contract(cast.account_manager, cast.now, asked(cast, first_day=running.ends_on), "Sold")


def test_a_number_is_given_once(cast: Cast) -> None:
    with pytest.raises(Refused, match="of this number already"):
        new_contract(cast.account_manager, cast.now, asked(cast, number=PLUS), "Sold")


@pytest.mark.parametrize("part", ["engineer", "analyst", "releaser", "plus_admin"])
def test_only_account_managers_and_duty_managers_change_contracts(cast: Cast, part: str) -> None:
    with pytest.raises(Forbidden):
        change_plan(cast.actors[part], cast.now, PLUS, "business", "Because")
    with pytest.raises(Forbidden):
        adjust_quota(cast.actors[part], cast.now, PLUS, 1, "Because")


def test_a_renewal_begins_where_the_term_ends_and_takes_everything_along(cast: Cast) -> None:
    old = contract_of(cast)
    change_overrides(cast.duty_manager, cast.now, PLUS, {"carry_over": 3}, "Agreed")
    renew_contract(cast.account_manager, cast.now, PLUS, "MSA-4071-2", old.ends_on + timedelta(days=364), "", "Renewed")
    new = contract_of(cast, "MSA-4071-2")
    assert (new.starts_on, new.plan_id, new.renews_id) == (old.ends_on, "plus", old.id)
    assert new.overrides == {"carry_over": 3}
    assert new.account_manager_id == UUID_of(cast, "account_manager")
    assert {row.product_id for row in queries.licences_of(new)} == {"endpoint-8.2", "endpoint-6.0", "gateway-3.1"}
    assert {row.ends_on for row in queries.licences_of(new)} == {new.ends_on}
    assert queries.contacts_of(new) == queries.contacts_of(old)
    last_moment = datetime.combine(old.ends_on, datetime.min.time(), cast.now.tzinfo) - timedelta(hours=2)
    assert queries.find_contract(old.company_id, last_moment) == old
    assert queries.find_contract(old.company_id, last_moment + timedelta(hours=2)) == new
    assert left(cast, last_moment + timedelta(days=1), "MSA-4071-2") == 15


def UUID_of(cast: Cast, part: str) -> Any:  # noqa: N802
    return cast.people[part].id


def test_a_contract_is_renewed_once(cast: Cast) -> None:
    last_day = contract_of(cast).ends_on + timedelta(days=364)
    renew_contract(cast.account_manager, cast.now, PLUS, "MSA-4071-2", last_day, "", "Renewed")
    with pytest.raises(Refused, match="MSA-4071-2 covers"):
        renew_contract(cast.account_manager, cast.now, PLUS, "MSA-4071-3", last_day, "", "Renewed")


def test_a_larger_plan_adds_the_difference_and_what_was_spent_stays_spent(cast: Cast) -> None:
    for _ in range(3):
        cast.open()
    change_plan(cast.account_manager, cast.now, PLUS, "business", "More sites")
    assert left(cast) == 33
    assert ledger(cast) == [("grant", 12), *[("reserve", -1)] * 3, ("adjust", 24)]
    entry = queries.all_movements(contract_of(cast)).last()
    assert entry is not None
    assert entry.reason == "Plan Plus → Business: More sites"


def test_a_smaller_plan_never_leaves_less_than_nothing(cast: Cast) -> None:
    for _ in range(9):
        cast.open()
    change_overrides(cast.account_manager, cast.now, PLUS, {"named_contacts": 2}, "Kept")
    change_plan(cast.account_manager, cast.now, PLUS, "start", "Fewer sites")
    assert left(cast) == 0
    with pytest.raises(Refused, match="No premium incidents are left"):
        cast.open()


def test_a_plan_with_fewer_contacts_is_refused_until_some_have_ended(cast: Cast) -> None:
    with pytest.raises(Refused, match="2 contacts are named, and this plan has 1"):
        change_plan(cast.account_manager, cast.now, PLUS, "start", "Fewer sites")
    end_contact(cast.account_manager, cast.now, PLUS, cast.people["plus_second"].id, "Left")
    change_plan(cast.account_manager, cast.now, PLUS, "start", "Fewer sites")


def test_unlimited_and_back_again_counts_what_was_spent_in_between(cast: Cast) -> None:
    for _ in range(12):
        cast.open()
    change_plan(cast.account_manager, cast.now, PLUS, "enterprise", "Everything")
    assert left(cast) is None
    for _ in range(3):
        assert cast.open().case_class == "premium"
    change_plan(cast.account_manager, cast.now, PLUS, "business", "Less again")
    assert left(cast) == 36 - 15
    with pytest.raises(Refused, match="this plan already"):
        change_plan(cast.account_manager, cast.now, PLUS, "business", "Once more")


def test_an_open_case_keeps_the_terms_of_its_submission(cast: Cast) -> None:
    number = cast.open().number
    before = cases.get_case_for(cast.plus, number)
    change_plan(cast.account_manager, cast.now, PLUS, "enterprise", "Everything")
    change_overrides(cast.account_manager, cast.now, PLUS, {"response": {"premium": {"1": FAST}}}, "Agreed")
    take_case(cast.engineer, cast.now, number)
    after = cases.get_case_for(cast.plus, number)
    assert (after.terms, after.due_at) == (before.terms, before.due_at)
    assert cases.get_case_for(cast.plus, cast.open().number).due_at == cast.now + timedelta(minutes=15)


FAST = {"target": "PT15M", "coverage": "always"}


def test_terms_freeze_objectives_escalation_and_why_it_was_granted(cast: Cast) -> None:
    number = cast.open(product_code="endpoint-8.2").number
    terms = cases.get_case_for(cast.plus, number).terms
    assert terms["objectives"]["premium"]["1"] == {"next_answer": "PT4H", "resolution": "PT20H", "assignment": "PT30M"}
    assert (terms["escalation"], terms["plan_version"]) == ("default", 1)
    assert terms["entitlement"] == {
        "checks": [f"E-{n}" for n in range(1, 10)],
        "asked": "premium",
        "granted": "premium",
        "overrides": {},
        "product": "endpoint-8.2",
    }


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("endpoint-6.0", "Support for Atalaya Endpoint 6.0 ended on 31 Dec 2025"),
        ("endpoint-7.4", "no licence for this product"),
        ("nothing", "no licence for this product"),
    ],
)
def test_a_product_that_is_not_served_is_refused_at_its_field_with_what_to_do(cast: Cast, code: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        cast.open(product_code=code)
    assert list(refused.value.fields) == ["product_code"]
    assert left(cast) == 12


def test_overrides_hold_from_their_instant_on(cast: Cast) -> None:
    cast.open()
    change_overrides(cast.account_manager, cast.now, PLUS, {"premium_incidents": 20, "named_contacts": 3}, "Agreed")
    assert left(cast) == 19
    name_contact(cast.account_manager, cast.now, PLUS, cast.people["plus_admin"].id, "A third")
    change_overrides(cast.account_manager, cast.now, PLUS, {"premium_incidents": None}, "Agreed")
    assert left(cast) is None
    change_overrides(cast.account_manager, cast.now, PLUS, {}, "Back to the plan")
    assert left(cast) == 11


def test_overrides_that_cannot_be_are_refused_by_place(cast: Cast) -> None:
    wrong = {"premium_incidents": -1, "carry_over": "3", "response": {"premium": {"1": {"target": "PT0S"}}}, "price": 1}
    with pytest.raises(Invalid) as refused:
        change_overrides(cast.account_manager, cast.now, PLUS, wrong, "Agreed")
    assert set(refused.value.fields) == {
        "price",
        "premium_incidents",
        "carry_over",
        "response.premium.1.target",
        "response.premium.1.coverage",
    }


def test_days_are_those_of_the_contracts_zone(cast: Cast) -> None:
    """23:30 UTC of the last day is already the next contract year in Madrid, and the one after midnight in London."""
    contract = contract_of(cast)
    anniversary = contract.starts_on.replace(year=contract.starts_on.year + 1)
    before = datetime.combine(anniversary, datetime.min.time(), cast.now.tzinfo) - timedelta(minutes=30)
    for _ in range(12):
        cast.open()
    assert left(cast) == 0
    cast.now = before - timedelta(hours=1)
    with pytest.raises(Refused, match="left in this contract year"):
        cast.open()
    cast.now = before
    assert cast.open().case_class == "premium"
    assert left(cast) == 11
    assert ledger(cast)[-2:] == [("renew", 12), ("reserve", -1)]
    Contract.objects.across_companies("test").update(zone="Europe/London")
    assert left(cast) == 0


def test_an_adjustment_before_the_years_first_case_does_not_hide_the_grant(cast: Cast) -> None:
    adjust_quota(cast.duty_manager, cast.now, PLUS, 2, "Goodwill after the outage")
    assert left(cast) == 14
    QuotaEntry.objects.of_company(contract_of(cast).company_id)
    assert ledger(cast) == [("grant", 12), ("adjust", 2)]


def test_an_adjust_entry_alone_does_not_hide_what_the_year_opens_with(cast: Cast) -> None:
    contract = contract_of(cast)
    QuotaEntry.objects.create(
        company_id=contract.company_id, contract=contract, year_starts_on=contract.starts_on, kind="adjust", amount=2,
        dedupe_key="adjust:lone", actor={}, reason="", recorded_at=cast.now,
    )  # fmt: skip
    assert left(cast) == 14


def test_an_adjustment_goes_down_to_none_left_and_no_further(cast: Cast) -> None:
    cast.open()
    with pytest.raises(Refused, match="Only 11 are left"):
        adjust_quota(cast.duty_manager, cast.now, PLUS, -12, "A mistake")
    adjust_quota(cast.duty_manager, cast.now, PLUS, -11, "A mistake", idempotency_key="once")
    adjust_quota(cast.duty_manager, cast.now, PLUS, -11, "A mistake", idempotency_key="once")
    assert left(cast) == 0
    with pytest.raises(Invalid):
        adjust_quota(cast.duty_manager, cast.now, PLUS, 0, "Nothing")


def test_what_is_left_over_goes_into_the_next_year_only_where_agreed(cast: Cast) -> None:
    cast.open()
    next_year = cast.now + timedelta(days=365)
    assert left(cast, next_year) == 12
    change_overrides(cast.account_manager, cast.now, PLUS, {"carry_over": 4}, "Agreed")
    assert left(cast, next_year) == 16
    cast.now = next_year
    cast.open()
    assert ledger(cast)[-2:] == [("renew", 16), ("reserve", -1)]


def test_a_supervisor_gives_an_incident_back_for_the_vendors_fault_once(cast: Cast) -> None:
    opened = cast.open()
    refund_incident(cast.account_manager, cast.now, opened.number, "Our portal was down")
    assert left(cast) == 12
    with pytest.raises(Refused, match="given back already"):
        refund_incident(cast.account_manager, cast.now, opened.number, "Our portal was down")
    reject_case(cast.engineer, cast.now, opened.number, "Not ours")
    assert left(cast) == 12
    assert [event.type for event in cases.events_of(cases.get_case_for(cast.plus, opened.number))].count("quota") == 2


def test_a_contract_that_ends_lets_its_open_premium_case_finish(cast: Cast) -> None:
    number = cast.open().number
    late = datetime.combine(contract_of(cast).ends_on, datetime.min.time(), cast.now.tzinfo) + timedelta(days=9)
    cast.now = late
    with pytest.raises(Refused, match="is over since"):
        cast.open()
    take_case(cast.engineer, late, number)
    answer_case(cast.engineer, late, number, "The analysis", how="analysis")
    close_case(cast.plus, late, number, "customer_confirmed", "It works")
    assert ledger(cast) == [("grant", 12), ("reserve", -1), ("consume", 0)]
    assert left(cast) == 12  # of the last year, in which nothing was spent


def test_a_contract_that_has_not_begun_says_when_it_does(cast: Cast) -> None:
    cast.now = cast.now - timedelta(days=3 * 365)
    with pytest.raises(Refused, match="begins on 1 Feb 2026"):
        cast.open()


def test_a_company_administrator_names_and_ends_contacts_up_to_the_number_with_history(cast: Cast) -> None:
    admin, now = cast.plus_admin, cast.now
    with pytest.raises(Refused, match="names its 2 contacts already"):
        name_contact(admin, now, PLUS, cast.people["plus_admin"].id)
    end_contact(admin, now, PLUS, cast.people["plus"].id)
    with pytest.raises(Refused, match="Only named contacts"):
        cast.open("plus")
    name_contact(admin, now + timedelta(hours=1), PLUS, cast.people["plus_admin"].id)
    name_contact(admin, now + timedelta(hours=1), PLUS, cast.people["plus_admin"].id)
    assert cast.open("plus_admin").case_class == "premium"
    history = [(row.person_id, row.until) for row in queries.contact_history(contract_of(cast))]
    assert (cast.people["plus"].id, now) in history
    assert len(history) == 3
    kinds = list(queries.changes_of(contract_of(cast)).values_list("kind", flat=True))
    assert sorted(kinds) == ["contact_ended", "contact_named"]


def test_who_is_not_of_the_company_is_no_contact_and_contacts_name_nobody(cast: Cast) -> None:
    with pytest.raises(NotFound):
        name_contact(cast.account_manager, cast.now, PLUS, cast.people["standard"].id, "A friend")
    with pytest.raises(Forbidden):
        name_contact(cast.plus, cast.now, PLUS, cast.people["plus_admin"].id)
    with pytest.raises(NotFound):
        end_contact(cast.standard_admin, cast.now, PLUS, cast.people["plus"].id)


def test_a_licence_ends_after_its_last_day(cast: Cast) -> None:
    licence = next(row for row in queries.licences_of(contract_of(cast)) if row.product_id == "endpoint-8.2")
    end_licence(cast.account_manager, cast.now, PLUS, licence.id, "Sold off")
    assert cast.open(product_code="endpoint-8.2").case_class == "premium"
    cast.now += timedelta(days=1)
    with pytest.raises(Refused, match="is over since 24 Nov 2026"):
        cast.open(product_code="endpoint-8.2")
    add_licence(
        cast.account_manager, cast.now, PLUS, "endpoint-8.2", 5, date(2026, 12, 1), date(2027, 1, 1), "Bought again"
    )
    with pytest.raises(Refused, match="begins on 1 Dec 2026"):
        cast.open(product_code="endpoint-8.2")


def test_a_calendar_and_a_manager_are_set_with_their_history(cast: Cast) -> None:
    other = contract_of(cast, "STD-2210").calendar_version_id
    set_calendar(cast.account_manager, cast.now, PLUS, other, "Southern office")
    set_account_manager(cast.duty_manager, cast.now, PLUS, None, "Leaves")
    contract = contract_of(cast)
    assert (contract.calendar_version_id, contract.account_manager_id) == (other, None)
    assert queries.account_manager_of(contract.id) is None
    with pytest.raises(Refused, match="Choose an account manager"):
        set_account_manager(cast.duty_manager, cast.now, PLUS, cast.people["engineer"].id, "Helps out")
    assert queries.lane_of(contract.company_id, cast.now) is Lane.ACCELERATED
