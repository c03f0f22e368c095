"""Nobody without a sign-in reaches a portal page; what was sent is not even read."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import resolve

URLS = "guardia.doors.portal.urls"
ID = "0190a1b2-0000-7000-8000-000000000001"
PAGES = ["/cases/", "/cases/new/", "/cases/40718823/", "/machines/", "/contract/", "/cases/40718823/evidence/"]
PAGES += [f"/cases/40718823/files/{ID}/"]
ACTS = ["/cases/new/", "/uploads/", "/cases/40718823/messages/", "/cases/40718823/close/", "/cases/40718823/reopen/"]
ACTS += ["/machines/codes/", f"/machines/{ID}/revoke/"]


def as_stranger(request: HttpRequest) -> HttpRequest:
    request.user = AnonymousUser()
    return request


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_who_opens_a_page_is_sent_to_the_sign_in(path: str) -> None:
    match = resolve(path, URLS)
    response = match.func(as_stranger(RequestFactory().get(path)), *match.args, **match.kwargs)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/?next=")


class Unread:
    """A body that complains when somebody reads it."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("a stranger's body was read")


@pytest.mark.parametrize("path", ACTS)
def test_what_a_stranger_sends_is_not_read(path: str) -> None:
    match = resolve(path, URLS)
    request = as_stranger(RequestFactory().post(path, {"text": "x"}))
    request._stream = Unread()  # type: ignore[assignment]
    response = match.func(request, *match.args, **match.kwargs)
    assert response.status_code == 302


def test_the_start_page_of_a_stranger_is_the_sign_in() -> None:
    response = resolve("/", URLS).func(as_stranger(RequestFactory().get("/")))
    assert response.headers["Location"] == "/sign-in/"
