"""The company's list of cases: searched, paged, and never another company's."""

import pytest
from tests.doors.stage import Stage, page_of
from tests.support.many_cases import many_like, plain_case

from guardia.features.cases import queries

pytestmark = pytest.mark.django_db


def test_a_customer_finds_the_own_cases_by_words_and_never_a_strangers(stage: Stage) -> None:
    own = stage.cast.open(subject="La nómina no abre").number
    strange = stage.cast.open("standard", subject="La nómina de Duero").number
    page = page_of(stage.browser("plus").get("/cases/", {"search": "nomina"}))
    assert f"/cases/{own}/" in page
    assert strange not in page
    for text in (strange, "Duero", '"nómina de Duero"'):
        assert "No case matches" in page_of(stage.browser("plus").get("/cases/", {"search": text})), text


def test_a_long_list_is_walked_page_by_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 4)
    case = plain_case(stage.cast)
    numbers = {case.number, *(row.number for row in many_like(case, [{} for _ in range(9)]))}
    browser, seen, address = stage.browser("plus"), set[str](), "/cases/?view=all"
    for _page in range(3):
        text = page_of(browser.get(address))
        seen |= {number for number in numbers if f"/cases/{number}/" in text}
        address = "/cases/" + text.partition('rel="next" href="')[2].split('"')[0].replace("&amp;", "&")
    assert seen == numbers
    assert address == "/cases/"


def test_nothing_in_the_address_is_an_error(stage: Stage) -> None:
    stage.cast.open()
    browser = stage.browser("plus")
    for name in ("search", "after", "before", "view"):
        for text in ("abc", "\x00", "ñ" * 500, "' | !"):
            assert browser.get("/cases/", {name: text}).status_code == 200, (name, text)
