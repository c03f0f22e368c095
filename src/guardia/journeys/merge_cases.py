"""Join a duplicate with the case that goes on, without a charge for the same problem twice and without a loss.

Rules, in the order in which they are asked:

- M-1 Both are cases of one company, two different ones, and both are open: a chain is never joined at a closed link.
- M-2 Nothing is downgraded silently: a premium duplicate joins a premium case only.
- M-3 No promise is escaped: a duplicate that is due and not answered joins a case that is due no later, or answered.
- M-4 The duplicate closes as joined. Its premium incident is given back where the case that goes on is charged.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import standing_charge
from guardia.journeys import case_log
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.ids import spoken
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseClass


def merge_case(
    actor: Actor, now: datetime, number: str, into: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Close case `number` as a duplicate of case `into`. Raise Forbidden (no staff), Refused (M-1 to M-3), NotFound."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff join cases."))
    reason = checked_reason(reason)
    into = into.replace(" ", "")
    with journey():
        request = {"number": number, "into": into, "reason": reason}

        def merge() -> dict[str, str]:
            duplicate, kept = _locked(actor, number, into)
            _demand_joinable(duplicate, kept)
            _merge(actor, now, duplicate, kept, reason)
            return {"number": number}

        once(actor, now, idempotency_key, "merge_case", request, merge)


def _locked(actor: Actor, number: str, into: str) -> tuple[case_log.Case, case_log.Case]:
    duplicate, kept = queries.get_case_for(actor, number), queries.get_case_for(actor, into)
    # In the order of their ids: two who join the same two the other way round wait for each other.
    locked = {case.id: cases.lock_case(case) for case in sorted((duplicate, kept), key=lambda case: str(case.id))}
    return locked[duplicate.id], locked[kept.id]


def _demand_joinable(duplicate: case_log.Case, kept: case_log.Case) -> None:
    """M-1 to M-3."""
    if duplicate.id == kept.id:
        raise _refused("merge_itself", _("A case cannot be joined with itself. Give the number of the other one."))
    if duplicate.company_id != kept.company_id:
        raise _refused("merge_companies", _("The two cases are of different companies, and stay apart."))
    if duplicate.closed_at is not None:
        raise _refused("merge_closed", _("This case is closed already; there is nothing to join."))
    if kept.closed_at is not None:
        raise _refused(
            "merge_into_closed", _("The other case is closed. Reopen it first, or join with one that is open.")
        )
    if duplicate.case_class == CaseClass.PREMIUM and kept.case_class != CaseClass.PREMIUM:
        raise _refused(
            "merge_downgrade",
            _("This case is premium and the other one is not. Join the other one with this one instead."),
        )
    if _is_escape(duplicate, kept):
        raise _refused(
            "merge_later",
            _(
                "This case is due before the other one, and nobody has answered it. Answer it first, or join the other "
                "one with this one instead."
            ),
        )


def _is_escape(duplicate: case_log.Case, kept: case_log.Case) -> bool:
    """M-3."""
    if duplicate.due_at is None or duplicate.answered_at is not None or kept.answered_at is not None:
        return False
    return kept.due_at is None or bool(kept.due_at > duplicate.due_at)


def _refused(code: str, sentence: str) -> Refused:
    return Refused(code, sentence, {"into": sentence})


def _merge(actor: Actor, now: datetime, duplicate: case_log.Case, kept: case_log.Case, reason: str) -> None:
    """M-4."""
    joined = {"into": str(kept.id), "number": kept.number, "reason": reason, "how": "merged"}
    seq = case_log.add(duplicate, "merged", actor, now, joined)
    case_log.add(
        kept, "merged_from", actor, now, {"case": str(duplicate.id), "number": duplicate.number, "reason": reason}
    )
    is_kept_charged = standing_charge(kept.id, kept.company_id) is not None
    why = _("Joined with case %(number)s") % {"number": spoken(kept.number)}
    if is_kept_charged and ledger.refund(duplicate.id, duplicate.company_id, actor, now, why):
        case_log.add(duplicate, "quota", actor, now, {"movement": "refund", "amount": 1})
    notify_customer(duplicate, "merged", seq, now, reason)
