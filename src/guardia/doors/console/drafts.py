"""A draft of a correction: its texts, its gates and its three people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import approve_draft, run_gates
from guardia.kernel import clock
from guardia.kernel.errors import Invalid
from guardia.reports import lab_pages
from guardia.reports.lab_views import DraftPage, GateView, RecordEdit
from guardia.ui.person import console_page, person_actor

LEAST_ROWS, MOST_ROWS = 3, 26


@dataclass(frozen=True)
class RecordField:
    """A record with the text that its field shows: what was typed before a refusal, else what is stored."""

    record: RecordEdit
    text: str
    error: str = ""

    @property
    def rows(self) -> int:
        """The height of the field in lines."""
        return max(LEAST_ROWS, min(MOST_ROWS, self.text.count("\n") + 1))


@console_page()
def draft(request: HttpRequest, number: str, n: int) -> HttpResponseBase:
    """Show a draft."""
    return show_draft(request, number, n)


@console_page()
def gates(request: HttpRequest, number: str, n: int) -> HttpResponseBase:
    """Run the gates on exactly the bytes that would be released."""

    def do(given: Given) -> Any:
        return run_gates.request_gates(given.actor, given.now, number, n)

    return _settle(request, number, n, "gates", do, _("The gates run."))


@console_page()
def review(request: HttpRequest, number: str, n: int) -> HttpResponseBase:
    """Agree to the draft as the second person."""

    def do(given: Given) -> Any:
        digest = given.text("build_digest")
        return approve_draft.review_draft(
            given.actor, given.now, number, n, build_digest=digest, idempotency_key=given.token
        )

    return _settle(request, number, n, "review", do, _("The draft is reviewed; a third person releases it."))


@console_page()
def approve(request: HttpRequest, number: str, n: int) -> HttpResponseBase:
    """Release the build as the third person, who types its number."""

    def do(given: Given) -> Any:
        page = lab_pages.draft_page(given.actor, given.now, number, n)
        if given.text("confirm") != page.build_label:
            sentence = _("Type the release number %(label)s to release it.") % {"label": page.build_label}
            raise Invalid("confirm_differs", sentence, {"confirm": sentence})
        digest = given.text("build_digest")
        return approve_draft.approve_release(
            given.actor, given.now, number, n, build_digest=digest, idempotency_key=given.token
        )

    def done(label: str) -> str:
        return _("Release %(label)s is approved and goes out.") % {"label": label}

    return _settle(request, number, n, "approve", do, done)


def _settle(
    request: HttpRequest,
    number: str,
    n: int,
    act: str,
    do: Callable[[Given], Any],
    done: str | Callable[[Any], str],
) -> HttpResponse:
    url = reverse("console:draft", args=[number, n])
    return settle(request, act, do, page=url, done=done, again=lambda failure: show_draft(request, number, n, failure))


def show_draft(request: HttpRequest, number: str, n: int, failure: Failure | None = None) -> HttpResponse:
    """Render a draft, after a refusal with the texts as they were typed."""
    page = lab_pages.draft_page(person_actor(request), clock.now(), number, n)
    context: dict[str, Any] = {
        "page": page,
        "page_url": reverse("console:draft", args=[number, n]),
        "records": record_fields(page, failure),
        "tally": tally(page.gates),
        "now": clock.now(),
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/draft.html", context, status=failure.status if failure else 200)


def record_fields(page: DraftPage, failure: Failure | None) -> list[RecordField]:
    """Pair each record with the text to show."""
    typed, errors = (failure.typed, failure.error.fields) if failure and failure.act == "draft" else ({}, {})
    names = ((record, f"text-{record.index}") for record in page.records)
    return [RecordField(record, typed.get(name, record.text), errors.get(name, "")) for record, name in names]


def tally(gates: tuple[GateView, ...]) -> list[tuple[str, int]]:
    """Count the gates by state, the gravest first, states without a gate left out."""
    counts = [
        (state, sum(gate.state == state for gate in gates)) for state in ("failed", "passed", "running", "waiting")
    ]
    return [(state, count) for state, count in counts if count]
