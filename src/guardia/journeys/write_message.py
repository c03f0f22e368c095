"""Messages both ways, and internal notes. None of them stops the response clock.

A customer's message to a case that waits for the customer takes it out of waiting.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.cases.rules import life
from guardia.journeys import case_log
from guardia.journeys.attach_files import described, take_uploads
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseState

LONGEST_TEXT = 20_000


def checked_text(text: str, *, files: Sequence[UUID] = ()) -> str:
    """Return a text as it is kept; raise Invalid where it is missing (and no file stands for it) or too long."""
    cleaned = text.replace("\x00", "").strip()
    if not cleaned and not files:
        raise Invalid("text_missing", _("Nothing was written."), {"text": _("Write the message, or attach a file.")})
    if len(cleaned) > LONGEST_TEXT:
        sentence = _("At most %(limit)d characters, got %(length)d.") % {"limit": LONGEST_TEXT, "length": len(cleaned)}
        raise Invalid("text_too_long", sentence, {"text": sentence})
    return cleaned


def demand_open(act: str, state: str) -> None:
    """Raise Refused where `act` is not open in the case's state."""
    why = life.refusal(act, CaseState(state))
    if why:
        raise Refused("not_open", _(why))


def write_message(
    actor: Actor,
    now: datetime,
    number: str,
    text: str,
    uploads: Sequence[UUID] = (),
    *,
    is_internal: bool = False,
    idempotency_key: str | None = None,
) -> int:
    """Add a message with files to a case and return its seq."""
    if is_internal and not actor.is_staff:
        raise Forbidden("notes_are_internal", _("Only staff write internal notes."))
    text = checked_text(text, files=uploads)
    request = {"number": number, "text": text, "uploads": list(uploads), "internal": is_internal}
    with journey():
        case = queries.get_case_for(actor, number)
        answer = once(actor, now, idempotency_key, "write_message", request, lambda: _write(actor, now, case, request))
    return int(answer["seq"])


def _write(actor: Actor, now: datetime, case: case_log.Case, request: dict[str, object]) -> dict[str, int]:
    case = cases.lock_case(case)
    demand_open("message", case.state)
    files = take_uploads(actor, request["uploads"], now)  # type: ignore[arg-type]
    payload = {"text": request["text"], "files": described(files), "internal": request["internal"]}
    seq = case_log.add(case, "message", actor, now, payload)
    cases.add_files(case, files, "internal" if request["internal"] else "attachment", seq, now)
    if not actor.is_staff:
        case_log.resume_if_answered(case, actor, now, now)
    if actor.is_staff and not request["internal"]:
        notify_customer(case, "message", seq, now)
    return {"seq": seq}
