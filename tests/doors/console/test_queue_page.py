"""The queue's page at its door: pages, filters, own views, acts on rows; and nothing in an address makes an error."""

from html import unescape
from uuid import UUID

import pytest
from django.http import HttpResponseBase
from tests.doors.stage import Stage, page_of, with_token
from tests.support.many_cases import many_like, plain_case

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.cases.queries import get_case_for
from guardia.features.cases.rules.queue_filter import PARTS
from guardia.journeys.take_case import take_case

pytestmark = pytest.mark.django_db
QUEUE = "/console/queue/"
STRANGE = ("abc", "****", "ñ", "0" * 5_000, "eyJhIjoxfQ", "WyJxdWV1ZSIsMV0", "\x00", "%00", "../../etc")


def rows_of(answer: HttpResponseBase) -> list[str]:
    return [part[:8] for part in page_of(answer).split('data-row="')[1:]]


def link(answer: HttpResponseBase, rel: str) -> str:
    """Return where the link `rel="next"` or `rel="prev"` leads, or nothing."""
    _before, _, after = page_of(answer).partition(f'rel="{rel}" href="')
    return unescape(after.split('"')[0]) if after else ""


def test_the_pages_are_walked_there_and_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 3)
    case = plain_case(stage.cast)
    wanted = [case.number, *(row.number for row in many_like(case, [{} for _ in range(7)]))]
    browser = stage.browser("engineer")
    answer, seen = browser.get(QUEUE), []
    while True:
        seen += rows_of(answer)
        if not link(answer, "next"):
            break
        answer = browser.get(link(answer, "next"))
    assert seen == wanted
    assert rows_of(browser.get(link(answer, "prev"))) == wanted[3:6]


@pytest.mark.parametrize("name", ["after", "before"])
def test_a_place_that_cannot_be_read_is_the_first_page_with_a_notice(stage: Stage, name: str) -> None:
    number, browser = stage.cast.open().number, stage.browser("engineer")
    for text in STRANGE:
        answer = browser.get(QUEUE, {name: text})
        assert (answer.status_code, rows_of(answer)) == (200, [number]), text
        assert "This is the first page" in page_of(answer), text


def test_no_filter_is_an_error(stage: Stage) -> None:
    browser = stage.browser("engineer")
    for name in (*PARTS, "view"):
        for text in (*STRANGE, "' OR 1=1 --", "<script>alert(1)</script>", "none", "me", "mine", "1"):
            answer = browser.get(QUEUE, {name: text})
            assert answer.status_code == 200, (name, text)
            assert "<script>alert" not in page_of(answer), (name, text)


def test_filters_narrow_the_list_and_stay_in_the_form(stage: Stage) -> None:
    lab, other = stage.cast.open().number, stage.cast.open(severity=2).number
    Case.objects.across_companies("a test arranges").filter(number=lab).update(group="lab")
    browser = stage.browser("engineer")
    answer = browser.get(QUEUE, {"view": "open", "group": "lab", "company": "astilleros"})
    assert rows_of(answer) == [lab]
    assert '<option value="lab" selected>' in page_of(answer)
    assert 'value="astilleros"' in page_of(answer)
    assert rows_of(browser.get(QUEUE, {"group": "mine"})) == [other]
    assert rows_of(stage.browser("reviewer").get(QUEUE, {"group": "mine"})) == [lab]
    assert rows_of(browser.get(QUEUE, {"company": "Duero"})) == []
    assert rows_of(browser.get(QUEUE, {"view": "mine", "holder": stage.cast.analyst.id})) == []


def test_a_search_looks_through_all_cases_and_a_number_is_found_however_it_is_spaced(stage: Stage) -> None:
    number = stage.cast.open(subject="La nómina no abre").number
    take_case(stage.cast.analyst, stage.cast.now, number)
    browser = stage.browser("engineer")
    for text in ("nomina", "NÓMINA", number, f"{number[:4]} {number[4:]}"):
        assert rows_of(browser.get(QUEUE, {"view": "all", "search": text})) == [number]
    answer = browser.get(QUEUE, {"view": "all", "search": "correo"})
    assert "matches “correo”" in page_of(answer)


def test_chosen_rows_are_moved_and_those_that_are_not_are_named_with_the_reason(stage: Stage) -> None:
    cast = stage.cast
    numbers = [cast.open(consent_standard=True).number for _ in range(3)]
    take_case(cast.analyst, cast.now, numbers[0])
    form = with_token(act="assign", person=cast.analyst.id, reason="His", case=numbers)
    browser = stage.browser("engineer")
    answer = browser.post(f"{QUEUE}act/?view=open", form, follow=True)
    text = page_of(answer)
    assert "2 cases moved, 1 refused" in text
    assert f"{numbers[0][:4]} {numbers[0][4:]}: Tomás Vega has this case already." in text
    assert [get_case_for(cast.engineer, number).holder_name for number in numbers] == ["Tomás Vega"] * 3
    again = browser.post(f"{QUEUE}act/?view=open", form, follow=True)
    assert "2 cases moved, 1 refused" in page_of(again)


def test_a_refused_act_keeps_the_chosen_rows_and_what_was_typed(stage: Stage) -> None:
    numbers = [stage.cast.open(consent_standard=True).number for _ in range(2)]
    form = with_token(act="change_group", group="lab", reason="", case=[numbers[1]])
    answer = stage.browser("engineer").post(f"{QUEUE}act/?view=open", form)
    text = page_of(answer)
    assert answer.status_code == 422
    assert text.count("data-pick aria-label") == 2
    assert f'value="{numbers[1]}" data-pick' in text
    assert text.count(" checked></label>") == 1
    assert '<option value="lab" selected>' in text
    assert "Say why, in one line." in text


def test_own_views_stand_beside_the_queue_and_nobody_elses(stage: Stage) -> None:
    browser = stage.browser("engineer")
    saved = browser.post(f"{QUEUE}views/?view=open&plan=plus&severity=1", {"name": "Plus, level 1"}, follow=True)
    assert "The view is saved." in page_of(saved)
    assert "Plus, level 1" in page_of(browser.get(QUEUE))
    assert "Plus, level 1" not in page_of(stage.browser("analyst").get(QUEUE))
    view = queries.views_of(UUID(stage.cast.engineer.id)).get()
    assert view.filters == {"view": "open", "severity": "1", "plan": "plus"}
    deleted = browser.post(f"{QUEUE}views/{view.id}/", {"act": "delete"}, follow=True)
    assert "is deleted" in page_of(deleted)
    assert stage.browser("analyst").post(f"{QUEUE}views/{view.id}/", {"act": "delete"}).status_code == 404


def test_a_page_asks_the_database_no_more_with_fifty_cases_than_with_one(
    stage: Stage, django_assert_max_num_queries: object
) -> None:
    browser, case = stage.browser("engineer"), plain_case(stage.cast)
    browser.get(QUEUE)
    with django_assert_max_num_queries(40) as few:  # type: ignore[operator]
        browser.get(QUEUE)
    many_like(case, [{} for _ in range(49)])
    with django_assert_max_num_queries(len(few)) as many:  # type: ignore[operator]
        assert len(rows_of(browser.get(QUEUE))) == 50
    assert len(many) <= len(few)
