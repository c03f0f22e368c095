"""Whether a duplicate may be joined with the case that goes on: rules M-1, M-2 and M-5 to M-7 of `merge_cases`.

What the clocks say is handed in: of both cases as they stand, and of the case that goes on as it will stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from guardia.kernel.vocabulary import CaseClass
from guardia.kernel.words import gettext_noop

_RANK: Final[Mapping[str, int]] = {CaseClass.STANDARD: 0, CaseClass.UNDECIDED: 1, CaseClass.PREMIUM: 2}


@dataclass(frozen=True)
class Side:
    """One of the two cases, with its response clock now."""

    id: UUID
    company_id: UUID
    is_open: bool
    case_class: str
    due_at: datetime | None = None
    breached_at: datetime | None = None
    is_answered: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why the two are not joined: a code, and a sentence to be translated."""

    code: str
    sentence: str


def side_of(case: Any, reading: Any = None) -> Side:
    """Return what the rules ask of a case in hand, with the reading of its response clock where that is judged too."""
    facts = (case.id, case.company_id, case.closed_at is None, case.case_class)
    if reading is None:
        return Side(*facts)
    return Side(*facts, reading.due_at, reading.breached_at, reading.answered_at is not None)


def promised_class(case: Any) -> str:
    """Return the class by which a case in hand is served: the one that was promised, where the vendor changed it."""
    return str(case.terms.get("promised_as") or case.case_class)


def moves_clock(duplicate_class: str, kept_class: str) -> bool:
    """Whether the duplicate's start counts for the other's response clock (M-3), by what was promised to each.

    A standard request never asked for premium: its arrival starts no promise that was asked for later.
    """
    return _RANK[kept_class] == 0 or _RANK[duplicate_class] > 0


def refusal_of_pair(duplicate: Side, kept: Side) -> Refusal | None:
    """Return what forbids to join the two whatever their clocks say (M-1, M-2), or None."""
    if duplicate.id == kept.id:
        return Refusal(
            "merge_itself", gettext_noop("A case cannot be joined with itself. Give the number of the other one.")
        )
    if duplicate.company_id != kept.company_id:
        return Refusal("merge_companies", gettext_noop("The two cases are of different companies, and stay apart."))
    if not duplicate.is_open:
        return Refusal("merge_closed", gettext_noop("This case is closed already; there is nothing to join."))
    if not kept.is_open:
        return Refusal(
            "merge_into_closed",
            gettext_noop("The other case is closed. Reopen it first, or join with one that is open."),
        )
    if _RANK[duplicate.case_class] > _RANK[kept.case_class]:
        return _downgrade(duplicate)
    return None


def _downgrade(duplicate: Side) -> Refusal:
    if duplicate.case_class == CaseClass.UNDECIDED:
        return Refusal(
            "merge_decides",
            gettext_noop(
                "The customer has not decided the class of this case, and the other one is standard. Join the other "
                "one with this one instead."
            ),
        )
    return Refusal(
        "merge_downgrade",
        gettext_noop("This case is premium and the other one is not. Join the other one with this one instead."),
    )


def refusal_of_clocks(
    duplicate: Side, kept: Side, due_after: datetime | None, breached_after: datetime | None
) -> Refusal | None:
    """Return what forbids to join two that fit, with the kept clock as it will stand (M-5 to M-7), or None."""
    if duplicate.is_answered and not kept.is_answered:
        return Refusal(
            "merge_answered",
            gettext_noop(
                "This case has its qualified answer, and the other one has none. Answer the other one first, or join "
                "it with this one instead."
            ),
        )
    is_waiting = duplicate.due_at is not None and not duplicate.is_answered and not kept.is_answered
    if is_waiting and duplicate.due_at is not None and (due_after is None or due_after > duplicate.due_at):
        return Refusal(
            "merge_later",
            gettext_noop(
                "This case is due before the other one, and nobody has answered it. Answer it first, or join the other "
                "one with this one instead."
            ),
        )
    if breached_after is not None and duplicate.breached_at is None and kept.breached_at is None:
        return Refusal(
            "merge_late",
            gettext_noop(
                "From the earlier arrival on, the other case would have missed its target, and neither of the two has. "
                "Join the other one with this one instead."
            ),
        )
    return None
