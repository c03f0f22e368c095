"""The case page's forms about the promise and about hands: each does what it says, and refuses with a sentence."""

from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client, override_settings
from tests.doors.conftest import PLAIN_FILES
from tests.doors.stage import Stage, page_of, what_runs, with_token

from guardia.features.cases.queries import facts_of, get_case_for
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_severity import dispute_severity
from guardia.journeys.confirm_call import case_code
from guardia.journeys.take_case import take_case
from guardia.kernel.vocabulary import Severity

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(stage: Stage) -> str:
    """A critical case that the engineer has."""
    opened = stage.cast.open("plus", severity=Severity.CRITICAL).number
    take_case(stage.cast.engineer, stage.cast.now, opened)
    return opened


@pytest.fixture(autouse=True)
def _plain_files() -> Any:
    with override_settings(STORAGES=PLAIN_FILES):
        yield


def send(client: Client, number: str, act: str, **fields: str) -> HttpResponseBase:
    answer: HttpResponseBase = client.post(f"/console/cases/{number}/{act}/", with_token(**fields))
    return answer


def types_of(stage: Stage, number: str) -> list[str]:
    return [event.type for event in facts_of(get_case_for(stage.cast.engineer, number))]


def test_the_severity_form_tells_the_due_time_before_it_is_sent(stage: Stage, number: str) -> None:
    page = page_of(stage.browser("engineer").get(f"/console/cases/{number}/"))
    assert "Only proposed: the customer must agree" in page
    assert "The end goes away: best effort." in page
    page = page_of(stage.browser("duty_manager").get(f"/console/cases/{number}/"))
    assert "Only proposed: the customer must agree" not in page
    assert what_runs(page) == []


def test_lowering_is_proposed_and_the_customer_agrees_on_the_page(stage: Stage, number: str) -> None:
    assert send(stage.browser("engineer"), number, "severity", severity="3", reason="A test machine").status_code == 303
    customer = stage.browser("plus")
    page = page_of(customer.get(f"/cases/{number}/"))
    assert "Marta Ibáñez proposes severity 3" in page
    assert "Severity 3 is proposed: agree or decline." in page
    answer = customer.post(f"/cases/{number}/proposal/", with_token(decision="maybe"))
    assert answer.status_code == 422
    answer = customer.post(f"/cases/{number}/proposal/", with_token(decision="agree", reason=""))
    assert answer.status_code == 303
    assert get_case_for(stage.cast.engineer, number).severity == 3


def test_a_refused_form_keeps_what_was_typed(stage: Stage, number: str) -> None:
    answer = send(stage.browser("engineer"), number, "call", how="code", code="00 00 00", reason="he read it wrongly")
    page = page_of(answer)
    assert answer.status_code == 409
    assert "This is not the code of this request." in page
    assert "he read it wrongly" in page
    assert "00 00 00" in page


def test_a_call_is_confirmed_by_its_code_and_opens_the_clock(stage: Stage, number: str) -> None:
    code = case_code(get_case_for(stage.cast.engineer, number))
    assert send(stage.browser("engineer"), number, "call", how="code", code=code).status_code == 303
    assert "phone_confirmed" in types_of(stage, number)
    page = page_of(stage.browser("engineer").get(f"/console/cases/{number}/"))
    assert "Phoned in" in page


def test_voiding_names_the_case_and_only_a_duty_manager_does_it(stage: Stage, number: str) -> None:
    answer_case(stage.cast.engineer, stage.cast.now, number, text="It is the driver.", how="analysis")
    assert send(stage.browser("engineer"), number, "void", reason="No analysis", confirm=number).status_code == 403
    boss = stage.browser("duty_manager")
    page = page_of(boss.get(f"/console/cases/{number}/"))
    assert "cannot be undone" in page
    answer = send(boss, number, "void", reason="No analysis", confirm="")
    assert answer.status_code == 422
    assert "Give the number of the case" in page_of(answer)
    assert send(boss, number, "void", reason="No analysis", confirm=number).status_code == 303
    page = page_of(stage.browser("plus").get(f"/cases/{number}/"))
    assert "Withdrawn · counts as never given" in page
    assert "It is the driver." in page, "a voided answer stays readable"


def test_a_late_entry_needs_its_instant(stage: Stage, number: str) -> None:
    engineer = stage.browser("engineer")
    answer = send(engineer, number, "late", kind="phone_confirmed", occurred_at="yesterday", reason="The line was down")
    assert answer.status_code == 422
    assert "“yesterday” is no date and time." in page_of(answer)
    fields = {"kind": "phone_confirmed", "occurred_at": "2026-11-23T10:00", "reason": "The line was down"}
    assert send(engineer, number, "late", **fields).status_code == 303
    assert "phone_confirmed" in types_of(stage, number)


def test_a_dispute_is_settled_on_the_page(stage: Stage, number: str) -> None:
    dispute_severity(stage.cast.plus, stage.cast.now, number, 2, "Two lines stand still.")
    engineer = stage.browser("engineer")
    page = page_of(engineer.get(f"/console/cases/{number}/"))
    assert "The customer disputes the severity: settle it." in page
    assert send(engineer, number, "dispute", reason="").status_code == 422
    assert send(engineer, number, "dispute", reason="It is critical for the payroll").status_code == 303
    assert "dispute_settled" in types_of(stage, number)


def test_a_case_changes_hands_groups_and_pages(stage: Stage, number: str) -> None:
    engineer = stage.browser("engineer")
    analyst = stage.cast.people["analyst"].id
    assert send(engineer, number, "assign", person="nobody", reason="He knows it").status_code == 422
    assert send(engineer, number, "assign", person=str(analyst), reason="He knows it").status_code == 303
    assert send(engineer, number, "put-back", reason="He is away").status_code == 303
    assert send(engineer, number, "group", group="lab", reason="A sample is needed").status_code == 303
    answer = send(engineer, number, "split", subject="The console", text="It is slow as well.", reason="Another thing")
    assert answer.status_code == 303
    new = answer.headers["Location"].rstrip("/").rsplit("/", 1)[-1]
    assert (
        send(engineer, new, "merge", into=number, reason="The same after all")
        .headers["Location"]
        .endswith(f"/{number}/")
    )
    assert types_of(stage, number)[-1] == "merged_from"


def test_customers_see_neither_escalations_nor_sentences_for_staff(stage: Stage, number: str) -> None:
    page = page_of(stage.browser("plus").get(f"/cases/{number}/"))
    assert "Only staff see this" not in page
    staff = page_of(stage.browser("engineer").get(f"/console/cases/{number}/"))
    assert "Nothing has to be done for now." in page
    assert "Nothing has to be done for now." not in staff


def test_a_customer_disputes_and_makes_premium_on_the_page(stage: Stage) -> None:
    number = stage.cast.open("plus", case_class="standard", severity=3).number
    customer = stage.browser("plus")
    answer = customer.post(f"/cases/{number}/dispute/", with_token(wanted="9", reason="Two lines"))
    assert answer.status_code == 422
    assert "Two lines" in page_of(answer)
    assert customer.post(f"/cases/{number}/dispute/", with_token(wanted="1", reason="Two lines")).status_code == 303
    page = page_of(customer.get(f"/cases/{number}/"))
    assert "It spends one premium incident; 12 of 12 are left." in page
    fields = {"case_class": "premium", "reason": "The payroll closes today"}
    assert customer.post(f"/cases/{number}/class/", with_token(**fields)).status_code == 303
    assert get_case_for(stage.cast.engineer, number).case_class == "premium"
