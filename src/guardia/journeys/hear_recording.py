"""Hear what was recorded in a call: staff who may, and a company's people what was said to their own case.

Each listening is kept in the audit trail. The sound lies sealed in the call's journal until it is erased.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.calls.queries import find_recording
from guardia.features.calls.rules.hearing import is_for_customers, may_hear
from guardia.features.cases.queries import events_of, get_case_for
from guardia.journeys.act_on_case import demand_staff
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, NotFound
from guardia.kernel.outside import JournalUnreadable, outside
from guardia.kernel.sound import wav_of
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

Recording = Any


def hear_recording(actor: Actor, now: datetime, recording_id: UUID) -> bytes:
    """Return a recording as a WAV file, for staff. Raises Forbidden, NotFound (also where it was erased)."""
    demand_staff(actor)
    if not may_hear(actor):
        raise Forbidden("role_missing", _("Engineers and duty managers hear recordings."))
    recording = find_recording(recording_id)
    if recording is None:
        raise _unknown()
    return _heard(actor, now, recording)


def hear_own_recording(actor: Actor, now: datetime, number: str, recording_id: UUID) -> bytes:
    """Return what was said to a case that the actor may see as a WAV file. Raises NotFound for everything else.

    A conversation, and what an internal note of staff tells of, is as if it were not there.
    """
    case = get_case_for(actor, number)
    recording = find_recording(recording_id)
    if recording is None or recording.case_id != case.id:
        raise _unknown()
    told = events_of(case).filter(seq=recording.event_seq or 0).exclude(payload__contains={"internal": True})
    if not (told.exists() and is_for_customers(recording.kind, waits_for_staff=recording.waits_for_staff)):
        raise _unknown()
    return _heard(actor, now, recording)


def _heard(actor: Actor, now: datetime, recording: Recording) -> bytes:
    if recording.erased_at is not None:
        days = {"days": settings.GUARDIA.line_kept_days}
        raise NotFound("recording_erased", _("This recording was erased after %(days)d days.") % days)
    try:
        sound = outside().call_journals.read_sound(recording.call_id, recording.number)
    except (FileNotFoundError, JournalUnreadable) as error:
        raise NotFound("recording_not_kept", _("This recording is no longer kept, or cannot be read.")) from error
    detail = {"call": str(recording.call_id), "number": recording.number, "kind": recording.kind}
    with journey():
        record(
            actor, now, "recording_heard", f"recording {recording.id}", company_id=recording.company_id, detail=detail
        )
    return bytes(wav_of(sound))


def _unknown() -> NotFound:
    return NotFound("recording_unknown", _("There is no such recording."))
