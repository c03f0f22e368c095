"""The customer's contract: what is promised, who may spend, every movement; and the form when none is left."""

import json

import pytest
from tests.doors.stage import Stage, body_of, page_of, what_runs, with_token

from guardia.features.cases import queries as cases
from guardia.features.contracts import queries

pytestmark = pytest.mark.django_db


def a_form(**changes: str) -> dict[str, str]:
    facts = {
        "kind": "incident",
        "severity": "2",
        "subject": "Scans freeze",
        "description": "Since this morning.",
    }
    return with_token(**{**facts, **changes})


def spend_all(stage: Stage) -> None:
    for _ in range(12):
        stage.cast.open()


@pytest.mark.parametrize("url", ["/contract/", "/contract/movements/", "/cases/new/"])
@pytest.mark.parametrize("part", ["plus", "plus_admin", "standard"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_pages_run_nothing_in_both_languages(stage: Stage, url: str, part: str, language: str) -> None:
    answer = stage.browser(part, language).get(url)
    assert answer.status_code == 200
    assert what_runs(page_of(answer)) == []


def test_the_administrator_names_and_ends_contacts_and_the_history_stays(stage: Stage) -> None:
    browser, people = stage.browser("plus_admin"), stage.cast.people
    full = browser.post("/contract/contacts/", with_token(person=str(people["plus_admin"].id)))
    assert full.status_code == 409
    assert "names its 2 contacts already" in page_of(full)
    ended = browser.post("/contract/contacts/end/", with_token(person=str(people["plus_second"].id)))
    assert ended.status_code == 303
    assert browser.post("/contract/contacts/", with_token(person=str(people["plus_admin"].id))).status_code == 303
    page = page_of(browser.get("/contract/"))
    assert "Iván Roldán" in page
    assert "Carmen Ruiz" in page
    assert browser.post("/contract/contacts/", with_token(person="nobody")).status_code == 422


def test_who_is_no_administrator_sees_the_contacts_and_names_none(stage: Stage) -> None:
    browser = stage.browser("plus")
    assert "/contract/contacts/" not in page_of(browser.get("/contract/"))
    person = str(stage.cast.people["plus_admin"].id)
    assert browser.post("/contract/contacts/", with_token(person=person)).status_code == 403


def test_with_none_left_the_form_says_so_before_sending_and_takes_only_an_explicit_consent(stage: Stage) -> None:
    spend_all(stage)
    browser = stage.browser("plus")
    page = page_of(browser.get("/cases/new/"))
    assert "No premium incidents are left until 31 Jan 2027" in page
    assert 'name="consent_standard"' in page
    assert 'name="case_class"' not in page
    without = browser.post("/cases/new/", a_form(none_left="1"))
    assert without.status_code == 422
    assert "tick that it is sent as a standard incident" in page_of(without)
    assert "Scans freeze" in page_of(without)
    sent = browser.post("/cases/new/", a_form(none_left="1", consent_standard="on"))
    number = sent.headers["Location"].strip("/").split("/")[-1]
    case = cases.get_case_for(stage.cast.plus, number)
    assert case.case_class == "standard"
    submitted = cases.find_event(case, "submitted")
    assert submitted is not None
    assert submitted.payload["consented"] is True


def test_nothing_is_chosen_before_the_customer_chooses(stage: Stage) -> None:
    for part in ("plus", "plus_admin", "standard"):
        assert " checked" not in page_of(stage.browser(part).get("/cases/new/"))


def test_a_suggestion_without_script_keeps_everything_typed_and_sends_nothing(stage: Stage) -> None:
    answers = {"ask-business": "no", "ask-data": "yes", "suggest": "1", "case_class": "premium"}
    page = page_of(stage.browser("plus").post("/cases/new/", a_form(**answers)))
    assert "Level 1 is suggested: data is lost or damaged" in page
    assert 'value="Scans freeze"' in page
    assert 'name="ask-data" value="yes" checked' in page
    assert 'name="severity" value="2" required checked' in page
    assert not cases.cases_for(stage.cast.plus).exists()


def test_the_script_asks_the_same_rule(stage: Stage) -> None:
    url = "/cases/new/severity/?ask-business=no&ask-data=no&ask-application=no&ask-machines=many"
    assert json.loads(body_of(stage.browser("plus").get(url)))["severity"] == 2
    assert json.loads(body_of(stage.browser("plus").get("/cases/new/severity/?ask-machines=horde")))["severity"] is None


def test_a_named_product_is_kept_and_an_unsupported_one_refused_at_its_field(stage: Stage) -> None:
    browser = stage.browser("plus")
    refused = browser.post("/cases/new/", a_form(case_class="premium", product_code="endpoint-6.0"))
    assert refused.status_code == 409
    assert 'id="product_code-error"' in page_of(refused)
    for code, kept in (("endpoint-8.2", "endpoint-8.2"), ("another", ""), ("", "")):
        sent = browser.post("/cases/new/", a_form(case_class="standard", product_code=code))
        number = sent.headers["Location"].strip("/").split("/")[-1]
        assert cases.get_case_for(stage.cast.plus, number).product_code == kept


def test_a_company_without_contract_in_term_reads_why(stage: Stage) -> None:
    contract = queries.get_contract_for(stage.cast.plus, "MSA-4071")
    assert contract.company_id == stage.cast.plus.company_id
    with pytest.raises(Exception, match="no such contract"):
        queries.get_contract_for(stage.cast.standard, "MSA-4071")
