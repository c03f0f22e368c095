"""The plots' geometry: nothing leaves the drawing, and a month without a value parts the line."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from guardia.ui.report_plot import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, PlotPoint, plot_targets, plot_times, step_of

COUNTS = st.integers(0, 100_000)
HOURS = st.one_of(st.none(), st.floats(0, 5000, allow_nan=False))
POINTS = st.lists(
    st.builds(PlotPoint, st.just(date(2026, 1, 1)), st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), HOURS, HOURS),
    max_size=14,
)


@given(POINTS)
def test_every_bar_and_dot_lies_in_the_drawing(points: list[PlotPoint]) -> None:
    bars, lines = plot_targets(points), plot_times(points)
    for box in bars.boxes:
        assert LEFT <= float(box.x) <= float(box.x) + float(box.width) <= WIDTH
        assert TOP - 0.2 <= float(box.y) <= float(box.y) + float(box.height) <= BOTTOM + 0.2
    for dot in (dot for series in lines.series for dot in series.dots):
        assert LEFT <= float(dot.x) <= WIDTH
        assert TOP - 0.2 <= float(dot.y) <= BOTTOM + 0.2
    assert bars.is_empty == all(sum(point.parts) == 0 for point in points)
    assert bars.height == HEIGHT


@given(st.floats(0, 10**7))
def test_there_are_at_most_a_handful_of_ticks(most: float) -> None:
    step = step_of(most)
    assert most / step <= 5
    assert f"{step:.0f}".strip("0") in {"1", "2", "5"}


def test_a_month_without_an_answer_parts_the_line() -> None:
    hours = (1.0, 2.0, None, 1.0)
    points = [PlotPoint(date(2026, month, 1), (0, 0, 1, 0), had, had) for month, had in enumerate(hours, start=1)]
    median = plot_times(points).series[1]
    assert (len(median.pieces), len(median.dots)) == (1, 3)
