"""Programs never get a page: what Django itself refuses becomes a problem document under their addresses only."""

import asyncio
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.test import RequestFactory

from guardia.config.problem_answers import ProblemAnswers


def answered(path: str, response: HttpResponse, language: str = "en") -> Any:
    """Return what leaves where a server answers `path` with `response`."""
    request = RequestFactory().get(path)
    request.LANGUAGE_CODE = language
    return ProblemAnswers(lambda _: response)(request)


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (404, "address_unknown"), (500, "server_error")])
@pytest.mark.parametrize("path", ["/api/v1/x", "/lab/v1/x"])
def test_a_page_for_a_program_becomes_a_problem(path: str, status: int, code: str) -> None:
    problem = answered(path, HttpResponse("<html>", status=status))
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert f"urn:guardia:problem:{code}".encode() in problem.content
    assert b"<html>" not in problem.content


def test_the_allowed_methods_stay_in_the_header() -> None:
    assert answered("/api/v1/x", HttpResponseNotAllowed(["GET", "PUT"])).headers["Allow"] == "GET, PUT"


def test_it_speaks_the_requests_language() -> None:
    assert b"No hay nada" in answered("/api/v1/x", HttpResponse(status=404), "es").content


@pytest.mark.parametrize(
    ("path", "response"),
    [
        ("/cases/", HttpResponse("<html>", status=404)),
        ("/apix/", HttpResponse("<html>", status=404)),
        ("/api/v1/x", HttpResponse("fine")),
        ("/api/v1/x", JsonResponse({"type": "own"}, status=409, content_type="application/problem+json")),
    ],
)
def test_other_answers_pass_as_they_are(path: str, response: HttpResponse) -> None:
    assert answered(path, response) is response


def test_an_asynchronous_server_is_answered_the_same() -> None:
    async def respond(_: HttpRequest) -> HttpResponse:
        return HttpResponse("<html>", status=404)

    answer: Any = asyncio.run(ProblemAnswers(respond)(RequestFactory().get("/api/v1/x")))  # type: ignore[arg-type]
    assert answer.headers["Content-Type"] == "application/problem+json"
