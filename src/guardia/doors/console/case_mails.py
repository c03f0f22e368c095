"""Mails of a case that are sent again, and what staff are mailed."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from guardia.doors.console.cases import settle_case
from guardia.doors.console.posting import Given
from guardia.journeys.send_mail_again import send_mail_again
from guardia.kernel import clock
from guardia.reports.mail_topics import mail_choices
from guardia.ui.person import console_page, person_actor


@console_page()
def again(request: HttpRequest, number: str, mail_id: UUID) -> HttpResponseBase:
    """Send a mail again."""

    def do(given: Given) -> Any:
        return send_mail_again(given.actor, given.now, number, mail_id, idempotency_key=given.token)

    return settle_case(request, number, "mail_again", do, _("The mail is sent again."))


@console_page()
def notifications(request: HttpRequest) -> HttpResponseBase:
    """Say what staff are mailed, and why it cannot be switched off."""
    page = mail_choices(person_actor(request), request.user.email)  # type: ignore[union-attr]
    return render(request, "console/notifications.html", {"page": page, "now": clock.now()})
