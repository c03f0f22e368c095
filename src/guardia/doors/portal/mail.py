"""Messages that bear an address of the company and wait for proof, and the HTML of a message of a case."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import act_on_page, done, form_token, sent_to
from guardia.journeys.prove_sender import disown, vouch
from guardia.kernel import clock
from guardia.kernel.vocabulary import Actor
from guardia.reports.case_messages import message_html
from guardia.reports.proof_page import waiting_mail
from guardia.ui.mail_frame import mail_frame
from guardia.ui.person import person_actor, portal_page


@portal_page
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """List the messages that wait until somebody of the company stands up for them."""
    return _show(request)


@portal_page
@sent_to("portal:waiting_mail")
def stand_up(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Accept a message as one's own or a colleague's."""
    return _settle(request, mail_id, vouch, _("Accepted. It counts from its arrival; its number follows by mail."))


@portal_page
@sent_to("portal:waiting_mail")
def refuse(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Refuse a message that nobody of the company wrote."""
    return _settle(request, mail_id, disown, _("Refused. The people on duty are told."))


@portal_page
@require_GET
def case_mail(request: HttpRequest, number: str, mail_id: UUID) -> HttpResponse:
    """Show the sanitised HTML of a message of a case, for the sandboxed frame."""
    return mail_frame(message_html(person_actor(request), number, mail_id))


def _settle(request: HttpRequest, mail_id: UUID, act: Callable[..., object], notice: str) -> HttpResponseBase:
    actor: Actor = person_actor(request)
    refused = act_on_page(
        request,
        f"mail-{mail_id}",
        lambda: act(actor, clock.now(), mail_id, idempotency_key=form_token(request)),
        lambda context, status: _show(request, context, status),
    )
    return refused or done(request, reverse("portal:waiting_mail"), notice)


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    rows = waiting_mail(person_actor(request), clock.now())
    return render(request, "portal/waiting_mail.html", {"rows": rows} | (context or {}), status=status)
