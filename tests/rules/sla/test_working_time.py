"""Calendars: RC-1, and the pitfalls that other desks' calendars fell into."""

import json
import struct
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from tests.rules.sla.minute_model import MinuteModel
from tests.rules.sla.scenarios import (
    MADRID,
    OFFICE,
    SEASONS,
    WEEKS,
    ZONES,
    at,
    calendar_objects,
    calendars,
    durations,
    instants,
    madrid,
)

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.instants import DAY
from guardia.features.sla.rules.timetable import EARLIEST, BeyondHorizon
from guardia.features.sla.rules.zones import UnknownZone, find_zone, get_zone, stretches, zone_names

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
EVERY_DAY = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def test_midnight_loses_nothing() -> None:
    """P1: 23:59 as the end of a day closes a minute each midnight."""
    always_on = madrid(weekly=EVERY_DAY, closed_on=[])
    assert always_on.elapsed(at("2026-11-23 00:00"), at("2026-11-30 00:00")) == timedelta(days=7)
    assert always_on.advance(at("2026-11-23 23:00"), 2 * HOUR) == at("2026-11-24 01:00")
    assert always_on.is_open(at("2026-11-23T23:59:59.999999+01:00"))
    assert len(always_on.intervals(at("2026-11-23 00:00"), at("2026-11-30 00:00"))) == 1


def test_wall_clock_hours_keep_their_place_across_daylight_saving_time() -> None:
    """P2: wall-clock arithmetic is an hour off on the day, and the schedule an hour off after it."""
    office = madrid()
    friday, monday = at("2026-03-27T10:00:00+01:00"), at("2026-03-30T10:00:00+02:00")
    assert office.elapsed(friday, monday) == 10 * HOUR
    assert office.next_opening(at("2026-03-28T12:00:00+01:00")) == at("2026-03-30T09:00:00+02:00")


def test_days_of_23_and_25_hours_have_so_many() -> None:
    """P2: a day of a zone is not always 24 hours."""
    always_on = madrid(weekly=EVERY_DAY, closed_on=[])
    assert always_on.elapsed(at("2026-03-29T00:00:00+01:00"), at("2026-03-30T00:00:00+02:00")) == 23 * HOUR
    assert always_on.elapsed(at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")) == 25 * HOUR


def test_a_skipped_wall_time_gives_nothing_and_a_repeated_one_counts_twice() -> None:
    """P2: RC-1 on the very hour of the change."""
    small_hours = madrid(weekly={"sun": [["02:00", "02:30"]]}, closed_on=[])
    spring, autumn = at("2026-03-29T00:00:00+01:00"), at("2026-10-25T00:00:00+02:00")
    assert small_hours.elapsed(spring, spring + 12 * HOUR) == timedelta(0)
    assert small_hours.elapsed(autumn, autumn + 12 * HOUR) == HOUR
    assert [i.starts_at for i in small_hours.intervals(autumn, autumn + 12 * HOUR)] == [
        at("2026-10-25T02:00:00+02:00"),
        at("2026-10-25T02:00:00+01:00"),
    ]


def test_a_date_that_a_zone_skipped_has_no_instant() -> None:
    """P2: Samoa went from 29 to 31 December 2011."""
    apia = Calendar.parse({"zone": "Pacific/Apia", "weekly": {"fri": OFFICE, "sat": [["10:00", "11:00"]]}})
    assert apia.elapsed(datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC)) == HOUR


def test_no_working_day_is_malformed_rather_than_an_endless_search() -> None:
    """P15: a loop that waits for a working day that never comes."""
    weeks: tuple[dict[str, Any], ...] = ({}, {"mon": []}, {"mon": [], "sun": []})
    for weekly in weeks:
        with pytest.raises(Malformed, match=r"calendar\.weekly: expected at least one window"):
            madrid(weekly=weekly)


def test_closures_without_end_reach_the_horizon_and_stop() -> None:
    """P15: the same through many closed dates, and through a target longer than the years."""
    closed = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(365 * 40)]
    shut_for_decades = madrid(closed_on=closed)
    assert shut_for_decades.next_opening(at("2026-11-23 10:00")).year == 2065
    once_a_week = madrid(weekly={"mon": [["09:00", "09:01"]]})
    with pytest.raises(BeyondHorizon):
        once_a_week.advance(at("2990-01-01 10:00"), timedelta(days=10_000))
    with pytest.raises(BeyondHorizon):
        once_a_week.advance(at("2026-01-01 10:00"), timedelta.max)


def test_empty_working_hours_are_refused_where_they_are_written() -> None:
    """P14: an empty calendar that was accepted failed at every later write of a case."""
    with pytest.raises(Malformed) as refused:
        madrid(weekly={"mon": [["09:00", "09:00"]]})
    assert refused.value.place == "calendar.weekly.mon[0]"


def test_several_windows_a_day_each_count() -> None:
    """P26: business hours with a lunch break."""
    split = madrid(weekly={"mon": [["16:00", "19:00"], ["09:00", "14:00"]]})
    assert split.elapsed(at("2026-11-23 00:00"), at("2026-11-24 00:00")) == 8 * HOUR
    assert split.advance(at("2026-11-23 13:00"), 2 * HOUR) == at("2026-11-23 17:00")
    assert not split.is_open(at("2026-11-23 14:00"))
    assert split.is_open(at("2026-11-23 13:59"))


def test_windows_that_touch_join() -> None:
    touching = madrid(weekly={"mon": [["09:00", "12:00"], ["12:00", "14:00"]]})
    (only,) = touching.intervals(at("2026-11-23 00:00"), at("2026-11-24 00:00"))
    assert only.ends_at - only.starts_at == 5 * HOUR


def test_an_end_at_closing_time_is_that_day_s() -> None:
    assert madrid().advance(at("2026-11-23 15:00"), 4 * HOUR) == at("2026-11-23 19:00")  # RC-4


def test_an_opening_beats_a_closure_and_the_week() -> None:
    calendar = madrid(open_on={"2026-12-25": [["10:00", "12:00"]], "2026-12-24": []})
    found = calendar.intervals(at("2026-12-23 18:00"), at("2026-12-28 10:00"))
    assert [(i.ends_at - i.starts_at, i.why) for i in found] == [
        (HOUR, "calendar"),
        (2 * HOUR, "opening"),
        (HOUR, "calendar"),
    ]


def test_nothing_lies_in_an_empty_or_reversed_stretch() -> None:
    calendar = madrid()
    noon = at("2026-11-23 12:00")
    assert calendar.elapsed(noon, noon) == calendar.elapsed(noon, noon - HOUR) == timedelta(0)
    assert calendar.intervals(noon, noon - HOUR) == []
    assert calendar.advance(noon, timedelta(0)) == noon
    with pytest.raises(ValueError, match="negative"):
        calendar.advance(noon, -MINUTE)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its offset"):
        madrid().is_open(datetime(2026, 11, 23, 10))  # noqa: DTZ001 - the point


def test_earlier_years_may_be_asked_about_after_later_ones() -> None:
    calendar = madrid()
    assert calendar.elapsed(at("2030-11-25 09:00"), at("2030-11-25 10:00")) == HOUR
    assert calendar.elapsed(at("1999-11-22 09:00"), at("1999-11-22 10:00")) == HOUR
    assert calendar.elapsed(at("2026-11-23 09:00"), at("2026-11-23 10:00")) == HOUR


def test_another_version_of_a_calendar_changes_nothing_that_was_reckoned() -> None:
    """P27: changing a calendar rewrote the compliance of old cases."""
    first = madrid()
    before = first.advance(at("2026-11-20 18:00"), 4 * HOUR)
    second = madrid(closed_on=["2026-11-23"])
    assert second.advance(at("2026-11-20 18:00"), 4 * HOUR) != before
    assert first.advance(at("2026-11-20 18:00"), 4 * HOUR) == before
    assert first == madrid()
    assert first != second
    with pytest.raises(TypeError):
        first.open_on[date(2026, 1, 1)] = ()  # type: ignore[index]


def test_equal_calendars_are_equal_and_hash_alike() -> None:
    assert hash(madrid()) == hash(madrid())
    assert madrid(open_on={"2026-12-24": []}) != madrid()


@pytest.mark.parametrize(
    ("change", "place", "expected"),
    [
        ({"zone": "Mars/Olympus"}, "calendar.zone", "zone of the tz database"),
        ({"zone": "europe/madrid"}, "calendar.zone", "zone of the tz database"),
        ({"zone": "../zones"}, "calendar.zone", "zone of the tz database"),
        ({"zone": None}, "calendar.zone", "zone of the tz database"),
        ({"zone": []}, "calendar.zone", "zone of the tz database"),
        ({"weekly": []}, "calendar.weekly", "window in the week"),
        ({"weekly": {"monday": OFFICE}}, "calendar.weekly.monday", "one of the names mon, tue"),
        ({"weekly": {"mon": "09:00-19:00"}}, "calendar.weekly.mon", "a list of windows"),
        ({"weekly": {"mon": [["09:00"]]}}, "calendar.weekly.mon[0]", "a window"),
        ({"weekly": {"mon": [["09:00", "19:00", "20:00"]]}}, "calendar.weekly.mon[0]", "a window"),
        ({"weekly": {"mon": [["9:00", "19:00"]]}}, "calendar.weekly.mon[0]", "a window"),
        ({"weekly": {"mon": [["09:00", "24:01"]]}}, "calendar.weekly.mon[0]", "24:00 at the latest"),
        ({"weekly": {"mon": [["09:00", "19:60"]]}}, "calendar.weekly.mon[0]", "a window"),
        ({"weekly": {"mon": [["24:00", "24:00"]]}}, "calendar.weekly.mon[0]", "ends after it starts"),
        ({"weekly": {"mon": [["19:00", "09:00"]]}}, "calendar.weekly.mon[0]", "ends after it starts"),
        ({"weekly": {"mon": [[9, 19]]}}, "calendar.weekly.mon[0]", "a window"),
        (
            {"weekly": {"mon": [["12:00", "19:00"], ["09:00", "12:01"]]}},
            "calendar.weekly.mon[0]",
            "overlaps no other",
        ),
        ({"closed_on": "2026-12-25"}, "calendar.closed_on", "a list of dates"),
        ({"closed_on": ["2026-12-25", "2026-02-30"]}, "calendar.closed_on[1]", "a date"),
        ({"closed_on": ["20261225"]}, "calendar.closed_on[0]", "a date"),
        ({"open_on": ["2026-12-25"]}, "calendar.open_on", "an object"),
        ({"open_on": {"25/12/2026": []}}, 'calendar.open_on."25/12/2026"', "a date"),
        ({"open_on": {"2026-12-25": None}}, "calendar.open_on.2026-12-25", "a list of windows"),
        (
            {"open_on": {"2026-12-25": [["10:00", "12:00"], ["11:00", "13:00"]]}},
            "calendar.open_on.2026-12-25[1]",
            "overlaps no other",
        ),
        ({"close_on": []}, "calendar.close_on", "one of the names"),
    ],
)
def test_a_malformed_calendar_is_refused_by_its_place(change: dict[str, Any], place: str, expected: str) -> None:
    with pytest.raises(Malformed) as refused:
        Calendar.parse({**MADRID, **change})
    assert refused.value.place == place
    assert expected in refused.value.expected
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["zone", "weekly"])
def test_a_calendar_without_zone_or_week_is_refused(missing: str) -> None:
    with pytest.raises(Malformed, match=rf"calendar\.{missing}: expected .*, got nothing"):
        Calendar.parse({key: value for key, value in MADRID.items() if key != missing})


def test_zones_come_from_the_pinned_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines with other system zones give the same answer."""
    monkeypatch.setattr("zoneinfo.TZPATH", ("/nowhere",))
    find_zone.cache_clear()
    assert find_zone("Europe/Madrid") is not None
    assert files("tzdata").joinpath("zones").is_file()
    assert "Europe/Madrid" in zone_names()
    with pytest.raises(UnknownZone, match="named like Europe/Madrid"):
        get_zone("Madrid")


def test_no_zone_changes_its_offset_twice_within_a_day() -> None:
    """What `stretches` relies on when it compares offsets a day apart, read in the files of all zones."""
    for name in zone_names():
        changes = [at_s for at_s in _offset_changes_s(name) if at_s >= EARLIEST.timestamp()]
        assert all(later - earlier > DAY.total_seconds() for earlier, later in pairwise(changes)), name


def _offset_changes_s(zone: str) -> list[int]:
    """When the zone's offset changes, in seconds since 1970, from the second block of its TZif file (RFC 9636)."""
    data = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    isut, isstd, leap, times, types, chars = struct.unpack(">6l", data[20:44])
    second = 44 + times * 5 + types * 6 + chars + leap * 8 + isstd + isut
    times, types = struct.unpack(">2l", data[second + 32 : second + 40])
    body = second + 44
    instants_s = struct.unpack(f">{times}q", data[body : body + times * 8])
    kinds = data[body + times * 8 : body + times * 9]
    offsets = [struct.unpack(">l", data[body + times * 9 + n * 6 :][:4])[0] for n in range(types)]
    before = [offsets[0], *(offsets[kind] for kind in kinds)]
    return [at_s for at_s, old, kind in zip(instants_s, before, kinds, strict=False) if offsets[kind] != old]


@pytest.mark.parametrize("name", ZONES)
def test_stretches_fill_the_time_and_have_one_offset_each(name: str) -> None:
    zone = get_zone(name)
    start, end = SEASONS[0], SEASONS[0] + timedelta(days=400)
    found = list(stretches(zone, start, end))
    assert (found[0].starts_at, found[-1].ends_at) == (start, end)
    assert all(a.ends_at == b.starts_at and a.offset != b.offset for a, b in pairwise(found))
    for starts_at, ends_at, offset in found:
        probes = (starts_at, ends_at - timedelta(seconds=1), *_every_two_hours(starts_at, ends_at))
        assert all(probe.astimezone(zone).utcoffset() == offset for probe in probes)


def _every_two_hours(start: datetime, end: datetime) -> list[datetime]:
    return [start + n * 2 * HOUR for n in range((end - start) // (2 * HOUR))]


@given(calendar=calendars, start=instants, duration=durations)
def test_what_is_advanced_has_elapsed(calendar: Calendar, start: datetime, duration: timedelta) -> None:
    assert calendar.elapsed(start, calendar.advance(start, duration)) == duration


@given(calendar=calendars, start=instants, duration=durations, longer=durations, later=durations)
def test_advancing_is_monotone(
    calendar: Calendar, start: datetime, duration: timedelta, longer: timedelta, later: timedelta
) -> None:
    assert calendar.advance(start, duration) < calendar.advance(start, duration + longer)
    assert calendar.advance(start, duration) <= calendar.advance(start + later, duration)


@given(calendar=calendars, start=instants, duration=durations)
def test_an_end_lands_in_a_window_or_at_its_close(calendar: Calendar, start: datetime, duration: timedelta) -> None:
    """P13: an end, and so its breach, never falls on a closed midnight or weekend."""
    end = calendar.advance(start, duration)
    assert calendar.is_open(end - timedelta(microseconds=1))


@given(calendar=calendars, start=instants, first=durations, second=durations)
def test_splitting_never_changes_the_sum(
    calendar: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle, end = start + first, start + first + second
    whole = calendar.elapsed(start, end)
    assert whole == calendar.elapsed(start, middle) + calendar.elapsed(middle, end)
    assert whole == sum((i.ends_at - i.starts_at for i in calendar.intervals(start, end)), timedelta(0))
    assert calendar.advance(calendar.advance(start, first), second) == calendar.advance(start, first + second)


@given(calendar=calendars, start=instants, duration=durations)
def test_intervals_are_apart_and_in_order(calendar: Calendar, start: datetime, duration: timedelta) -> None:
    found = calendar.intervals(start, start + duration)
    assert all(start <= i.starts_at < i.ends_at <= start + duration for i in found)
    assert all(a.ends_at < b.starts_at or (a.ends_at == b.starts_at and a.why != b.why) for a, b in pairwise(found))


@given(calendar=calendars, start=instants)
def test_the_next_opening_is_the_first_open_instant(calendar: Calendar, start: datetime) -> None:
    opening = calendar.next_opening(start)
    assert calendar.is_open(opening)
    assert calendar.elapsed(start, opening) == timedelta(0)
    assert (opening == start) == calendar.is_open(start)


@given(start=instants, duration=durations, zone=calendars.map(lambda calendar: calendar.zone))
def test_always_on_is_elapsed_time_across_any_change(start: datetime, duration: timedelta, zone: str) -> None:
    """P2."""
    always_on = Calendar.parse({"zone": zone, "weekly": WEEKS[3]})
    assert always_on.advance(start, duration) == start + duration
    assert always_on.elapsed(start, start + duration) == duration


@settings(max_examples=60, deadline=None)
@given(written=calendar_objects, start=instants)
def test_two_days_agree_with_their_minutes(written: dict[str, Any], start: datetime) -> None:
    calendar = Calendar.parse(json.loads(json.dumps(written)))
    submitted = {"at": start.isoformat(), "type": "submitted", "severity": 1}
    model = MinuteModel({"calendar": written, "policy": {}, "events": [submitted], "as_of": start.isoformat()})
    minutes = [start + n * MINUTE for n in range(2 * 1440)]
    open_minutes = [minute for minute in minutes if model.is_working(minute)]
    assert calendar.elapsed(start, start + timedelta(days=2)) == len(open_minutes) * MINUTE
    assert all(calendar.is_open(minute) == model.is_working(minute) for minute in minutes[::7])
