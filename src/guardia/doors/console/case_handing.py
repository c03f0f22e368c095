"""Acts of staff about where a case is: whose, with which group, joined with another, split in two."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.cases import settle_case, show_case
from guardia.doors.console.posting import Given
from guardia.journeys import assign_case, dismiss_duplicate, merge_cases, split_case
from guardia.journeys import undo_merge as undo_merges
from guardia.kernel.errors import Invalid
from guardia.ui.person import console_page


@console_page()
def assign(request: HttpRequest, number: str) -> HttpResponseBase:
    """Make somebody of the staff the holder."""

    def do(given: Given) -> Any:
        return assign_case.assign_case(
            given.actor,
            given.now,
            number,
            _person(given),
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle_case(request, number, "assign", do, _("The case has its holder."))


def _person(given: Given) -> UUID:
    try:
        return UUID(given.text("person"))
    except ValueError as error:
        raise Invalid("person_missing", _("Choose a person."), {"person": _("Choose a person.")}) from error


@console_page()
def put_back(request: HttpRequest, number: str) -> HttpResponseBase:
    """Put the case back into the queue."""

    def do(given: Given) -> Any:
        return assign_case.put_back(given.actor, given.now, number, given.text("reason"), idempotency_key=given.token)

    return settle_case(request, number, "put_back", do, _("The case is back in the queue."))


@console_page()
def group(request: HttpRequest, number: str) -> HttpResponseBase:
    """Hand the case to another group."""

    def do(given: Given) -> Any:
        return assign_case.change_group(
            given.actor, given.now, number, given.text("group"), given.text("reason"), idempotency_key=given.token
        )

    return settle_case(request, number, "change_group", do, _("The case is with the other group."))


@console_page()
def merge(request: HttpRequest, number: str) -> HttpResponseBase:
    """Join the case with the one that goes on; `look` only shows what that would do."""
    if request.method == "POST" and "look" in request.POST:
        return show_case(request, number, into=request.POST.get("into", ""), typed=request.POST)

    def do(given: Given) -> Any:
        into = given.text("into")
        merge_cases.merge_case(given.actor, given.now, number, into, given.text("reason"), idempotency_key=given.token)
        return into.replace(" ", "")

    return settle_case(
        request,
        number,
        "merge",
        do,
        _("The cases are joined; this is the one that goes on."),
        forward=lambda into: reverse("console:case", args=[into]),
    )


@console_page()
def undo_merge(request: HttpRequest, number: str) -> HttpResponseBase:
    """Part the case from the one that it was joined with."""

    def do(given: Given) -> Any:
        reason = given.text("reason")
        return undo_merges.undo_merge(given.actor, given.now, number, reason, idempotency_key=given.token)

    return settle_case(request, number, "undo_merge", do, _("The two are parted; this case goes on for itself."))


@console_page()
def not_duplicate(request: HttpRequest, number: str) -> HttpResponseBase:
    """Propose another case no more, or once more."""
    is_same = request.POST.get("decision") == "again"

    def do(given: Given) -> Any:
        return dismiss_duplicate.dismiss_duplicate(
            given.actor, given.now, number, given.text("other"), is_same=is_same, idempotency_key=given.token
        )

    done = _("It is proposed again.") if is_same else _("It is not proposed any more.")
    return settle_case(request, number, "not_duplicate", do, done)


@console_page()
def split(request: HttpRequest, number: str) -> HttpResponseBase:
    """Split a case of its own off."""

    def do(given: Given) -> Any:
        return split_case.split_case(
            given.actor,
            given.now,
            number,
            given.text("subject"),
            given.text("text"),
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle_case(
        request,
        number,
        "split",
        do,
        _("A new case was split off; this is its page."),
        forward=lambda new: reverse("console:case", args=[new]),
    )
