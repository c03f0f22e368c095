"""Facts that are recorded after they happened: a qualified answer given by phone, a call that was confirmed.

- Both instants are kept: when it happened, and when it was recorded.
- It did not happen in the future, nor before the clock of the request started.
- What would undo a breach that was told (to the customer, to the team), or move an answer that is on record, waits
  until a duty manager settles it, and not the one who entered it. Anything else is recorded at once.
- A late qualified answer is entered by the specialist who has the case, as any other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import actor_of, people_by_id
from guardia.features.cases import queries
from guardia.features.cases.rules.pending import LateEntry, waiting_entries
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla.queries import clock_events, policy_of, read_clock
from guardia.journeys import case_log
from guardia.journeys.act_on_case import Answer, act_on_case, demand_lead, demand_staff
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.tell_staff import LATE_ENTRY, settled, tell_leads
from guardia.journeys.write_message import checked_text
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.vocabulary import Actor

KINDS = ("answered", "phone_confirmed")


def checked_instant(occurred_at: datetime, now: datetime, events: list[EventFact]) -> datetime:
    """Return the instant of a late fact; raise Invalid where it cannot have been then."""
    start = clock_events(events)[0].at
    if occurred_at.tzinfo is None:
        sentence = _("Give the instant with its time zone.")
    elif occurred_at > now:
        sentence = _("This instant lies in the future.")
    elif occurred_at < start:
        sentence = _("This instant lies before the response clock of the request started.")
    else:
        return occurred_at
    raise Invalid("instant_impossible", sentence, {"occurred_at": sentence})


def enter_late(
    actor: Actor,
    now: datetime,
    number: str,
    kind: str,
    occurred_at: datetime,
    text: str,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> bool:
    """Record a fact of `KINDS` after it happened; return whether it holds now, or waits for a duty manager."""
    demand_staff(actor)
    if kind not in KINDS:
        raise Invalid("kind_unknown", _("Choose what happened."), {"kind": _("Choose one.")})
    reason = checked_reason(reason)
    is_answer = kind == "answered"
    said = {"text": checked_text(text), "how": "analysis", "qualified": True, "files": []} if is_answer else {}
    payload = said | {"reason": reason} if is_answer else {"how": "known", "reason": reason}

    def do(case: case_log.Case) -> Answer:
        if is_answer and str(case.holder_id) != actor.id:
            raise Refused(
                "not_the_holder", _("A qualified answer is given by the specialist who has the case. Take it first.")
            )
        return {"holds": enter(case, actor, now, kind, occurred_at, payload)}

    request = {"kind": kind, "occurred_at": occurred_at, "text": text, "reason": reason}
    return bool(act_on_case(actor, now, number, "enter_late", request, idempotency_key, do)["holds"])


def enter(
    case: case_log.Case, actor: Actor, now: datetime, kind: str, occurred_at: datetime, payload: Mapping[str, Any]
) -> bool:
    """Record a late fact of a locked case, or let it wait; return whether it holds now."""
    events = queries.facts_of(case)
    _demand_news(case, kind, checked_instant(occurred_at, now, events))
    if not _undoes(case, events, actor, now, kind, occurred_at, payload):
        _hold(case, actor, now, kind, occurred_at, payload)
        return True
    waiting = {
        "type": kind,
        "occurred_at": occurred_at.isoformat(),
        "payload": dict(payload),
        "reason": payload["reason"],
        "internal": True,
    }
    seq = case_log.add(case, "late_entry", actor, now, waiting)
    tell_leads(case, actor, LATE_ENTRY, "waiting", seq, now)
    return False


def _demand_news(case: case_log.Case, kind: str, occurred_at: datetime) -> None:
    known = case.answered_at if kind == "answered" else case.called_at
    if known is not None and known <= occurred_at:
        raise Refused("nothing_new", _("This is on record already, with an earlier instant."))


def _undoes(
    case: case_log.Case,
    events: list[EventFact],
    actor: Actor,
    now: datetime,
    kind: str,
    occurred_at: datetime,
    payload: Mapping[str, Any],
) -> bool:
    """Whether this fact would change what was told: a breach, or when the qualified answer was given."""
    fact = EventFact(events[-1].seq + 1, kind, actor.as_json(), occurred_at, payload)
    trial = read_clock(case.calendar_version_id, policy_of(case.terms, case.case_class), [*events, fact], now)
    undoes_breach = case.breached_at is not None and trial.breached_at is None
    return undoes_breach or (case.answered_at is not None and trial.answered_at != case.answered_at)


def _hold(
    case: case_log.Case, actor: Actor, now: datetime, kind: str, occurred_at: datetime, payload: Mapping[str, Any]
) -> None:
    seq = case_log.add(case, kind, actor, now, payload, occurred_at=occurred_at)
    notify_customer(case, "answered" if kind == "answered" else "called", seq, now, str(payload["reason"]))


def settle_late(
    actor: Actor,
    now: datetime,
    number: str,
    entry_seq: int,
    accepted: bool,  # noqa: FBT001  the decision itself
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Let a late entry hold, or refuse it. A duty manager does, and not the one who entered it."""
    demand_lead(actor)
    reason = checked_reason(reason)

    def do(case: case_log.Case) -> Answer:
        events = queries.facts_of(case)
        entry = next((entry for entry in waiting_entries(events) if entry.seq == entry_seq), None)
        if entry is None:
            raise Refused("no_late_entry", _("No such entry waits for confirmation on this request."))
        if entry.by_id == actor.id:
            raise Forbidden("own_entry", _("Somebody else than the one who entered it confirms it."))
        decision = {"entry": entry_seq, "accepted": accepted, "reason": reason, "internal": True}
        case_log.add(case, "late_settled", actor, now, decision)
        if len(waiting_entries(events)) == 1:
            settled(case, LATE_ENTRY, now)
        record(
            actor,
            now,
            "late_entry_settled",
            f"case {number}",
            company_id=case.company_id,
            detail={**decision, "by": entry.by},
        )
        if accepted:
            checked_instant(entry.occurred_at, now, events)
            _hold(case, _who(entry), now, entry.type, entry.occurred_at, _confirmed(events, entry, actor))
        return {"accepted": accepted}

    request = {"entry": entry_seq, "accepted": accepted, "reason": reason}
    act_on_case(actor, now, number, "settle_late", request, idempotency_key, do)


def _who(entry: LateEntry) -> Actor:
    """The one who entered it: the fact is theirs, the confirmation is the duty manager's."""
    return actor_of(people_by_id([UUID(entry.by_id)])[UUID(entry.by_id)])


def _confirmed(events: list[EventFact], entry: LateEntry, actor: Actor) -> dict[str, Any]:
    kept = next(event for event in events if event.seq == entry.seq)
    return {**kept.payload["payload"], "late": {"entry": entry.seq, "confirmed_by": actor.name}}
