"""The case page about duplicates: proposed, looked at, joined, parted and dismissed, in both languages."""

from typing import Any

import pytest
from django.test import override_settings
from tests.doors.conftest import PLAIN_FILES
from tests.doors.stage import Stage, page_of, what_runs, with_token

from guardia.features.cases.queries import get_case_for
from guardia.kernel.ids import spoken

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain_files() -> Any:
    with override_settings(STORAGES=PLAIN_FILES):
        yield


@pytest.fixture
def pair(stage: Stage) -> tuple[str, str]:
    """Two cases about the same problem."""
    return stage.cast.open("plus").number, stage.cast.open("plus").number


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_proposes_shows_what_happens_joins_and_parts(
    stage: Stage, pair: tuple[str, str], language: str
) -> None:
    first, second = pair
    client = stage.browser("engineer", language)
    page = page_of(client.get(f"/console/cases/{second}/"))
    assert f'href="?join={first}#moves-h"' in page
    assert f'href="/console/cases/{first}/?join={second}#moves-h"' in page
    assert 'href="#alike-h"' in page
    assert what_runs(page) == []

    page = page_of(client.get(f"/console/cases/{second}/?join={first}"))
    assert f'value="{first}"' in page
    assert what_runs(page) == []

    merge_url = f"/console/cases/{second}/merge/"
    answer = client.post(merge_url, with_token(into=first, reason="The same outage", look="1"))
    assert answer.status_code == 200
    assert "The same outage" in page_of(answer)
    assert get_case_for(stage.cast.engineer, second).merged_into_id is None

    assert client.post(merge_url, with_token(into=first, reason="The same outage")).status_code == 303
    for number in pair:
        page = page_of(client.get(f"/console/cases/{number}/"))
        assert "?act=undo_merge#moves-h" in page
        assert what_runs(page) == []
    page = page_of(client.get(f"/console/cases/{second}/?act=undo_merge"))
    assert f'action="/console/cases/{second}/undo-merge/"' in page

    answer = client.post(f"/console/cases/{second}/undo-merge/", with_token(reason=""))
    assert answer.status_code == 422
    answer = client.post(f"/console/cases/{second}/undo-merge/", with_token(reason="Another problem"))
    assert answer.status_code == 303
    assert get_case_for(stage.cast.engineer, second).closed_at is None
    assert what_runs(page_of(client.get(f"/console/cases/{first}/"))) == []


def test_words_of_the_preview(stage: Stage, pair: tuple[str, str]) -> None:
    first, second = pair
    page = page_of(stage.browser("engineer").get(f"/console/cases/{second}/?join={first}"))
    for words in (
        "1 possible duplicate",
        "Possibly the same problem",
        "similar words · opened by the same person within 72 hours",
        f"{spoken(first)}: File server scans freeze",
        "The premium incident of this case is given back.",
        "Its class stays:",
    ):
        assert words in page.replace("\N{NO-BREAK SPACE}", " "), words
    page = page_of(stage.browser("engineer").get(f"/console/cases/{second}/?join=<i>evil"))
    assert "There is no such case" in page
    assert "<i>evil" not in page


def test_not_the_same_is_kept_and_taken_back(stage: Stage, pair: tuple[str, str]) -> None:
    first, second = pair
    client = stage.browser("engineer")
    url = f"/console/cases/{second}/not-duplicate/"
    assert client.post(url, with_token(other=first)).status_code == 303
    page = page_of(client.get(f"/console/cases/{second}/"))
    assert "possible duplicate" not in page
    assert "Propose again" in page
    assert client.post(url, with_token(other=first, decision="again")).status_code == 303
    assert "1 possible duplicate" in page_of(client.get(f"/console/cases/{second}/"))
    assert client.post(url, with_token(other="00000000")).status_code == 404
