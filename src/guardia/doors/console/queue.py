"""The queue: all open cases in the order in which they are to be served."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from guardia.doors.console.posting import Failure, Given, see_other, settle
from guardia.journeys import take_case
from guardia.kernel import clock
from guardia.kernel.plain_text import plain_text
from guardia.reports import case_list
from guardia.ui.person import console_page, person_actor

VIEWS = ("open", "mine", "unassigned", "due", "signature", "waiting", "closed")


@console_page()
def home(_request: HttpRequest) -> HttpResponse:
    """Start where the work is."""
    return see_other(reverse("console:queue"))


@console_page()
def queue(request: HttpRequest) -> HttpResponseBase:
    """Show one view of the queue."""
    return _show(request)


@console_page()
def take_next(request: HttpRequest) -> HttpResponseBase:
    """Take the first case that nobody holds."""
    return settle(
        request,
        "take_next",
        lambda given: take_case.take_next(given.actor, given.now),
        page=reverse("console:queue"),
        done=lambda number: _("The case is yours.") if number else _("Nothing waits: every open case has a holder."),
        forward=lambda number: reverse("console:case", args=[number]) if number else reverse("console:queue"),
        again=lambda failure: _show(request, failure),
    )


@console_page()
def take_row(request: HttpRequest, number: str) -> HttpResponseBase:
    """Take a case from its row, and stay in the same view of the queue."""

    def do(given: Given) -> Any:
        return take_case.take_case(given.actor, given.now, number, idempotency_key=given.token)

    page = f"{reverse('console:queue')}?{request.GET.urlencode()}"
    done = _("Case %(number)s is yours.") % {"number": f"{number[:4]} {number[4:]}"}
    return settle(request, "take", do, page=page, done=done, again=lambda failure: _show(request, failure))


def _show(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    view = request.GET.get("view", "open")
    view = view if view in VIEWS else "open"
    search = plain_text(request.GET.get("search", "")).strip()
    page = case_list.queue_page(person_actor(request), clock.now(), view, search)
    context: dict[str, Any] = {"page": page, "views": _views(page.counts), "now": clock.now()}
    if failure:
        context |= failure.as_context()
    return render(request, "console/queue.html", context, status=failure.status if failure else 200)


def _views(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    titles = {
        "open": pgettext("view", "Open"),
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "due": _("Due in 1 h"),
        "signature": _("Signature changes"),
        "waiting": pgettext("view", "Waiting"),
        "closed": _("Closed"),
    }
    return [(view, titles[view], counts.get(view, 0)) for view in VIEWS]
