"""Phone calls: the list, one call with its log and sound, and what a person decides about a message that waits."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys.hear_recording import hear_recording
from guardia.journeys.settle_recording import attach_recording, settle_recording
from guardia.kernel import clock
from guardia.reports import calls_page
from guardia.ui.person import console_page, person_actor
from guardia.ui.sound_answer import sound_answer


@console_page()
def calls(request: HttpRequest) -> HttpResponse:
    """Show a page of calls, the live ones on top."""
    now = clock.now()
    places = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = calls_page.calls_page(person_actor(request), now, request.GET.get("view", ""), **places)
    return render(request, "console/calls.html", {"page": page, "now": now})


@console_page()
def call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """Show one call."""
    return _show(request, call_id)


@console_page()
@require_GET
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Play a recording; each listening is kept."""
    return sound_answer(hear_recording(person_actor(request), clock.now(), recording_id))


@console_page()
def attach(request: HttpRequest, call_id: UUID, recording_id: UUID) -> HttpResponseBase:
    """Attach a message that waits to a case."""

    def do(given: Given) -> None:
        attach_recording(
            given.actor,
            given.now,
            recording_id,
            given.text("number"),
            given.text("text"),
            idempotency_key=given.token,
        )

    return _decide(
        request, call_id, f"attach-{recording_id}", do, _("Attached. An internal note of the case tells of it.")
    )


@console_page()
def settle_message(request: HttpRequest, call_id: UUID, recording_id: UUID) -> HttpResponseBase:
    """Settle a message that waits, with a reason."""

    def do(given: Given) -> None:
        settle_recording(given.actor, given.now, recording_id, given.text("reason"), idempotency_key=given.token)

    return _decide(request, call_id, f"settle-{recording_id}", do, _("Settled. The message waits no more."))


def _decide(request: HttpRequest, call_id: UUID, act: str, do: Callable[[Given], None], done: str) -> HttpResponseBase:
    page = reverse("console:call", args=[call_id])
    return settle(request, act, do, page=page, done=done, again=lambda failure: _show(request, call_id, failure))


def _show(request: HttpRequest, call_id: UUID, failure: Failure | None = None) -> HttpResponse:
    now = clock.now()
    context: dict[str, Any] = {"page": calls_page.call_page(person_actor(request), now, call_id), "now": now}
    if failure:
        context |= failure.as_context() | {"sent": failure.typed}
    return render(request, "console/call.html", context, status=failure.status if failure else 200)
