"""Deal with a message that somebody unknown left by phone: attach it to a case, or settle it with a reason.

Engineers and duty managers decide. The recording is locked, so that of two people at once one decides and the other is
told who did. Attached, an internal note of the case tells of it: whoever left it is unknown, so the customer is not
shown it as their own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.calls import operations
from guardia.features.calls.rules.hearing import may_hear
from guardia.features.cases import operations as cases
from guardia.features.cases.queries import get_case_for
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.journeys.write_message import demand_open
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LONGEST_REASON: Final = 300
Recording = Any


def attach_recording(
    actor: Actor, now: datetime, recording_id: UUID, number: str, text: str = "", *, idempotency_key: str | None = None
) -> None:
    """Let an internal note of a case tell of a message that waits, with words of the actor's where there are any.

    Raises Forbidden, Invalid without a known number, NotFound, Refused where it was settled before or the case takes
    no message.
    """

    def do(recording: Recording) -> None:
        _demand_waiting(recording)
        case = cases.lock_case(_case(actor, digits))
        demand_open("message", case.state)
        of_call = {"call": str(recording.call_id), "recording": recording.number}
        payload = {"text": text, "files": [], "internal": True, **of_call}
        seq = case_log.add(case, "message", actor, now, payload)
        operations.settle_recording(
            recording, now, actor.name, text, company_id=case.company_id, case_id=case.id, event_seq=seq
        )
        detail = {"case": digits, "call": str(recording.call_id)}
        record(actor, now, "recording_attached", f"recording {recording.id}", company_id=case.company_id, detail=detail)

    digits = "".join(mark for mark in number if not mark.isspace())
    if len(text) > LONGEST_REASON:
        raise _too_long("text")
    _decide(actor, now, recording_id, "attach_recording", {"number": digits, "text": text}, do, idempotency_key)


def settle_recording(
    actor: Actor, now: datetime, recording_id: UUID, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Let a message wait no more, with the reason. Raises Forbidden, Invalid, NotFound, Refused as above."""

    def do(recording: Recording) -> None:
        _demand_waiting(recording)
        operations.settle_recording(recording, now, actor.name, reason)
        detail = {"reason": reason, "call": str(recording.call_id)}
        record(actor, now, "recording_settled", f"recording {recording.id}", detail=detail)

    if not reason:
        sentence = _("Say why, for whoever reads it later.")
        raise Invalid("reason_missing", sentence, {"reason": sentence})
    if len(reason) > LONGEST_REASON:
        raise _too_long("reason")
    _decide(actor, now, recording_id, "settle_recording", {"reason": reason}, do, idempotency_key)


def _decide(
    actor: Actor,
    now: datetime,
    recording_id: UUID,
    act: str,
    asked: Mapping[str, Any],
    do: Callable[[Recording], None],
    key: str | None,
) -> None:
    if not may_hear(actor):
        raise Forbidden("role_missing", _("Engineers and duty managers deal with phone messages."))
    with journey():
        recording = operations.lock_recording(recording_id)
        if recording is None:
            raise NotFound("recording_unknown", _("There is no such recording."))

        def once_only() -> dict[str, str]:
            do(recording)
            return {}

        once(actor, now, key, act, {"recording": str(recording_id), **asked}, once_only)


def _case(actor: Actor, number: str) -> case_log.Case:
    try:
        return get_case_for(actor, number)
    except NotFound as error:
        sentence = _("No case has this number.")
        raise Invalid("case_unknown", sentence, {"number": sentence}) from error


def _demand_waiting(recording: Recording) -> None:
    if recording.waits_for_staff and recording.settled_at is None:
        return
    if recording.settled_by_name:
        name = {"name": recording.settled_by_name}
        raise Refused("recording_settled", _("%(name)s has settled this message in the meantime.") % name)
    raise Refused("recording_not_waiting", _("This message does not wait for anybody."))


def _too_long(field: str) -> Invalid:
    sentence = _("The reason is longer than %(limit)s characters.") % {"limit": LONGEST_REASON}
    return Invalid("reason_too_long", sentence, {field: sentence})
