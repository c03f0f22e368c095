"""Alerts: what the clocks have told, and the one act on it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys.acknowledge_alarm import acknowledge_alarm
from guardia.kernel import clock
from guardia.reports.alerts_page import VIEWS
from guardia.reports.alerts_page import alerts_page as read_page
from guardia.ui.person import console_page, person_actor


@console_page()
def alerts(request: HttpRequest) -> HttpResponseBase:
    """Show what concerns the reader, or everybody."""
    return _show(request)


@console_page()
def acknowledge(request: HttpRequest, number: str) -> HttpResponseBase:
    """Acknowledge what was told of a case."""

    def do(given: Given) -> bool:
        return acknowledge_alarm(given.actor, given.now, number, idempotency_key=given.token)

    return settle(
        request,
        "acknowledge",
        do,
        page=f"{reverse('console:alerts')}?view={_view(request)}",
        done=lambda done: (
            _("Acknowledged: nobody else is told.") if done else _("Somebody had acknowledged it before.")
        ),
        again=lambda failure: _show(request, failure),
    )


def _view(request: HttpRequest) -> str:
    asked = request.POST.get("view") or request.GET.get("view", "")
    return asked if asked in VIEWS else "mine"


def _show(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    now = clock.now()
    context: dict[str, Any] = {"page": read_page(person_actor(request), now, _view(request)), "now": now}
    context |= failure.as_context() if failure else {}
    return render(request, "console/alerts.html", context, status=failure.status if failure else 200)
