"""The bar under the response clock: covered stretches as blocks, dots where nothing counts, a line for now.

Pure geometry for an SVG of 400 by 26 units; the words around it stand in the template.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 400.0
GAP = 26.0
INSET = 4.0


@dataclass(frozen=True)
class Block:
    """A rectangle: a stretch's used part (`done`) or its part to come (`left`)."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True)
class Bar:
    """What the SVG draws; numbers are written with a point in every language."""

    blocks: tuple[Block, ...]
    gaps: tuple[tuple[str, str], ...]
    now_x: str


def _number(value: float) -> str:
    return f"{value:.1f}"


def draw(stretch_seconds: Sequence[int], used_s: int) -> Bar:
    """Lay out stretches of covered seconds in proportion, `used_s` of them used from the left."""
    total = sum(stretch_seconds)
    if not total:
        return Bar((), (), _number(0))
    scale = (WIDTH - GAP * (len(stretch_seconds) - 1)) / total
    blocks: list[Block] = []
    gaps: list[tuple[str, str]] = []
    x, left_to_use, now_x = 0.0, min(used_s, total), 0.0
    for position, seconds in enumerate(stretch_seconds):
        if position:
            gaps.append((_number(x + INSET), _number(x + GAP - INSET)))
            x += GAP
        done = min(seconds, left_to_use)
        left_to_use -= done
        if done:
            blocks.append(Block("done", _number(x), _number(done * scale)))
            now_x = x + done * scale
        if seconds > done:
            blocks.append(Block("left", _number(x + done * scale + 0.5), _number((seconds - done) * scale - 1)))
        x += seconds * scale
    return Bar(tuple(blocks), tuple(gaps), _number(min(max(now_x, 1), WIDTH - 1)))
