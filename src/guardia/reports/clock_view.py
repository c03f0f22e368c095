"""The response clock as pages show it: time left, share, and the arithmetic of its end."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case
from guardia.features.sla.queries import compiled_calendar, get_calendar, policy_of
from guardia.features.sla.rules.clock import Reading
from guardia.features.sla.rules.policies import Policy
from guardia.reports.showing import ClockStretch, ClockView

SOON_SHARE = 75
DASH = "\N{EN DASH}"


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def office_hours(rules: dict[str, Any]) -> str:
    """Return a calendar's weekly windows in words, such as `Mon-Fri 09:00-19:00, Madrid`."""
    names = [
        ("mon", _("Mon")),
        ("tue", _("Tue")),
        ("wed", _("Wed")),
        ("thu", _("Thu")),
        ("fri", _("Fri")),
        ("sat", _("Sat")),
        ("sun", _("Sun")),
    ]
    groups: list[tuple[str, str, str]] = []
    for key, name in names:
        windows = ", ".join(f"{start}{DASH}{end}" for start, end in rules["weekly"].get(key, []))
        if not windows:
            continue
        if groups and groups[-1][2] == windows:
            groups[-1] = (groups[-1][0], name, windows)
        else:
            groups.append((name, name, windows))
    spans = [f"{first if first == last else f'{first}{DASH}{last}'} {windows}" for first, last, windows in groups]
    return f"{'; '.join(spans)}, {rules['zone'].split('/')[-1].replace('_', ' ')}"


def _between(case: Case, start: datetime, end: datetime) -> int:
    """Return the seconds that count between two instants under the case's coverage: every one since the call, where the
    promise says that a call opens the clock.
    """
    promise = Policy.parse(policy_of(case.terms, case.case_class))[case.severity]
    end = max(start, end)
    opened_at = start if promise.coverage == "always" else case.called_at if promise.phone_opens_24x7 else None
    opened_at = end if opened_at is None else min(max(start, opened_at), end)
    office = compiled_calendar(case.calendar_version_id).elapsed(start, opened_at)
    return int((office + (end - opened_at)).total_seconds())


def clock_of_row(case: Case, now: datetime) -> ClockView:
    """Return the clock of a list's row from the stored projection, without its arithmetic."""
    due, end = case.due_at, case.answered_at or now
    is_over = due is not None and end > due
    state = case.clock_state
    if case.answered_at is None and due is not None:
        state = "breached" if is_over else "running"
    target_s = _between(case, case.submitted_at, due) if due else None
    remaining_s = _between(case, now, due) if due and state == "running" else None
    used_s = target_s - remaining_s if target_s is not None and remaining_s is not None else target_s or 0
    share = round(100 * used_s / target_s) if target_s else 0
    return ClockView(
        state=state,
        as_of=now,
        due_at=due,
        answered_at=case.answered_at,
        breached_at=case.breached_at or (due if is_over else None),
        target_s=target_s,
        used_s=used_s,
        remaining_s=remaining_s,
        over_s=int((end - due).total_seconds()) if due and is_over else 0,
        share=max(0, min(100, share)),
        is_soon=state == "running" and share >= SOON_SHARE,
    )


def clock_of_case(case: Case, reading: Reading, now: datetime) -> ClockView:
    """Return the clock of a case's page with every covered stretch and running total."""
    calendar = get_calendar(case.calendar_version_id)
    target = Policy.parse(policy_of(case.terms, case.case_class))[case.severity].target
    target_s = _seconds(target)
    remaining_s = _seconds(reading.remaining)
    stretches, total = [], 0
    for step in reading.steps:
        seconds = int((step.ends_at - step.starts_at).total_seconds())
        total += seconds
        stretches.append(ClockStretch(step.starts_at, step.ends_at, seconds, total, step.why))
    used = 0 if target_s is None else target_s if remaining_s is None else target_s - remaining_s
    if reading.answered_at is not None and reading.steps:
        used = sum(
            max(0, int((min(step.ends_at, reading.answered_at) - step.starts_at).total_seconds()))
            for step in reading.steps
        )
    share = round(100 * used / target_s) if target_s else 0
    end = reading.answered_at or now
    is_over = reading.due_at is not None and end > reading.due_at
    return ClockView(
        state=reading.state,
        as_of=now,
        due_at=reading.due_at,
        answered_at=reading.answered_at,
        breached_at=reading.breached_at,
        target_s=target_s,
        used_s=max(0, used),
        remaining_s=remaining_s,
        over_s=int((end - reading.due_at).total_seconds()) if is_over and reading.due_at else 0,
        share=max(0, min(100, share)),
        is_soon=reading.state == "running" and share >= SOON_SHARE,
        stretches=tuple(stretches),
        zone=str(ZoneInfo(calendar.rules["zone"])),
        hours=office_hours(calendar.rules),
    )
