"""Alerts and escalation policies through the browser: one act, forms without script, bad input, both languages."""

from datetime import timedelta
from typing import Any

import pytest
from tests.doors.stage import Stage, page_of, what_runs, with_token
from tests.support.ticking import events, tick_all

from guardia.features.sla.models import EscalationPolicy
from guardia.journeys.fire_clocks import ensure_default_policy
from guardia.journeys.take_case import take_case
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
EDIT = "/console/escalation/default/edit/"
PAGES = ("/console/alerts/", "/console/alerts/?view=all", "/console/escalation/", "/console/escalation/default/", EDIT)
HOUR = timedelta(hours=1)


def late(stage: Stage) -> None:
    """Let the incident's target be missed while Marta has it."""
    take_case(stage.cast.engineer, stage.cast.now, stage.incident)
    tick_all(stage.cast.now + 4 * HOUR + timedelta(seconds=1))


def policy(**changes: Any) -> dict[str, Any]:
    """The fields of a policy with one step, changed as said."""
    row = {"when": "response.75", "to": "holder", "by": ["console", "mail"], "severities": ["1", "2"]}
    row |= {"classes": ["premium"], "after": "", "repeat": "", "at_most": "", **changes}
    return with_token(
        name="All plans", seen="1", save="edit", **{f"steps.0.{name}": said for name, said in row.items()}
    )


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_runs_nothing_of_its_own(stage: Stage, address: str, language: str) -> None:
    late(stage)
    browser = stage.browser("duty_manager")
    browser.cookies["django_language"] = language
    answer = browser.get(address)
    page = page_of(answer)
    assert answer.status_code == 200
    assert what_runs(page) == []
    assert f'<html lang="{language}"' in page


def test_an_empty_page_says_what_will_stand_there(stage: Stage) -> None:
    assert "Nothing to acknowledge" in page_of(stage.browser("releaser").get("/console/alerts/"))


def test_who_is_told_finds_it_on_the_page_and_at_the_bell_and_acknowledges_with_one_press(stage: Stage) -> None:
    """P11: the view of what is late is not empty."""
    late(stage)
    with clock.frozen_at(stage.cast.now + 4.1 * HOUR):
        browser = stage.browser("engineer")
        page = page_of(browser.get("/console/alerts/"))
        assert "The response target was missed" in page
        assert "holder of the case" in page
        assert "over" in page
        assert 'class="g-bell" id="live-bell">1<' in page_of(browser.get("/console/queue/"))
        answer = browser.post(f"/console/alerts/{stage.incident}/acknowledge/", with_token(view="mine"))
        assert answer.status_code == 303
        assert len(events(stage.incident, "alarm_acknowledged")) == 1
        after = page_of(browser.get("/console/alerts/"))
    assert "Nothing to acknowledge" in after
    assert "In the last 24 hours" in after
    assert 'class="g-bell" id="live-bell"><' in after


def test_customers_see_the_missed_target_and_nothing_of_whom_it_was_told(stage: Stage) -> None:
    late(stage)
    page = page_of(stage.browser("plus").get(f"/cases/{stage.incident}/"))
    assert "The response target was missed" in page
    assert "Only staff see this" not in page
    assert "Elena Soto" not in page.split("The response target was missed")[1].split("</li>")[0]


def test_a_policy_is_edited_as_a_table_and_takes_durations_as_people_type_them(stage: Stage) -> None:
    ensure_default_policy(stage.cast.now)
    browser = stage.browser("duty_manager")
    answer = browser.post(EDIT, policy(after="1 h 30 min", repeat="30 min", at_most="3"))
    assert answer.status_code == 303
    saved = EscalationPolicy.objects.get(code="default")
    assert saved.version == 2
    (step,) = saved.steps
    assert (step["after"], step["repeat"], step["at_most"]) == ("PT1H30M", "PT30M", 3)
    assert "75 % used, 1 h 30 min later" in page_of(browser.get("/console/escalation/default/"))


@pytest.mark.parametrize(("language", "words"), [("en", "phone call"), ("es", "llamada telefónica")])
def test_a_policy_may_call_people_by_phone(stage: Stage, language: str, words: str) -> None:
    ensure_default_policy(stage.cast.now)
    browser = stage.browser("duty_manager")
    assert browser.post(EDIT, policy(by=["phone"])).status_code == 303
    assert EscalationPolicy.objects.get(code="default").steps[0]["by"] == ["phone"]
    browser.cookies["django_language"] = language
    assert words in page_of(browser.get(EDIT))
    assert words in page_of(browser.get("/console/escalation/default/"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": ""}, "Choose who is told."),
        ({"by": []}, "Choose at least one way."),
        ({"severities": []}, "Choose at least one severity."),
        ({"after": "soon"}, "A time up to 30 days"),
        ({"repeat": "1 s", "at_most": "3"}, "A time from 1 minute to 30 days"),
        ({"repeat": "5 min", "at_most": "99"}, "How often in all"),
        ({"when": "moon.full"}, "Choose a mark."),
    ],
)
def test_what_is_wrong_in_a_policy_is_said_at_its_field_and_nothing_typed_is_lost(
    stage: Stage, changes: dict[str, Any], sentence: str
) -> None:
    ensure_default_policy(stage.cast.now)
    answer = stage.browser("duty_manager").post(EDIT, policy(**{"after": "2 h 17 min", **changes}))
    page = page_of(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert changes.get("after", "2 h 17 min") in page
    assert EscalationPolicy.objects.get(code="default").version == 1


def test_two_duty_managers_do_not_overwrite_each_other(stage: Stage) -> None:
    ensure_default_policy(stage.cast.now)
    browser = stage.browser("duty_manager")
    assert browser.post(EDIT, policy()).status_code == 303
    again = browser.post(EDIT, policy(to="duty_manager"))
    assert again.status_code == 409
    assert "Somebody else has changed this policy meanwhile" in page_of(again)
    assert EscalationPolicy.objects.get(code="default").steps[0]["to"] == "holder"


def test_a_policy_of_its_own_can_be_made_for_a_plan(stage: Stage) -> None:
    ensure_default_policy(stage.cast.now)
    answer = stage.browser("duty_manager").post(EDIT, policy() | {"save": "new", "code": "plus-night"})
    assert answer["Location"] == "/console/escalation/plus-night/"
    assert EscalationPolicy.objects.get(code="plus-night").version == 1


def test_the_health_page_says_that_nobody_ticks(stage: Stage) -> None:
    said = stage.browser("engineer").get("/healthz").json()
    assert said["ticker"]["ok"] is False
    assert said["ticker"]["tickers"] == 0
