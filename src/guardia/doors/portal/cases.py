"""The company's cases: list, page, messages, closing and opening again."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from guardia.doors.portal.answering import (
    ANSWERED_ON_THE_PAGE,
    act_on_page,
    demand_whole,
    done,
    form_token,
    refusal_context,
    sent_to,
    text,
)
from guardia.journeys.move_case import close_case, reopen_case
from guardia.journeys.write_message import write_message
from guardia.kernel import clock
from guardia.kernel.plain_text import plain_text
from guardia.reports.case_forms import case_forms
from guardia.reports.case_list import MOST_COUNTED, customer_cases
from guardia.reports.case_mail import case_mail
from guardia.reports.case_page import case_page as case_report
from guardia.reports.proof_page import waiting_mail
from guardia.ui.person import person_actor, portal_page
from guardia.ui.sealed_upload import form_files, receives_files

VIEWS = ("open", "closed", "all")


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Go to where this person works."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    return redirect("console:queue" if person_actor(request).is_staff else "portal:case_list")


@portal_page
@require_GET
def case_list(request: HttpRequest) -> HttpResponse:
    """List the company's cases."""
    actor = person_actor(request)
    asked = {name: plain_text(request.GET.get(name, "")).strip() for name in ("search", "after", "before")}
    view = request.GET.get("view", "all" if asked["search"] else "open")
    page = customer_cases(actor, clock.now(), view if view in VIEWS else "open", actor.language, **asked)
    here = urlencode({"view": page.view} | ({"search": page.search} if page.search else {}))
    counts = {
        name: str(count) if count < MOST_COUNTED else f"{MOST_COUNTED - 1}+" for name, count in page.counts.items()
    }
    context = {"page": page, "here": here, "counts": counts, "waiting_mails": len(waiting_mail(actor, clock.now()))}
    return render(request, "portal/case_list.html", context)


@portal_page
@require_GET
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show one case."""
    return show(request, number)


def show(request: HttpRequest, number: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """Show a case's page, after a refusal with the form that was refused."""
    actor, now = person_actor(request), clock.now()
    page = case_report(actor, now, number)
    done_steps = sum(step.state == "done" for step in page.steps)
    steps_done = _("%(done)d of %(total)d") % {"done": done_steps, "total": len(page.steps)}
    shown = {
        "page": page,
        "forms": case_forms(actor, now, number),
        "mails": case_mail(actor, number),
        "steps_done": steps_done,
    } | (context or {})
    return render(request, "portal/case_page.html", shown, status=status)


def _address(number: str) -> str:
    return reverse("portal:case_page", args=[number])


@portal_page
@sent_to("portal:case_page")
@receives_files
def write(request: HttpRequest, number: str) -> HttpResponse:
    """Add a message, with files, to a case."""
    files = form_files(request)
    try:
        demand_whole(files)
        write_message(
            person_actor(request),
            clock.now(),
            number,
            text=text(request, "text"),
            uploads=files.ids,
            idempotency_key=form_token(request),
        )
    except ANSWERED_ON_THE_PAGE as error:
        return show(request, number, refusal_context(request, "message", error, files), error.status)
    return done(request, _address(number), _("The message is sent."))


@portal_page
@sent_to("portal:case_page")
def close(request: HttpRequest, number: str) -> HttpResponse:
    """Close a case: solved, or withdrawn."""
    refused = act_on_page(
        request,
        "close",
        lambda: close_case(
            person_actor(request),
            clock.now(),
            number,
            how=text(request, "how"),
            reason=text(request, "reason"),
            idempotency_key=form_token(request),
        ),
        lambda context, status: show(request, number, context, status),
    )
    return refused or done(request, _address(number), _("The case is closed. It can be opened again."))


@portal_page
@sent_to("portal:case_page")
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    """Open a closed case again; this never spends another incident."""
    refused = act_on_page(
        request,
        "reopen",
        lambda: reopen_case(
            person_actor(request),
            clock.now(),
            number,
            reason=text(request, "reason"),
            idempotency_key=form_token(request),
        ),
        lambda context, status: show(request, number, context, status),
    )
    return refused or done(request, _address(number), _("The case is open again."))
