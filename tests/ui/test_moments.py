from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from guardia.kernel import clock
from guardia.ui import moments

MONDAY = datetime(2026, 11, 23, 9, 2, tzinfo=UTC)
H = moments.HARD_SPACE


@pytest.mark.parametrize(
    ("language", "instant", "shown"),
    [
        ("en", MONDAY + timedelta(minutes=88), "Monday 23, 11:30"),
        ("es", MONDAY + timedelta(minutes=88), "lunes 23, 11:30"),
        ("es", MONDAY - timedelta(days=3), "viernes 20, 10:02"),
        ("en", MONDAY - timedelta(days=21), "Monday 2 Nov, 10:02"),
        ("es", MONDAY - timedelta(days=21), "lunes 2 nov, 10:02"),
        ("en", MONDAY + timedelta(days=69), "Sunday 31 Jan 2027, 10:02"),
    ],
)
def test_an_instant_names_month_and_year_only_where_the_day_alone_would_be_unclear(
    language: str, instant: datetime, shown: str
) -> None:
    with clock.frozen_at(MONDAY), translation.override(language):
        assert moments.when(instant) == shown


def test_an_instant_of_today_is_its_time_alone() -> None:
    with clock.frozen_at(MONDAY), translation.override("en"):
        assert moments.clock_time(MONDAY) == "10:02"
        assert moments.clock_time(MONDAY - timedelta(days=3)) == "Fri 20, 10:02"


def test_evidence_shows_date_seconds_and_zone_on_both_sides_of_the_change_of_hour() -> None:
    assert moments.full_instant(datetime(2026, 10, 25, 0, 30, 4, tzinfo=UTC)) == "2026-10-25 02:30:04 CEST"
    assert moments.full_instant(datetime(2026, 10, 25, 1, 30, 4, tzinfo=UTC)) == "2026-10-25 02:30:04 CET"


def test_a_line_of_a_log_names_its_date_only_where_it_is_another_one() -> None:
    since = datetime(2026, 11, 23, 22, 59, 50, tzinfo=UTC)
    assert moments.full_time(since + timedelta(seconds=5), since) == "23:59:55"
    assert moments.full_time(since + timedelta(seconds=15), since) == "2026-11-24 00:00:05"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, f"0{H}s"),
        (59, f"59{H}s"),
        (60, f"1{H}min"),
        (3600, f"1{H}h"),
        (5280, f"1{H}h{H}28{H}min"),
        (223200, f"62{H}h"),
    ],
)
def test_a_duration_is_hours_and_minutes_with_hard_spaces(seconds: int, shown: str) -> None:
    assert moments.duration(seconds) == shown


@given(st.integers(60, 10**7))
def test_a_duration_never_says_sixty_minutes_and_never_loses_a_whole_minute(seconds: int) -> None:
    parts = moments.duration(seconds).split(H)
    amounts = dict(zip(parts[1::2], map(int, parts[::2]), strict=True))
    assert amounts.get("min", 0) < 60
    assert amounts.get("h", 0) * 60 + amounts.get("min", 0) == seconds // 60


@pytest.mark.parametrize(
    ("language", "octets", "shown"),
    [
        ("en", 0, f"0{H}bytes"),
        ("en", 1023, f"1023{H}bytes"),
        ("es", 5033164, f"4,8{H}MB"),
        ("en", 5033164, f"4.8{H}MB"),
        ("es", 256 * 1024 * 1024, f"256{H}MB"),
    ],
)
def test_a_size_follows_the_language_of_the_reader(language: str, octets: int, shown: str) -> None:
    with translation.override(language):
        assert moments.size(octets) == shown


def test_a_stretch_that_crosses_midnight_names_both_days() -> None:
    with translation.override("en"):
        start = datetime(2026, 11, 22, 20, 20, tzinfo=UTC)
        assert moments.span(start, start + timedelta(hours=4)) == "Sun 21:20 \u2013 Mon 01:20"
        assert moments.span(start, start + timedelta(hours=1)) == "21:20\u201322:20 Sunday"


def test_a_date_is_written_with_its_year() -> None:
    with translation.override("es"):
        assert moments.on_date(date(2027, 1, 31)) == "31 ene 2027"
