"""How work grows: twice as much takes a linear reader twice as long, on a slow machine as on a fast one.

Absolute times belong to `benchmarks/`; a test that names seconds fails on a machine that is slow today.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

Given = TypeVar("Given")

MOST: Final = 3.0  # times as long for twice as much: linear work measures 1 to 2.2, quadratic 4
UNNOTICED_S: Final = 0.25  # of processor time; below it the clock's grain and the caches decide


def processor_seconds(work: Callable[[Given], object], given: Given) -> float:
    """Return the processor time in seconds of this process, the best of three."""
    took = []
    for _ in range(3):
        begun = time.process_time()
        work(given)
        took.append(time.process_time() - begun)
    return min(took)


def assert_linear(work: Callable[[Given], object], whole: Given, half: Given) -> None:
    """Fail where the whole takes more than three times as long as its half: the growth of an attack."""
    taken, compared = processor_seconds(work, whole), processor_seconds(work, half)
    assert taken < MOST * compared + UNNOTICED_S, f"{taken:.2f} s, and {compared:.2f} s for half of it"
