"""Two plots over months: what became of the targets as stacked bars, and the times to the answer as two lines.

Pure geometry of SVG drawings, written down by a template: nothing needs a script, colours are the theme's, and what is
printed is what is seen. The table below each says the same in figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 16, 206
BAR_SHARE = 0.62
MOST_TICKS = 5
KINDS = ("met", "breached", "answered", "open")


@dataclass(frozen=True)
class PlotPoint:
    """A month: its bar's parts from below (met, breached, answered without target, still open or ended), its times."""

    first_day: date
    parts: tuple[int, int, int, int]
    median_h: float | None
    p90_h: float | None


@dataclass(frozen=True)
class Tick:
    """A line across with its figure."""

    y: str
    label: str


@dataclass(frozen=True)
class Box:
    """A part of a bar."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class MonthMark:
    """A month below the axis; `is_year`: the year stands with it."""

    x: str
    first_day: date
    is_year: bool


@dataclass(frozen=True)
class Dot:
    """A month's value on a line."""

    x: str
    y: str


@dataclass(frozen=True)
class Series:
    """A line: its pieces (a month without a value parts them), its dots."""

    kind: str
    pieces: tuple[str, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Plot:
    """A drawing: what both have, and bars or lines."""

    ticks: tuple[Tick, ...]
    months: tuple[MonthMark, ...]
    boxes: tuple[Box, ...] = ()
    series: tuple[Series, ...] = ()
    left: int = LEFT
    right: int = WIDTH - RIGHT
    axis_y: int = BOTTOM
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.boxes and not any(line.dots for line in self.series)


def _number(value: float) -> str:
    return f"{value:.1f}"


def step_of(most: float) -> float:
    """Return the distance of the ticks: 1, 2 or 5 times a power of ten, so that at most five reach `most`."""
    step = 1.0
    while most / step > MOST_TICKS:
        step *= 2 if str(step)[0] in "15" else 2.5
    return step


def _ticks(most: float) -> tuple[tuple[Tick, ...], float]:
    step = step_of(most)
    top = max(step, -(-most // step) * step)
    count = round(top / step)
    return tuple(Tick(_number(_y(step * n, top)), f"{step * n:g}") for n in range(count + 1)), top


def _y(value: float, top: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / top


def _slot(points: Sequence[PlotPoint]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(1, len(points))


def _months(points: Sequence[PlotPoint]) -> tuple[MonthMark, ...]:
    slot = _slot(points)
    return tuple(
        MonthMark(_number(LEFT + slot * (n + 0.5)), point.first_day, n == 0 or point.first_day.month == 1)
        for n, point in enumerate(points)
    )


def plot_targets(points: Sequence[PlotPoint]) -> Plot:
    """Draw the bars."""
    ticks, top = _ticks(max((sum(point.parts) for point in points), default=0))
    slot, boxes = _slot(points), []
    for n, point in enumerate(points):
        below = 0
        for kind, count in zip(KINDS, point.parts, strict=True):
            if count:
                y, foot = _y(below + count, top), _y(below, top)
                x = LEFT + slot * (n + (1 - BAR_SHARE) / 2)
                boxes.append(Box(kind, _number(x), _number(y), _number(slot * BAR_SHARE), _number(foot - y)))
            below += count
    return Plot(ticks, _months(points), boxes=tuple(boxes))


def plot_times(points: Sequence[PlotPoint]) -> Plot:
    """Draw the lines, in hours."""
    known = [value for point in points for value in (point.median_h, point.p90_h) if value is not None]
    ticks, top = _ticks(max(known, default=0))
    median = _series("median", [point.median_h for point in points], points, top)
    p90 = _series("p90", [point.p90_h for point in points], points, top)
    return Plot(ticks, _months(points), series=(p90, median))


def _series(kind: str, values: Sequence[float | None], points: Sequence[PlotPoint], top: float) -> Series:
    slot = _slot(points)
    dots: list[Dot] = []
    pieces: list[list[Dot]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        dots.append(Dot(_number(LEFT + slot * (n + 0.5)), _number(_y(value, top))))
        pieces[-1].append(dots[-1])
    lines = (" ".join(f"{dot.x},{dot.y}" for dot in piece) for piece in pieces if len(piece) > 1)
    return Series(kind, tuple(lines), tuple(dots))
