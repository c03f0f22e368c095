"""A confirmed call: it opens the 24x7 clock where the severity's promise says so (RC-3).

- Who calls is known by the request's one-time code, or known to the engineer, who then says how.
- It is registered once; a second one is told when the first was.
- Five wrong codes within an hour close the way by code for the rest of it. A wrong try is kept although it is refused.
- It is recorded for any severity: a later raise finds the call there.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.queries import phone_code_of
from guardia.features.cases.rules.phone_code import has_tries_left, is_right
from guardia.journeys import case_log, late_entries
from guardia.journeys.act_on_case import Answer, act_on_case, demand_staff
from guardia.journeys.move_case import checked_reason
from guardia.journeys.write_message import demand_open
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.vocabulary import Actor

HOW = ("code", "known")


@dataclass(frozen=True)
class ConfirmedCall:
    """The first confirmed call of a case, and the end of its clock since; `is_first`: it is this one."""

    confirmed_at: datetime
    is_first: bool
    due_at: datetime | None


def case_code(case: case_log.Case) -> str:
    """Return the six digits that a caller gives for this case."""
    return phone_code_of(case)


def confirm_call(
    actor: Actor,
    now: datetime,
    number: str,
    how: str,
    code: str = "",
    occurred_at: datetime | None = None,
    reason: str = "",
    *,
    idempotency_key: str | None = None,
) -> ConfirmedCall:
    """Register a call about a case, now or (by `occurred_at`) some time ago."""
    demand_staff(actor)
    if how not in HOW:
        raise Invalid("how_unknown", _("Say how the caller is known."), {"how": _("Choose one.")})
    if how == "code" and not code.strip():
        raise Invalid("code_missing", _("The code is missing."), {"code": _("Give the six digits of the code.")})
    reason = checked_reason(reason) if how == "known" or reason.strip() else ""

    def do(case: case_log.Case) -> Answer:
        demand_open("message", case.state)
        at = occurred_at or now
        if how == "code" and (refusal := _refused_code(case, actor, now, code)):
            return {"refused": refusal}
        if case.called_at is not None and case.called_at <= at:
            return _answer(case, is_first=False)
        late_entries.enter(case, actor, now, "phone_confirmed", at, {"how": how, "reason": reason})
        return _answer(case, is_first=True)

    request = {"how": how, "code": code, "occurred_at": occurred_at, "reason": reason}
    return _told(act_on_case(actor, now, number, "confirm_call", request, idempotency_key, do))


def _refused_code(case: case_log.Case, actor: Actor, now: datetime, code: str) -> str:
    """Return why a code is not taken, and keep the wrong try; an empty string where it is right."""
    if not has_tries_left(queries.facts_of(case), now):
        return "code_closed"
    if is_right(code, case_code(case)):
        return ""
    case_log.add(case, "phone_code_refused", actor, now, {"internal": True})
    return "code_wrong"


def _answer(case: case_log.Case, *, is_first: bool) -> Answer:
    due_at = case.due_at.isoformat() if case.due_at else None
    return {"confirmed_at": case.called_at.isoformat(), "is_first": is_first, "due_at": due_at}


def _told(answer: Answer) -> ConfirmedCall:
    """Return the answer as it was kept, or raise what it says: the wrong try is committed by now."""
    if answer.get("refused") == "code_closed":
        sentence = _(
            "Too many wrong codes: none is taken for this request within the hour. Confirm the caller by name."
        )
        raise Refused("code_closed", sentence, {"code": sentence})
    if answer.get("refused"):
        sentence = _("This is not the code of this request.")
        raise Refused("code_wrong", sentence, {"code": sentence})
    due_at = answer["due_at"]
    return ConfirmedCall(
        confirmed_at=datetime.fromisoformat(answer["confirmed_at"]),
        is_first=answer["is_first"],
        due_at=datetime.fromisoformat(due_at) if due_at else None,
    )
