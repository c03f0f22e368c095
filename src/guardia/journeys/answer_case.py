"""A qualified answer: it stops the response clock (RC-9).

It is given by an assigned specialist and carries the results of a preliminary analysis, asks for *all* the data still
missing, or adopts the precheck's finding. An automatic finding alone never stops the clock.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.attach_files import described, take_uploads
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.journeys.write_message import checked_text, demand_open
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor
from guardia.kernel.words import gettext_noop

HOW = ("analysis", "asks_for_data", "adopts_precheck")


def answer_case(
    actor: Actor,
    now: datetime,
    number: str,
    text: str,
    how: str,
    uploads: Sequence[UUID] = (),
    *,
    wait_for_customer: bool = False,
    idempotency_key: str | None = None,
) -> int:
    """Give a qualified answer and return its seq. `how` is one of `HOW`."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("A qualified answer is given by a specialist."))
    if how not in HOW:
        raise Invalid("how_unknown", _("Say what makes the answer qualified."), {"how": _("Choose one.")})
    text = checked_text(text)
    request = {"number": number, "text": text, "how": how, "uploads": list(uploads), "wait": wait_for_customer}
    with journey():
        case = queries.get_case_for(actor, number)
        answer = once(
            actor,
            now,
            idempotency_key,
            "answer_case",
            request,
            lambda: _answer(actor, now, case, text, how, uploads, wait_for_customer),
        )
    return int(answer["seq"])


def _answer(
    actor: Actor,
    now: datetime,
    case: case_log.Case,
    text: str,
    how: str,
    uploads: Sequence[UUID],
    wait: bool,  # noqa: FBT001  private
) -> dict[str, int]:
    case = cases.lock_case(case)
    demand_open("answer", case.state)
    if str(case.holder_id) != actor.id:
        raise Refused(
            "not_the_holder", _("A qualified answer is given by the specialist who has the case. Take it first.")
        )
    if how == "adopts_precheck" and queries.find_event(case, "precheck") is None:
        raise Refused("no_precheck", _("There is no precheck to adopt yet."))
    files = take_uploads(actor, uploads, now)
    payload = {"text": text, "how": how, "qualified": True, "files": described(files)}
    seq = case_log.add(case, "answered", actor, now, payload)
    cases.add_files(case, files, "attachment", seq, now)
    notify_customer(case, "answered", seq, now)
    if wait:
        demand_open("wait", case.state)
        case_log.add(
            case,
            "state_changed",
            actor,
            now,
            {"act": "wait", "state": "waiting_customer", "reason": gettext_noop("Data asked for.")},
        )
    return {"seq": seq}
