"""Take a joining back: the duplicate goes on as if it had never been joined.

Rules:

- U-1 Staff, with a reason, for as long as the case stands joined, whether the other one is open or closed meanwhile.
  Where the other one was joined with a third itself, that is undone first.
- U-2 The duplicate has the state that it had. Its clocks count as if it had never been joined: the time in between
  counts, and a target that ended in it was missed.
- U-3 The other one has its own arrival, start and calls again. What was written there meanwhile stays there.
- U-4 The premium incident that the joining gave back is charged again as it stood: to the same contract year, spent if
  it had been. Where that year has none left, nothing is undone.
- U-5 Nothing is erased: both logs tell the joining and its end. Two cases may be joined and parted any number of times.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.contracts import operations as ledger
from guardia.journeys import case_log
from guardia.journeys.merge_cases import locked_pair
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.ids import spoken
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def undo_merge(actor: Actor, now: datetime, number: str, reason: str, *, idempotency_key: str | None = None) -> None:
    """Part case `number` from the one that it was joined with. Raise Forbidden (no staff), Refused (U-1, U-4)."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff join cases."))
    reason = checked_reason(reason)
    with journey():
        case = queries.get_case_for(actor, number)

        def undo() -> dict[str, str]:
            duplicate, kept = _locked(actor, case)
            _part(actor, now, duplicate, kept, reason)
            return {"number": number, "from": str(kept.number)}

        once(actor, now, idempotency_key, "undo_merge", {"number": number, "reason": reason}, undo)


def _locked(actor: Actor, case: case_log.Case) -> tuple[case_log.Case, case_log.Case]:
    """The duplicate and the case that it stands joined with, as they are once nobody else changes them (U-1)."""
    kept = queries.find_case_for(actor, case.merged_into_id) if case.merged_into_id else None
    if kept is None:
        raise _not_joined()
    duplicate, kept = locked_pair(case, kept)
    if duplicate.merged_into_id != kept.id:  # undone meanwhile, and perhaps joined with another one
        raise _not_joined()
    if kept.merged_into_id is not None:
        onward = queries.find_case_for(actor, kept.merged_into_id)
        numbers = {"number": spoken(kept.number), "other": spoken(onward.number) if onward else ""}
        raise Refused(
            "merged_on",
            _("Case %(number)s was joined with %(other)s itself. Undo that joining first.") % numbers,
        )
    return duplicate, kept


def _not_joined() -> Refused:
    return Refused("not_merged", _("This case is not joined with another one; there is nothing to undo."))


def _part(actor: Actor, now: datetime, duplicate: case_log.Case, kept: case_log.Case, reason: str) -> None:
    """U-2 to U-5."""
    gave_back = _gave_back(duplicate)
    parted = {"from": str(kept.id), "number": kept.number, "reason": reason}
    seq = case_log.add(duplicate, "merge_undone", actor, now, parted)
    taken_back = {"case": str(duplicate.id), "number": duplicate.number, "reason": reason}
    case_log.add(kept, "merge_taken_back", actor, now, taken_back)
    if gave_back:
        why = _("Parted from case %(number)s") % {"number": spoken(kept.number)}
        movements = ledger.charge_again(duplicate.id, duplicate.company_id, actor, now, why)
        if not movements:
            raise Refused(
                "no_premium_left",
                _(
                    "The joining gave a premium incident back, and its contract year has none left to charge it again. "
                    "Adjust the year first, or leave the two joined."
                ),
            )
        for movement in movements:
            case_log.add(duplicate, "quota", actor, now, {"movement": movement, "amount": 1, "by": "merge_undone"})
    notify_customer(duplicate, "merge_undone", seq, now, reason)


def _gave_back(duplicate: case_log.Case) -> bool:
    """Whether the joining that stands gave the duplicate's incident back."""
    given = False
    for event in queries.facts_of(duplicate):
        if event.type == "merged":
            given = False
        elif event.type == "quota" and event.payload["movement"] == "refund" and "reason" not in event.payload:
            given = True  # one with a reason is a supervisor's own act
    return given
