"""The roster: who is on duty now and in the weeks to come, changes of duty, and the rotation itself."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from guardia.doors.console import roster_form
from guardia.doors.console.posting import Failure, Given, see_other, settle
from guardia.features.duty.rules.wall_time import first_shown, shown_at
from guardia.journeys.edit_roster import edit_roster
from guardia.journeys.override_duty import override_duty, revoke_override
from guardia.kernel import clock
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.vocabulary import Role
from guardia.kernel.zones import find_zone, get_zone
from guardia.reports.duty_view import RosterPage, roster_page, rules_of
from guardia.ui.person import console_page, person_actor

ROSTERS = ("on_duty", "duty_manager")


@console_page()
def roster(request: HttpRequest) -> HttpResponseBase:
    """Show one roster with four weeks of its shifts."""
    code = request.GET.get("roster", ROSTERS[0])
    return _show(request, code if code in ROSTERS else ROSTERS[0])


@console_page()
def override(request: HttpRequest, code: str) -> HttpResponseBase:
    """Let somebody else have the duty for a while."""

    def do(given: Given) -> Any:
        zone = roster_page(given.actor, given.now, code).zone
        return override_duty(
            given.actor,
            given.now,
            code,
            _person(given.text("person")),
            _instant(given, "starts_at", zone) or given.now,
            _instant(given, "ends_at", zone) or given.now,
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle(
        request,
        "override",
        do,
        page=_page_of(code),
        done=_("The duty is changed."),
        again=lambda failure: _show(request, code, failure),
    )


@console_page()
def revoke(request: HttpRequest, override_id: UUID) -> HttpResponseBase:
    """Take a change of duty back."""
    code = request.GET.get("roster", ROSTERS[0])
    code = code if code in ROSTERS else ROSTERS[0]
    return settle(
        request,
        f"revoke-{override_id}",
        lambda given: revoke_override(given.actor, given.now, override_id),
        page=_page_of(code),
        done=_("The change of duty is taken back."),
        again=lambda failure: _show(request, code, failure),
    )


@console_page(Role.DUTY_MANAGER)
def rotation(request: HttpRequest, code: str) -> HttpResponseBase:
    """Edit the rotation: buttons of the form change it as it is typed, *Save* makes the next version."""
    now = clock.now()
    page = roster_page(person_actor(request), now, code)
    today = shown_at(get_zone(page.zone), now).date()
    if request.method != "POST":
        return _form(request, page, roster_form.from_rules(rules_of(code, now), today))
    form, do = roster_form.from_post(request.POST), request.POST.get("do", "save")
    if do != "save":
        return _form(request, page, roster_form.changed(form, do, request.POST, today))
    try:
        _save(request, code, form, now)
    except (Invalid, Refused, Forbidden) as error:
        return _form(request, page, form, Failure("rotation", error, request.POST))
    messages.success(request, _("The rotation is saved."))
    return see_other(_page_of(code))


def _save(request: HttpRequest, code: str, form: roster_form.RosterForm, now: datetime) -> None:
    given = Given(person_actor(request), now, request.POST)
    edit_roster(
        given.actor,
        now,
        code,
        roster_form.as_rules(form),
        form.reason,
        holds_from=_instant(given, "holds_from", form.zone),
        idempotency_key=given.token,
    )


def _instant(given: Given, name: str, zone: str) -> datetime | None:
    """Return the instant of a wall time in the roster's zone, None where the field is empty. Raises Invalid."""
    typed = given.text(name)
    if not typed:
        return None
    try:
        wall = datetime.fromisoformat(typed)
        found = find_zone(zone)
        return first_shown(found, wall.replace(tzinfo=None)) if found else None
    except (ValueError, OverflowError):
        sentence = _("“%(value)s” is no date and time such as 2026-11-23T09:00.") % {"value": typed[:40]}
        raise Invalid("not_an_instant", sentence, {name: sentence}) from None


def _person(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _page_of(code: str) -> str:
    return f"{reverse('console:roster')}?roster={code}"


def _first_day(sent: QueryDict) -> date | None:
    try:
        return date.fromisoformat(sent.get("from", ""))
    except ValueError:
        return None


def _show(request: HttpRequest, code: str, failure: Failure | None = None) -> HttpResponse:
    now = clock.now()
    page = roster_page(person_actor(request), now, code, _first_day(request.GET))
    until = page.duty.until
    context: dict[str, Any] = {
        "page": page,
        "now": now,
        "default_start": shown_at(get_zone(page.zone), now).strftime("%Y-%m-%dT%H:%M"),
        "default_end": shown_at(get_zone(page.zone), until).strftime("%Y-%m-%dT%H:%M") if until else "",
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/roster.html", context, status=failure.status if failure else 200)


def _form(
    request: HttpRequest, page: RosterPage, form: roster_form.RosterForm, failure: Failure | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": page,
        "form": form,
        "names": dict(page.candidates),
        "weekdays": list(zip(roster_form.WEEKDAYS, WEEKDAYS.values(), strict=True)),
        "token": request.POST.get("form_token", ""),
        "now": clock.now(),
    }
    if failure:
        context |= failure.as_context()
    return render(request, "console/rotation.html", context, status=failure.status if failure else 200)
