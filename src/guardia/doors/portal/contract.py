"""The company's contract: what is promised, who may spend premium incidents, and every movement of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import act_on_page, done, form_token, sent_to, text
from guardia.journeys import named_contacts
from guardia.kernel import clock
from guardia.kernel.errors import Invalid
from guardia.reports.contract_page import own_contract_page
from guardia.reports.quota_statement import own_statement
from guardia.ui.person import person_actor, portal_page
from guardia.ui.statement_file import statement_file


@portal_page
@require_GET
def contract(request: HttpRequest) -> HttpResponse:
    """Show the contract."""
    return _show(request)


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = own_contract_page(person_actor(request), clock.now())
    return render(request, "portal/contract.html", {"page": page} | (context or {}), status=status)


@portal_page
@require_GET
def movements(request: HttpRequest) -> HttpResponse:
    """Show every movement of premium incidents, by contract year."""
    shown = own_statement(person_actor(request), clock.now())
    return render(request, "portal/movements.html", {"statement": shown})


@portal_page
@require_GET
def movements_csv(request: HttpRequest) -> HttpResponseBase:
    """Download the statement."""
    return statement_file(own_statement(person_actor(request), clock.now()))


@portal_page
@sent_to("portal:contract")
def name_contact(request: HttpRequest) -> HttpResponse:
    """Name a contact."""
    return _act(request, "name", named_contacts.name_contact, _("The contact is named."))


@portal_page
@sent_to("portal:contract")
def end_contact(request: HttpRequest) -> HttpResponse:
    """Let a person be a named contact no more."""
    return _act(request, "end", named_contacts.end_contact, _("The person is a named contact no more."))


def _act(request: HttpRequest, act: str, journey: Callable[..., None], notice: str) -> HttpResponse:
    actor, now = person_actor(request), clock.now()
    number = own_contract_page(actor, now).number

    def do() -> None:
        journey(actor, now, number, _person(request), text(request, "reason"), idempotency_key=form_token(request))

    refused = act_on_page(request, act, do, lambda context, status: _show(request, context, status))
    return refused or done(request, reverse("portal:contract"), notice)


def _person(request: HttpRequest) -> UUID:
    try:
        return UUID(text(request, "person"))
    except ValueError as error:
        sentence = _("Choose a person.")
        raise Invalid("not_chosen", sentence, {"person": sentence}) from error
