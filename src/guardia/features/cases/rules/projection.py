"""What a case's events add up to: a pure fold, so that it can be computed again at any time.

Event types, schema version 1 (payload in brackets):
submitted {class, severity, tier, plan_rank, contract, consented} · message {text, files, internal} · taken {reason} ·
state_changed {act, state, reason} · answered {text, how, qualified} · solution {text} · closed {how, reason} ·
reopened {reason} · rejected {reason} · quota {movement, left} · precheck {outcome, lane, release, ...} ·
determined {verdict, text} · drafted, gates_finished, reviewed, approved {draft, ...} · joined {release} ·
released {release, label, lane} · proved {machine, release, ...} · proof_refused {machine, reason} ·
assigned {holder_id, holder_name, state, reason} · put_back {reason} · group_changed {group, reason} ·
severity_changed {from, to, reason, how} · severity_proposed {to, reason} · severity_declined {to, reason} ·
severity_disputed {wanted, reason} · dispute_settled {reason} ·
class_changed {from, class, starts, policy_class, reason} · phone_confirmed {how, reason, call} ·
phone_code_refused {} · answer_voided {answer, reason} · late_entry {type, occurred_at, payload, reason} ·
late_settled {entry, accepted, reason} · breached {clock, due_at, late_by_s} ·
escalated {clock, mark, late_by_s, steps [{step, round, to, meant, by, people}]} · alarm_acknowledged {firings, marks} ·
paged {by, person, name, outcome, people} · call_taken {call} ·
calendar_changed {from, to, name, version, reason} · merged {into, reason} · merged_from {case, reason} ·
merge_undone {from, number, reason} · merge_taken_back {case, reason} ·
not_duplicate {case, number} · duplicate_again {case, number} ·
split_to {case, reason} · split_from {case, reason}.
Version 2: merged_from {case, reason, arrived_at, course [[instant, severity]], called_at} moves the arrival and the
clock of the case that goes on; version 1, without them, moves neither.
What a phone call brought (submitted, message) also names it: {call, recording, seconds}.
Only some change the projection; the others are facts of the timeline.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from guardia.kernel.vocabulary import CaseState, Group


@dataclass(frozen=True)
class EventFact:
    """An event as the fold reads it."""

    seq: int
    type: str
    actor: Mapping[str, str]
    occurred_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Joined:
    """A duplicate that stands joined with the case; without an arrival where it was joined under version 1."""

    case: str
    arrived_at: datetime | None
    called_at: datetime | None


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


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
    group: str = Group.FIRST_LINE.value
    acknowledged_at: datetime | None = None
    own_call_at: datetime | None = None
    merged_into_id: UUID | None = None
    own_arrival: datetime | None = None
    joined: tuple["Joined", ...] = ()
    before_merge: "Projection | None" = None
    """What the case was when it was joined with another: what an undo brings back."""

    @property
    def arrived_at(self) -> datetime | None:
        """When the problem arrived first: the earliest arrival of the case and of what was joined with it."""
        return _earliest(self.own_arrival, *(one.arrived_at for one in self.joined))

    @property
    def called_at(self) -> datetime | None:
        """The first confirmed call about the problem."""
        return _earliest(self.own_call_at, *(one.called_at for one in self.joined))


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
        group=facts.get("group", Group.FIRST_LINE.value),
        own_arrival=event.occurred_at,
    )


def _is_acknowledgement(event: EventFact) -> bool:
    """Whether the event shows a person of the vendor's at work on the case: a fact of its own, never the answer."""
    if event.type in {"taken", "assigned"}:
        return True
    is_said = event.type in {"message", "answered", "solution"} and not event.payload.get("internal")
    return is_said and event.actor.get("side") == "staff"


def _held(so_far: Projection, event: EventFact, holder_id: str, holder_name: str) -> Projection:
    held = replace(so_far, holder_id=UUID(holder_id), holder_name=holder_name, holder_since=event.occurred_at)
    return _moved(held, event, CaseState(event.payload["state"]), _reason(event))


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


def _reason(event: EventFact) -> str:
    return str(event.payload.get("reason", ""))


def _taken(so_far: Projection, event: EventFact) -> Projection:
    return _held(so_far, event, event.actor["id"], event.actor["name"])


def _assigned(so_far: Projection, event: EventFact) -> Projection:
    return _held(so_far, event, event.payload["holder_id"], event.payload["holder_name"])


def _put_back(so_far: Projection, _event: EventFact) -> Projection:
    return replace(so_far, holder_id=None, holder_name="", holder_since=None)


def _state_changed(so_far: Projection, event: EventFact) -> Projection:
    state = CaseState(event.payload["state"])
    so_far = replace(so_far, group=Group.LAB.value) if state is CaseState.WITH_LAB else so_far
    return _moved(so_far, event, state, _reason(event))


def _released(so_far: Projection, event: EventFact) -> Projection:
    offered = _moved(so_far, event, CaseState.SOLUTION_OFFERED, "") if so_far.closed_at is None else so_far
    return replace(offered, fixed_in=event.payload["release"])


def _called(so_far: Projection, event: EventFact) -> Projection:
    return replace(so_far, own_call_at=_earliest(so_far.own_call_at, event.occurred_at))


def _merged(so_far: Projection, event: EventFact) -> Projection:
    merged = replace(so_far, merged_into_id=UUID(event.payload["into"]), before_merge=so_far)
    return _moved(merged, event, CaseState.CLOSED, _reason(event))


def _merge_undone(so_far: Projection, _event: EventFact) -> Projection:
    """The state that the case had, and since when; who has it did not change while it was joined."""
    before = so_far.before_merge
    if before is None:
        return so_far
    return replace(
        so_far,
        state=before.state,
        state_since=before.state_since,
        state_reason=before.state_reason,
        closed_at=before.closed_at,
        closed_how=before.closed_how,
        merged_into_id=None,
        before_merge=None,
    )


def _merged_from(so_far: Projection, event: EventFact) -> Projection:
    said = event.payload
    one = Joined(said["case"], _instant(said.get("arrived_at")), _instant(said.get("called_at")))
    return replace(so_far, joined=(*so_far.joined, one))


def _taken_back(so_far: Projection, event: EventFact) -> Projection:
    return replace(so_far, joined=tuple(one for one in so_far.joined if one.case != event.payload["case"]))


def _instant(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


VERSIONS: Final[Mapping[str, int]] = {"merged_from": 2}
"""The schema version that new events of a type have; 1 where none is named."""

_MOVES: Final[Mapping[str, Callable[[Projection, EventFact], Projection]]] = {
    "taken": _taken,
    "assigned": _assigned,
    "put_back": _put_back,
    "group_changed": lambda so_far, event: replace(so_far, group=event.payload["group"]),
    "severity_changed": lambda so_far, event: replace(so_far, severity=event.payload["to"]),
    "class_changed": lambda so_far, event: replace(so_far, case_class=event.payload["class"]),
    "phone_confirmed": _called,
    "state_changed": _state_changed,
    "solution": lambda so_far, event: _moved(so_far, event, CaseState.SOLUTION_OFFERED, ""),
    "released": _released,
    "closed": lambda so_far, event: _moved(so_far, event, CaseState.CLOSED, _reason(event)),
    "merged": _merged,
    "merge_undone": _merge_undone,
    "merged_from": _merged_from,
    "merge_taken_back": _taken_back,
    "rejected": lambda so_far, event: _moved(so_far, event, CaseState.REJECTED, _reason(event)),
    "reopened": lambda so_far, event: _moved(so_far, event, CaseState.REOPENED, _reason(event)),
}


def apply_event(so_far: Projection, event: EventFact) -> Projection:
    """Return the projection after one more event."""
    so_far = replace(so_far, last_seq=event.seq)
    if so_far.acknowledged_at is None and _is_acknowledgement(event):
        so_far = replace(so_far, acknowledged_at=event.occurred_at)
    move = _MOVES.get(event.type)
    return move(so_far, event) if move else so_far


def fold(events: Iterable[EventFact]) -> Projection:
    """Return what the events, in the order of `seq`, add up to; raise ValueError where the first is not `submitted`."""
    iterator = iter(events)
    so_far = _start(next(iterator))
    for event in iterator:
        so_far = apply_event(so_far, event)
    return so_far
