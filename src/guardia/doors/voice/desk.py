"""The desk: answers what a dialogue asks of our records, for one call.

Rules:
- Every answer is read or done as the person who phones, through what checks access; a code's caller reaches its case
  alone. Who may not phone may leave a message, and nothing else.
- What is done can be asked for again: it is known by the call's id and the recording's number, so that a question that
  is repeated, or handed in after the line was killed, changes nothing.
- Where the database cannot be reached `DeskUnreachable` is raised. What was asked may have been done all the same.
- Any thread may ask; each has a connection of its own, which it keeps no longer than its server lives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import translation
from django.utils.translation import gettext as _

from guardia.doors.voice import questions
from guardia.features.accounts.queries import find_person_of
from guardia.features.cases.queries import cases_for, get_case_for
from guardia.features.contracts.queries import find_contract
from guardia.features.mail.queries import find_of_senders, waiting_of
from guardia.features.mail.rules.proving import PROVABLE
from guardia.features.sla.queries import compiled_calendar
from guardia.journeys.confirm_by_phone import confirm_by_phone
from guardia.journeys.identify_caller import (
    KnownCaller,
    UnknownCaller,
    actor_of_caller,
    identify_by_code,
    identify_by_pin,
)
from guardia.journeys.leave_message import leave_message
from guardia.journeys.open_by_voice import open_by_voice
from guardia.journeys.prove_sender import disown, vouch
from guardia.kernel.errors import Forbidden, GuardiaError, NotFound
from guardia.kernel.vocabulary import Actor, CaseClass
from guardia.reports.promise import must_phone

MOST_CASES: Final = 9
MOST_MAILS: Final = 5
_MOST_UNPHONED: Final = 100
_WORDS_OF_LINE: Final = {"not_open": "closed", "mail_settled": "settled", "may_not_vouch": "not_entitled"}
"""Codes of refusals that the line has its own word for."""
Case = Any
_OfKnown = (
    questions.ListCases
    | questions.FindCase
    | questions.ConfirmCase
    | questions.OpenByVoice
    | questions.ListMail
    | questions.SettleMail
)
_NOT_ENTITLED: Final = questions.Refused("not_entitled")


class DeskUnreachable(Exception):
    """Our records cannot be reached; what was asked may have been done all the same."""


@dataclass(frozen=True)
class Desk:
    """The desk of one call. `language` is that of the call; what is mailed is in its reader's."""

    call_id: UUID
    caller_number: str
    language: str

    def answer(self, question: questions.Question, now: datetime) -> questions.Answer:
        """Answer a question at `now`. Raises DeskUnreachable."""
        if not connection.in_atomic_block:  # whoever asks within a transaction of their own goes on with it
            close_old_connections()
        try:
            with translation.override(self.language or None):
                return self._answer(question, now)
        except NotFound:
            return questions.NoSuchCase()
        except GuardiaError as error:
            return questions.Refused(_WORDS_OF_LINE.get(error.code, error.code))
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise DeskUnreachable(type(error).__name__) from error

    def _answer(self, question: questions.Question, now: datetime) -> questions.Answer:
        match question:
            case questions.IdentifyByPin(contract=contract, pin=pin):
                return _identified(identify_by_pin(now, contract, pin, self.caller_number))
            case questions.IdentifyByCode(number=number, code=code):
                return _identified(identify_by_code(now, number, code, self.caller_number))
            case questions.LeaveMessage():
                return self._leave_message(question, now)
        return self._answer_known(question, now) if question.caller.may_phone else _NOT_ENTITLED

    def _answer_known(self, question: _OfKnown, now: datetime) -> questions.Answer:
        caller = question.caller
        match question:
            case questions.ListCases():
                return questions.CasesFound([spoken(case, now) for case in _cases_of(caller, now)])
            case questions.FindCase(number=number):
                return spoken(_case_of(caller, number), now)
            case questions.ConfirmCase(number=number):
                return self._confirm(caller, number, now)
        if caller.case:
            return _NOT_ENTITLED
        match question:
            case questions.OpenByVoice():
                return self._open(question, now)
            case questions.ListMail():
                return _mails_of(caller, now)
            case questions.SettleMail():
                return self._settle_mail(question, now)

    def _confirm(self, caller: questions.Caller, number: str, now: datetime) -> questions.Answer:
        case = _case_of(caller, number)
        how: Literal["code", "pin"] = "code" if caller.case else "pin"
        done = confirm_by_phone(_actor(caller), now, case.number, now, self.call_id, how)
        return questions.CaseConfirmed(spoken(done.case, now), done.is_first, done.opens_clock)

    def _open(self, question: questions.OpenByVoice, now: datetime) -> questions.Answer:
        opened = open_by_voice(
            _actor(question.caller),
            now,
            question.severity,
            self.call_id,
            question.recording,
            question.seconds,
            is_premium=question.is_premium,
        )
        return questions.CaseOpened(spoken(opened.case, now), fell_to_standard=opened.is_undecided)

    def _leave_message(self, question: questions.LeaveMessage, now: datetime) -> questions.Answer:
        """Of somebody unknown nothing is kept here: the recording is handed in with the call, and waits for staff."""
        caller = question.caller
        if caller is None:
            return questions.MessageKept("")
        number = caller.case or question.number
        return questions.MessageKept(
            leave_message(_actor(caller), now, number, self.call_id, question.recording, question.seconds)
        )

    def _settle_mail(self, question: questions.SettleMail, now: datetime) -> questions.Answer:
        """As the person, and only what names the person's own address: a colleague's is settled on its page."""
        mail = find_of_senders(question.mail_id, [_address_of(question.caller)])
        if mail is None:
            return questions.Refused("mail_unknown")
        settle: Callable[..., Any] = vouch if question.is_own else disown
        key = f"call:{self.call_id}:{mail.id}"
        try:
            settle(_actor(question.caller), now, mail.id, idempotency_key=key)
        except Forbidden:
            if mail.settled_at is None:
                raise
            return questions.Refused("settled")  # what was disowned can be proved by nobody any more
        return questions.MailSettled()


def spoken(case: Case, now: datetime) -> questions.CaseSpoken:
    """Return what may be said of a case that the caller may hear of."""
    runs = case.closed_at is None and case.answered_at is None
    return questions.CaseSpoken(
        number=case.number,
        severity=case.severity,
        state=case.state,
        needs_call=must_phone(case, now),
        is_premium=case.case_class == CaseClass.PREMIUM,
        is_held=case.holder_id is not None,
        is_confirmed=case.called_at is not None,
        answered=case.answered_at is not None,
        due_at=case.due_at if runs else None,
        zone=compiled_calendar(case.calendar_version_id).tzinfo.key,
    )


def _identified(found: KnownCaller | UnknownCaller) -> questions.Answer:
    if isinstance(found, UnknownCaller):
        return questions.NotIdentified(found.is_closed)
    standing = found.standing
    return questions.Identified(
        questions.Caller(
            company_id=found.company_id,
            company=found.company,
            person_id=found.person_id,
            name=found.name,
            tier=standing.tier,
            contract=standing.contract,
            may_phone=not standing.refusal,
            refusal=standing.refusal,
            case=found.case,
        )
    )


def _actor(caller: questions.Caller) -> Actor:
    return actor_of_caller(caller.company_id, caller.person_id, caller.case)


def _case_of(caller: questions.Caller, number: str) -> Case:
    """Return a case that the caller may hear of; raise NotFound for every other."""
    if caller.case and number != caller.case:
        raise NotFound("case_unknown", _("There is no such case in this account."))
    return get_case_for(_actor(caller), number)


def _cases_of(caller: questions.Caller, now: datetime) -> list[Case]:
    """Return at most nine open cases: those that must be phoned in, then the newest."""
    if caller.case:
        return [_case_of(caller, caller.case)]
    open_ones = cases_for(_actor(caller)).filter(closed_at=None)
    unphoned = open_ones.filter(answered_at=None, called_at=None)[:_MOST_UNPHONED]
    awaited = [case for case in unphoned if must_phone(case, now)][:MOST_CASES]
    others = open_ones.exclude(id__in=[case.id for case in awaited])[: MOST_CASES - len(awaited)]
    return [*awaited, *others]


def _mails_of(caller: questions.Caller, now: datetime) -> questions.Answer:
    contract = find_contract(caller.company_id, now)
    zone = contract.zone if contract is not None else settings.TIME_ZONE
    waiting = waiting_of([_address_of(caller)], PROVABLE)[:MOST_MAILS]
    return questions.MailsFound([questions.MailWaiting(mail.id, mail.arrived_at, zone) for mail in waiting])


def _address_of(caller: questions.Caller) -> str:
    person = find_person_of(caller.company_id, caller.person_id) if caller.person_id else None
    return person.email.lower() if person is not None else ""
