"""Byte sequences that may stand for a family: shared by all samples of a case, or repeated within the only one. Pure.

Rules:
- With several samples only what every one of them holds is proposed, wherever it lies in each.
- With one sample, what repeats is preferred, then readable text, then dense code or data.
- Padding, runs and other thin content is refused here; whether clean files hold it is asked of the corpus later.
- Bounded: a large sample is read in blocks spread over it, so that any sample takes about a second.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

GRAM: Final = 12
SHORTEST: Final = 12
LONGEST: Final = 64
LOOKED_AT: Final = 256 * 1024
MOST: Final = 200
_BLOCKS: Final = 16
_RUNS: Final = 250
_SPREAD: Final = 160
_TEXT: Final = re.compile(rb"[\x20-\x7e]{%d,}" % SHORTEST)
_WORDS: Final = re.compile(rb"[A-Za-z0-9_./: -]{%d,}" % SHORTEST)
_FEWEST_VALUES: Final = 6
_LEAST_BITS: Final = 2.5


@dataclass(frozen=True)
class Candidate:
    """A candidate: its content, where it lies in the first sample, and in words why it was chosen."""

    content: bytes
    offset: int
    why: str
    score: float


def candidates(samples: Sequence[bytes | memoryview]) -> list[Candidate]:
    """Up to MOST candidates for these samples, best first; none if the samples share nothing of substance."""
    whole = sorted((bytes(sample) for sample in samples), key=len)
    if not whole or len(whole[0]) < SHORTEST:
        return []
    runs = _shared(whole) if len(whole) > 1 else _alone(whole[0])
    found: dict[bytes, Candidate] = {}
    for candidate in runs:
        held = found.get(candidate.content)
        if is_substantial(candidate.content) and (held is None or held.score < candidate.score):
            found[candidate.content] = candidate
    return sorted(found.values(), key=lambda candidate: (-candidate.score, candidate.offset, candidate.content))[:MOST]


def is_substantial(content: bytes) -> bool:
    """Whether content is varied enough to mean anything: no padding, no run, no two-letter pattern."""
    counts = Counter(content)
    if len(content) < SHORTEST or len(counts) < _FEWEST_VALUES:
        return False
    bits = -sum(count / len(content) * math.log2(count / len(content)) for count in counts.values())
    return bits >= _LEAST_BITS and max(counts.values()) * 2 <= len(content)


def _shared(whole: Sequence[bytes]) -> Iterator[Candidate]:
    """Runs that all samples hold, from the grams that the smallest has in common with each other one."""
    first, others = whole[0], whole[1:]
    common = _grams(first, LOOKED_AT)
    for other in others:
        theirs = {gram for _, gram in _each_gram(other, len(other)) if gram in common}
        common = {gram: offset for gram, offset in common.items() if gram in theirs}
    for start, end in _runs(common.values()):
        for offset, content in _pieces(first, start, end):
            if all(content in other for other in others):
                why = f"all {len(whole)} samples hold these {len(content)} bytes"
                yield Candidate(content, offset, why, _score(content) + 3)


def _alone(sample: bytes) -> Iterator[Candidate]:
    counts: Counter[bytes] = Counter()
    offsets: dict[bytes, int] = {}
    for offset, gram in _each_gram(sample, LOOKED_AT):
        counts[gram] += 1
        offsets.setdefault(gram, offset)
    repeated = {gram: offset for gram, offset in offsets.items() if counts[gram] > 1 and is_substantial(gram)}
    for start, end in _runs(repeated.values()):
        for offset, content in _pieces(sample, start, end):
            times = sample.count(content)
            if times > 1:
                why = f"the sample repeats these {len(content)} bytes {times} times"
                yield Candidate(content, offset, why, _score(content) + 2 + min(times, 8) / 8)
    for start, end in _blocks(len(sample), LOOKED_AT):
        for match in (*_WORDS.finditer(sample, start, end), *_TEXT.finditer(sample, start, end)):
            for offset, content in _pieces(sample, match.start(), match.end()):
                yield Candidate(
                    content, offset, f"readable text of {len(content)} bytes in the sample", _score(content)
                )
    step = max(1, len(sample) // _SPREAD)
    for offset in range(0, len(sample) - SHORTEST + 1, step):
        content = sample[offset : offset + 32]
        yield Candidate(content, offset, f"{len(content)} dense bytes of the sample", _score(content))


def _score(content: bytes) -> float:
    """Longer is safer; words, then other readable text, explain themselves to the analyst who has to decide."""
    readable = 1.0 if _TEXT.fullmatch(content) else 0.0
    worded = 1.0 if _WORDS.fullmatch(content) else 0.0
    return len(content) / LONGEST + readable + worded + len(set(content)) / 64


def _pieces(sample: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """A run as it is, or, if it is too long for one signature, windows over its beginning, middle and end."""
    if end - start <= LONGEST:
        yield start, sample[start:end]
        return
    for offset in sorted({start, (start + end - LONGEST) // 2, end - LONGEST}):
        yield offset, sample[offset : offset + LONGEST]


def _runs(offsets: Iterable[int]) -> list[tuple[int, int]]:
    """Grams at neighbouring offsets, joined to (start, end): the _RUNS longest of them, as they lie."""
    found: list[tuple[int, int]] = []
    for offset in sorted(offsets):
        if found and offset == found[-1][1] - GRAM + 1:
            found[-1] = (found[-1][0], offset + GRAM)
        else:
            found.append((offset, offset + GRAM))
    return sorted(sorted(found, key=lambda run: run[0] - run[1])[:_RUNS])


def _grams(sample: bytes, limit: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for offset, gram in _each_gram(sample, limit):
        found.setdefault(gram, offset)
    return found


def _each_gram(sample: bytes, limit: int) -> Iterator[tuple[int, bytes]]:
    for start, end in _blocks(len(sample), limit):
        for offset in range(start, end - GRAM + 1):
            yield offset, sample[offset : offset + GRAM]


def _blocks(size: int, limit: int) -> Iterator[tuple[int, int]]:
    """All of a sample of up to `limit` bytes; of a larger one, blocks of that size together, spread over it."""
    if size <= limit:
        yield 0, size
        return
    length = limit // _BLOCKS
    for at in range(_BLOCKS):
        start = (size - length) * at // (_BLOCKS - 1)
        yield start, start + length
