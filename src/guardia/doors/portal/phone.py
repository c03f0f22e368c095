"""The phone line for customers: what one needs for a call, the own PIN, and what was said by phone to a case."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import ANSWERED_ON_THE_PAGE, act_on_page, done, form_token, refusal_context, sent_to
from guardia.journeys.hear_recording import hear_own_recording
from guardia.journeys.phone_pins import make_pin, remove_pin
from guardia.kernel import clock
from guardia.reports.phone_page import phone_page
from guardia.ui.person import person_actor, portal_page
from guardia.ui.sound_answer import sound_answer


@portal_page
@require_GET
def phone(request: HttpRequest) -> HttpResponse:
    """Show the number, what is keyed in, and the own PIN's age."""
    return _show(request)


@portal_page
@sent_to("portal:phone")
def new_pin(request: HttpRequest) -> HttpResponse:
    """Make a PIN; it is shown on this answer only, so there is no redirect."""
    try:
        pin = make_pin(person_actor(request), clock.now(), idempotency_key=form_token(request))
    except ANSWERED_ON_THE_PAGE as error:
        return _show(request, refusal_context(request, "pin", error), error.status)
    return _show(request, {"pin": pin})


@portal_page
@sent_to("portal:phone")
def no_pin(request: HttpRequest) -> HttpResponse:
    """Let the PIN count no more."""
    refused = act_on_page(
        request,
        "remove",
        lambda: remove_pin(person_actor(request), clock.now()),
        lambda context, status: _show(request, context, status),
    )
    return refused or done(request, reverse("portal:phone"), _("The PIN counts no more."))


@portal_page
@require_GET
def recording(request: HttpRequest, number: str, recording_id: UUID) -> HttpResponse:
    """Play what was said by phone to a case."""
    return sound_answer(hear_own_recording(person_actor(request), clock.now(), number, recording_id))


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = phone_page(person_actor(request), clock.now())
    answer = render(request, "portal/phone.html", {"page": page} | (context or {}), status=status)
    answer.headers["Cache-Control"] = "no-store"  # a fresh PIN may stand on it
    return answer
