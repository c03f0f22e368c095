"""The compiled form of a calendar: intervals of UTC in order, and the working time up to the end of each.

Rules:
- A window becomes the instants whose wall time lies in it: in each stretch of constant offset, the window less the
  offset. So a skipped wall time gives nothing and a repeated one counts twice, with no case made of either (RC-1).
- Years are compiled when they are first asked about, and more of them each time, so a search is a bisection. The
  horizon ends every search (P15).
- The rows are replaced whole and never changed in place: threads may share a timetable, and at worst compile twice.
- Every instant here is in UTC; the caller has seen to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from guardia.features.sla.rules.expectations import FIRST_YEAR, LAST_YEAR
from guardia.features.sla.rules.instants import DAY, NOTHING
from guardia.features.sla.rules.zones import Stretch, stretches

Why = Literal["calendar", "opening", "call", "always"]

EARLIEST: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_LONGEST: Final = LATEST - EARLIEST


class BeyondHorizon(ValueError):
    """The working time asked for does not lie between the first and the last year that are reckoned with."""


class Window(NamedTuple):
    """Wall time `[opens, closes)` of one local date, counted from its midnight; a day is 24:00."""

    opens: timedelta
    closes: timedelta


class Day(NamedTuple):
    """What holds on a local date: its windows in order, and the kind of rule that made them."""

    windows: tuple[Window, ...]
    why: Why


class Interval(NamedTuple):
    """A covered stretch `[starts_at, ends_at)` and the rule that covers it."""

    starts_at: datetime
    ends_at: datetime
    why: Why


class _Rows(NamedTuple):
    """The intervals of the years `[first_year, end_year)`, that is of `[begins_at, until)`.

    Row 0 is an empty interval at `begins_at`: every instant has a row at or before it, every sum one to start from.
    """

    first_year: int
    end_year: int
    begins_at: datetime
    until: datetime
    starts: list[datetime]
    ends: list[datetime]
    sums: list[timedelta]
    whys: list[Why]


class Timetable:
    """Bisection over the working time of one zone, where `day_rule` says what holds on a local date."""

    __slots__ = ("_day_rule", "_rows", "_zone")

    def __init__(self, zone: ZoneInfo, day_rule: Callable[[date], Day]) -> None:
        self._zone = zone
        self._day_rule = day_rule
        self._rows: _Rows | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether the instant is working time. Raises BeyondHorizon."""
        rows = self._rows_over(at, at)
        return at < rows.ends[bisect_right(rows.starts, at) - 1]

    def next_opening(self, at: datetime) -> datetime:
        """The first instant of working time at or after this one. Raises BeyondHorizon."""
        rows = self._rows_over(at, at)
        while (index := bisect_right(rows.ends, at)) == len(rows.ends):
            rows = self._later(rows)
        return max(at, rows.starts[index])

    def advance(self, start: datetime, duration: timedelta) -> datetime:
        """The first instant at which the working time since the start equals the duration (RC-4).

        Raises ValueError for a negative duration, BeyondHorizon.
        """
        if not NOTHING < duration <= _LONGEST:
            return _not_forward(start, duration)
        rows = self._rows
        if rows is None or not rows.begins_at <= start < rows.until:
            rows = self._rows_over(start, start)
        sums = rows.sums
        index = bisect_right(rows.starts, start) - 1
        end = rows.ends[index]
        goal = sums[index] + duration
        if start < end:
            goal -= end - start
        while goal > sums[-1]:
            rows = self._later(rows)
            sums = rows.sums
        # The first interval whose end reaches the goal: an end at closing time is that day's, not the next one's.
        index = bisect_left(sums, goal, index)
        return rows.ends[index] - (sums[index] - goal)

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The working time in `[start, end)`; nothing when the end is not after the start. Raises BeyondHorizon."""
        if end <= start:
            return NOTHING
        rows = self._rows_over(start, end)
        return _worked(rows, end) - _worked(rows, start)

    def intervals(self, start: datetime, end: datetime) -> list[Interval]:
        """The working time in `[start, end)`, in order, joined where it goes on under the same rule.

        Raises BeyondHorizon.
        """
        if end <= start:
            return []
        starts, ends, whys = (rows := self._rows_over(start, end)).starts, rows.ends, rows.whys
        found: list[Interval] = []
        for index in range(bisect_right(ends, start), bisect_left(starts, end)):
            begin, until, why = max(starts[index], start), min(ends[index], end), whys[index]
            if found and found[-1].ends_at == begin and found[-1].why == why:
                begin = found.pop().starts_at
            found.append(Interval(begin, until, why))
        return found

    def _rows_over(self, start: datetime, end: datetime) -> _Rows:
        rows = self._rows
        if rows is not None and rows.begins_at <= start and end < rows.until:
            return rows
        if not EARLIEST <= start <= end < LATEST:
            raise BeyondHorizon(f"working time is reckoned from {FIRST_YEAR} to {LAST_YEAR}")
        if rows is None:
            rows = self._compiled(start.year, end.year + 1)
        elif start < rows.begins_at:
            rows = self._compiled(start.year, max(end.year + 1, rows.end_year))
        else:
            rows = self._extended(rows, end.year + 1)
        self._rows = rows
        return rows

    def _later(self, rows: _Rows) -> _Rows:
        """Half as many years again, so that a long way takes few steps. Raises BeyondHorizon at the last year."""
        if rows.end_year > LAST_YEAR:
            raise BeyondHorizon(f"the working time asked for does not lie before the end of {LAST_YEAR}")
        more_years = max(1, (rows.end_year - rows.first_year) // 2)
        self._rows = self._extended(rows, min(rows.end_year + more_years, LAST_YEAR + 1))
        return self._rows

    def _compiled(self, first_year: int, end_year: int) -> _Rows:
        begins_at = datetime(first_year, 1, 1, tzinfo=UTC)
        empty = _Rows(first_year, first_year, begins_at, begins_at, [begins_at], [begins_at], [NOTHING], ["calendar"])
        return self._extended(empty, end_year)

    def _extended(self, rows: _Rows, end_year: int) -> _Rows:
        until = datetime(end_year, 1, 1, tzinfo=UTC)
        starts, ends, sums, whys = list(rows.starts), list(rows.ends), list(rows.sums), list(rows.whys)
        total = sums[-1]
        for stretch in stretches(self._zone, rows.until, until):
            for starts_at, ends_at, why in self._intervals_in(stretch):
                total += ends_at - starts_at
                starts.append(starts_at)
                ends.append(ends_at)
                sums.append(total)
                whys.append(why)
        return _Rows(rows.first_year, end_year, rows.begins_at, until, starts, ends, sums, whys)

    def _intervals_in(self, stretch: Stretch) -> Iterator[Interval]:
        """The windows of the local dates that this stretch touches, cut to it. Within it, wall time runs evenly."""
        first = (stretch.starts_at + stretch.offset).toordinal()
        last = (stretch.ends_at + stretch.offset).toordinal()
        midnight = datetime.fromordinal(first).replace(tzinfo=UTC) - stretch.offset
        for ordinal in range(first, last + 1):
            windows, why = self._day_rule(date.fromordinal(ordinal))
            for window in windows:
                starts_at = max(midnight + window.opens, stretch.starts_at)
                ends_at = min(midnight + window.closes, stretch.ends_at)
                if starts_at < ends_at:
                    yield Interval(starts_at, ends_at, why)
            midnight += DAY


def _worked(rows: _Rows, at: datetime) -> timedelta:
    """The working time from the first row to this instant."""
    index = bisect_right(rows.starts, at) - 1
    left = rows.ends[index] - at
    return rows.sums[index] - left if left > NOTHING else rows.sums[index]


def _not_forward(start: datetime, duration: timedelta) -> datetime:
    """The start for no duration. Raises ValueError for a negative one, BeyondHorizon for one beyond all years."""
    if duration < NOTHING:
        raise ValueError("working time runs forward only, and the duration is negative")
    if duration > NOTHING:
        raise BeyondHorizon(f"a duration of {duration.days} days is longer than the years that are reckoned with")
    return start
