import asyncio
from inspect import isawaitable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse

from guardia.ui.security_headers import POLICY, SecurityHeaders


def test_every_answer_carries_a_policy_without_unsafe_words() -> None:
    response = SecurityHeaders(lambda _: HttpResponse("x"))(HttpRequest())
    assert isinstance(response, HttpResponse)
    assert response.headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_answer_keeps_its_own_stricter_policy() -> None:
    own = "default-src 'none'; sandbox"
    response = SecurityHeaders(lambda _: HttpResponse("x", headers={"Content-Security-Policy": own}))(HttpRequest())
    assert isinstance(response, HttpResponse)
    assert response.headers["Content-Security-Policy"] == own


def test_an_async_server_stays_async_through_it() -> None:
    async def answer(_: HttpRequest) -> HttpResponse:
        return HttpResponse("x")

    middleware = SecurityHeaders(answer)
    assert iscoroutinefunction(middleware)

    async def ask() -> HttpResponse:
        response = middleware(HttpRequest())
        assert isawaitable(response)
        settled = await response
        assert isinstance(settled, HttpResponse)
        return settled

    assert asyncio.run(ask()).headers["Content-Security-Policy"] == POLICY
