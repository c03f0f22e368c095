import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBadRequest
from django.test import RequestFactory

from guardia.ui.page_context import page_context
from guardia.ui.switches import choose_theme


def test_a_page_without_a_person_has_the_phone_and_no_way_around() -> None:
    request = RequestFactory().get("/sign-in/")
    request.user = AnonymousUser()
    context = page_context(request)
    assert context["nav"] == []
    assert context["phone_href"].removeprefix("tel:").isdigit()
    assert " " not in context["phone"]


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', "system"), ("", "system")]
)
def test_only_known_themes_come_out_of_the_cookie(cookie: str, theme: str) -> None:
    request = RequestFactory().get("/sign-in/", headers={"cookie": f"guardia_theme={cookie}"})
    request.user = AnonymousUser()
    assert page_context(request)["theme"] == theme


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_theme_switch_sends_nobody_to_another_site(back: str) -> None:
    response = choose_theme(RequestFactory().post("/theme/", {"theme": "dark", "next": back}))
    assert response.headers["Location"] == "/"
    assert response.cookies["guardia_theme"].value == "dark"


def test_an_unknown_theme_is_refused() -> None:
    assert isinstance(choose_theme(RequestFactory().post("/theme/", {"theme": "blink"})), HttpResponseBadRequest)
