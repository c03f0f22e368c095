"""What a person wants to be told by mail."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import act_on_page, done, sent_to
from guardia.journeys.notification_rules import choose_topics
from guardia.kernel import clock
from guardia.reports.mail_topics import mail_choices
from guardia.ui.person import person_actor, portal_page


@portal_page
@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """Show each topic, and whether it is mailed."""
    return _show(request)


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = mail_choices(person_actor(request), request.user.email)  # type: ignore[union-attr]
    return render(request, "portal/notifications.html", {"page": page} | (context or {}), status=status)


@portal_page
@sent_to("portal:notifications")
def choose(request: HttpRequest) -> HttpResponse:
    """Keep the choice: what is ticked is mailed."""
    refused = act_on_page(
        request,
        "choose",
        lambda: choose_topics(person_actor(request), clock.now(), request.POST.getlist("topic")),
        lambda context, status: _show(request, context, status),
    )
    return refused or done(request, reverse("portal:notifications"), _("The choice is kept."))
