"""Phone calls with what was recorded in them, as rows and journals, for tests of what people see and hear of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from guardia.features.calls import operations
from guardia.features.calls.models import Call, Recording
from guardia.features.cases.queries import get_case_for
from guardia.journeys import case_log
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import CallFacts, outside
from guardia.kernel.sound import SILENT_FRAME

SHOWN = "+34 910 000 111"
SOUND = SILENT_FRAME * 50
"""One second."""


def kept_call(now: datetime, **changes: Any) -> Call:
    """Keep a call that came in three minutes ago and was over after two, changed as said."""
    began = now - timedelta(minutes=3)
    facts: dict[str, Any] = {
        "direction": "in",
        "caller": SHOWN,
        "language": "es",
        "started_at": began,
        "ended_at": began + timedelta(minutes=2),
        "handed_in_at": now,
        "seen_at": now,
        "outcome": "hung_up",
        "log": [{"at": began.isoformat(), "what": "language", "language": "es"}],
    }
    with transaction.atomic():
        return operations.save_call(uuid7(), **{**facts, **changes})


def live_call(now: datetime, **changes: Any) -> Call:
    """Keep a call that lives since three minutes."""
    return kept_call(now, **{"ended_at": None, "handed_in_at": None, "outcome": "", "step": "greeting", **changes})


def kept_recording(call: Call, kind: str = "message", **facts: Any) -> Recording:
    """Keep one second of silence of a call, in its journal too."""
    journal = outside().call_journals.open(CallFacts(call.id, call.direction, call.started_at, call.caller))
    number = journal.begin_sound(kind, call.started_at)
    journal.sound(number, SOUND, 1.0, call.started_at)
    journal.finish(call.started_at)
    with transaction.atomic():
        return operations.add_recording(call, number, kind, call.started_at, 1.0, 1.0, **facts)


def told_in_case(cast: Any, number: str, kind: str = "message", *, internal: bool = False) -> Recording:
    """Keep a call of the Plus contact about a case, with a recording that an event of the case tells of."""
    case = get_case_for(cast.engineer, number)
    facts = {"company_id": case.company_id, "person_name": cast.plus.name, "case_id": case.id, "known_by": "pin"}
    call = kept_call(cast.now, outcome="message", **facts)
    said = {"text": "Voice message, 1 s", "files": [], "internal": internal, "call": str(call.id), "recording": 1}
    with transaction.atomic():
        seq = case_log.add(case, "message", cast.plus, cast.now, said)
    return kept_recording(call, kind, company_id=case.company_id, case_id=case.id, event_seq=seq)


def waiting_message(now: datetime, **changes: Any) -> Recording:
    """Keep a message of somebody unknown that waits for staff."""
    return kept_recording(kept_call(now, outcome="message", **changes), waits_for_staff=True)


def erase(recording_id: UUID, now: datetime) -> None:
    """Let a recording be erased."""
    Recording.objects.filter(id=recording_id).update(erased_at=now)
