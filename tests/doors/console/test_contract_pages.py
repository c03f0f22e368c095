"""Contracts, plans and products in the console: what is done there stands there, and nothing typed is lost."""

import csv
import io

import pytest
from tests.doors.stage import Stage, body_of, page_of, what_runs, with_token

from guardia.features.contracts import queries
from guardia.journeys.move_case import close_case
from guardia.journeys.write_plan import plan_values

pytestmark = pytest.mark.django_db
PAGE = "/console/contracts/MSA-4071/"
PAGES = [
    "/console/contracts/",
    "/console/contracts/?search=duero",
    "/console/contracts/?search=nobody",
    "/console/contracts/new/",
    PAGE,
    "/console/plans/",
    "/console/plans/plus/",
    "/console/plans/plus/edit/",
    "/console/products/",
    "/console/products/?code=endpoint-8.2",
]


def plan_form(code: str, /, **changes: str) -> dict[str, str]:
    """The edit form as the page sends it back unchanged, with changes."""
    plan = queries.get_plan(code)
    form = {
        "name": plan.name,
        "rank": str(plan.rank),
        "premium_incidents": str(plan.premium_incidents),
        "named_contacts": str(plan.named_contacts),
        "lane": plan.lane,
        "has_phone": "on",
        "office.calendar": plan.office["calendar"],
        "escalation": plan.escalation,
        "reason": "Because",
        "save": "edit",
    }
    for name, levels in plan.response.items():
        for level, promise in levels.items():
            form[f"response.{name}.{level}.target"] = promise["target"] or ""
            form[f"response.{name}.{level}.coverage"] = promise["coverage"]
            if promise.get("phone_opens_24x7"):
                form[f"response.{name}.{level}.phone_opens_24x7"] = "on"
    for name, levels in plan.objectives.items():
        for level, goals in levels.items():
            form |= {f"objectives.{name}.{level}.{goal}": span or "" for goal, span in goals.items()}
    return with_token(**{**form, **changes})


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("part", ["account_manager", "engineer"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_pages_show_for_those_who_change_and_those_who_read_and_run_nothing(
    stage: Stage, url: str, part: str, language: str
) -> None:
    answer = stage.browser(part, language).get(url)
    page = page_of(answer)
    assert answer.status_code == 200
    assert what_runs(page) == []
    assert ('name="reason"' in page) <= (part == "account_manager")


def test_a_refused_renewal_keeps_what_was_typed_and_says_why_at_the_field(stage: Stage) -> None:
    browser = stage.browser("account_manager")
    form = with_token(number="STD-2210", last_day="2030-01-31", plan="", reason="A long talk")
    answer = browser.post(f"{PAGE}renew/", form)
    page = page_of(answer)
    assert answer.status_code == 409
    assert 'value="STD-2210"' in page
    assert 'value="A long talk"' in page
    assert "There is a contract of this number already." in page


@pytest.mark.parametrize("typed", ["tomorrow", "2040-13-01"])
def test_a_date_that_is_none_is_told_at_its_field(stage: Stage, typed: str) -> None:
    form = with_token(number="MSA-9", last_day=typed, plan="", reason="Renewed")
    answer = stage.browser("account_manager").post(f"{PAGE}renew/", form)
    assert answer.status_code == 422
    assert f"“{typed}” is no date" in page_of(answer)


def test_own_terms_typed_and_refused_stay_in_the_form(stage: Stage) -> None:
    form = with_token(
        incidents="own", premium_incidents="20", carry_over="3", reason="Agreed",
        **{"response.premium.1.coverage": "always", "response.premium.1.target": "0 h"},
    )  # fmt: skip
    browser = stage.browser("account_manager")
    answer = browser.post(f"{PAGE}overrides/", form)
    page = page_of(answer)
    assert answer.status_code == 422
    assert 'value="0 h"' in page
    assert "A target is more than nothing" in page
    form["response.premium.1.target"] = "15 min"
    assert browser.post(f"{PAGE}overrides/", with_token(**{**form, "form_token": "another"})).status_code == 303
    terms = queries.terms_of(queries.get_contract_for(stage.cast.engineer, "MSA-4071"))
    assert (terms.allowance.incidents, terms.allowance.carry_over) == (20, 3)
    assert terms.response["premium"]["1"]["target"] == "PT15M"


def test_an_unknown_act_does_not_exist(stage: Stage) -> None:
    assert stage.browser("account_manager").post(f"{PAGE}burn/", with_token()).status_code == 404


def test_a_plan_sent_back_unchanged_is_the_same_plan(stage: Stage) -> None:
    for code in ("start", "business"):
        before = plan_values(queries.get_plan(code))
        answer = stage.browser("account_manager").post(f"/console/plans/{code}/edit/", plan_form(code))
        assert answer.status_code == 303
        assert plan_values(queries.get_plan(code)) == before
        assert queries.get_plan(code).version == 2


def test_a_plan_under_open_cases_is_saved_as_a_new_one_only(stage: Stage) -> None:
    cast, browser = stage.cast, stage.browser("account_manager")
    numbers = [cast.open().number for _ in range(2)]
    url, form = "/console/plans/plus/edit/", plan_form("plus", premium_incidents="15", code="plus-2027")
    refused = browser.post(url, form)
    assert refused.status_code == 409
    assert "2 open cases are served under this plan, so it was not changed." in page_of(refused)
    assert 'value="15"' in page_of(refused)
    saved = browser.post(url, {**form, "save": "new"})
    assert saved.headers["Location"] == "/console/plans/plus-2027/"
    assert queries.get_plan("plus-2027").premium_incidents == 15
    taken = browser.post(url, {**plan_form("plus", code="plus-2027"), "save": "new"})
    assert "There is a plan of this code already." in page_of(taken)
    for number in numbers:
        close_case(cast.engineer, cast.now, number, "solved", "Done")
    assert browser.post(url, plan_form("plus", premium_incidents="15")).status_code == 303
    contract = queries.get_contract_for(cast.engineer, "MSA-4071")
    assert queries.balance(contract, queries.contract_today(contract, cast.now)) == (13, 2)


def test_every_fault_of_a_plan_is_told_at_its_field(stage: Stage) -> None:
    faults = {
        "response.premium.1.target": "0 h",
        "response.premium.2.target": "soon",
        "response.standard.4.coverage": "nights",
        "objectives.premium.1.resolution": "400 d",
        "premium_incidents": "",
        "rank": "first",
    }
    answer = stage.browser("account_manager").post("/console/plans/plus/edit/", plan_form("plus", **faults))
    page = page_of(answer)
    assert answer.status_code == 422
    assert page.count('class="g-err"') == len(faults)
    assert 'value="soon"' in page
    assert queries.get_plan("plus").version == 1


def test_a_retired_plan_is_offered_to_no_contract(stage: Stage) -> None:
    browser = stage.browser("duty_manager")
    assert browser.post("/console/plans/business/retire/", with_token(retired="on", reason="Old")).status_code == 303
    answer = browser.post(f"{PAGE}plan/", with_token(plan="business", reason="More"))
    assert "This plan is retired" in page_of(answer)
    assert ">Business<" not in page_of(browser.get(PAGE)).split("New plan")[1].split("</select>")[0]


def test_a_product_whose_support_ends_is_kept_and_refused_from_then_on(stage: Stage) -> None:
    browser = stage.browser("account_manager")
    form = {"code": "endpoint-8.2", "name": "Atalaya Endpoint 8.2", "line": "Atalaya Endpoint", "phase": "ended"}
    refused = browser.post("/console/products/", with_token(**form))
    assert "Say since when support has ended" in page_of(refused)
    assert browser.post("/console/products/", with_token(**form, phase_ends_on="2026-11-01")).status_code == 303
    assert "Support ended" in page_of(browser.get(PAGE))


def test_the_statement_opens_in_a_spreadsheet_and_runs_nothing_there(stage: Stage) -> None:
    browser = stage.browser("duty_manager", "es")
    stage.cast.open()
    form = with_token(amount="2", direction="add", reason='=HYPERLINK("http://x");\n@now')
    assert browser.post(f"{PAGE}adjust/", form).status_code == 303
    answer = browser.get(f"{PAGE}statement.csv")
    raw = body_of(answer)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="guardia-MSA-4071-statement.csv"'
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [len(row) for row in rows] == [11] * 4
    assert [row[5] for row in rows[1:]] == ["Concedido", "Reservado", "Ajustado"]
    assert [row[6:8] for row in rows[1:]] == [["12", "12"], ["-1", "11"], ["2", "13"]]
    assert rows[3][10].startswith("'=HYPERLINK")
