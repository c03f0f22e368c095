"""Join a duplicate with the case that goes on: the earliest arrival stays, nobody pays twice, and it can be undone.

Rules, in the order in which they are asked:

- M-1 Both are cases of one company, two different ones, and both are open: a chain is never joined at a closed link.
- M-2 Nothing is downgraded silently, nor decided for the customer: premium joins premium, undecided joins undecided or
  premium, standard joins any.
- M-3 The earliest arrival stays. The case that goes on stands in the queue and the reports where the problem arrived
  first, and its response clock counts from the earlier start under its own frozen terms (RC-12): with the severity that
  the duplicate had until the other case arrived, then with its own. A standard duplicate of another class's case moves
  the arrival only, for nobody had asked for the other promise yet.
- M-4 A confirmed call about the duplicate is one about the case that goes on. An answer that this one has stays.
- M-5 An answer is not lost: an answered duplicate joins an answered case only.
- M-6 No promise is escaped: a duplicate that is due and not answered joins a case that is then due no later, or
  answered.
- M-7 What was kept is not made late: where the earlier start alone would turn the other case's target into a missed
  one, the other is joined instead. A breach of the duplicate's is one of the case that goes on, and is said before.
- M-8 The duplicate closes as joined. Its premium incident is given back where the problem is charged without it: by the
  case that goes on, or by one that was joined with it before.

`undo_merge` takes it back.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.cases.rules.joining import (
    Refusal,
    moves_clock,
    promised_class,
    refusal_of_clocks,
    refusal_of_pair,
    side_of,
)
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import standing_charge
from guardia.features.sla.queries import JoinForeseen, clocked, foresee_join
from guardia.journeys import case_log
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.ids import spoken
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def merge_case(
    actor: Actor, now: datetime, number: str, into: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Close case `number` as a duplicate of case `into`. Raise Forbidden (no staff), Refused (M-1 to M-7), NotFound."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff join cases."))
    reason = checked_reason(reason)
    into = into.replace(" ", "")
    with journey():
        request = {"number": number, "into": into, "reason": reason}

        def merge() -> dict[str, str]:
            duplicate, kept = locked_pair(queries.get_case_for(actor, number), queries.get_case_for(actor, into))
            _merge(actor, now, duplicate, kept, reason, _demand_joinable(duplicate, kept, now))
            return {"number": number}

        once(actor, now, idempotency_key, "merge_case", request, merge)


def locked_pair(one: case_log.Case, other: case_log.Case) -> tuple[case_log.Case, case_log.Case]:
    """Return two cases with their rows locked, in the order of their ids.

    Two who join (or part) the same two the other way round wait for each other. A contract is locked after them.
    """
    locked = {case.id: cases.lock_case(case) for case in sorted((one, other), key=lambda case: str(case.id))}
    return locked[one.id], locked[other.id]


def _demand_joinable(duplicate: case_log.Case, kept: case_log.Case, now: datetime) -> JoinForeseen:
    """M-1 to M-7; return what the clocks say to it."""
    _demand(refusal_of_pair(side_of(duplicate), side_of(kept)))
    logs = queries.logs_of([duplicate.id, kept.id])
    moves = moves_clock(promised_class(duplicate), promised_class(kept))
    seen = foresee_join(clocked(duplicate, logs[duplicate.id]), clocked(kept, logs[kept.id]), now, moves_clock=moves)
    sides = (side_of(duplicate, seen.duplicate), side_of(kept, seen.kept))
    _demand(refusal_of_clocks(*sides, seen.after.due_at, seen.after.breached_at))
    return seen


def _demand(refusal: Refusal | None) -> None:
    if refusal is not None:
        sentence = _(refusal.sentence)
        raise Refused(refusal.code, sentence, {"into": sentence})


def _merge(
    actor: Actor, now: datetime, duplicate: case_log.Case, kept: case_log.Case, reason: str, seen: JoinForeseen
) -> None:
    """M-3, M-4, M-8."""
    is_charged = any(standing_charge(one, kept.company_id) is not None for one in queries.group_of(kept))
    brought = {"arrived_at": duplicate.submitted_at.isoformat(), **seen.brought}
    joined = {"into": str(kept.id), "number": kept.number, "reason": reason, "how": "merged"}
    seq = case_log.add(duplicate, "merged", actor, now, joined)
    case_log.add(
        kept,
        "merged_from",
        actor,
        now,
        {"case": str(duplicate.id), "number": duplicate.number, "reason": reason, **brought},
    )
    why = _("Joined with case %(number)s") % {"number": spoken(kept.number)}
    if is_charged and ledger.refund(duplicate.id, duplicate.company_id, actor, now, why):
        case_log.add(duplicate, "quota", actor, now, {"movement": "refund", "amount": 1, "by": "merged"})
    notify_customer(duplicate, "merged", seq, now, reason)
