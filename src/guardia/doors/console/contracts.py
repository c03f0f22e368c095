"""Contracts in the console: list, page with every act on it, statement as a file, new contract.

Whether an act is allowed is decided by the journey; these views carry forms there. The acts of a contract's page share
one address, `contracts/NUMBER/ACT/`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.contract_forms import chosen as one
from guardia.doors.console.contract_forms import day, identifier, own_promise, own_terms
from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import adjust_quota, change_contract, licences, named_contacts
from guardia.journeys.change_contract import NewContract
from guardia.kernel import clock
from guardia.kernel.plain_text import plain_text
from guardia.reports import contract_page, quota_statement
from guardia.ui.person import console_page, person_actor
from guardia.ui.statement_file import statement_file


@console_page()
def contracts(request: HttpRequest) -> HttpResponseBase:
    """List contracts, those that a search finds."""
    search = plain_text(request.GET.get("search", "")).strip()[:80]
    rows = contract_page.contract_list(person_actor(request), clock.now(), search)
    may_change = contract_page.new_contract_page(person_actor(request)).may_change
    context = {"rows": rows, "search": search, "may_change": may_change, "now": clock.now()}
    return render(request, "console/contracts.html", context)


@console_page()
def new(request: HttpRequest) -> HttpResponseBase:
    """Show the form of a new contract, or make it."""
    if request.method != "POST":
        return _show_new(request)

    def do(given: Given) -> str:
        asked = NewContract(
            company=identifier(given, "company"),
            number=given.text("number").upper(),
            plan=given.text("plan"),
            first_day=day(given, "first_day"),
            last_day=day(given, "last_day"),
            region=given.text("region").upper(),
            zone=given.text("zone"),
            calendar=identifier(given, "calendar"),
        )
        reason = given.text("reason")
        return change_contract.new_contract(given.actor, given.now, asked, reason, idempotency_key=given.token)

    return settle(
        request,
        "new",
        do,
        page=reverse("console:contract_new"),
        done=lambda number: _("Contract %(number)s is made.") % {"number": number},
        forward=_address,
        again=lambda failure: _show_new(request, failure),
    )


def _show_new(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    page = contract_page.new_contract_page(person_actor(request))
    context: dict[str, Any] = {"page": page, "now": clock.now()}
    if failure:
        context |= failure.as_context()
    return render(request, "console/contract_new.html", context, status=failure.status if failure else 200)


@console_page()
def contract(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show a contract."""
    return _show(request, number)


@console_page()
def contract_csv(request: HttpRequest, number: str) -> HttpResponseBase:
    """Download the statement."""
    return statement_file(quota_statement.statement(person_actor(request), clock.now(), number))


@console_page()
def act(request: HttpRequest, number: str, act: str) -> HttpResponseBase:
    """Do one act on a contract."""
    if act not in ACTS:
        raise Http404
    do, done = ACTS[act]
    return settle(
        request,
        act,
        lambda given: do(given, number),
        page=_address(number),
        done=done(),
        forward=lambda result: _address(result if act == "renew" else number),
        again=lambda failure: _show(request, number, failure),
    )


def _address(number: str) -> str:
    return reverse("console:contract", args=[number])


def _show(request: HttpRequest, number: str, failure: Failure | None = None) -> HttpResponse:
    actor, now = person_actor(request), clock.now()
    page, own = contract_page.console_contract(actor, now, number)
    context: dict[str, Any] = {
        "page": page,
        "own": own,
        "statement": quota_statement.statement(actor, now, number),
        "now": now,
    }
    typed = failure.typed if failure and failure.act == "overrides" else None
    faults = failure.error.fields if failure else {}
    context["own_promises"] = [own_promise(row, typed, faults) for row in own.override_targets]
    if failure:
        context |= failure.as_context()
    return render(request, "console/contract.html", context, status=failure.status if failure else 200)


# -- the acts --


def _renew(given: Given, number: str) -> str:
    return change_contract.renew_contract(
        given.actor,
        given.now,
        number,
        given.text("number").upper(),
        day(given, "last_day"),
        given.text("plan"),
        given.text("reason"),
        idempotency_key=given.token,
    )


def _plan(given: Given, number: str) -> None:
    reason = given.text("reason")
    change_contract.change_plan(given.actor, given.now, number, given.text("plan"), reason, idempotency_key=given.token)


def _overrides(given: Given, number: str) -> None:
    reason = given.text("reason")
    change_contract.change_overrides(
        given.actor, given.now, number, own_terms(given), reason, idempotency_key=given.token
    )


def _manager(given: Given, number: str) -> None:
    person = identifier(given, "person")
    change_contract.set_account_manager(
        given.actor, given.now, number, person, given.text("reason"), idempotency_key=given.token
    )


def _calendar(given: Given, number: str) -> None:
    chosen = identifier(given, "calendar")
    change_contract.set_calendar(
        given.actor, given.now, number, chosen, given.text("reason"), idempotency_key=given.token
    )


def _name(given: Given, number: str) -> None:
    person = one(given, "person")
    named_contacts.name_contact(
        given.actor, given.now, number, person, given.text("reason"), idempotency_key=given.token
    )


def _end_contact(given: Given, number: str) -> None:
    person = one(given, "person")
    named_contacts.end_contact(
        given.actor, given.now, number, person, given.text("reason"), idempotency_key=given.token
    )


def _licence(given: Given, number: str) -> None:
    licences.add_licence(
        given.actor,
        given.now,
        number,
        given.text("product"),
        given.number("seats"),
        day(given, "first_day"),
        day(given, "last_day"),
        given.text("reason"),
        idempotency_key=given.token,
    )


def _end_licence(given: Given, number: str) -> None:
    chosen = one(given, "licence")
    licences.end_licence(given.actor, given.now, number, chosen, given.text("reason"), idempotency_key=given.token)


def _adjust(given: Given, number: str) -> None:
    amount, takes = given.number("amount") or 0, given.text("direction") == "take"
    adjust_quota.adjust_quota(
        given.actor, given.now, number, -amount if takes else amount, given.text("reason"), idempotency_key=given.token
    )


def _refund(given: Given, _number: str) -> None:
    case = given.text("case")
    adjust_quota.refund_incident(given.actor, given.now, case, given.text("reason"), idempotency_key=given.token)


ACTS: Mapping[str, tuple[Callable[[Given, str], Any], Callable[[], str]]] = {
    "renew": (_renew, lambda: _("The contract is renewed: this is its next term.")),
    "plan": (_plan, lambda: _("The contract has its new plan from now on.")),
    "overrides": (_overrides, lambda: _("The contract's own terms hold from now on.")),
    "manager": (_manager, lambda: _("The account manager is set.")),
    "calendar": (_calendar, lambda: _("New cases count this calendar; open ones keep theirs.")),
    "name_contact": (_name, lambda: _("The contact is named.")),
    "end_contact": (_end_contact, lambda: _("The person is a named contact no more.")),
    "licence": (_licence, lambda: _("The licence is added.")),
    "end_licence": (_end_licence, lambda: _("The licence ends.")),
    "adjust": (_adjust, lambda: _("The running year is adjusted.")),
    "refund": (_refund, lambda: _("The premium incident is given back.")),
}
