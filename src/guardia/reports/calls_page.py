"""Phone calls as staff read them: the list with the live ones on top, messages that wait, and one call with its log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from guardia.features.accounts.models import Company
from guardia.features.calls.models import Call, Recording
from guardia.features.calls.queries import (
    find_call,
    live_calls,
    recordings_of_call,
    recordings_of_calls,
    recordings_waiting,
)
from guardia.features.calls.rules.hearing import may_hear
from guardia.features.cases.models import Case
from guardia.kernel.errors import Forbidden, NotFound
from guardia.kernel.keyset import Order, window
from guardia.kernel.vocabulary import Actor
from guardia.reports.call_words import (
    direction_title,
    known_by_title,
    note_line,
    outcome_title,
    step_title,
)
from guardia.reports.case_calls import recording_view
from guardia.reports.line_health import LineHealth, line_state
from guardia.reports.mail_health import QUARANTINE_LATE
from guardia.reports.showing import RecordingView

VIEWS: Final = ("all", "live", "messages")
LENGTH: Final = 50
MOST_LIVE: Final = 200
MOST_COUNTED: Final = 1000
_KEYS: Final[Mapping[str, type]] = {"started_at": datetime, "id": UUID}
ARRIVAL: Final = Order("calls", _KEYS, is_descending=True)
WAITING: Final = Order("calls-waiting", _KEYS)
"""Messages that wait: who has waited longest stands first."""


@dataclass(frozen=True)
class CallRow:
    """One call. `caller` is the number shown, which proves nothing; `what` how it ended, or of a live one its step."""

    id: UUID
    direction: str
    title: str
    started_at: datetime
    is_live: bool
    caller: str
    person: str
    company: str
    known_by: str
    case_number: str
    what: str
    duration_s: float | None
    waited_s: int | None
    engineer: str
    recordings: int
    waiting: int


@dataclass(frozen=True)
class CallsPage:
    """One page of calls; `live` stands above the others in the view of all."""

    rows: tuple[CallRow, ...]
    live: tuple[CallRow, ...]
    view: str
    waiting: int
    line: LineHealth | None
    before: str = ""
    after: str = ""
    is_lost: bool = False


@dataclass(frozen=True)
class NoteLine:
    """One line of a call's log."""

    at: datetime | None
    icon: str
    text: str


@dataclass(frozen=True)
class CallPage:
    """One call with its log and what was recorded."""

    row: CallRow
    language: str
    answered_at: datetime | None
    ended_at: datetime | None
    handed_in_at: datetime | None
    notes: tuple[NoteLine, ...]
    recordings: tuple[RecordingView, ...]
    may_hear: bool


@dataclass(frozen=True)
class MessagesWaiting:
    """How many phone messages wait for a person, and whether one has waited too long."""

    waiting: int
    is_late: bool = False


def calls_page(actor: Actor, now: datetime, view: str = "all", *, after: str = "", before: str = "") -> CallsPage:
    """Return a page of calls; raise Forbidden for customers."""
    _demand_staff(actor)
    chosen = view if view in VIEWS else "all"
    live = list(live_calls()[:MOST_LIVE])
    facts: dict[str, Any] = {"view": chosen, "waiting": messages_waiting(now).waiting, "line": line_state(now)}
    if chosen == "live":
        return CallsPage(rows=call_rows(live, now), live=(), **facts)
    rows, order = _of_view(chosen)
    try:
        start = order.read(after or before) if after or before else None
    except ValueError:
        start, facts["is_lost"] = None, True
    backwards = start is not None and not after
    ahead, _end = window(rows, order, start, LENGTH, backwards=backwards)
    found = list(order.sort(ahead, backwards=backwards)[:LENGTH])
    if backwards:
        found.reverse()
    if found:
        first, last = order.key_of(found[0]), order.key_of(found[-1])
        facts["after"] = order.text_of(last) if rows.filter(order.beyond(last)).exists() else ""
        facts["before"] = order.text_of(first) if rows.filter(order.beyond(first, backwards=True)).exists() else ""
    on_top = live if chosen == "all" and not facts.get("before") else []
    return CallsPage(rows=call_rows(found, now), live=call_rows(on_top, now), **facts)


def call_page(actor: Actor, now: datetime, call_id: UUID) -> CallPage:
    """Return one call; raise Forbidden for customers, NotFound."""
    _demand_staff(actor)
    call = find_call(call_id)
    if call is None:
        raise NotFound("call_unknown", _("There is no such call."))
    recordings = list(recordings_of_call(call.id))
    numbers = _numbers(row.case_id for row in recordings)
    return CallPage(
        row=call_rows([call], now)[0],
        language=call.language,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        handed_in_at=call.handed_in_at,
        notes=tuple(_note(note) for note in call.log),
        recordings=tuple(recording_view(row, numbers.get(row.case_id, "")) for row in recordings),
        may_hear=may_hear(actor),
    )


def messages_waiting(now: datetime) -> MessagesWaiting:
    """Return what the navigation says of phone messages: one step along their index, at most `MOST_COUNTED` rows."""
    started = list(recordings_waiting().values_list("started_at", flat=True)[:MOST_COUNTED])
    return MessagesWaiting(len(started), bool(started) and now - started[0] > QUARANTINE_LATE)


def call_rows(calls: Iterable[Call], now: datetime) -> tuple[CallRow, ...]:
    """Return calls as lists show them."""
    found = list(calls)
    companies = Company.objects.in_bulk({call.company_id for call in found if call.company_id})
    numbers = _numbers(call.case_id for call in found)
    recorded = recordings_of_calls(call.id for call in found)
    return tuple(
        _row(
            call,
            now,
            company=companies[call.company_id].name if call.company_id in companies else "",
            number=numbers.get(call.case_id, ""),
            recordings=recorded.get(call.id, []),
        )
        for call in found
    )


def _of_view(view: str) -> tuple[QuerySet[Call], Order]:
    """Return the calls of a view that are over, or that left a message that waits."""
    if view == "messages":
        return Call.objects.filter(id__in=recordings_waiting().order_by().values("call_id")), WAITING
    return Call.objects.filter(ended_at__isnull=False), ARRIVAL


def _row(call: Call, now: datetime, *, company: str, number: str, recordings: list[Recording]) -> CallRow:
    is_live = call.ended_at is None
    return CallRow(
        id=call.id,
        direction=call.direction,
        title=direction_title(call.direction),
        started_at=call.started_at,
        is_live=is_live,
        caller=call.caller,
        person=call.person_name,
        company=company,
        known_by=known_by_title(call.known_by) if call.known_by else "",
        case_number=number,
        what=step_title(call.step, call.step_detail) if is_live else outcome_title(call.outcome),
        duration_s=((call.ended_at or now) - call.started_at).total_seconds(),
        waited_s=call.waited_s,
        engineer=call.connected_name,
        recordings=len(recordings),
        waiting=sum(row.waits_for_staff and row.settled_at is None for row in recordings),
    )


def _note(note: Mapping[str, Any]) -> NoteLine:
    icon, text = note_line(note)
    try:
        at = datetime.fromisoformat(str(note.get("at", "")))
    except ValueError:
        at = None
    return NoteLine(at, icon, text)


def _numbers(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    rows = Case.objects.across_companies("staff read which case a call is about").filter(id__in=wanted)
    return dict(rows.values_list("id", "number"))


def _demand_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only staff read the calls."))
