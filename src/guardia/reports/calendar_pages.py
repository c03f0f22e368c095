"""Calendars as the console shows them: what holds which version, a month day by day, drafts and what they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from babel import Locale
from django.utils import dates
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guardia.features.cases.queries import open_cases_by_calendar
from guardia.features.contracts.models import Contract
from guardia.features.sla import queries
from guardia.features.sla.models import CalendarMove, CalendarVersion
from guardia.features.sla.rules.calendar_changes import CalendarChange, changes_between
from guardia.features.sla.rules.calendars import WEEKDAYS, Calendar
from guardia.features.sla.rules.draft_calendar import (
    Closure,
    DraftCalendar,
    OtherHours,
    WrittenCalendar,
    windows_text,
)
from guardia.features.sla.rules.month import Month, MonthDay, month_of
from guardia.features.sla.rules.public_holidays import countries, holidays_of, regions
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Role
from guardia.kernel.zones import get_zone, zone_names
from guardia.reports.clock_view import DASH, office_hours

FIRST_MONTH, LAST_MONTH = 1, 12
YEARS_AHEAD: Final = 2
EMPTY_ROWS: Final = 2


@dataclass(frozen=True)
class ContractUse:
    """A contract that holds a calendar version."""

    id: str
    number: str
    company: str


@dataclass(frozen=True)
class VersionView:
    """A calendar version and what stands on it."""

    id: str
    name: str
    version: int
    zone: str
    tzdata: str
    hours: str
    created_at: datetime
    made_by: str
    note: str
    contracts: tuple[ContractUse, ...]
    open_cases: int
    is_current: bool


@dataclass(frozen=True)
class CalendarView:
    """A calendar by its name: the current version first."""

    name: str
    versions: tuple[VersionView, ...]

    @property
    def current(self) -> VersionView:
        """The newest version."""
        return self.versions[0]


@dataclass(frozen=True)
class DayView:
    """A day of the month view; `kind` as in `rules/month.py`, `change` the words where the clocks change."""

    on: date
    kind: str
    windows: tuple[str, ...]
    label: str
    hours: str
    change: str
    is_today: bool


@dataclass(frozen=True)
class MonthView:
    """Weeks of seven, None before the first and behind the last day."""

    title: str
    year: int
    month: int
    weekdays: tuple[str, ...]
    weeks: tuple[tuple[DayView | None, ...], ...]
    working: str
    before: tuple[int, int]
    after: tuple[int, int]
    days: tuple[DayView, ...]


@dataclass(frozen=True)
class MoveView:
    """A move of open cases, for its page and the calendar's."""

    id: str
    name: str
    version: int
    reason: str
    by: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    would_breach: int
    moved: int
    breached: int

    @property
    def left(self) -> int:
        """How many have not moved (yet)."""
        return max(0, self.total - self.moved)


@dataclass(frozen=True)
class CalendarPage:
    """A version with a month; `older` are contracts that hold an older version of the name."""

    calendar: CalendarView
    shown: VersionView
    month: MonthView
    special: tuple[DayView, ...]
    older: tuple[ContractUse, ...]
    older_cases: int
    moves: tuple[MoveView, ...]
    may_edit: bool


@dataclass(frozen=True)
class HolidayChoice:
    """A public holiday, and whether it stays in the draft."""

    on: str
    day: date
    name: str
    is_kept: bool


@dataclass(frozen=True)
class Row:
    """A row of dates in the editor: `key` names its fields and its error."""

    key: str
    on: str
    label: str
    windows: str = ""


@dataclass(frozen=True)
class EditorView:
    """The editor's fields as they stand, with what can be chosen."""

    draft: DraftCalendar
    after: int
    week: tuple[tuple[str, str, str], ...]
    closures: tuple[Row, ...]
    exceptions: tuple[Row, ...]
    holidays: tuple[HolidayChoice, ...]
    countries: tuple[tuple[str, str], ...]
    regions: tuple[tuple[str, str], ...]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class DraftPreview:
    """What a checked draft would be: a month of it, and what it changes of the version before."""

    month: MonthView
    changes: tuple[str, ...]
    is_first: bool


def label_words(label: Any) -> str:
    """Return a date's label in the reader's language."""
    if isinstance(label, Mapping):
        return str(label.get((get_language() or "en").split("-")[0]) or next(iter(label.values()), ""))
    return str(label)


def hours_words(span: timedelta) -> str:
    """Return working time in hours, however many: `210 h`, `9 h 30 min`."""
    minutes = int(span.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    return f"{hours}\N{NO-BREAK SPACE}h" + (f" {rest}\N{NO-BREAK SPACE}min" if rest else "")


def _contracts(now: datetime) -> dict[UUID, list[ContractUse]]:
    rows = Contract.objects.across_companies("the calendars' page shows whose contract holds which version")
    held: dict[UUID, list[ContractUse]] = {}
    for row in rows.filter(ends_on__gt=now.date()).select_related("company").order_by("number"):
        held.setdefault(row.calendar_version_id, []).append(ContractUse(str(row.id), row.number, row.company.name))
    return held


def calendar_list(now: datetime) -> tuple[CalendarView, ...]:
    """Return every calendar with its versions and what stands on them."""
    contracts, cases = _contracts(now), open_cases_by_calendar()
    by_name: dict[str, list[VersionView]] = {}
    for row in queries.calendar_versions():
        seen = by_name.setdefault(row.name, [])
        held = tuple(contracts.get(row.id, ()))
        seen.append(_version_view(row, held, cases.get(row.id, 0), is_current=not seen))
    return tuple(CalendarView(name, tuple(versions)) for name, versions in by_name.items())


def _version_view(
    row: CalendarVersion, contracts: tuple[ContractUse, ...], open_cases: int, *, is_current: bool
) -> VersionView:
    return VersionView(
        id=str(row.id),
        name=row.name,
        version=row.version,
        zone=row.rules["zone"],
        tzdata=row.tzdata,
        hours=office_hours(row.rules),
        created_at=row.created_at,
        made_by=(row.made_by or {}).get("name", ""),
        note=row.note,
        contracts=contracts,
        open_cases=open_cases,
        is_current=is_current,
    )


def calendar_page(
    actor: Actor, now: datetime, name: str, version: int | None, year: int | None, month: int | None
) -> CalendarPage:
    """Return one version (the newest where none is said) with a month (the present one where none is said)."""
    row = get_version(name, version)
    calendar = next(one for one in calendar_list(now) if one.name == name)
    shown = next(one for one in calendar.versions if one.version == row.version)
    older = [one for one in calendar.versions if one.version < shown.version]
    return CalendarPage(
        calendar=calendar,
        shown=shown,
        month=month_view(row.rules, row.labels, now, year, month),
        special=_special_days(row),
        older=tuple(use for one in older for use in one.contracts),
        older_cases=sum(one.open_cases for one in older),
        moves=tuple(map(move_view, queries.calendar_moves(name)[:10])),
        may_edit=Role.DUTY_MANAGER in actor.roles,
    )


def get_version(name: str, version: int | None = None) -> CalendarVersion:
    """Return a version of a calendar. Raises NotFound."""
    row = queries.find_calendar_version(name, version)
    if row is None:
        raise NotFound("calendar_unknown", _("There is no such calendar, or no such version of it."))
    return row


def _special_days(row: CalendarVersion) -> tuple[DayView, ...]:
    """Every closure and exception of a version, in order."""
    calendar = Calendar.parse(row.rules)
    days = sorted({*calendar.closed_on, *calendar.open_on})
    shown: list[DayView] = []
    for day in days:
        month = month_of_day(calendar, row.labels, day)
        shown.append(_day_view(month, None))
    return tuple(shown)


def month_of_day(calendar: Calendar, labels: dict[str, Any], day: date) -> MonthDay:
    """Return one day of a calendar."""
    return month_of(calendar, labels, day.year, day.month).days[day.day - 1]


def month_view(
    rules: dict[str, Any], labels: dict[str, Any], now: datetime, year: int | None = None, month: int | None = None
) -> MonthView:
    """Return a month of a calendar's rules, day by day."""
    today = now.astimezone(get_zone(rules["zone"])).date()
    wanted = (year or today.year, month or today.month)
    is_reckoned = 1901 <= wanted[0] <= 2998 and FIRST_MONTH <= wanted[1] <= LAST_MONTH  # noqa: PLR2004  as the rules
    if not is_reckoned:
        raise NotFound("month_unknown", _("There is no such month."))
    found = month_of(Calendar.parse(rules), labels, *wanted)
    return _shown(found, today)


def _shown(month: Month, today: date) -> MonthView:
    days = tuple(_day_view(day, today) for day in month.days)
    cells: list[DayView | None] = [*[None] * month.lead, *days]
    cells += [None] * (-len(cells) % 7)
    year, number = month.first.year, month.first.month
    return MonthView(
        title=f"{dates.MONTHS[number]} {year}".capitalize(),
        year=year,
        month=number,
        weekdays=tuple(str(dates.WEEKDAYS_ABBR[index]).capitalize() for index in range(7)),
        weeks=tuple(tuple(cells[start : start + 7]) for start in range(0, len(cells), 7)),
        working=hours_words(month.working),
        before=(year - 1, LAST_MONTH) if number == FIRST_MONTH else (year, number - 1),
        after=(year + 1, FIRST_MONTH) if number == LAST_MONTH else (year, number + 1),
        days=days,
    )


def _day_view(day: MonthDay, today: date | None) -> DayView:
    change = {
        "forward": _("The clocks go forward: a day of 23 hours"),
        "back": _("The clocks go back: a day of 25 hours"),
    }.get(day.change, "")
    hours = hours_words(day.working) if day.working > timedelta(0) else ""
    return DayView(day.on, day.kind, day.windows, label_words(day.label), hours, change, day.on == today)


# -- the editor --


def draft_of(row: CalendarVersion) -> DraftCalendar:
    """Return a version as the editor's fields, to write the next one from."""
    source = row.source or {}
    openings = row.rules.get("open_on", {})
    dates_of = sorted([*row.rules.get("closed_on", []), *openings])
    years = source.get("years") or [day[:4] for day in dates_of]
    own = source.get("closures", row.rules.get("closed_on", []) if not source else [])
    return DraftCalendar(
        name=row.name,
        zone=row.rules["zone"],
        weekly={day: windows_text(row.rules["weekly"].get(day, [])) for day in WEEKDAYS},
        first_year=str(years[0]) if years else "",
        last_year=str(years[-1]) if years else "",
        country=source.get("country", ""),
        region=source.get("region", ""),
        removed=frozenset(source.get("removed", ())),
        closures=tuple(Closure(day, label_words(row.labels.get(day, ""))) for day in own),
        exceptions=tuple(
            OtherHours(day, windows_text(windows), label_words(row.labels.get(day, "")))
            for day, windows in sorted(openings.items())
        ),
    )


def new_draft(now: datetime) -> DraftCalendar:
    """Return the fields of a calendar that nobody has written yet: a working week in Madrid."""
    week = {day: "09:00-19:00" if day in WEEKDAYS[:5] else "" for day in WEEKDAYS}
    return DraftCalendar("", "Europe/Madrid", week, str(now.year), str(now.year + YEARS_AHEAD), "ES", "MD")


def editor_view(draft: DraftCalendar, after: int) -> EditorView:
    """Return the editor's fields, some empty rows, and the choices."""
    country = draft.country.strip().upper()
    names = Locale.parse((get_language() or "en").split("-")[0]).territories
    known = sorted(((code, f"{names.get(code, code)} ({code})") for code in countries()), key=lambda pair: pair[1])
    return EditorView(
        draft=draft,
        after=after,
        week=tuple(
            (day, str(dates.WEEKDAYS[index]).capitalize(), draft.weekly.get(day, ""))
            for index, day in enumerate(WEEKDAYS)
        ),
        closures=_rows("closure", [Row("", one.on, one.label) for one in draft.closures]),
        exceptions=_rows("exception", [Row("", one.on, one.label, one.windows) for one in draft.exceptions]),
        holidays=_choices(draft, country),
        countries=tuple(known),
        regions=tuple(regions(country).items()) if country in countries() else (),
        zones=tuple(sorted(zone_names())),
    )


def _rows(kind: str, filled: Sequence[Row]) -> tuple[Row, ...]:
    rows = [*filled, *[Row("", "", "")] * EMPTY_ROWS]
    return tuple(replace(row, key=f"{kind}-{index}") for index, row in enumerate(rows))


def _choices(draft: DraftCalendar, country: str) -> tuple[HolidayChoice, ...]:
    first, last, region = draft.first_year.strip(), draft.last_year.strip(), draft.region.strip()
    years = (int(first), int(last)) if first.isdecimal() and last.isdecimal() else (1, 0)
    if country not in countries() or not 2000 <= years[0] <= years[1] <= min(2100, years[0] + 9):  # noqa: PLR2004
        return ()
    listed = holidays_of(country, region if region in regions(country) else "", *years)
    return tuple(
        HolidayChoice(day.isoformat(), day, label_words(names), day.isoformat() not in draft.removed)
        for day, names in listed.items()
    )


def draft_preview(
    written: WrittenCalendar, after: int, now: datetime, year: int | None, month: int | None
) -> DraftPreview:
    """Return what a checked draft would be, beside the version before it."""
    before = queries.find_calendar_version(written.name, after) if after else None
    changes: list[CalendarChange] = []
    if before is not None:
        changes = changes_between(before.rules, written.rules, {**before.labels, **written.labels})
    return DraftPreview(
        month=month_view(written.rules, written.labels, now, year, month),
        changes=tuple(_change_words(change) for change in changes),
        is_first=before is None,
    )


def _windows_words(windows: list[list[str]] | None) -> str:
    return ", ".join(DASH.join(window) for window in windows or []) or _("closed")


def _change_words(change: CalendarChange) -> str:
    """Return one difference as a sentence."""
    if change.what == "zone":
        return _("Zone: %(after)s instead of %(before)s") % {"before": change.before, "after": change.after}
    if change.what == "weekday":
        day = str(dates.WEEKDAYS[WEEKDAYS.index(change.key)]).capitalize()
        parts = {"day": day, "before": _windows_words(change.before), "after": _windows_words(change.after)}
        return _("%(day)s: %(after)s instead of %(before)s") % parts
    label = label_words(change.label)
    day = change.key + (f", {label}" if label else "")
    forms = {
        "closed": _("%(day)s: closed now"),
        "not_closed": _("%(day)s: not closed any more"),
        "exception": _("%(day)s: %(windows)s on this date"),
        "no_exception": _("%(day)s: no hours of its own any more"),
    }
    return forms[change.what] % {"day": day, "windows": _windows_words(change.after)}


# -- moves --


def move_view(move: CalendarMove) -> MoveView:
    """Return a move as pages show it."""
    return MoveView(
        id=str(move.id),
        name=move.to_version.name,
        version=move.to_version.version,
        reason=move.reason,
        by=move.actor["name"],
        created_at=move.created_at,
        finished_at=move.finished_at,
        total=move.total,
        would_breach=move.would_breach,
        moved=move.moved,
        breached=move.breached,
    )


def get_move(move_id: UUID) -> MoveView:
    """Return a move. Raises NotFound."""
    move = queries.find_calendar_move(move_id)
    if move is None:
        raise NotFound("calendar_move_unknown", _("There is no such move."))
    return move_view(move)


def move_version(move_id: UUID) -> str:
    """Return what changes whenever a move's page changes, for live views."""
    move = get_move(move_id)
    return f"{move.moved}-{'over' if move.finished_at else 'on'}"
