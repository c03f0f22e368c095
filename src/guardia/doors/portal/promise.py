"""What a customer says about a request's promise: agree or decline, dispute the severity, make it premium."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.portal.answering import act_on_page, done, form_token, sent_to, text
from guardia.doors.portal.cases import show
from guardia.journeys.change_class import change_class
from guardia.journeys.change_severity import answer_proposal, dispute_severity
from guardia.kernel import clock
from guardia.kernel.errors import Invalid
from guardia.ui.person import person_actor, portal_page


def _act(request: HttpRequest, number: str, name: str, do: Any, notice: str) -> HttpResponse:
    refused = act_on_page(request, name, do, lambda context, status: show(request, number, context, status))
    return refused or done(request, reverse("portal:case_page", args=[number]), notice)


@portal_page
@sent_to("portal:case_page")
def proposal(request: HttpRequest, number: str) -> HttpResponse:
    """Agree to the proposed severity, or decline it."""
    decision = text(request, "decision")

    def do() -> None:
        if decision not in {"agree", "decline"}:
            raise Invalid("decision_missing", _("Choose one."), {"decision": _("Choose one.")})
        answer_proposal(
            person_actor(request),
            clock.now(),
            number,
            decision == "agree",
            text(request, "reason"),
            idempotency_key=form_token(request),
        )

    agreed, declined = _("The severity was changed, as agreed."), _("The severity stays as it is.")
    return _act(request, number, "proposal", do, agreed if decision == "agree" else declined)


@portal_page
@sent_to("portal:case_page")
def dispute(request: HttpRequest, number: str) -> HttpResponse:
    """Say that the severity is wrong."""

    def do() -> None:
        wanted = text(request, "wanted")
        dispute_severity(
            person_actor(request),
            clock.now(),
            number,
            int(wanted) if wanted in {"1", "2", "3", "4"} else 0,
            text(request, "reason"),
            idempotency_key=form_token(request),
        )

    return _act(request, number, "dispute", do, _("The dispute is with the vendor; the answer comes on this page."))


@portal_page
@sent_to("portal:case_page")
def make_premium(request: HttpRequest, number: str) -> HttpResponse:
    """Make a standard or undecided request premium, or decide for standard."""

    def do() -> None:
        change_class(
            person_actor(request),
            clock.now(),
            number,
            text(request, "case_class"),
            text(request, "reason"),
            idempotency_key=form_token(request),
        )

    return _act(request, number, "class", do, _("The class was changed."))
