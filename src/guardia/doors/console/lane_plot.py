"""The picture of the lanes: one log from left to right, one track a lane, a filled tick where the lane points.

Pure geometry in the units of the drawing; the template only writes it down.
"""

from dataclasses import dataclass
from datetime import datetime

from guardia.reports.release_page import LaneView, ReleasePage, ReleaseRow

MOST_COLUMNS = 5
FIRST_X, STEP_X = 190, 195
FIRST_Y, STEP_Y = 66, 42
LEFT_X, RIGHT_X = 110, 1060


@dataclass(frozen=True)
class Column:
    """A release of the log. `is_next` is true where it was built but no lane has it yet."""

    x: int
    label: str
    at: datetime
    is_next: bool


@dataclass(frozen=True)
class Mark:
    """What a track shows at a release: passed, points, waits."""

    x: int
    state: str


@dataclass(frozen=True)
class Track:
    """A lane: its marks and, where it waits for a batch, the stretch that it will jump (`from_x` to `to_x`)."""

    y: int
    text_y: int
    lane: LaneView
    marks: tuple[Mark, ...]
    from_x: int
    to_x: int

    @property
    def middle_x(self) -> int:
        """Where the words about the jump stand, from the left."""
        return (self.from_x + self.to_x) // 2

    @property
    def words_y(self) -> int:
        """Where the words about the jump stand, from above: over the line."""
        return self.y - 12


@dataclass(frozen=True)
class LanePlot:
    """The whole picture, oldest release at the left."""

    columns: tuple[Column, ...]
    tracks: tuple[Track, ...]
    left_x: int = LEFT_X
    right_x: int = RIGHT_X
    height: int = FIRST_Y + 2 * STEP_Y - 18


def plot_lanes(page: ReleasePage) -> LanePlot:
    """Draw the newest releases of the log and every lane's place among them."""
    rows = sorted(page.rows, key=lambda row: row.number)[-MOST_COLUMNS:]
    places = {row.number: FIRST_X + index * STEP_X for index, row in enumerate(rows)}
    columns = tuple(
        Column(places[row.number], row.label, row.accelerated_at or row.created_at, row.accelerated_at is None)
        for row in rows
    )
    tracks = tuple(_track(index, lane, rows, places) for index, lane in enumerate(page.lanes))
    return LanePlot(columns, tracks, height=FIRST_Y + len(page.lanes) * STEP_Y - 18)


def _track(index: int, lane: LaneView, rows: list[ReleaseRow], places: dict[int, int]) -> Track:
    y = FIRST_Y + index * STEP_Y
    pointer = lane.number or 0
    marks = [Mark(places[row.number], _state(lane, row, pointer)) for row in rows]
    marks = [mark for mark in marks if mark.state]
    ahead = [mark.x for mark in marks if mark.state == "waits"]
    from_x = places.get(pointer, LEFT_X)
    return Track(y, y + 4, lane, tuple(marks), from_x, ahead[-1] if ahead else from_x)


def _state(lane: LaneView, row: ReleaseRow, pointer: int) -> str:
    if row.number == pointer:
        return "points"
    reached_at = row.accelerated_at if lane.lane == "accelerated" else row.standard_at
    if row.number < pointer:
        return "passed" if reached_at else ""
    return "waits" if lane.lane == "accelerated" or row.accelerated_at else ""
