"""The duty board: what is due next, what is past due, who must be phoned, who is told and who has how much in hand.

Every list is the beginning of an index, and every count ends at 1,000, so that the board costs the same with 100,000
open cases as with ten.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from guardia.features.accounts.queries import people_by_id
from guardia.features.calls.models import Call
from guardia.features.calls.queries import live_calls
from guardia.features.cases import queries
from guardia.features.cases.models import NEVER_DUE, CaseEvent
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER
from guardia.features.sla.models import StaffNotice
from guardia.kernel.vocabulary import Actor
from guardia.reports.alarm_words import mark_title
from guardia.reports.calls_page import CallRow, call_rows
from guardia.reports.case_list import CaseRow, HolderLoad, case_rows, load_by_holder
from guardia.reports.duty_view import DutyView, duty_now
from guardia.reports.line_health import LineHealth, line_state
from guardia.reports.promise import must_phone

MOST_ROWS = 12
MOST_CALLS = 50
MOST_NOTICES = 200
MOST_ALARMS = 8
_WHY = "the duty board is about the cases of every company"


@dataclass(frozen=True)
class LoadRow:
    """What one person has in hand. `share` is the bar's length, `running_share` its part with a running target."""

    load: HolderLoad
    on_duty: str
    share: int
    running_share: int


@dataclass(frozen=True)
class AlarmRow:
    """Marks of a case's clocks that were told and that nobody acknowledged yet; `people` were told."""

    number: str
    severity: int
    subject: str
    what: str
    told_at: datetime
    people: tuple[str, ...]


@dataclass(frozen=True)
class DutyBoard:
    """Everything on the board. Counts of 1,000 mean that many or more."""

    duties: tuple[DutyView, ...]
    due: tuple[CaseRow, ...]
    running: int
    breached: tuple[CaseRow, ...]
    breached_count: int
    unassigned: int
    open: int
    calls: tuple[CaseRow, ...]
    load: tuple[LoadRow, ...]
    alarms: tuple[AlarmRow, ...]
    alarm_count: int
    live_calls: tuple[CallRow, ...]
    line: LineHealth | None
    """None where no phone line is configured."""
    version: str


def duty_board(actor: Actor, now: datetime) -> DutyBoard:
    """Return the board as of now."""
    open_cases = queries.queue_for(actor).order_by()
    promised = open_cases.filter(queue_due_at__lt=NEVER_DUE)
    ahead, over = promised.filter(queue_due_at__gte=now), promised.filter(queue_due_at__lt=now)
    duties = tuple(duty_now(now))
    alarms = _alarms()
    return DutyBoard(
        duties=duties,
        due=case_rows(list(ahead.order_by("queue_due_at", "id")[:MOST_ROWS]), now),
        running=queries.count_up_to(ahead),
        breached=case_rows(list(over.order_by("queue_due_at", "id")[:MOST_ROWS]), now),
        breached_count=queries.count_up_to(over),
        unassigned=queries.count_up_to(open_cases.filter(holder_id=None)),
        open=queries.count_up_to(open_cases),
        calls=_calls(actor, now),
        load=_load(now, duties),
        alarms=alarms[:MOST_ALARMS],
        alarm_count=len(alarms),
        live_calls=call_rows(live_calls()[:MOST_CALLS], now),
        line=line_state(now),
        version=board_version(now),
    )


def board_version(now: datetime) -> str:
    """Return what changes whenever a case or a live call does, and every minute since time does too; for live views."""
    newest = CaseEvent.objects.across_companies("the board changes with any case").aggregate(newest=Max("id"))["newest"]
    live = Call.objects.filter(ended_at=None).aggregate(count=Count("id"), seen=Max("seen_at"))
    seen = live["seen"].timestamp() if live["seen"] else 0
    return f"{newest or 0}-{live['count']}-{seen}-{now:%Y%m%d%H%M}"


def _calls(actor: Actor, now: datetime) -> tuple[CaseRow, ...]:
    """Return level-1 cases whose clock waits for a call: the office is closed and nobody has phoned yet."""
    rows = queries.queue_for(actor).filter(tier=PREMIUM_TIER, severity=1, called_at=None, queue_due_at__gte=now)
    standing = [case for case in rows.order_by("queue_due_at", "id")[:MOST_CALLS] if must_phone(case, now)]
    return case_rows(standing[:MOST_ROWS], now)


def _load(now: datetime, duties: tuple[DutyView, ...]) -> tuple[LoadRow, ...]:
    on_duty = {duty.person_id: duty.name for duty in reversed(duties) if duty.person_id}
    loads = [load for load in load_by_holder(now) if load.open or load.person_id in on_duty]
    most = max((load.open for load in loads), default=0) or 1
    return tuple(
        LoadRow(load, on_duty.get(load.person_id, ""), 100 * load.open // most, 100 * load.running // most)
        for load in loads
    )


def _alarms() -> tuple[AlarmRow, ...]:
    """Return what was told and not acknowledged, one row for each case, the latest first."""
    unread = (
        StaffNotice.objects.across_companies("the board shows every alarm").filter(read_at=None).select_related("case")
    )
    notices = list(unread.defer("case__words").order_by("-created_at")[:MOST_NOTICES])
    people = people_by_id({notice.person_id for notice in notices})
    by_case: dict[str, list[StaffNotice]] = {}
    for notice in notices:
        by_case.setdefault(notice.case.number, []).append(notice)
    return tuple(
        AlarmRow(
            number=number,
            severity=told[0].case.severity,
            subject=told[0].case.subject,
            what=mark_title(str(told[0].facts.get("clock", "")), str(told[0].facts.get("mark", ""))),
            told_at=told[0].created_at,
            people=tuple(sorted({people[notice.person_id].name for notice in told if notice.person_id in people})),
        )
        for number, told in by_case.items()
    )
