"""The releases: where the lanes point, what waits, and the log."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.lane_plot import plot_lanes
from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import publish_release
from guardia.kernel import clock
from guardia.reports import release_page
from guardia.reports.evidence import evidence_of_release
from guardia.ui.person import console_page, person_actor


@console_page()
def releases(request: HttpRequest) -> HttpResponseBase:
    """Show lanes and log."""
    return _show(request)


@console_page()
def standard_batch(request: HttpRequest) -> HttpResponseBase:
    """Move the standard lane to the newest release now, with a reason."""

    def do(given: Given) -> Any:
        reason = given.text("reason")
        return publish_release.run_standard_batch(given.actor, given.now, reason=reason, idempotency_key=given.token)

    return settle(
        request,
        "standard_batch",
        do,
        page=reverse("console:releases"),
        done=_("The standard batch runs."),
        again=lambda failure: _show(request, failure),
    )


@console_page()
def release_evidence(request: HttpRequest, n: int) -> HttpResponseBase:
    """Download the signed evidence of a release."""
    document = evidence_of_release(person_actor(request), n)
    name = f'attachment; filename="guardia-release-{n}-evidence.json"'
    return JsonResponse(document, json_dumps_params={"indent": 2}, headers={"Content-Disposition": name})


def _show(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    page = release_page.release_page(person_actor(request), clock.now())
    context: dict[str, Any] = {
        "page": page,
        "plot": plot_lanes(page),
        "page_url": reverse("console:releases"),
        "now": clock.now(),
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/releases.html", context, status=failure.status if failure else 200)
