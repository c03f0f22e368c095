import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from guardia.doors.portal.answering import demand_whole, form_token, refusal_context, sent_to, text
from guardia.kernel.errors import Invalid
from guardia.ui.sealed_upload import FormFiles, KeptFile, RefusedFile


def test_a_form_without_its_token_is_refused_because_a_repetition_could_not_be_seen() -> None:
    with pytest.raises(Invalid) as refused:
        form_token(RequestFactory().post("/", {"text": "x"}))
    assert refused.value.code == "form_token_missing"


def test_text_arrives_with_unix_lines_and_without_the_space_around_it() -> None:
    request = RequestFactory().post("/", {"text": "  one\r\ntwo \r\n"})
    assert text(request, "text") == "one\ntwo"
    assert text(request, "absent") == ""


def test_a_file_that_did_not_arrive_stops_the_form_with_its_reason() -> None:
    files = FormFiles((), (RefusedFile("registro.log", "registro.log is empty."),))
    with pytest.raises(Invalid) as refused:
        demand_whole(files)
    assert refused.value.fields == {"files": "registro.log is empty."}


def test_a_refused_form_says_what_is_kept() -> None:
    request = RequestFactory().post("/", {"subject": "typed"})
    files = FormFiles((KeptFile("id", "nomina.exe", 3, "ab"),))
    with translation.override("en"):
        context = refusal_context(request, "open", Invalid("x", "Something is missing.", {"subject": "What?"}), files)
    assert context["refusal"].sentence == "Something is missing."
    assert "files that arrived are kept" in context["refusal"].kept
    assert context["typed"]["subject"] == "typed"
    assert context["errors"] == {"subject": "What?"}


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/cases/40718823/close/", "/cases/40718823/"),
        ("/cases/40718823/messages/", "/cases/40718823/"),
        ("/machines/codes/", "/machines/"),
    ],
)
def test_a_reload_of_a_refused_form_goes_to_the_page_of_the_form(path: str, page: str) -> None:
    name = "portal:case_page" if "cases" in path else "portal:machines"
    kwargs = {"number": "40718823"} if "cases" in path else {}
    response = sent_to(name)(lambda *_, **__: HttpResponse("done"))(RequestFactory().get(path), **kwargs)
    assert (response.status_code, response.headers["Location"]) == (303, page)
