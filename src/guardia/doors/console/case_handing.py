"""Acts of staff about where a case is: whose, with which group, joined with another, split in two."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.cases import settle_case
from guardia.doors.console.posting import Given
from guardia.journeys import assign_case, merge_cases, split_case
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
    """Join the case with the one that goes on."""

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
