"""The picture of the lanes says where each points and what waits, and never draws standard ahead."""

from hypothesis import given
from hypothesis import strategies as st
from tests.doors.console.made_up import release, release_page

from guardia.doors.console.lane_plot import MOST_COLUMNS, plot_lanes


def test_each_lane_has_its_tick_at_its_release() -> None:
    page = release_page(release(3), release(2), release(1), accelerated=3, standard=1)
    plot = plot_lanes(page)
    places = {column.label: column.x for column in plot.columns}
    ticks = [[mark.x for mark in track.marks if mark.state == "points"] for track in plot.tracks]
    assert ticks == [[places["20261123.3"]], [places["20261123.1"]]]


def test_what_waits_for_the_batch_is_drawn_ahead_of_standard_only() -> None:
    page = release_page(release(3, standard=False), release(2, standard=False), release(1), accelerated=3, standard=1)
    fast, slow = plot_lanes(page).tracks
    assert [mark.state for mark in slow.marks] == ["points", "waits", "waits"]
    assert fast.from_x == fast.to_x
    assert slow.from_x < slow.middle_x < slow.to_x


def test_a_release_that_is_going_out_waits_for_accelerated_and_not_yet_for_standard() -> None:
    page = release_page(release(2, accelerated=False, standard=False), release(1), accelerated=1, standard=1)
    plot = plot_lanes(page)
    assert [mark.state for mark in plot.tracks[0].marks] == ["points", "waits"]
    assert [mark.state for mark in plot.tracks[1].marks] == ["points"]
    assert [column.is_next for column in plot.columns] == [False, True]


def test_nothing_released_is_an_empty_picture() -> None:
    plot = plot_lanes(release_page(accelerated=None, standard=None))
    assert not plot.columns
    assert all(not track.marks for track in plot.tracks)


@given(st.integers(1, 60), st.data())
def test_the_picture_holds_for_any_log(count: int, data: st.DataObject) -> None:
    fast = data.draw(st.integers(1, count))
    slow = data.draw(st.integers(1, fast))
    rows = [release(n, accelerated=n <= fast, standard=n <= slow) for n in range(count, 0, -1)]
    plot = plot_lanes(release_page(*rows, accelerated=fast, standard=slow))
    xs = [column.x for column in plot.columns]
    assert len(xs) == min(count, MOST_COLUMNS)
    assert xs == sorted(set(xs))
    assert all(plot.left_x < x < plot.right_x for x in xs)
    reached = [max((mark.x for mark in track.marks if mark.state == "points"), default=0) for track in plot.tracks]
    assert reached[1] <= reached[0] or reached[0] == 0
