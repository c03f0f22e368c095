"""Calendars: versions, a month day by day, the editor of the next version, and moving what stands on older ones."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.calendar_form import draft_from, next_step
from guardia.doors.console.posting import Failure, Given, settle
from guardia.features.sla.rules.draft_calendar import DraftCalendar
from guardia.journeys import move_calendar, use_calendar, write_calendar
from guardia.kernel import clock
from guardia.kernel.errors import Invalid
from guardia.kernel.vocabulary import Role
from guardia.reports import calendar_pages
from guardia.ui.person import console_page, person_actor


@console_page()
def calendars(request: HttpRequest) -> HttpResponseBase:
    """List the calendars."""
    context = {"calendars": calendar_pages.calendar_list(clock.now()), "may_edit": _may_edit(request)}
    return _page(request, "console/calendars.html", context)


@console_page()
def calendar(request: HttpRequest, name: str) -> HttpResponseBase:
    """Show a version with a month."""
    return _calendar(request, name)


def _calendar(request: HttpRequest, name: str, failure: Failure | None = None) -> HttpResponse:
    wanted = [_whole(request.GET, part) for part in ("version", "year", "month")]
    page = calendar_pages.calendar_page(person_actor(request), clock.now(), name, *wanted)
    return _page(request, "console/calendar.html", {"page": page}, failure)


@console_page(Role.DUTY_MANAGER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Write a new calendar."""
    return _edit(request, lambda: calendar_pages.new_draft(clock.now()), 0)


@console_page(Role.DUTY_MANAGER)
def edit(request: HttpRequest, name: str) -> HttpResponseBase:
    """Write the next version of a calendar."""
    newest = calendar_pages.get_version(name)
    after = _whole(request.POST, "after") or newest.version
    return _edit(request, lambda: calendar_pages.draft_of(newest), after, name)


def _edit(request: HttpRequest, first: Callable[[], DraftCalendar], after: int, name: str = "") -> HttpResponse:
    if request.method != "POST":
        return _editor(request, first(), after)
    draft = draft_from(request.POST, name)
    step = next_step(request.POST)
    if step.what == "save":
        return settle(
            request,
            "calendar",
            lambda given: write_calendar.write_calendar(
                given.actor, given.now, draft, after, idempotency_key=given.token
            ),
            page=request.path,
            done=_("The version is saved. It holds for what is given to it; nothing moves by itself."),
            again=lambda failure: _editor(request, draft, after, failure),
            forward=lambda made: reverse("console:calendar", args=[made[0]]),
        )
    if step.what == "preview":
        try:
            written = write_calendar.checked(draft)
        except Invalid as error:
            return _editor(request, draft, after, Failure("calendar", error, request.POST))
        preview = calendar_pages.draft_preview(written, after, clock.now(), step.year, step.month)
        return _editor(request, draft, after, preview=preview)
    return _editor(request, draft, after)


def _editor(
    request: HttpRequest, draft: DraftCalendar, after: int, failure: Failure | None = None, preview: Any = None
) -> HttpResponse:
    context = {"editor": calendar_pages.editor_view(draft, after), "preview": preview}
    return _page(request, "console/calendar_edit.html", context, failure)


@console_page(Role.DUTY_MANAGER)
def contracts(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """Let contracts of older versions take this one; their cases to come have it."""

    def do(given: Given) -> Any:
        return use_calendar.use_calendar(
            given.actor,
            given.now,
            name,
            version,
            given.form.getlist("contract"),
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle(
        request,
        "contracts",
        do,
        page=reverse("console:calendar", args=[name]),
        done=lambda count: (
            _("Contracts that take the version: %(count)d. Their open cases stay where they are.") % {"count": count}
        ),
        again=lambda failure: _calendar(request, name, failure),
    )


@console_page(Role.DUTY_MANAGER)
def move(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """Show what a move of open cases would do, and start it with a reason."""

    def do(given: Given) -> Any:
        return move_calendar.start_move(
            given.actor,
            given.now,
            name,
            version,
            given.text("reason"),
            given.number("foreseen") or 0,
            idempotency_key=given.token,
        )

    if request.method != "POST":
        return _preview(request, name, version)
    return settle(
        request,
        "move",
        do,
        page=request.path,
        done=_("The move has begun."),
        again=lambda failure: _preview(request, name, version, failure),
        forward=lambda move_id: reverse("console:calendar_moving", args=[move_id]),
    )


def _preview(request: HttpRequest, name: str, version: int, failure: Failure | None = None) -> HttpResponse:
    seen = move_calendar.preview_move(person_actor(request), clock.now(), name, version)
    return _page(request, "console/calendar_move.html", {"preview": seen, "name": name, "version": version}, failure)


@console_page()
def moving(request: HttpRequest, move_id: UUID) -> HttpResponseBase:
    """Show how far a move has come."""
    context = {"move": calendar_pages.get_move(move_id), "version": calendar_pages.move_version(move_id)}
    return _page(request, "console/calendar_moving.html", context)


def _page(request: HttpRequest, template: str, context: dict[str, Any], failure: Failure | None = None) -> HttpResponse:
    context = {**context, "now": clock.now()}
    if failure:
        context |= failure.as_context()
    return render(request, template, context, status=failure.status if failure else 200)


def _may_edit(request: HttpRequest) -> bool:
    return Role.DUTY_MANAGER in person_actor(request).roles


def _whole(fields: QueryDict, name: str) -> int | None:
    value = fields.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 4 else None  # noqa: PLR2004  a year
