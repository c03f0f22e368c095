"""Hand in calls that are over: what their journals say becomes rows, and what the desk could not be asked is done.

One transaction for a call: who called, what was wanted, its row and its recordings; then its journal waits no more.
Whoever is killed before has done nothing, and a journal that is met again after it finds its call handed in.

- What was wanted is done for who called, at the instant at which it was said (RC-3: the clock opens then).
- Nothing is lost: a recording that came to nothing waits for staff, and who is on duty is told by mail. So is a
  confirmation that could not be registered.
- A case's code stands for its case alone, later too.
- A journal that cannot be read is set aside and stays, and who is on duty is told. One whose lab key is missing waits
  until the key is there. Of a damaged one the rest is handed in, and who is on duty is told.
- While the database is away, everything waits.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import actor_of, find_person_of
from guardia.features.calls import operations as calls
from guardia.features.calls.rules.handing_in import Act, HandIn, hand_in_of
from guardia.features.cases.queries import find_case_of_number, find_event
from guardia.features.mail.operations import post_mails
from guardia.features.mail.queries import HOUR, flags_since
from guardia.journeys.confirm_by_phone import confirm_by_phone
from guardia.journeys.identify_caller import (
    KnownCaller,
    actor_by_code,
    identify_by_code,
    identify_by_pin,
    standing_of,
)
from guardia.journeys.leave_message import leave_message
from guardia.journeys.open_by_voice import open_by_voice
from guardia.journeys.post import link, new_mail, wake_post
from guardia.journeys.proof_mails import people_on_duty
from guardia.kernel.errors import GuardiaError, Refused
from guardia.kernel.outside import CallRecord, JournalLocked, JournalUnreadable, KeptSound, outside
from guardia.kernel.plain_text import one_line, plain_json
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

_log = logging.getLogger("guardia.calls")
AWAY_FOR: Final = timedelta(seconds=5)
FAILED_FOR: Final = timedelta(minutes=1)
LOCKED_FOR: Final = timedelta(minutes=1)
MOST_TOLD: Final = 10
"""Mails an hour to a person on duty about calls: the page shows all of them."""
_TOLD: Final = "call:waits:"
_SET_ASIDE: Final = "call:unreadable:"
_LOCKED: Final = "call:locked:"
Case = Any


def hand_in_waiting(now: datetime, limit: int = 20) -> int:
    """Hand in up to `limit` calls that are over, oldest first; return how many were."""
    journals, done = outside().call_journals, 0
    with ExitStack() as held:
        claims = journals.take(limit, now)
        for claim in claims:
            held.callback(claim.release)
        for claim in claims:
            try:
                done += _deal_with(claim.id, now)
            except (OperationalError, InterfaceError) as error:
                _log.warning("calls wait for the database: %s", type(error).__name__)
                _put_off(claim.id, now + AWAY_FOR)
                break
            except Exception:  # noqa: BLE001  one call that cannot be handed in keeps no other one waiting
                _log.exception("call %s could not be handed in; it is tried again", claim.id)
                _put_off(claim.id, now + FAILED_FOR)
    return done


def _put_off(call_id: UUID, until: datetime) -> None:
    with suppress(OSError):  # a full disk: then it is tried again at once
        outside().call_journals.defer(call_id, until)


def _deal_with(call_id: UUID, now: datetime) -> bool:
    journals = outside().call_journals
    try:
        record = journals.read(call_id)
    except JournalLocked as error:
        _log.error("the journal of a call waits for its lab key: %s", error)
        _put_off(call_id, now + LOCKED_FOR)
        _tell_of_journals(_LOCKED, f"{now:%Y%m%d}", now)
        return False
    except JournalUnreadable as error:
        _log.error("the journal of a call cannot be read and is set aside: %s", error)
        _tell_of_journals(_SET_ASIDE, str(call_id), now)
        journals.set_aside(call_id)
        return False
    try:
        hand_in(record, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001  whatever it is, what was said reaches a person
        _log.exception("call %s: what was wanted cannot be done; staff see to it", call_id)
        hand_in(record, now, is_for_staff=True)
    journals.settle(call_id)
    return True


def hand_in(record: CallRecord, now: datetime, *, is_for_staff: bool = False) -> None:
    """Hand in one call, once. `is_for_staff`: do nothing of what was wanted, but let all of it wait for staff."""
    said = hand_in_of(record.notes, record.sounds, record.ended_at, record.last_at)
    with journey():
        before = calls.lock_call(record.facts.id)
        if before is not None and before.handed_in_at is not None:
            return
        handing = _Handing(record, said, now)
        if not is_for_staff:
            handing.find_caller()
            for act in said.acts:
                handing.do(act)
        call = handing.save_call()
        waits = handing.save_recordings(call)
        if waits or handing.is_undone or record.is_damaged or (is_for_staff and said.acts):
            _tell_duty(record.facts.id, now)


@dataclass(frozen=True)
class _Caller:
    """Who called; without an actor where the person is gone. `case` is set where a code was given."""

    actor: Actor | None
    company_id: UUID
    person: Any
    name: str
    case: str = ""
    refusal: str = ""

    @property
    def by(self) -> str:
        return "code" if self.case else "pin"

    def may_phone(self, at: datetime) -> bool:
        refusal = standing_of(self.person, at).refusal if self.person is not None else self.refusal
        return not refusal


@dataclass
class _Handing:
    """One call on its way into our records. `kept_with`: the case that has a recording, by the recording's number."""

    record: CallRecord
    said: HandIn
    now: datetime
    caller: _Caller | None = None
    kept_with: dict[int, str] = field(default_factory=dict)
    case: str = ""
    is_undone: bool = False

    def __post_init__(self) -> None:
        self.kept_with |= {number: case for number, case in self.said.consumed.items() if case}
        self.case = self.said.case

    # ---- who ----

    def find_caller(self) -> None:
        known = self.said.known
        if known is not None:
            self.caller = _caller(known.company_id, known.person_id, known.name, known.case)
            return
        for identity in self.said.identities:
            identify = identify_by_pin if identity.by == "pin" else identify_by_code
            found = identify(self.now, identity.what, identity.secret, self.record.facts.caller)
            if isinstance(found, KnownCaller):
                refusal = found.standing.refusal
                self.caller = _caller(found.company_id, found.person_id, found.name, found.case, refusal)
                return

    # ---- what ----

    def do(self, act: Act) -> None:
        """Do one thing that was wanted, or leave it to staff."""
        if act.recording in self.kept_with:
            return
        number = ""
        if self.caller is not None and self.caller.actor is not None:
            try:
                number = self._done(act, self.caller, self.caller.actor)
            except (GuardiaError, LookupError) as error:
                why = error.code if isinstance(error, GuardiaError) else "unknown"
                _log.info("call %s: %s is left to staff (%s)", self.record.facts.id, act.do, why)
        if number:
            self.case = number
            if act.recording:
                self.kept_with[act.recording] = number
        elif not act.recording:
            self.is_undone = True

    def _done(self, act: Act, caller: _Caller, actor: Actor) -> str:
        """Return the number of the case of which it became something; empty where staff have to deal with it."""
        call_id, number = self.record.facts.id, act.number or caller.case
        if caller.case and number != caller.case:
            raise Refused("code_of_another_case", "")
        if act.do == "message":
            return leave_message(actor, self.now, number, call_id, act.recording, act.seconds, act.at)
        if not caller.may_phone(act.at):
            raise Refused("not_entitled", "")
        if act.do == "confirm":
            how: Literal["pin", "code"] = "code" if caller.case else "pin"
            return str(confirm_by_phone(actor, self.now, number, act.at, call_id, how).case.number)
        if act.do != "open" or caller.case:
            raise Refused("not_granted", "")
        opened = open_by_voice(actor, self.now, act.severity, call_id, act.recording, act.seconds, act.at)
        return str(opened.case.number)

    # ---- rows ----

    def save_call(self) -> Any:
        facts, picture = self.record.facts, self.said.picture
        fields: dict[str, Any] = {
            "direction": facts.direction,
            "caller": one_line(facts.caller)[:80],
            "started_at": facts.started_at,
            "ended_at": picture.ended_at,
            "handed_in_at": self.now,
            "seen_at": self.record.last_at,
            "step": "",
            "step_detail": "",
            "outcome": picture.outcome,
            "log": plain_json(list(picture.log)),
        }
        if facts.direction == "in":
            fields |= self._who_and_what()
        learnt = {name: getattr(picture, name) for name in ("answered_at", "language", "connected_name", "waited_s")}
        return calls.save_call(facts.id, **fields, **{name: value for name, value in learnt.items() if value})

    def _who_and_what(self) -> dict[str, Any]:
        """Return the columns of a caller; whatever was drawn before, a case is only one of the caller's company."""
        caller, case = self._known(), self._case(self.case)
        return {
            "company_id": caller.company_id if caller else None,
            "person_id": caller.person.id if caller and caller.person is not None else None,
            "person_name": caller.name[:120] if caller else "",
            "known_by": caller.by if caller else "",
            "case_id": case.id if case is not None else None,
        }

    def _known(self) -> _Caller | None:
        known = self.said.known
        if self.caller is None and known is not None:
            self.caller = _caller(known.company_id, known.person_id, known.name, known.case)
        return self.caller

    def _case(self, number: str) -> Case | None:
        case, caller = find_case_of_number(number) if number else None, self._known()
        return case if case is not None and caller is not None and case.company_id == caller.company_id else None

    def save_recordings(self, call: Any) -> int:
        """Keep what was recorded; return how much of it waits for staff."""
        wanted = {act.recording for act in self.said.acts}
        waiting = 0
        for sound in self.record.sounds:
            waits = sound.number in wanted and sound.number not in self.kept_with
            case = None if waits else self._case(self.kept_with.get(sound.number, self.case))
            calls.add_recording(
                call,
                sound.number,
                sound.kind,
                sound.started_at,
                sound.seconds,
                sound.voiced_s,
                company_id=case.company_id if case is not None else None,
                case_id=case.id if case is not None else None,
                event_seq=self._event_seq(case, sound),
                waits_for_staff=waits,
            )
            waiting += waits
        return waiting

    def _event_seq(self, case: Case | None, sound: KeptSound) -> int | None:
        """Return the event of the case that tells of a recording."""
        spoken = {"call": str(self.record.facts.id), "recording": sound.number}
        if case is None:
            return None
        event = find_event(case, "submitted", **spoken) or find_event(case, "message", **spoken)
        return event.seq if event is not None else None


def _caller(company_id: UUID, person_id: UUID | None, name: str, case_number: str, refusal: str = "") -> _Caller:
    person = find_person_of(company_id, person_id) if person_id is not None else None
    actor = actor_of(person) if person is not None else None
    if person_id is None and case_number:
        case = find_case_of_number(case_number)
        actor = actor_by_code(case) if case is not None and case.company_id == company_id else None
    return _Caller(actor, company_id, person, name, case_number if person_id is None else "", refusal)


def _tell_duty(call_id: UUID, now: datetime) -> None:
    """Mail who is on duty that something of a call waits for a person."""
    _mail_duty(
        _TOLD,
        str(call_id),
        now,
        lambda: (
            _("A phone call waits for a person"),
            [
                _("What the caller wanted could not be done by itself: hear the recording and see to it."),
                link(_("Show the call"), f"/console/calls/{call_id}/"),
            ],
        ),
    )


def _tell_of_journals(kind: str, key: str, now: datetime) -> None:
    """Mail who is on duty that what was said in a call cannot be read: of each journal that is set aside, and once a
    day where the lab key is missing.
    """
    told: Mapping[str, Callable[[], str]] = {
        _SET_ASIDE: lambda: _("The record of a phone call is damaged and was set aside: what was said is not known."),
        _LOCKED: lambda: _(
            "The key of phone calls' records is missing: nothing that was said is done until it is back."
        ),
    }
    with journey():
        _mail_duty(
            kind,
            key,
            now,
            lambda: (
                _("The record of a phone call cannot be read"),
                [told[kind](), _("Tell who runs the server."), link(_("Show the calls"), "/console/calls/")],
            ),
        )


def _mail_duty(kind: str, key: str, now: datetime, words: Callable[[], tuple[str, list[Any]]]) -> None:
    """Mail who is on duty, once for a key, and at most so many of a kind an hour."""
    people: Sequence[Any] = people_on_duty(now)
    mails = []
    for person in people:
        sent = flags_since(person.email, kind, now - HOUR)
        with translation.override(person.language):
            subject, paragraphs = words()
            mails.append(
                new_mail(
                    key=f"{kind}{key}:{person.id}",
                    topic="alarm",
                    why="duty",
                    address=person.email,
                    language=person.language,
                    subject=subject,
                    paragraphs=paragraphs,
                    person_id=person.id,
                    withheld="limit" if sent >= MOST_TOLD else "",
                )
            )
    post_mails(mails, now)
    wake_post()
