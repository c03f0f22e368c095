"""The mailbox: what arrived, what waits in the quarantine, and what a person decides about a message."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import clear_quarantine
from guardia.journeys.hand_out_mail import hand_out_mail
from guardia.kernel import clock
from guardia.kernel.errors import Invalid
from guardia.kernel.plain_text import plain_text
from guardia.reports import mail_page
from guardia.ui.attachments import file_answer
from guardia.ui.mail_frame import mail_frame
from guardia.ui.person import console_page, person_actor


@console_page()
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show a page of what arrived, the quarantine first, with the figures of the channel."""
    now = clock.now()
    view, search = request.GET.get("view", ""), plain_text(request.GET.get("search", ""))
    places = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = mail_page.mailbox_page(person_actor(request), now, view, search, **places)
    context = {"page": page, "now": now, "here": urlencode({"view": page.view, "search": page.search})}
    return render(request, "console/mail.html", context)


@console_page()
def message(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """Show one message, with what may be decided about it."""
    return _show(request, mail_id)


@console_page()
def frame(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """Show the sanitised HTML of a message, for the sandboxed frame of its page."""
    return mail_frame(mail_page.mail_html(person_actor(request), mail_id))


@console_page()
@require_GET
def raw(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Hand out a message as it arrived, packed so that nothing runs it by mistake."""
    sealed = hand_out_mail(person_actor(request), clock.now(), mail_id)
    return file_answer(sealed.content, sealed.filename, sealed.size, "application/zip")


@console_page()
def accept(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Let a message count for a contact."""

    def do(given: Given) -> None:
        clear_quarantine.accept_mail(
            given.actor, given.now, mail_id, _person(given), given.text("reason"), idempotency_key=given.token
        )

    done = _("Accepted. It is taken up within seconds and counts from its arrival.")
    return _decide(request, mail_id, "accept", do, done)


@console_page()
def refuse(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Refuse a message with a reason."""

    def do(given: Given) -> None:
        clear_quarantine.refuse_mail(
            given.actor,
            given.now,
            mail_id,
            given.text("reason"),
            tell_sender=given.is_on("tell"),
            idempotency_key=given.token,
        )

    return _decide(request, mail_id, "refuse", do, _("Refused. It can be put back from this page."))


@console_page()
def put_back(request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
    """Put a refused message back into the quarantine."""

    def do(given: Given) -> None:
        clear_quarantine.put_back(given.actor, given.now, mail_id, given.text("reason"), idempotency_key=given.token)

    return _decide(request, mail_id, "put_back", do, _("It waits in quarantine again."))


def _person(given: Given) -> UUID:
    try:
        return UUID(given.text("person"))
    except ValueError as error:
        sentence = _("Choose a contact of a customer.")
        raise Invalid("not_a_contact", sentence, {"person": sentence}) from error


def _decide(request: HttpRequest, mail_id: UUID, act: str, do: Callable[[Given], None], done: str) -> HttpResponseBase:
    page = reverse("console:mail_message", args=[mail_id])
    return settle(request, act, do, page=page, done=done, again=lambda failure: _show(request, mail_id, failure))


def _show(request: HttpRequest, mail_id: UUID, failure: Failure | None = None) -> HttpResponse:
    search = plain_text(request.GET.get("contact", ""))
    page = mail_page.mail_page(person_actor(request), mail_id, search)
    context: dict[str, Any] = {"page": page, "now": clock.now()}
    context |= failure.as_context() if failure else {}
    return render(request, "console/mail_message.html", context, status=failure.status if failure else 200)
