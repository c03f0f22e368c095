"""The form for a new case; it works as a plain form, and more comfortably with the drop zone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from guardia.doors.portal.answering import (
    ANSWERED_ON_THE_PAGE,
    demand_whole,
    done,
    form_token,
    refusal_context,
    text,
)
from guardia.journeys.open_case import CaseRequest, open_case
from guardia.kernel import clock
from guardia.reports.new_case import new_case_page
from guardia.ui.moments import HARD_SPACE
from guardia.ui.person import person_actor, portal_page
from guardia.ui.sealed_upload import FormFiles, form_files, receives_files
from guardia.ui.templatetags.guardia import case_number


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
@receives_files
def case_new(request: HttpRequest) -> HttpResponse:
    """Show the form, or open the case that it describes."""
    return _send(request) if request.method == "POST" else _show(request)


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = new_case_page(person_actor(request), clock.now())
    spending = 1 if page.may_spend_premium and page.quota.left else 0
    shown = {"page": page, "files": FormFiles(), "typed": {}, "spending": spending} | (context or {})
    return render(request, "portal/case_new.html", shown, status=status)


def _send(request: HttpRequest) -> HttpResponse:
    files = form_files(request)
    try:
        demand_whole(files)
        opened = open_case(
            person_actor(request), clock.now(), _case_request(request, files), idempotency_key=form_token(request)
        )
    except ANSWERED_ON_THE_PAGE as error:
        return _show(request, refusal_context(request, "open", error, files), error.status)
    number = str(opened.number)
    notice = _("Case %(number)s is submitted.") % {"number": case_number(number)}
    return done(request, reverse("portal:case_page", args=[number]), notice.replace(" ", HARD_SPACE, 1))


def _case_request(request: HttpRequest, files: FormFiles) -> CaseRequest:
    return CaseRequest(
        kind=text(request, "kind"),
        case_class=text(request, "case_class"),
        severity=int(chosen) if (chosen := text(request, "severity")) in {"1", "2", "3", "4"} else 0,
        subject=text(request, "subject"),
        description=text(request, "description"),
        claim=text(request, "claim"),
        product=text(request, "product"),
        engine=text(request, "engine"),
        database_version=text(request, "database_version"),
        detection_name=text(request, "detection_name"),
        consent_standard=request.POST.get("consent_standard") == "on",
        uploads=files.ids,
    )
