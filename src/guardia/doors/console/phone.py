"""Where the line calls a member of staff on duty: each keeps the own number or address."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import Failure, settle
from guardia.journeys.staff_phone import keep_own_phone
from guardia.kernel import clock
from guardia.reports.duty_phones import own_phone
from guardia.ui.person import console_page, person_actor


@console_page()
def phone(request: HttpRequest) -> HttpResponse:
    """Show the own phone on duty, and keep another."""
    if request.method != "POST":
        return _show(request)
    return settle(
        request,
        "phone",
        lambda given: keep_own_phone(given.actor, given.now, given.text("phone")),
        page=reverse("console:phone"),
        done=lambda kept: (
            _("Kept: the line calls %(phone)s.") % {"phone": kept} if kept else _("The line calls no more.")
        ),
        again=lambda failure: _show(request, failure),
    )


def _show(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    now = clock.now()
    context = {"page": own_phone(person_actor(request), now), "now": now}
    context |= failure.as_context() if failure else {}
    return render(request, "console/phone.html", context, status=failure.status if failure else 200)
