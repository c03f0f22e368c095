"""A request is accepted first, then decided: entitlement, quota, clock, lab."""

from datetime import timedelta

import pytest
from tests.support.cast import Cast

from guardia.features.cases import queries
from guardia.features.contracts.queries import balance, find_contract
from guardia.journeys.open_case import open_case
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.ids import is_case_number
from guardia.reports.case_page import case_version

pytestmark = pytest.mark.django_db


def left(cast: Cast) -> int | None:
    contract = find_contract(cast.plus.company_id, cast.now)  # type: ignore[arg-type]
    assert contract is not None
    return balance(contract, cast.now.date())[0]


def test_a_premium_case_is_numbered_and_due_after_four_working_hours(cast: Cast) -> None:
    opened = cast.open()
    case = queries.get_case_for(cast.plus, opened.number)
    assert is_case_number(opened.number)
    assert case.due_at == cast.now + timedelta(hours=4)
    assert case.clock_state == "running"
    assert left(cast) == 11


def test_the_same_key_gives_the_same_case_and_charges_once(cast: Cast) -> None:
    first = open_case(cast.plus, cast.now, cast.request(), "key-1")
    again = open_case(cast.plus, cast.now, cast.request(), "key-1")
    assert first == again
    assert left(cast) == 11


def test_the_same_key_for_another_request_is_refused(cast: Cast) -> None:
    open_case(cast.plus, cast.now, cast.request(), "key-1")
    with pytest.raises(Refused, match="another request"):
        open_case(cast.plus, cast.now, cast.request(subject="Something else"), "key-1")


def test_with_none_left_it_is_standard_only_after_consent(cast: Cast) -> None:
    for _ in range(12):
        cast.open()
    with pytest.raises(Refused, match="No premium incidents are left"):
        cast.open()
    opened = cast.open(consent_standard=True)
    assert opened.case_class == "standard"
    assert left(cast) == 0


def test_a_signature_change_without_its_facts_names_every_field(cast: Cast) -> None:
    request = cast.report((), "FP", product="", engine="", database_version="", detection_name="")
    with pytest.raises(Invalid) as refused:
        open_case(cast.plus, cast.now, request)
    assert set(refused.value.fields) == {"product", "engine", "database_version", "detection_name", "files"}


def test_an_internal_note_does_not_move_the_customers_live_page(cast: Cast) -> None:
    number = cast.open().number
    before = case_version(cast.plus, number)
    seen_by_staff = case_version(cast.engineer, number)
    assert before == seen_by_staff != "0"
    write_message(cast.engineer, cast.now, number, "For us only.", is_internal=True)
    assert case_version(cast.plus, number) == before
    assert case_version(cast.engineer, number) != seen_by_staff
    write_message(cast.engineer, cast.now, number, "For the customer.")
    assert case_version(cast.plus, number) != before
