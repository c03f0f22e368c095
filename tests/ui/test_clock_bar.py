from hypothesis import given
from hypothesis import strategies as st

from guardia.ui.clock_bar import WIDTH, draw

stretches = st.lists(st.integers(60, 36_000), min_size=1, max_size=6)


@given(stretches, st.integers(0, 300_000))
def test_the_blocks_stand_in_order_within_the_bar_and_the_line_for_now_too(seconds: list[int], used: int) -> None:
    bar = draw(seconds, used)
    edge = 0.0
    for block in bar.blocks:
        assert float(block.x) >= edge - 0.2
        edge = float(block.x) + max(0.0, float(block.width))
    assert edge <= WIDTH + 0.2
    assert 0 < float(bar.now_x) < WIDTH
    assert len(bar.gaps) == len(seconds) - 1


@given(stretches)
def test_nothing_is_left_once_all_is_used_and_nothing_is_done_before_it_starts(seconds: list[int]) -> None:
    assert {block.kind for block in draw(seconds, sum(seconds)).blocks} == {"done"}
    assert {block.kind for block in draw(seconds, 0).blocks} == {"left"}


def test_the_friday_to_monday_example_has_two_blocks_used_in_part() -> None:
    bar = draw([5400, 9000], 2 * 3600 + 32 * 60)
    assert [block.kind for block in bar.blocks] == ["done", "done", "left"]
    assert bar.gaps == (("144.2", "162.2"),)


def test_a_clock_without_stretches_draws_nothing() -> None:
    assert draw([], 0).blocks == ()
