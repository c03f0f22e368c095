"""Who has the duty: one person at every instant, through daylight saving, holidays, layers and overrides."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.duty.clerk import STEP, Clerk

from guardia.features.duty.rules.rotation import Override, Rules, Version, next_people, shifts, who
from guardia.features.duty.rules.wall_time import first_shown
from guardia.features.duty.rules.written import parse_rules
from guardia.kernel.zones import get_zone

ANA, BEN, CAT, DEB = (UUID(int=number) for number in range(1, 5))
NAMES = {ANA: "Ana", BEN: "Ben", CAT: "Cat", DEB: "Deb"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def written(*people: UUID, every: str = "P1W", at: str = "09:00", weekday: str = "mon", **more: Any) -> dict[str, Any]:
    """A roster's rules as data, handed over on Mondays at 9:00 unless said otherwise."""
    return {
        "zone": "Europe/Madrid",
        "people": [str(person) for person in people or (ANA, BEN)],
        "hand_over": {"every": every, "weekday": weekday, "time": at},
        "starts_on": "2026-11-02",
        **more,
    }


def rules(*people: UUID, **more: Any) -> Rules:
    return parse_rules(written(*people, **more))


def version(of: Rules, since: datetime = LONG_AGO, number: int = 1) -> Version:
    return Version(since, number, of)


def override(person: UUID, starts: datetime, ends: datetime, made: int = 0, until: datetime | None = None) -> Override:
    return Override(UUID(int=100 + made), person, starts, ends, LONG_AGO + made * HOUR, "swapped", until)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def has(of: Rules, at: str, *overrides: Override) -> str:
    person = who([version(of)], overrides, instant(at))
    return NAMES[person] if person else "nobody"


def test_a_week_goes_from_hand_over_to_hand_over() -> None:
    week = rules(ANA, BEN)
    assert has(week, "2026-11-02T08:59:59+01:00") == "Ben"
    assert has(week, "2026-11-02T09:00:00+01:00") == "Ana"
    assert has(week, "2026-11-09T08:59:59+01:00") == "Ana"
    assert has(week, "2026-11-09T09:00:00+01:00") == "Ben"


def test_a_rotation_begins_with_its_first_person_on_the_first_weekday_after_its_start() -> None:
    assert has(rules(ANA, BEN, CAT, weekday="wed"), "2026-11-04T09:00:00+01:00") == "Ana"
    assert has(rules(ANA, BEN, CAT, weekday="wed", every="P2W"), "2026-11-17T09:00:00+01:00") == "Ana"
    assert has(rules(ANA, BEN, CAT, weekday="wed", every="P2W"), "2026-11-18T09:00:00+01:00") == "Ben"


def test_the_hand_over_keeps_its_wall_time_through_daylight_saving() -> None:
    """P2: 9:00 stays 9:00, though the shift has 25 or 23 hours."""
    daily = rules(ANA, BEN, every="P1D")
    autumn = shifts([version(daily)], [], instant("2026-10-24T09:00+02:00"), instant("2026-10-26T09:00+01:00"))
    assert [shift.ends_at - shift.starts_at for shift in autumn] == [25 * HOUR, 24 * HOUR]
    spring = shifts([version(daily)], [], instant("2027-03-27T09:00+01:00"), instant("2027-03-29T09:00+02:00"))
    assert [shift.ends_at - shift.starts_at for shift in spring] == [23 * HOUR, 24 * HOUR]


def test_a_hand_over_at_a_time_that_the_clock_skips_comes_when_the_skipped_hour_ends() -> None:
    daily = rules(ANA, BEN, every="P1D", at="02:30")
    assert has(daily, "2027-03-28T01:59:59+01:00") != has(daily, "2027-03-28T03:00:00+02:00")
    assert has(daily, "2027-03-28T03:00:00+02:00") == has(daily, "2027-03-28T03:30:00+02:00")


def test_a_hand_over_at_a_time_that_the_clock_shows_twice_comes_the_first_time_only() -> None:
    daily = rules(ANA, BEN, every="P1D", at="02:30")
    assert has(daily, "2026-10-25T02:29:59+02:00") != has(daily, "2026-10-25T02:30:00+02:00")
    assert has(daily, "2026-10-25T02:30:00+02:00") == has(daily, "2026-10-25T02:29:00+01:00")
    assert has(daily, "2026-10-25T02:30:00+02:00") == has(daily, "2026-10-25T02:30:00+01:00")


def test_a_zone_that_leaves_out_a_whole_day_hands_over_when_the_next_begins() -> None:
    assert first_shown(get_zone("Pacific/Apia"), datetime(2011, 12, 30, 9)) == datetime(2011, 12, 30, 10, tzinfo=UTC)  # noqa: DTZ001


def test_a_hand_over_on_a_holiday_waits_for_the_next_working_day() -> None:
    free = {"by": "next_working_day", "dates": {"2026-12-07": "Bridge", "2026-12-08": "Inmaculada"}}
    week = rules(ANA, BEN, holidays=free)
    assert has(week, "2026-12-06T12:00+01:00") == has(week, "2026-12-08T23:00+01:00") == "Ana"
    assert has(week, "2026-12-09T08:59+01:00") == "Ana"
    assert has(week, "2026-12-09T09:00+01:00") == "Ben"
    assert has(week, "2026-12-14T09:00+01:00") == "Ana"


def test_a_hand_over_that_waits_over_the_weekend_undoes_no_later_one() -> None:
    friday = {"by": "next_working_day", "dates": {"2026-12-25": "Navidad"}}
    daily = rules(ANA, BEN, CAT, every="P1D", holidays=friday)
    at_christmas = [has(daily, f"2026-12-{day}T10:00+01:00") for day in (24, 25, 26, 28, 29)]
    assert at_christmas[0] == at_christmas[1]
    plain = rules(ANA, BEN, CAT, every="P1D")
    assert at_christmas[2:] == [has(plain, f"2026-12-{day}T10:00+01:00") for day in (26, 28, 29)]


def test_holidays_are_covered_in_turn_for_their_local_day() -> None:
    free = {
        "by": "people",
        "people": [str(CAT), str(DEB)],
        "dates": {"2026-12-08": "Inmaculada", "2026-12-25": "Navidad"},
    }
    week = rules(ANA, holidays=free)
    assert has(week, "2026-12-07T23:59+01:00") == "Ana"
    assert has(week, "2026-12-08T00:00+01:00") == has(week, "2026-12-08T23:59+01:00") == "Cat"
    assert has(week, "2026-12-09T00:00+01:00") == "Ana"
    assert has(week, "2026-12-25T12:00+01:00") == "Deb"


OFFICE = {day: [["09:00", "19:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def layer(person: UUID, weekly: Any, name: str = "Office hours") -> dict[str, Any]:
    return {
        "name": name,
        "weekly": weekly,
        **{key: written(person)[key] for key in ("people", "hand_over", "starts_on")},
    }


def test_the_first_layer_whose_hours_hold_the_instant_speaks_and_else_the_base() -> None:
    layered = rules(ANA, layers=[layer(BEN, {"wed": [["00:00", "24:00"]]}, "Wednesdays"), layer(CAT, OFFICE)])
    assert has(layered, "2026-11-24T10:00+01:00") == "Cat"
    assert has(layered, "2026-11-24T19:00+01:00") == "Ana"
    assert has(layered, "2026-11-25T10:00+01:00") == "Ben"
    assert has(layered, "2026-11-25T23:59:59+01:00") == "Ben"
    assert has(layered, "2026-11-26T00:00:00+01:00") == "Ana"


def test_the_latest_override_wins_and_the_one_below_goes_on_after_it() -> None:
    week = rules(ANA, BEN)
    long = override(CAT, instant("2026-11-24T00:00+01:00"), instant("2026-11-26T00:00+01:00"), made=1)
    short = override(DEB, instant("2026-11-24T12:00+01:00"), instant("2026-11-24T14:00+01:00"), made=2)
    said = [has(week, f"2026-11-24T{hour}:00+01:00", long, short) for hour in (11, 12, 13, 14)]
    assert said == ["Cat", "Deb", "Deb", "Cat"]


def test_an_override_that_was_taken_back_counts_until_then() -> None:
    start, end = instant("2026-11-24T00:00+01:00"), instant("2026-11-26T00:00+01:00")
    revoked = override(CAT, start, end, until=start + 6 * HOUR)
    never = override(DEB, start, end, made=1, until=start - HOUR)
    assert has(rules(ANA), "2026-11-24T05:59+01:00", revoked, never) == "Cat"
    assert has(rules(ANA), "2026-11-24T06:00+01:00", revoked, never) == "Ana"


def test_the_version_that_began_last_holds_and_before_the_first_there_is_nobody() -> None:
    begun, later = instant("2026-11-10T00:00+01:00"), instant("2026-12-01T00:00+01:00")
    versions = [version(rules(ANA), begun), version(rules(BEN), later, 2), version(rules(CAT), later, 3)]
    assert who(versions, [], begun - HOUR) is None
    assert who(versions, [], later - HOUR) == ANA
    assert who(versions, [], later) == CAT
    found = shifts(versions, [], begun - DAY, later + DAY)
    assert [(shift.person, shift.starts_at) for shift in found] == [(ANA, begun), (CAT, later)]


def test_a_shift_says_why_and_whose_it_would_have_been() -> None:
    start, end = instant("2026-11-24T00:00+01:00"), instant("2026-11-25T00:00+01:00")
    found = shifts([version(rules(ANA, BEN))], [override(CAT, start, start + HOUR)], start, end)
    assert [(NAMES[shift.person], shift.why) for shift in found] == [("Cat", "override"), ("Ben", "rotation")]
    assert found[0].detail == "swapped"
    assert found[0].instead == BEN


PEOPLE = st.lists(st.sampled_from([ANA, BEN, CAT, DEB]), min_size=1, max_size=4).map(
    lambda some: [str(p) for p in some]
)
ZONES = st.sampled_from(
    ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]
)
TIMES = st.sampled_from(["00:00", "00:15", "01:45", "02:00", "02:30", "03:00", "09:00", "23:55"])
NEAR_CHANGES = st.sampled_from(
    [datetime(2026, 3, 8), datetime(2026, 3, 28), datetime(2026, 4, 4), datetime(2026, 10, 24), datetime(2026, 10, 31)]  # noqa: DTZ001
)
WINDOWS = st.sampled_from([[], [["00:00", "24:00"]], [["02:00", "02:45"]], [["01:30", "03:15"], ["09:00", "19:00"]]])


@st.composite
def rotations(draw: st.DrawFn) -> dict[str, Any]:
    every = draw(st.sampled_from(["P1D", "P1W", "P2W"]))
    weekday = draw(st.sampled_from(["mon", "wed", "sat", "sun"]))
    starts_on = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31))).isoformat()
    hand_over = {"every": every, "weekday": weekday, "time": draw(TIMES)}
    return {"people": draw(PEOPLE), "hand_over": hand_over, "starts_on": starts_on}


@st.composite
def rosters(draw: st.DrawFn, around: date) -> Rules:
    """Any rules, with holidays near the days that are looked at."""
    layers = []
    for number in range(draw(st.integers(0, 2))):
        weekly = {day: draw(WINDOWS) for day in ("mon", "wed", "sat", "sun")}
        weekly["sun"] = weekly["sun"] or [["02:00", "02:45"]]
        layers.append({"name": f"layer {number}", "weekly": weekly, **draw(rotations())})
    free = {str(around + offset * DAY): "free" for offset in draw(st.lists(st.integers(-4, 4), max_size=4))}
    by = draw(st.sampled_from(["none", "next_working_day", "people"]))
    holidays = {"by": by, "people": draw(PEOPLE), "dates": free}
    return parse_rules({"zone": draw(ZONES), **draw(rotations()), "layers": layers, "holidays": holidays})


@st.composite
def overrides_near(draw: st.DrawFn, start: datetime) -> list[Override]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        begins = start + draw(st.integers(-120, 480)) * STEP
        ends = begins + draw(st.integers(1, 150)) * 2 * STEP
        until = draw(st.one_of(st.none(), st.just(begins + (ends - begins) // 2), st.just(begins - HOUR)))
        person = draw(st.sampled_from([ANA, BEN, CAT, DEB]))
        found.append(override(person, begins, ends, made=draw(st.integers(0, 5)) * 10 + number, until=until))
    return found


@given(data=st.data(), day=NEAR_CHANGES)
@settings(max_examples=200, deadline=None)
def test_exactly_one_person_has_every_instant_and_it_is_the_clerks(data: st.DataObject, day: datetime) -> None:
    """Total and unambiguous: the rule, the shifts and a clerk who watches the wall clock name the same person."""
    start = day.replace(tzinfo=UTC)
    end = start + timedelta(hours=40)
    of = data.draw(rosters(day.date()))
    over = data.draw(overrides_near(start))
    found = shifts([version(of)], over, start, end)
    assert found[0].starts_at == start
    assert found[-1].ends_at == end
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    clerk = dict(Clerk(of, over).walk(start, end, warm_up=timedelta(days=2)))
    by_shift = {}
    for shift in found:
        at = shift.starts_at
        while at < shift.ends_at:
            by_shift[at] = shift.person
            at += STEP
    assert by_shift == clerk
    probes = [start + number * 7 * STEP for number in range(60)]
    assert [who([version(of)], over, at) for at in probes] == [clerk[at] for at in probes]


@given(data=st.data(), day=NEAR_CHANGES)
@settings(max_examples=100, deadline=None)
def test_where_a_view_begins_changes_no_shift(data: st.DataObject, day: datetime) -> None:
    start = day.replace(tzinfo=UTC)
    of = data.draw(rosters(day.date()))
    whole = shifts([version(of)], [], start, start + 30 * DAY)
    cut = start + data.draw(st.integers(1, 29 * 24 * 60)) * timedelta(minutes=1)
    parts = [*shifts([version(of)], [], start, cut), *shifts([version(of)], [], cut, start + 30 * DAY)]
    assert {shift.starts_at for shift in parts} - {shift.starts_at for shift in whole} <= {cut}
    assert [who([version(of)], [], shift.starts_at) for shift in parts] == [shift.person for shift in parts]


def test_shifts_that_meet_are_told_apart_by_person_or_reason() -> None:
    single = shifts([version(rules(ANA))], [], LONG_AGO + 400 * DAY, LONG_AGO + 800 * DAY)
    assert len(single) == 1


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "Pacific/Apia"])
def test_a_wall_time_that_exists_is_the_instant_that_shows_it(zone: str) -> None:
    found = first_shown(get_zone(zone), datetime(2026, 6, 1, 9, 30))  # noqa: DTZ001
    assert found.astimezone(get_zone(zone)).strftime("%Y-%m-%d %H:%M") == "2026-06-01 09:30"


def follows(of: Rules, at: str, *overrides: Override) -> str:
    return " ".join(NAMES[person] for person in next_people([version(of)], overrides, instant(at)))


def test_after_who_is_on_duty_the_others_follow_in_the_order_of_the_rotation() -> None:
    week = rules(ANA, BEN, CAT)
    assert follows(week, "2026-11-03T12:00:00+01:00") == "Ben Cat"
    assert follows(week, "2026-11-10T12:00:00+01:00") == "Cat Ana"
    assert next_people([], [], instant("2026-11-03T12:00:00+01:00")) == ()


def test_where_somebody_stands_in_those_follow_who_come_after_the_one_on_duty() -> None:
    noon = "2026-11-03T12:00:00+01:00"
    day = (instant("2026-11-03T00:00:00+01:00"), instant("2026-11-04T00:00:00+01:00"))
    assert follows(rules(ANA, BEN, CAT), noon, override(BEN, *day)) == "Cat Ana"
    assert follows(rules(ANA, BEN, CAT), noon, override(DEB, *day)) == "Ana Ben Cat"
