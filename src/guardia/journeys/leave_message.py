"""Keep what a known caller said after the tone: in a case of the company's, or as a new case.

- Into a case it is a message of the person's, like a written one: it ends the waiting for the customer, but not one
  that began after it was spoken.
- Without a case it becomes one of its own, of class undecided and severity 3: nobody said what it is, and a message is
  no confirmed call. Its number is mailed.
- Where neither can be (the case is closed or a stranger's, the contract is over) nothing is lost: the answer says that
  staff have to deal with the recording.
- The same recording of a call is kept once, however often it is handed in.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.operations import lock_case
from guardia.features.cases.queries import find_event, find_opened_by_call
from guardia.journeys import case_log
from guardia.journeys.act_on_case import demand_customer
from guardia.journeys.add_cases import FIRST_SEQ
from guardia.journeys.notify import notify_customer
from guardia.journeys.open_by_voice import MESSAGE_SEVERITY, lock_recording, open_spoken, spoken_length
from guardia.journeys.phone_line import phone_line
from guardia.journeys.write_message import demand_open
from guardia.kernel.errors import NotFound, Refused
from guardia.kernel.transactions import journey, operation
from guardia.kernel.vocabulary import Actor, CaseClass


def leave_message(
    actor: Actor,
    now: datetime,
    number: str,
    call_id: UUID,
    recording: int,
    seconds: float,
    arrived_at: datetime | None = None,
) -> str:
    """Keep a recording of a call made at `arrived_at` (else now) for the case of `number`, or for a new one (empty).

    Return the number of the case that has it, or an empty string where staff have to deal with it.
    """
    demand_customer(actor)
    at = arrived_at or now
    try:
        with journey():
            lock_recording(call_id, recording)
            if number:
                return _add(actor, now, at, number, call_id, recording, seconds)
            return _open(actor, now, at, call_id, recording, seconds)
    except (NotFound, Refused):
        return ""


@operation
def _add(actor: Actor, now: datetime, at: datetime, number: str, call_id: UUID, recording: int, seconds: float) -> str:
    case = lock_case(queries.get_case_for(actor, number))
    if find_event(case, "message", call=str(call_id), recording=recording) is None:
        demand_open("message", case.state)
        said = _spoken(case, call_id, recording, seconds)
        spoken_at = max(at, case.submitted_at)
        case_log.add(case, "message", actor, now, said, occurred_at=spoken_at)
        case_log.resume_if_answered(case, actor, now, spoken_at)
    return str(case.number)


@operation
def _open(actor: Actor, now: datetime, at: datetime, call_id: UUID, recording: int, seconds: float) -> str:
    case = find_opened_by_call(actor.company_id, call_id, recording) if actor.company_id else None
    if case is None:
        case = open_spoken(actor, now, at, MESSAGE_SEVERITY, CaseClass.UNDECIDED, call_id, recording, seconds)
        notify_customer(case, "opened", FIRST_SEQ, now, phone_line(case, now))
    return str(case.number)


def _spoken(case: case_log.Case, call_id: UUID, recording: int, seconds: float) -> dict[str, Any]:
    with translation.override(case.language):
        text = _("Voice message, %(length)s") % {"length": spoken_length(seconds)}
    return {
        "text": text,
        "files": [],
        "internal": False,
        "call": str(call_id),
        "recording": recording,
        "seconds": round(seconds),
    }
