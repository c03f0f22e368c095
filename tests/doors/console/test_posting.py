"""A form of the console is done once and says so, or is shown again with everything that was typed."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from tests.doors.console.made_up import FILE_ID, GATES, NOW, TOMAS, draft_page

from guardia.doors.console.drafts import record_fields, tally
from guardia.doors.console.lab import edited_texts
from guardia.doors.console.posting import Failure, Given, settle
from guardia.kernel.errors import Forbidden, GuardiaError, Invalid, NotFound, Refused, TooLarge
from guardia.ui.sealed_upload import FormFiles, KeptFile, RefusedFile

PAGE = "/console/cases/40718823/"


def person() -> SimpleNamespace:
    return SimpleNamespace(pk=7, name="Tomás Vega", company_id=None, roles=["analyst"], is_company_admin=False)


def post(**fields: str) -> HttpRequest:
    request = RequestFactory().post(f"{PAGE}answer/", {"form_token": "t1"} | fields)
    request.user = person()  # type: ignore[assignment]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


def shown_again(failure: Failure) -> HttpResponse:
    return HttpResponse(str(failure.as_context()), status=failure.status)


def given(**fields: str) -> Given:
    return Given(TOMAS, NOW, post(**fields).POST)


def test_a_form_that_is_done_leads_to_its_page_with_a_notice() -> None:
    request = post(text="Hello")
    done = settle(request, "message", lambda form: form.text("text"), page=PAGE, done="Sent.", again=shown_again)
    assert (done.status_code, done["Location"]) == (303, PAGE)
    assert [str(message) for message in get_messages(request)] == ["Sent."]


def test_the_result_says_where_to_go() -> None:
    done = settle(
        post(),
        "draft",
        lambda _: 4,
        page=PAGE,
        done=lambda n: f"Draft {n}.",
        forward=lambda n: f"/d/{n}/",
        again=shown_again,
    )
    assert done["Location"] == "/d/4/"


def test_the_token_of_the_form_is_the_key_of_the_journey() -> None:
    keys: list[str] = []
    settle(post(), "take", lambda form: keys.append(form.token), page=PAGE, done="", again=shown_again)
    assert keys == ["t1"]


def test_a_form_without_its_token_is_not_done() -> None:
    request = post(form_token="")
    assert settle(request, "take", lambda form: form.token, page=PAGE, done="", again=shown_again).status_code == 422


@pytest.mark.parametrize(("error", "status"), [(Refused, 409), (Invalid, 422), (Forbidden, 403), (TooLarge, 413)])
def test_a_refusal_shows_the_page_again_with_what_was_typed(error: type[GuardiaError], status: int) -> None:
    def refuse(_: Given) -> Any:
        raise error("no", "It is Marta's case.", {"text-0": "Line 9."})

    answer = settle(post(text="Kept words"), "answer", refuse, page=PAGE, done="", again=shown_again)
    assert answer.status_code == status
    shown = answer.content.decode()
    assert "It is Marta's case." in shown
    assert "Kept words" in shown


def test_what_does_not_exist_is_left_to_the_page_for_that() -> None:
    def miss(_: Given) -> Any:
        raise NotFound("no_case", "There is no such case.")

    with pytest.raises(NotFound):
        settle(post(), "answer", miss, page=PAGE, done="", again=shown_again)


def test_a_reload_of_a_form_that_only_takes_posts_goes_to_its_page_and_does_nothing() -> None:
    request = RequestFactory().get(f"{PAGE}answer/")
    answer = settle(request, "answer", lambda _: pytest.fail("done by a GET"), page=PAGE, done="", again=shown_again)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)


def test_a_file_that_was_refused_stops_the_message_until_it_was_seen_and_keeps_the_others() -> None:
    files = FormFiles((KeptFile(FILE_ID, "a.bin", 3, ""),), (RefusedFile("b.bin", "b.bin is empty."),))
    answer = settle(post(), "message", lambda form: form.uploads, page=PAGE, done="", again=shown_again, files=files)
    assert answer.status_code == 422
    assert "b.bin is empty." in answer.content.decode()
    assert FILE_ID in answer.content.decode()


def test_edited_texts_keep_their_lines_and_come_under_their_index() -> None:
    form = given(**{"text-0": "rule a\r\n{\r\n}", "text-12": " x", "text-": "no", "text-x": "no", "text": "no"})
    assert edited_texts(form) == {0: "rule a\n{\n}", 12: " x"}


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "\u0661"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        given(proposal=value).number("proposal")


def test_an_empty_number_is_no_number() -> None:
    assert given(proposal="").number("proposal") is None
    assert given(proposal="2").number("proposal") == 2


def test_a_refused_draft_shows_the_typed_text_and_its_error_at_its_record() -> None:
    error = Invalid("no_compile", "The rule does not compile.", {"text-0": "Line 1."})
    failure = Failure("draft", error, post(**{"text-0": "rule x"}).POST)
    first, second = record_fields(draft_page(), failure)
    assert (first.text, first.error) == ("rule x", "Line 1.")
    assert (second.text, second.error) == (draft_page().records[1].text, "")


def test_another_refusal_leaves_the_stored_texts() -> None:
    failure = Failure("approve", Refused("no", "No."), post(**{"text-0": "rule x"}).POST)
    assert record_fields(draft_page(), failure)[0].text == draft_page().records[0].text


def test_gates_are_counted_failures_first() -> None:
    assert tally(GATES) == [("failed", 1), ("passed", 2), ("running", 2), ("waiting", 1)]
