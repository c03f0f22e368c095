"""The lab: its list, and the triage of one signature change request."""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console import drafts
from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import determine_case, draft_correction, join_release, precheck_case
from guardia.kernel import clock
from guardia.reports import lab_pages
from guardia.ui.person import console_page, person_actor

EDITED_TEXT = re.compile(r"text-([0-9]{1,4})", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@console_page()
def lab(request: HttpRequest) -> HttpResponseBase:
    """Show all signature change requests that are open in the lab."""
    page = lab_pages.lab_list(person_actor(request), clock.now())
    return render(request, "console/lab.html", {"page": page, "now": clock.now()})


@console_page()
def triage(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show precheck, facts, proposals and drafts of one request."""
    return _show(request, number)


@console_page()
def precheck(request: HttpRequest, number: str) -> HttpResponseBase:
    """Scan the samples again with the newest release."""

    def do(given: Given) -> Any:
        return precheck_case.request_precheck(given.actor, given.now, number)

    return _settle(request, number, "precheck", do, _("The precheck runs again."))


@console_page()
def determination(request: HttpRequest, number: str) -> HttpResponseBase:
    """Record the lab's judgement; earlier ones stay."""

    def do(given: Given) -> Any:
        return determine_case.determine_case(
            given.actor,
            given.now,
            number,
            verdict=given.text("verdict"),
            text=given.text("text"),
            idempotency_key=given.token,
        )

    return _settle(request, number, "determination", do, _("The determination is recorded."))


@console_page()
def proposals(request: HttpRequest, number: str) -> HttpResponseBase:
    """Ask the lab worker for corrections."""

    def do(given: Given) -> Any:
        return draft_correction.request_proposals(given.actor, given.now, number)

    return _settle(request, number, "proposals", do, _("The lab worker looks for corrections."))


@console_page()
def save_draft(request: HttpRequest, number: str) -> HttpResponseBase:
    """Save a draft, from a proposal or as the next one after an edited draft."""

    def do(given: Given) -> Any:
        return draft_correction.save_draft(
            given.actor,
            given.now,
            number,
            proposal_index=given.number("proposal"),
            from_draft=given.number("from_draft"),
            edits=edited_texts(given),
            title=given.text("title"),
            reason=given.text("reason"),
            idempotency_key=given.token,
        )

    return settle(
        request,
        "draft",
        do,
        page=reverse("console:triage", args=[number]),
        done=lambda n: _("Draft %(n)s is saved.") % {"n": n},
        forward=lambda n: reverse("console:draft", args=[number, n]),
        again=lambda failure: _show_where_it_came_from(request, number, failure),
    )


@console_page()
def join(request: HttpRequest, number: str) -> HttpResponseBase:
    """Join a release that already holds the correction."""

    def do(given: Given) -> Any:
        return join_release.join_release(given.actor, given.now, number, idempotency_key=given.token)

    return _settle(request, number, "join", do, _("The case has joined the release that corrects it."))


def edited_texts(given: Given) -> dict[int, str]:
    """Return the edited texts of a draft by their index, from the fields `text-0`, `text-1` and so on."""
    matches = ((EDITED_TEXT.fullmatch(name), name) for name in given.form)
    return {int(match.group(1)): given.source(name) for match, name in matches if match}


def _show_where_it_came_from(request: HttpRequest, number: str, failure: Failure) -> HttpResponse:
    origin = failure.typed.get("from_draft", "")
    if NUMBER.fullmatch(origin):
        return drafts.show_draft(request, number, int(origin), failure)
    return _show(request, number, failure)


def _settle(request: HttpRequest, number: str, act: str, do: Callable[[Given], Any], done: str) -> HttpResponse:
    url = reverse("console:triage", args=[number])
    return settle(request, act, do, page=url, done=done, again=lambda failure: _show(request, number, failure))


def _show(request: HttpRequest, number: str, failure: Failure | None = None) -> HttpResponse:
    page = lab_pages.triage_page(person_actor(request), clock.now(), number)
    context: dict[str, Any] = {
        "page": page,
        "page_url": reverse("console:triage", args=[number]),
        "verdicts": verdict_words(),
        "now": clock.now(),
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/triage.html", context, status=failure.status if failure else 200)


def verdict_words() -> list[tuple[str, str, str]]:
    """Return the determinations that the lab may give: value, word, what it leads to."""
    return [
        ("fn_confirmed", _("False negative confirmed"), _("The file is harmful and the database misses it.")),
        ("fp_confirmed", _("False positive confirmed"), _("The file is clean and the database calls it infected.")),
        ("detection_correct", _("Detection correct"), _("The file is harmful; the detection stays.")),
        ("not_malicious", _("Not malicious"), _("The file does no harm; there is nothing to detect.")),
        ("unwanted_by_policy", _("Unwanted by policy"), _("The customer's own policy blocks it, not the database.")),
        ("undetermined", _("Undetermined"), _("What is known does not suffice; say what is missing.")),
    ]
