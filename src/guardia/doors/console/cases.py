"""A case as the vendor's staff see it, and everything that may be done to it.

Whether an act is open is decided by the journey and shown by the report; these views only carry forms there.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import NO_FILES, Failure, Given, settle
from guardia.journeys import answer_case, hand_out_file, move_case, take_case, write_message
from guardia.kernel import clock
from guardia.reports import case_calls, case_forms, case_mail, case_page, duplicates
from guardia.reports.evidence import evidence_of_case
from guardia.ui.attachments import file_answer
from guardia.ui.person import console_page, person_actor
from guardia.ui.sealed_upload import FormFiles, form_files, receives_files


@console_page()
def case(request: HttpRequest, number: str) -> HttpResponseBase:
    """Show a case."""
    return show_case(request, number, into=request.GET.get("join", ""), act=request.GET.get("act", ""))


@console_page()
def take(request: HttpRequest, number: str) -> HttpResponseBase:
    """Make the case one's own."""

    def do(given: Given) -> Any:
        reason = given.text("reason")
        return take_case.take_case(given.actor, given.now, number, reason=reason, idempotency_key=given.token)

    return settle_case(request, number, "take", do, _("The case is yours."))


@console_page()
@receives_files
def message(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write to the customer, or a note that only staff read."""
    is_internal = request.POST.get("is_internal") == "on"

    def do(given: Given) -> Any:
        return write_message.write_message(
            given.actor,
            given.now,
            number,
            text=given.text("text"),
            uploads=given.uploads,
            is_internal=is_internal,
            idempotency_key=given.token,
        )

    done = _("The note is kept; only staff read it.") if is_internal else _("The message was sent.")
    return settle_case(request, number, "note" if is_internal else "message", do, done, form_files(request))


@console_page()
@receives_files
def answer(request: HttpRequest, number: str) -> HttpResponseBase:
    """Give the qualified answer, which stops the response clock."""

    def do(given: Given) -> Any:
        return answer_case.answer_case(
            given.actor,
            given.now,
            number,
            text=given.text("text"),
            how=given.text("how"),
            uploads=given.uploads,
            wait_for_customer=given.is_on("wait"),
            idempotency_key=given.token,
        )

    return settle_case(
        request,
        number,
        "answer",
        do,
        _("The qualified answer was sent; the response clock stands."),
        form_files(request),
    )


@console_page()
def wait(request: HttpRequest, number: str) -> HttpResponseBase:
    """Wait for the customer."""
    return _move(request, number, "wait", move_case.wait_for_customer, _("The case waits for the customer."))


@console_page()
def resume(request: HttpRequest, number: str) -> HttpResponseBase:
    """Go on with a case that waited."""
    return _move(request, number, "resume", move_case.resume_case, _("The case is in progress again."))


@console_page()
def to_lab(request: HttpRequest, number: str) -> HttpResponseBase:
    """Hand the case to the lab."""
    return _move(request, number, "to_lab", move_case.hand_to_lab, _("The case is with the lab."))


@console_page()
def reopen(request: HttpRequest, number: str) -> HttpResponseBase:
    """Open a closed case again."""
    return _move(request, number, "reopen", move_case.reopen_case, _("The case is open again."))


@console_page()
def reject(request: HttpRequest, number: str) -> HttpResponseBase:
    """Reject the case; a reserved premium incident goes back."""
    return _move(request, number, "reject", move_case.reject_case, _("The case was rejected, with the reason given."))


@console_page()
def solution(request: HttpRequest, number: str) -> HttpResponseBase:
    """Offer the customer a solution."""

    def do(given: Given) -> Any:
        text = given.text("text")
        return move_case.offer_solution(given.actor, given.now, number, text=text, idempotency_key=given.token)

    return settle_case(request, number, "solution", do, _("The solution was offered to the customer."))


@console_page()
def close(request: HttpRequest, number: str) -> HttpResponseBase:
    """Close the case and say how it ended."""

    def do(given: Given) -> Any:
        return move_case.close_case(
            given.actor,
            given.now,
            number,
            how=given.text("how"),
            reason=given.text("reason"),
            idempotency_key=given.token,
        )

    return settle_case(request, number, "close", do, _("The case is closed."))


@console_page()
def file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """Hand out a sample, sealed in an encrypted archive: never a live file."""
    sealed = hand_out_file.hand_out_file(person_actor(request), clock.now(), number, file_id)
    return file_answer(sealed.content, sealed.filename, sealed.size, "application/zip")


@console_page()
def case_evidence(request: HttpRequest, number: str) -> HttpResponseBase:
    """Download the evidence of a case."""
    document = evidence_of_case(person_actor(request), number)
    name = f'attachment; filename="guardia-{number}-evidence.json"'
    return JsonResponse(document, json_dumps_params={"indent": 2}, headers={"Content-Disposition": name})


def _move(request: HttpRequest, number: str, act: str, journey: Callable[..., Any], done: str) -> HttpResponse:
    def do(given: Given) -> Any:
        return journey(given.actor, given.now, number, reason=given.text("reason"), idempotency_key=given.token)

    return settle_case(request, number, act, do, done)


def settle_case(
    request: HttpRequest,
    number: str,
    act: str,
    do: Callable[[Given], Any],
    done: str | Callable[[Any], str],
    files: FormFiles = NO_FILES,
    forward: Callable[[Any], str] | None = None,
) -> HttpResponse:
    """Do one act of a case and answer it: its page with a notice, or with the reason and what had been typed."""
    url = reverse("console:case", args=[number])

    def again(failure: Failure) -> HttpResponse:
        return show_case(request, number, failure)

    return settle(request, act, do, page=url, done=done, again=again, forward=forward, files=files)


def show_case(
    request: HttpRequest,
    number: str,
    failure: Failure | None = None,
    *,
    into: str = "",
    act: str = "",
    typed: QueryDict | None = None,
) -> HttpResponse:
    """Show the page of a case, after a refusal with what had been typed.

    `into`: with what joining it with that case would do; `act`: with the form of that act open; `typed`: a form that
    was sent to be looked at, with nothing done.
    """
    actor, now = person_actor(request), clock.now()
    if failure and failure.act == "merge":
        into = failure.typed.get("into", "")
    context: dict[str, Any] = {
        "page": case_page.case_page(actor, now, number),
        "forms": case_forms.case_forms(actor, now, number),
        "mails": case_mail.case_mail(actor, number),
        "calls": case_calls.case_calls(actor, number),
        "alike": duplicates.duplicates_of(actor, now, number, into),
        "page_url": reverse("console:case", args=[number]),
        "now": now,
        "opened": "merge" if into else act,
        "typed": {"merge": {"into": into, "reason": typed.get("reason", "") if typed else ""}} if into else {},
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/case.html", context, status=failure.status if failure else 200)
