"""Which other cases of a company may be about the same problem, and why: pure, from what was found alike.

Reasons, each with its weight; a case is proposed from a weight of 3 on, the heaviest first, then the nearest in time:

- D-1 (6) The same file: a sample or attachment with the same SHA-256.
- D-2 (4) The same detection name in both reports.
- D-3 (3) Similar words: at least two words of the subject, and at least three of five, are in the other case.
- D-4 (2) The same person opened both within 72 hours.
- D-5 (1) They came by different channels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

MOST_PROPOSED: Final = 5
LEAST_WEIGHT: Final = 3
SAME_SENDER_WITHIN: Final = timedelta(hours=72)
LEAST_WORDS, LEAST_SHARE = 2, 0.6
WEIGHTS: Final = {"same_file": 6, "same_detection": 4, "similar_words": 3, "same_sender": 2, "other_channel": 1}
"""The codes of the reasons, D-1 to D-5."""


@dataclass(frozen=True)
class Alike:
    """What another case has in common with the one in hand. `words` of the `asked` words of its subject are there."""

    case_id: UUID
    number: str
    submitted_at: datetime
    is_same_file: bool
    is_same_detection: bool
    words: int
    asked: int
    is_same_opener: bool
    is_other_channel: bool


@dataclass(frozen=True)
class Likely:
    """A case that is proposed, and the codes of the reasons, the heaviest first."""

    case_id: UUID
    number: str
    why: tuple[str, ...]

    @property
    def weight(self) -> int:
        """How much speaks for it."""
        return sum(WEIGHTS[code] for code in self.why)


def reasons(alike: Alike, submitted_at: datetime) -> tuple[str, ...]:
    """Return the codes of what speaks for one case, D-1 first."""
    is_near = abs(alike.submitted_at - submitted_at) <= SAME_SENDER_WITHIN
    holds = {
        "same_file": alike.is_same_file,
        "same_detection": alike.is_same_detection,
        "similar_words": alike.words >= LEAST_WORDS and alike.words >= LEAST_SHARE * alike.asked,
        "same_sender": alike.is_same_opener and is_near,
        "other_channel": alike.is_other_channel,
    }
    return tuple(code for code, is_so in holds.items() if is_so)


def likely(found: Iterable[Alike], submitted_at: datetime) -> list[Likely]:
    """Return the cases that are proposed, at most five."""
    judged = [(Likely(one.case_id, one.number, reasons(one, submitted_at)), one) for one in found]
    proposed = [pair for pair in judged if pair[0].weight >= LEAST_WEIGHT]
    proposed.sort(key=lambda pair: (-pair[0].weight, abs(pair[1].submitted_at - submitted_at), pair[0].number))
    return [one for one, _alike in proposed[:MOST_PROPOSED]]
