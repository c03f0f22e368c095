"""The company's machines, and each person's own API tokens."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import (
    ANSWERED_ON_THE_PAGE,
    act_on_page,
    done,
    form_token,
    refusal_context,
    sent_to,
    text,
)
from guardia.journeys.api_tokens import create_token, revoke_token
from guardia.journeys.enrol_machine import create_code, revoke_machine
from guardia.kernel import clock
from guardia.reports.company_pages import machines_page, tokens_page
from guardia.ui.person import person_actor, portal_page


@portal_page
@require_GET
def machines(request: HttpRequest) -> HttpResponse:
    """List the company's machines."""
    return _show_machines(request)


def _show_machines(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = machines_page(person_actor(request), clock.now())
    response = render(request, "portal/machines.html", {"page": page} | (context or {}), status=status)
    response.headers["Cache-Control"] = "no-store"  # a fresh code may stand on it
    return response


@portal_page
@sent_to("portal:machines")
def new_code(request: HttpRequest) -> HttpResponse:
    """Make a one-time code for a machine; it is shown on this answer only, so there is no redirect."""
    name = text(request, "name")
    try:
        code = create_code(person_actor(request), clock.now(), name, idempotency_key=form_token(request))
    except ANSWERED_ON_THE_PAGE as error:
        return _show_machines(request, refusal_context(request, "code", error), error.status)
    return _show_machines(request, {"code": code, "code_name": name})


@portal_page
@sent_to("portal:machines")
def revoke(request: HttpRequest, machine_id: UUID) -> HttpResponse:
    """Take a machine's access away."""
    refused = act_on_page(
        request,
        f"revoke-{machine_id}",
        lambda: revoke_machine(person_actor(request), clock.now(), machine_id, text(request, "reason")),
        lambda context, status: _show_machines(request, context, status),
    )
    return refused or done(request, reverse("portal:machines"), _("The machine no longer has access."))


@portal_page
@require_GET
def tokens(request: HttpRequest) -> HttpResponse:
    """List the person's own API tokens."""
    return _show_tokens(request)


def _show_tokens(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    rows = tokens_page(person_actor(request), clock.now())
    response = render(request, "portal/tokens.html", {"rows": rows} | (context or {}), status=status)
    response.headers["Cache-Control"] = "no-store"  # a fresh token may stand on it
    return response


@portal_page
@sent_to("portal:tokens")
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token; it is shown on this answer only, so there is no redirect."""
    name = text(request, "name")
    try:
        token = create_token(person_actor(request), clock.now(), name, idempotency_key=form_token(request))
    except ANSWERED_ON_THE_PAGE as error:
        return _show_tokens(request, refusal_context(request, "token", error), error.status)
    return _show_tokens(request, {"token": token, "token_name": name})


@portal_page
@sent_to("portal:tokens")
def stop_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Let a token in no more."""
    revoke_token(person_actor(request), clock.now(), token_id)
    return done(request, reverse("portal:tokens"), _("The token is revoked."))
