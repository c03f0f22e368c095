"""One's own API tokens, for the vendor's programs such as the phone line: made, told once, revoked."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import Failure, Given, see_other, settle
from guardia.journeys.api_tokens import create_token, revoke_token
from guardia.kernel import clock
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.reports.company_pages import tokens_page
from guardia.ui.person import console_page, person_actor


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    now = clock.now()
    shown = {"rows": tokens_page(person_actor(request), now), "now": now} | (context or {})
    answer = render(request, "console/tokens.html", shown, status=status)
    answer.headers["Cache-Control"] = "no-store"  # a fresh token may stand on it
    return answer


@console_page()
def tokens(request: HttpRequest) -> HttpResponse:
    """List the person's own tokens."""
    return _show(request)


@console_page()
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token; it is shown on this answer only, so there is no redirect."""
    if request.method != "POST":
        return see_other(reverse("console:tokens"))
    given = Given(person_actor(request), clock.now(), request.POST)
    name = given.text("name")
    try:
        token = create_token(given.actor, given.now, name, idempotency_key=given.token)
    except (Invalid, Refused, Forbidden) as error:
        return _show(request, Failure("token", error, request.POST).as_context(), error.status)
    return _show(request, {"token": token, "token_name": name})


@console_page()
def stop_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Let a token in no more."""
    return settle(
        request,
        "revoke",
        lambda given: revoke_token(given.actor, given.now, token_id),
        page=reverse("console:tokens"),
        done=_("The token is revoked."),
        again=lambda failure: _show(request, failure.as_context(), failure.status),
    )
