"""What a case's events add up to: a pure fold, so that it can be computed again at any time.

Event types, schema version 1 (payload in brackets):
submitted {class, severity, tier, plan_rank, contract, consented} · message {text, files, internal} · taken {reason} ·
state_changed {act, state, reason} · answered {text, how, qualified} · solution {text} · closed {how, reason} ·
reopened {reason} · rejected {reason} · quota {movement, left} · precheck {outcome, lane, release, ...} ·
determined {verdict, text} · drafted, gates_finished, reviewed, approved {draft, ...} · joined {release} ·
released {release, label, lane} · proved {machine, release, ...} · proof_refused {machine, reason}.
Only some change the projection; the others are facts of the timeline.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.kernel.vocabulary import CaseState


@dataclass(frozen=True)
class EventFact:
    """An event as the fold reads it."""

    seq: int
    type: str
    actor: Mapping[str, str]
    occurred_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Projection:
    """The part of a case that follows from its events (the response clock is folded by the sla feature)."""

    case_class: str
    severity: int
    tier: int
    plan_rank: int
    state: str
    state_since: datetime
    state_reason: str = ""
    holder_id: UUID | None = None
    holder_name: str = ""
    holder_since: datetime | None = None
    closed_at: datetime | None = None
    closed_how: str = ""
    fixed_in: int | None = None
    last_seq: int = 0


def _start(event: EventFact) -> Projection:
    if event.type != "submitted":
        raise ValueError(f"a case starts with the event submitted, got {event.type} at seq {event.seq}")
    facts = event.payload
    return Projection(
        case_class=facts["class"],
        severity=facts["severity"],
        tier=facts["tier"],
        plan_rank=facts["plan_rank"],
        state=CaseState.SUBMITTED.value,
        state_since=event.occurred_at,
        last_seq=event.seq,
    )


def _moved(so_far: Projection, event: EventFact, state: CaseState, reason: str) -> Projection:
    is_end = state in {CaseState.CLOSED, CaseState.REJECTED}
    return replace(
        so_far,
        state=state.value,
        state_since=event.occurred_at,
        state_reason=reason,
        closed_at=event.occurred_at if is_end else None,
        closed_how=event.payload.get("how", state.value) if is_end else "",
    )


def apply_event(so_far: Projection, event: EventFact) -> Projection:
    """Return the projection after one more event."""
    so_far = replace(so_far, last_seq=event.seq)
    reason = str(event.payload.get("reason", ""))
    match event.type:
        case "taken":
            held = replace(
                so_far,
                holder_id=UUID(event.actor["id"]),
                holder_name=event.actor["name"],
                holder_since=event.occurred_at,
            )
            return _moved(held, event, CaseState(event.payload["state"]), reason)
        case "state_changed":
            return _moved(so_far, event, CaseState(event.payload["state"]), reason)
        case "solution":
            return _moved(so_far, event, CaseState.SOLUTION_OFFERED, "")
        case "released":
            offered = _moved(so_far, event, CaseState.SOLUTION_OFFERED, "") if so_far.closed_at is None else so_far
            return replace(offered, fixed_in=event.payload["release"])
        case "closed":
            return _moved(so_far, event, CaseState.CLOSED, reason)
        case "rejected":
            return _moved(so_far, event, CaseState.REJECTED, reason)
        case "reopened":
            return _moved(so_far, event, CaseState.REOPENED, reason)
        case _:
            return so_far


def fold(events: Iterable[EventFact]) -> Projection:
    """Return what the events, in the order of `seq`, add up to; raise ValueError where the first is not `submitted`."""
    iterator = iter(events)
    so_far = _start(next(iterator))
    for event in iterator:
        so_far = apply_event(so_far, event)
    return so_far
