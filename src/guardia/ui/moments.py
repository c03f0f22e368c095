"""Instants, durations and sizes as people read them: Madrid time, 24 hours, hard spaces between number and unit.

A day alone ("Monday 23") is used within a week of now; beyond that the month is named, and in another year the year.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import dateformat, formats
from django.utils.translation import get_language

from guardia.kernel import clock

ZONE = ZoneInfo("Europe/Madrid")
HARD_SPACE = "\u00a0"
NEAR_DAYS = 6
KILO = 1024


def _month() -> str:
    return "b" if (get_language() or "en").startswith("es") else "M"


def _day_format(day: date, today: date, weekday: str) -> str:
    if abs((day - today).days) <= NEAR_DAYS:
        return f"{weekday} j"
    return f"{weekday} j {_month()}" + ("" if day.year == today.year else " Y")


def when(instant: datetime, weekday: str = "l") -> str:
    """Return such as "Monday 23, 11:30"; `weekday` is Django's letter, `l` whole or `D` short."""
    local, today = instant.astimezone(ZONE), clock.now().astimezone(ZONE).date()
    return dateformat.format(local, f"{_day_format(local.date(), today, weekday)}, H:i")


def clock_time(instant: datetime) -> str:
    """Return "11:30" for an instant of today, else with its day."""
    local, today = instant.astimezone(ZONE), clock.now().astimezone(ZONE).date()
    return dateformat.format(local, "H:i") if local.date() == today else when(instant, "D")


def full_instant(instant: datetime) -> str:
    """Return date, time to the second and zone, for evidence and log: "2026-11-23 11:30:04 CET"."""
    return f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M:%S %Z}"


def full_time(instant: datetime, since: datetime) -> str:
    """Return "11:30:04", with its date before it where that is another one than `since` has: for the lines of a log."""
    local = instant.astimezone(ZONE)
    return f"{local:%H:%M:%S}" if local.date() == since.astimezone(ZONE).date() else f"{local:%Y-%m-%d %H:%M:%S}"


def stamp(instant: datetime, zone: ZoneInfo) -> str:
    """Return date, time to the minute and zone, for what is kept on paper: "2026-11-23 11:30 CET"."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def short_month(day: date) -> str:
    """Return "Nov", or "nov" in Spanish."""
    return dateformat.format(day, _month())


def on_date(day: date) -> str:
    """Return such as "23 Nov 2026"."""
    return dateformat.format(day, f"j {_month()} Y")


def span(start: datetime, end: datetime) -> str:
    """Return a covered stretch with its day: "17:30-19:00 Friday", or both days where it crosses midnight."""
    first, last = start.astimezone(ZONE), end.astimezone(ZONE)
    if first.date() == last.date():
        return f"{first:%H:%M}\u2013{last:%H:%M} {dateformat.format(first, 'l')}"
    return f"{dateformat.format(first, 'D H:i')} \u2013 {dateformat.format(last, 'D H:i')}"


def duration(seconds: float) -> str:
    """Return such as "1 h 28 min"; below a minute in seconds."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if not hours and not minutes:
        return f"{whole}{HARD_SPACE}s"
    parts = ([f"{hours}{HARD_SPACE}h"] if hours else []) + ([f"{minutes}{HARD_SPACE}min"] if minutes else [])
    return HARD_SPACE.join(parts)


def size(octets: int) -> str:
    """Return such as "4.8 MB" (steps of 1024, as the upload limit is counted)."""
    if octets < KILO:
        return f"{octets}{HARD_SPACE}bytes"
    amount, unit = float(octets), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < KILO:
            break
        amount, unit = amount / KILO, larger
    places = 0 if amount == int(amount) else 1
    return f"{formats.number_format(round(amount, places), decimal_pos=places)}{HARD_SPACE}{unit}"
