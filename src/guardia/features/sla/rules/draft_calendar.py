"""A calendar as somebody writes it, before it becomes a version: checked whole, every complaint at its field.

Rules:
- What was typed stays as text until it is checked, so that a refused form can be shown again as it was.
- A version covers whole years, `first_year` to `last_year`. Holidays are those of these years, and a closure or
  exception outside of them is refused: it would be a slip of the pen. Every one of these years has working time.
- A closure and an exception of the same date contradict each other, and are refused.
- `weekly`, `closed_on` and `open_on` of the result are what the clock reads (RC-1); labels and source are for people.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Self

from guardia.features.sla.rules.calendars import WEEKDAYS, Calendar
from guardia.features.sla.rules.expectations import Malformed, known_keys, mapping, sequence
from guardia.features.sla.rules.public_holidays import countries, holidays_of, regions
from guardia.kernel.words import gettext_noop
from guardia.kernel.zones import find_zone

MOST_YEARS: Final = 10
FIRST, LAST = 2000, 2100
MOST_DATES: Final = 400
LONGEST_NAME: Final = 80
LONGEST_LABEL: Final = 120
LONGEST_NOTE: Final = 300
_SPAN: Final = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-\N{EN DASH}]\s*(\d{1,2})[:.](\d{2})", re.ASCII)
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_HOUR: Final = 60
_KEYS: Final = ("name", "zone", "weekly", "years", "holidays", "closed_on", "open_on", "labels", "note")


@dataclass(frozen=True)
class Complaint:
    """What is wrong at a field: an English form with its named parts."""

    field: str
    form: str
    parts: Mapping[str, object] = dataclass_field(default_factory=dict)


@dataclass(frozen=True)
class Closure:
    """A day closed by the vendor's own decision, as typed."""

    on: str
    label: str = ""


@dataclass(frozen=True)
class OtherHours:
    """A day with other windows than its weekday's, as typed; no windows close it."""

    on: str
    windows: str = ""
    label: str = ""


@dataclass(frozen=True)
class DraftCalendar:
    """Everything that the editor asks for, as text. `removed` are the holidays that are worked."""

    name: str
    zone: str
    weekly: Mapping[str, str]
    first_year: str = ""
    last_year: str = ""
    country: str = ""
    region: str = ""
    removed: frozenset[str] = frozenset()
    closures: tuple[Closure, ...] = ()
    exceptions: tuple[OtherHours, ...] = ()
    note: str = ""

    @classmethod
    def parse(cls, value: object) -> Self:
        """The calendar of a file: `{zone, weekly, closed_on, open_on}` as the clock's specification has it, and where
        wanted `name`, `years` [first, last], `holidays` {country, region, removed}, `labels` by date, `note`.

        Raises Malformed where the parts have the wrong form; what they say is checked by `check`.
        """
        parts = mapping(value, "the calendar", "an object with zone, weekly, closed_on and open_on")
        known_keys(parts, "", _KEYS)
        labels = mapping(parts.get("labels", {}), "labels", "an object of dates and their labels")
        weekly = mapping(parts.get("weekly", {}), "weekly", "an object of weekdays and their windows")
        known_keys(weekly, "weekly", WEEKDAYS)
        public = mapping(parts.get("holidays", {}), "holidays", "an object with country and region")
        known_keys(public, "holidays", ("country", "region", "removed"))
        closed = sequence(parts.get("closed_on", []), "closed_on", "a list of dates")
        openings = mapping(parts.get("open_on", {}), "open_on", "an object of dates and their windows")
        years = _years_written(parts, [*closed, *openings])
        return cls(
            name=str(parts.get("name", "")),
            zone=str(parts.get("zone", "")),
            weekly={day: windows_text(weekly.get(day, [])) for day in WEEKDAYS},
            first_year=years[0],
            last_year=years[1],
            country=str(public.get("country", "")),
            region=str(public.get("region", "")),
            removed=frozenset(str(day) for day in public.get("removed", [])),
            closures=tuple(Closure(str(day), str(labels.get(str(day), ""))) for day in closed),
            exceptions=tuple(
                OtherHours(day, windows_text(windows), str(labels.get(day, ""))) for day, windows in openings.items()
            ),
            note=str(parts.get("note", "")),
        )


@dataclass(frozen=True)
class WrittenCalendar:
    """A checked calendar: what a version stores."""

    name: str
    rules: dict[str, Any]
    labels: dict[str, Any]
    source: dict[str, Any]
    note: str


def _years_written(parts: Mapping[str, Any], days: Sequence[object]) -> tuple[str, str]:
    """The years that a file names, else those of its dates."""
    if "years" in parts:
        named = sequence(parts["years"], "years", "the first and the last year, like [2026, 2028]")
        return (str(named[0]), str(named[-1])) if named else ("", "")
    found = sorted(str(day)[:4] for day in days)
    return (found[0], found[-1]) if found else ("", "")


def windows_text(value: object) -> str:
    """Windows as the editor shows them: `09:00-14:00, 16:00-19:00`."""
    if not isinstance(value, list):
        return str(value)
    spans = ("-".join(map(str, window)) if isinstance(window, list) else str(window) for window in value)
    return ", ".join(spans)


class _Check:
    def __init__(self, draft: DraftCalendar) -> None:
        self.draft = draft
        self.complaints: list[Complaint] = []

    def complain(self, place: str, form: str, **parts: object) -> None:
        self.complaints.append(Complaint(place, form, parts))

    # -- the parts, in the order of the page --

    def name(self) -> str:
        name = " ".join(self.draft.name.split())
        if len(name) > LONGEST_NAME:
            self.complain("name", gettext_noop("At most %(limit)d characters."), limit=LONGEST_NAME)
        if "/" in name or name == "new":
            self.complain("name", gettext_noop("This name cannot be used: it has its place in addresses."))
        return name

    def zone(self) -> str:
        zone = self.draft.zone.strip()
        if find_zone(zone) is None:
            form = gettext_noop("There is no time zone “%(zone)s”. Zones are named like Europe/Madrid.")
            self.complain("zone", form, zone=zone[:60])
        return zone

    def weekly(self) -> dict[str, list[list[str]]]:
        week = {day: self.windows(self.draft.weekly.get(day, ""), day) for day in WEEKDAYS}
        if not any(text.strip() for text in self.draft.weekly.values()):
            self.complain("weekly", gettext_noop("Give at least one window in the week."))
        return {day: windows for day, windows in week.items() if windows}

    def windows(self, text: str, place: str) -> list[list[str]]:
        found: list[tuple[int, int]] = []
        for part in re.split(r"[,;\n]", text):
            if not part.strip():
                continue
            ends = _minutes(part.strip())
            if ends is None:
                form = gettext_noop("Write windows like 09:00-14:00, 16:00-19:00. “%(text)s” is none.")
                self.complain(place, form, text=part.strip()[:40])
                return []
            if ends[0] >= ends[1]:
                form = gettext_noop(
                    "%(window)s does not end after it starts. Past midnight, end the day at 24:00 and start the next "
                    "at 00:00."
                )
                self.complain(place, form, window=_written(ends))
                return []
            found.append(ends)
        found.sort()
        for earlier, later in pairwise(found):
            if later[0] < earlier[1]:
                form = gettext_noop("%(first)s and %(second)s overlap.")
                self.complain(place, form, first=_written(earlier), second=_written(later))
                return []
        return [_written(window).split("-") for window in found]

    def years(self) -> tuple[int, int] | None:
        first, last = self.draft.first_year.strip(), self.draft.last_year.strip()
        has_dates = bool(self.draft.closures or self.draft.exceptions or self.draft.country.strip())
        if not first and not last and not has_dates:
            return None
        try:
            years = (int(first), int(last))
        except ValueError:
            years = (0, 0)
        if not (FIRST <= years[0] <= years[1] <= LAST and years[1] - years[0] < MOST_YEARS):
            form = gettext_noop("Give a first and a last year, at most %(most)d in all, like 2026 and 2028.")
            self.complain("years", form, most=MOST_YEARS)
            return None
        return years

    def holidays(self, years: tuple[int, int] | None) -> dict[date, dict[str, str]]:
        country, region = self.draft.country.strip().upper(), self.draft.region.strip()
        if not country:
            return {}
        if country not in countries():
            form = gettext_noop("No public holidays are known for the country “%(country)s”.")
            self.complain("country", form, country=country[:20])
            return {}
        if region and region not in regions(country):
            form = gettext_noop("“%(region)s” is no region of this country. Load its holidays, then choose a region.")
            self.complain("region", form, region=region[:20])
            return {}
        if years is None:
            return {}
        listed = holidays_of(country, region, *years)
        return {day: names for day, names in listed.items() if day.isoformat() not in self.draft.removed}

    def day(self, text: str, place: str, years: tuple[int, int] | None) -> date | None:
        try:
            day = date.fromisoformat(text.strip()) if _ISO_DATE.fullmatch(text.strip()) else None
        except ValueError:
            day = None
        if day is None:
            form = gettext_noop("“%(text)s” is no date. Write it like 2026-12-25.")
            self.complain(place, form, text=text.strip()[:20])
        elif years and not years[0] <= day.year <= years[1]:
            form = gettext_noop("%(day)s is outside the years %(first)d to %(last)d.")
            self.complain(place, form, day=day.isoformat(), first=years[0], last=years[1])
        return day

    def dates(self, years: tuple[int, int] | None) -> tuple[dict[date, str], dict[date, tuple[list[list[str]], str]]]:
        closures: dict[date, str] = {}
        openings: dict[date, tuple[list[list[str]], str]] = {}
        if len(self.draft.closures) + len(self.draft.exceptions) > MOST_DATES:
            self.complain("closure-0", gettext_noop("At most %(limit)d dates."), limit=MOST_DATES)
            return closures, openings
        for index, closure in enumerate(self.draft.closures):
            day = self.once(closure.on, f"closure-{index}", years, closures)
            if day is not None:
                closures[day] = self.label(closure.label, f"closure-{index}")
        for index, other in enumerate(self.draft.exceptions):
            place = f"exception-{index}"
            day = self.once(other.on, place, years, openings)
            if day is not None and day in closures:
                form = gettext_noop("%(day)s is a closure above as well. Keep one of the two.")
                self.complain(place, form, day=day.isoformat())
            elif day is not None:
                openings[day] = (self.windows(other.windows, place), self.label(other.label, place))
        return closures, openings

    def once(self, text: str, place: str, years: tuple[int, int] | None, seen: Mapping[date, Any]) -> date | None:
        day = self.day(text, place, years)
        if day is not None and day in seen:
            self.complain(place, gettext_noop("%(day)s stands here twice."), day=day.isoformat())
            return None
        return day

    def label(self, text: str, place: str) -> str:
        if len(text) > LONGEST_LABEL:
            self.complain(place, gettext_noop("At most %(limit)d characters."), limit=LONGEST_LABEL)
        return text.strip()

    def note(self) -> str:
        if len(self.draft.note) > LONGEST_NOTE:
            self.complain("note", gettext_noop("At most %(limit)d characters."), limit=LONGEST_NOTE)
        return self.draft.note.strip()


def check(draft: DraftCalendar) -> tuple[WrittenCalendar | None, list[Complaint]]:
    """The calendar that a draft describes, or None with every complaint."""
    at = _Check(draft)
    name, zone, week, years, note = at.name(), at.zone(), at.weekly(), at.years(), at.note()
    public = at.holidays(years)
    closures, openings = at.dates(years)
    closed = sorted({*public, *closures} - openings.keys())
    rules: dict[str, Any] = {"zone": zone, "weekly": week, "closed_on": [day.isoformat() for day in closed]}
    if openings:
        rules["open_on"] = {day.isoformat(): windows for day, (windows, _) in sorted(openings.items())}
    if not at.complaints:
        at.complaints += _whole(rules, years)
    if at.complaints:
        return None, at.complaints
    labels: dict[str, Any] = {day.isoformat(): public[day] for day in closed if day in public}
    labels |= {day.isoformat(): label for day, label in closures.items() if label}
    labels |= {day.isoformat(): label for day, (_, label) in openings.items() if label}
    source = {
        "country": draft.country.strip().upper(),
        "region": draft.region.strip(),
        "years": list(years) if years else [],
        "removed": sorted(day for day in draft.removed if years and _is_within(day, years)),
        "closures": [day.isoformat() for day in sorted(closures)],
    }
    return WrittenCalendar(name, rules, labels, source, note), []


def _is_within(day: str, years: tuple[int, int]) -> bool:
    return day[:4].isdecimal() and years[0] <= int(day[:4]) <= years[1]


def _whole(rules: dict[str, Any], years: tuple[int, int] | None) -> Iterator[Complaint]:
    """What only the calendar as a whole shows: a year in which nobody ever works (P14, P15)."""
    try:
        calendar = Calendar.parse(rules)
    except Malformed as error:  # everything has been looked at before; a guard, so that no version is ever malformed
        yield Complaint("weekly", "%(text)s", {"text": str(error)})
        return
    for year in range(years[0], years[1] + 1) if years else ():
        start = datetime(year, 1, 1, tzinfo=calendar.tzinfo).astimezone(UTC)
        end = datetime(year + 1, 1, 1, tzinfo=calendar.tzinfo).astimezone(UTC)
        if calendar.elapsed(start, end) <= timedelta(0):
            form = gettext_noop("In %(year)d no day has any working time. Take closures out, or the year.")
            yield Complaint("years", form, {"year": year})


def _minutes(text: str) -> tuple[int, int] | None:
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    hours_minutes = [int(part) for part in found.groups()]
    ends = (hours_minutes[0] * _HOUR + hours_minutes[1], hours_minutes[2] * _HOUR + hours_minutes[3])
    is_clock_time = hours_minutes[1] < _HOUR and hours_minutes[3] < _HOUR and max(ends) <= _DAY_MINUTES
    return ends if is_clock_time else None


def _written(window: tuple[int, int]) -> str:
    return "-".join(f"{minutes // _HOUR:02d}:{minutes % _HOUR:02d}" for minutes in window)
