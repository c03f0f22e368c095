"""Scenarios for the tests of the clock: the shared vectors, a Plus contract in Madrid, and drawn ones."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.policies import Policy

VECTORS = Path(__file__).parents[2] / "vectors" / "response-clock.json"
OFFICE = [["09:00", "19:00"]]
MADRID: dict[str, Any] = {
    "zone": "Europe/Madrid",
    "weekly": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE),
    "closed_on": ["2026-12-08", "2026-12-25", "2027-01-01", "2027-01-06"],
}
PLUS: dict[str, Any] = {
    "1": {"target": "PT4H", "coverage": "calendar", "phone_opens_24x7": True},
    "2": {"target": None, "coverage": "calendar"},
    "3": {"target": None, "coverage": "calendar"},
    "4": {"target": None, "coverage": "calendar"},
}
BUSINESS: dict[str, Any] = {
    "1": {"target": "PT2H", "coverage": "always"},
    "2": {"target": "PT6H", "coverage": "calendar"},
    "3": {"target": "PT8H", "coverage": "calendar"},
    "4": {"target": "PT10H", "coverage": "calendar"},
}
TANGLED: dict[str, Any] = {
    "1": {"target": "PT4H", "coverage": "calendar", "phone_opens_24x7": True},
    "2": {"target": "PT9H", "coverage": "calendar", "phone_opens_24x7": True},
    "3": {"target": "PT3H", "coverage": "always"},
    "4": {"target": "PT14H", "coverage": "calendar"},
}
ZONES = (
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "America/St_Johns",
    "UTC",
)
WEEKS: tuple[dict[str, Any], ...] = (
    dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE),
    {day: [["16:00", "19:00"], ["09:00", "14:00"]] for day in ("mon", "wed", "fri", "sun")},
    {"sun": [["02:30", "03:30"], ["10:00", "12:00"]], "sat": [["23:00", "24:00"]], "tue": [["08:00", "20:00"]]},
    {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    {day: [["00:00", "06:00"], ["22:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "sun")},
)
# Around changes of daylight-saving time in both hemispheres, Ramadan in Casablanca, and the turn of a year.
SEASONS = tuple(
    datetime.fromisoformat(f"{day}T00:00:00+00:00")
    for day in ("2026-02-13", "2026-03-07", "2026-03-27", "2026-04-03", "2026-10-02", "2026-10-23", "2026-12-30")
)


def vectors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def madrid(**changes: Any) -> Calendar:
    return Calendar.parse({**MADRID, **changes})


def plus() -> Policy:
    return Policy.parse(PLUS)


def at(text: str) -> datetime:
    """An instant: `2026-11-23 10:00` is read in Madrid's winter."""
    return datetime.fromisoformat(text if text.count(":") > 1 else f"{text}:00+01:00")


calendar_objects = st.builds(
    lambda zone, weekly, closed, opened: {
        "zone": zone,
        "weekly": weekly,
        "closed_on": sorted({day.date().isoformat() for day in closed}),
        "open_on": {day.date().isoformat(): windows for day, windows in opened},
    },
    st.sampled_from(ZONES),
    st.sampled_from(WEEKS),
    st.lists(st.sampled_from(SEASONS).flatmap(lambda day: st.just(day + timedelta(days=2))), max_size=2),
    st.lists(
        st.tuples(st.sampled_from(SEASONS), st.sampled_from(([], [["10:00", "14:00"]], [["01:30", "02:45"]]))),
        max_size=2,
    ),
)
calendars = calendar_objects.map(Calendar.parse)
instants = st.builds(
    lambda season, minutes: season + timedelta(minutes=minutes),
    st.sampled_from(SEASONS),
    st.integers(min_value=0, max_value=6 * 1440),
)
durations = st.integers(min_value=1, max_value=40 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def scenario_objects(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario in JSON form, on whole minutes, whose voids all have an answer to void."""
    now = draw(instants)
    events: list[dict[str, Any]] = [{"type": "submitted", "severity": draw(st.integers(1, 4)), "at": now.isoformat()}]
    standing = 0
    for _ in range(draw(st.integers(0, 6))):
        now += timedelta(minutes=draw(st.sampled_from((0, 1, 15, 60, 200, 800, 1500))))
        kinds = ["phone_confirmed", "severity_changed", "severity_changed", "answered", "acknowledged"]
        kind = draw(st.sampled_from([*kinds, "answer_voided"] if standing else kinds))
        event: dict[str, Any] = {"at": now.isoformat(), "type": kind}
        if kind == "severity_changed":
            event["to"] = draw(st.integers(1, 4))
        elif kind in ("answered", "acknowledged"):
            event |= {"type": "answered", "qualified": kind == "answered"}
            standing += kind == "answered"
        standing -= kind == "answer_voided"
        events.append(event)
    as_of = datetime.fromisoformat(draw(st.sampled_from(events))["at"]) + timedelta(
        minutes=draw(st.sampled_from((0, 1, 90, 3000)))
    )
    return {
        "name": "drawn",
        "calendar": draw(calendar_objects),
        "policy": draw(st.sampled_from((PLUS, BUSINESS, TANGLED))),
        "events": events,
        "as_of": as_of.astimezone(UTC).isoformat(),
    }
