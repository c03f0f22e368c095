"""The form for a new case; it works as a plain form, and more comfortably with the drop zone."""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

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
from guardia.kernel.errors import Invalid
from guardia.reports.new_case import new_case_page
from guardia.reports.severity_suggestion import SeveritySuggestion, severity_suggestion
from guardia.ui.moments import HARD_SPACE
from guardia.ui.person import person_actor, portal_page
from guardia.ui.sealed_upload import FormFiles, form_files, receives_files
from guardia.ui.templatetags.guardia import case_number

ANOTHER = "another"
"""What the form says for a product that is none of the contract's."""
ASKED = ("business", "data", "application", "machines")


@portal_page
@require_http_methods(["GET", "HEAD", "POST"])
@receives_files
def case_new(request: HttpRequest) -> HttpResponse:
    """Show the form, suggest a severity from the answers in it, or open the case that it describes."""
    if request.method != "POST":
        return _show(request)
    return _suggest(request) if "suggest" in request.POST else _send(request)


def _show(request: HttpRequest, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    page = new_case_page(person_actor(request), clock.now())
    spending = 1 if page.may_spend_premium and page.quota.left else 0
    typed = (context or {}).get("typed", {})
    shown = {
        "page": page,
        "files": FormFiles(),
        "typed": {},
        "spending": spending,
        "asked": {name: typed.get(f"ask-{name}", "") for name in ASKED},
    }
    return render(request, "portal/case_new.html", shown | (context or {}), status=status)


def _suggest(request: HttpRequest) -> HttpResponse:
    """Without script: the same page with the suggestion in it; nothing is sent, what was typed and uploaded is kept."""
    found = _suggestion(request.POST)
    return _show(request, {"typed": request.POST, "files": form_files(request), "suggestion": found})


@portal_page
@require_GET
def severity(request: HttpRequest) -> HttpResponse:
    """Tell the page's script what the answers point to."""
    return JsonResponse(asdict(_suggestion(request.GET)))


def _suggestion(answers: QueryDict) -> SeveritySuggestion:
    said = {name: {"yes": True, "no": False}.get(answers.get(f"ask-{name}", "")) for name in ASKED}
    machines = answers.get("ask-machines", "")
    return severity_suggestion(
        interrupted=said["business"],
        data_lost=said["data"],
        critical_false_positive=said["application"],
        machines=machines if machines in {"few", "some", "many"} else "",
    )


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
    product = text(request, "product_code")
    return CaseRequest(
        kind=text(request, "kind"),
        case_class=_class_of(request),
        severity=int(chosen) if (chosen := text(request, "severity")) in {"1", "2", "3", "4"} else 0,
        subject=text(request, "subject"),
        description=text(request, "description"),
        claim=text(request, "claim"),
        product=text(request, "product"),
        engine=text(request, "engine"),
        database_version=text(request, "database_version"),
        detection_name=text(request, "detection_name"),
        product_code="" if product == ANOTHER else product,
        consent_standard=request.POST.get("consent_standard") == "on",
        uploads=files.ids,
    )


def _class_of(request: HttpRequest) -> str:
    """The class that was chosen. Where none is left the form has no choice, only the consent to standard."""
    if request.POST.get("consent_standard") == "on" and request.POST.get("none_left"):
        return "standard"
    if request.POST.get("none_left"):
        sentence = _("No premium incidents are left: tick that it is sent as a standard incident.")
        raise Invalid("consent_missing", sentence, {"consent_standard": sentence})
    return text(request, "case_class")
