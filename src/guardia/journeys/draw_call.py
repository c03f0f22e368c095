"""The line shows what it does: a living call as a picture in its row, and that it is at work itself.

What was handed in from the call's journal is the truth: no picture is drawn over it, nor over a later one. Nothing is
decided by these rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.calls import operations as calls
from guardia.features.cases.queries import find_case_of_number
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey

_LONGEST = {"caller": 80, "person_name": 120, "step": 24, "step_detail": 120, "outcome": 24, "connected_name": 120}


@dataclass(frozen=True)
class CallPicture:
    """A call as it is now; the columns are those of `guardia.features.calls.models.Call`.

    `case` is a number, or empty. `log` holds JSON values, never a PIN or a code.
    """

    id: UUID
    direction: str
    started_at: datetime
    caller: str = ""
    language: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    company_id: UUID | None = None
    person_id: UUID | None = None
    person_name: str = ""
    case: str = ""
    known_by: str = ""
    step: str = ""
    step_detail: str = ""
    outcome: str = ""
    connected_name: str = ""
    waited_s: int | None = None
    log: Sequence[Mapping[str, Any]] = field(default_factory=list)


def draw_call(picture: CallPicture, now: datetime) -> bool:
    """Draw a call as it is at `now`; return whether it was drawn."""
    case = find_case_of_number(picture.case) if picture.case else None
    texts = {name: one_line(getattr(picture, name))[:longest] for name, longest in _LONGEST.items()}
    with journey():
        return calls.draw_call(
            picture.id,
            now,
            direction=picture.direction,
            started_at=picture.started_at,
            language=picture.language,
            answered_at=picture.answered_at,
            ended_at=picture.ended_at,
            company_id=picture.company_id,
            person_id=picture.person_id,
            case_id=case.id if case is not None else None,
            known_by=picture.known_by,
            waited_s=picture.waited_s,
            log=[dict(one) for one in picture.log],
            **texts,
        )


def beat(
    name: str, started_at: datetime, now: datetime, calls_now: int, trunk: str, facts: Mapping[str, Any] | None = None
) -> None:
    """Keep that a line is at work: how many legs live, and how the trunk is."""
    with journey():
        calls.beat_line(name, started_at, now, calls_now, trunk, dict(facts or {}))
