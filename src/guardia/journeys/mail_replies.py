"""A message continues a case: a message of the customer's, with its files; a closed case is opened again by it.

A customer's message takes a case out of waiting; none of it stops the response clock.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.accounts.queries import actor_of
from guardia.features.cases import operations as cases
from guardia.features.cases.queries import facts_of, get_case_for
from guardia.features.cases.rules.pending import open_dispute
from guardia.journeys import case_log
from guardia.journeys.attach_files import described
from guardia.journeys.change_class import change_class
from guardia.journeys.mail_cases import is_second_hand, keep_files, sounds_critical
from guardia.journeys.notify import notify_customer
from guardia.journeys.phone_line import phone_line
from guardia.journeys.tell_staff import SEVERITY, tell_critical_mail, tell_holder
from guardia.journeys.write_message import LONGEST_TEXT, demand_open
from guardia.kernel.errors import GuardiaError
from guardia.kernel.vocabulary import Actor, CaseClass, CaseState

STATED = gettext_noop("Stated by email.")
OPENED_AGAIN = gettext_noop("The customer answered by email.")


def add_reply(step: Any, now: datetime, later: list[Callable[[], None]]) -> tuple[UUID, int]:
    """Write a message on the case that it continues; return the case and the event's seq. Raise Refused.

    Its files are finished by what is put into `later`.
    """
    actor = actor_of(step.sender)
    case = cases.lock_case(get_case_for(actor, step.decision.thread.number))
    if case.state == CaseState.CLOSED:
        seq = case_log.add(case, "reopened", actor, now, {"reason": OPENED_AGAIN, "channel": "email"})
        notify_customer(case, "reopened", seq, now)
    demand_open("message", case.state)
    with translation.override(actor.language):
        files = keep_files(step, actor, now, later)
        text = step.arrival.letter.text.strip()
        if len(text) > LONGEST_TEXT:
            step.row.faults = [*step.row.faults, _("The text is long: the case holds its beginning.")]
        payload = {
            "text": text[:LONGEST_TEXT] or ("" if files else _("(The message has no text.)")),
            "files": described(files),
            "internal": False,
            "channel": "email",
            "mail": str(step.row.id),
            "quoted": bool(step.row.quoted),
            "passwords": list(step.arrival.letter.stated.passwords),
        }
    arrived_at = max(step.arrival.envelope.arrived_at, case.submitted_at)
    seq = case_log.add(case, "message", actor, now, payload, occurred_at=arrived_at)
    cases.add_files(case, files, "attachment", seq, now)
    case_log.resume_if_answered(case, actor, now, now)  # not `arrived_at`: a mailbox's clock is not ours
    stated = step.arrival.letter.stated
    if sounds_critical(stated):
        tell_critical_mail(case, seq, now)
    if stated.severity is not None and stated.severity != case.severity:
        _state_severity(case, actor, now, stated.severity)
    spends = stated.case_class == CaseClass.PREMIUM and is_second_hand(step)
    if stated.case_class is not None and case.case_class == CaseClass.UNDECIDED and not spends:
        try:
            change_class(actor, now, case.number, stated.case_class, _(STATED))
        except GuardiaError as refused:  # the class stays undecided, and that is told
            step.row.faults = [*step.row.faults, refused.sentence[:300]]
    return case.id, seq


def _state_severity(case: case_log.Case, actor: Actor, now: datetime, to: int) -> None:
    """Take the answer to our question; where the severity was stated or changed before, it is a dispute instead."""
    log = facts_of(case)
    is_asked = log[0].payload.get("severity_stated") is False
    if is_asked and not any(event.type == "severity_changed" for event in log):
        change = {"from": case.severity, "to": to, "reason": STATED, "how": "stated"}
        seq = case_log.add(case, "severity_changed", actor, now, change)
        notify_customer(case, "severity_changed", seq, now, phone_line(case, now))
    elif open_dispute(log) is None:
        seq = case_log.add(case, "severity_disputed", actor, now, {"wanted": to, "reason": STATED})
        tell_holder(case, SEVERITY, "disputed", seq, now)
