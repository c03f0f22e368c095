"""Calls are handed in from their journals: once, with their true time, for who called, and nothing of them is lost."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError
from tests.journeys.promise_story import at, row, types
from tests.support.callers import NUMBER, contract_of, pin_of
from tests.support.cast import Cast
from tests.support.processes import finish_killed, start

from guardia.adapters.call_journal import FolderJournals, MemoryJournals
from guardia.features.accounts.models import WrongPin
from guardia.features.calls import operations as calls
from guardia.features.calls.models import Call, Recording
from guardia.features.cases.models import Case, CaseEvent
from guardia.features.cases.queries import events_of
from guardia.features.contracts.queries import find_contract
from guardia.features.mail.models import OutboundMail
from guardia.journeys import hand_in_call
from guardia.journeys.confirm_call import case_code
from guardia.journeys.hand_in_call import hand_in_waiting
from guardia.journeys.move_case import close_case
from guardia.journeys.sweep_calls import sweep_calls
from guardia.kernel import clock
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import CallFacts, replaced
from guardia.wiring import call_journals

CALLED, BACK = at("2026-11-24 02:10"), at("2026-11-24 02:50")
VOICE = b"v" * 8000
pytestmark = pytest.mark.django_db


@dataclass
class Telling:
    """A call's journal, told step by step; each step is at `CALLED` unless said."""

    journals: MemoryJournals | FolderJournals
    direction: str = "in"
    begun: datetime = CALLED
    id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        self.journal = self.journals.open(CallFacts(self.id, self.direction, self.begun, NUMBER))

    def note(self, what: str, **data: Any) -> "Telling":
        self.journal.note(what, self.begun, data)
        return self

    def says_pin(self, part: str = "plus", pin: str = "") -> "Telling":
        return self.note("identify_later", contract=contract_of(part), pin=pin or pin_of(part))

    def is_known(self, person: Any, case: str = "") -> "Telling":
        facts = {"company": str(person.company_id), "name": person.name, "case": case}
        return self.note("identified", by="code" if case else "pin", person="" if case else str(person.id), **facts)

    def speaks(self, kind: str = "description", case: str = "", voiced_s: float = 0.9) -> "Telling":
        number = self.journal.begin_sound(kind, self.begun)
        self.note("recording", number=number, kind=kind, case=case)
        self.journal.sound(number, VOICE, voiced_s, self.begun)
        return self

    def later(self, do: str, number: str = "", severity: int = 0, recording: int = 0) -> "Telling":
        facts = {"number": number, "severity": severity, "recording": recording, "seconds": 1.0, "person": ""}
        return self.note("later", do=do, **facts)

    def ends(self, outcome: str = "away") -> "Telling":
        self.note("outcome", outcome=outcome)
        self.journal.finish(self.begun + timedelta(minutes=2))
        return self

    def is_cut_off(self) -> None:
        """The line was killed."""
        assert isinstance(self.journals, MemoryJournals)
        self.journals.held.discard(self.id)

    @property
    def row(self) -> Call:
        return Call.objects.get(id=self.id)

    @property
    def recordings(self) -> list[Recording]:
        return list(Recording.objects.filter(call_id=self.id).order_by("number"))


@pytest.fixture
def journals() -> Iterator[MemoryJournals]:
    twin = MemoryJournals()
    with replaced(call_journals=twin):
        yield twin


@pytest.fixture
def told(cast: Cast, journals: MemoryJournals) -> Iterator[Callable[..., Telling]]:
    with replaced(call_journals=journals), clock.frozen_at(BACK):
        yield lambda **facts: Telling(journals, **facts)


def only_case(number: str = "") -> Case:
    rows = Case.objects.across_companies("a test reads them all").filter(channel="phone")
    return rows.get(number=number) if number else rows.get()


def told_on_duty(call: Telling) -> int:
    return OutboundMail.objects.filter(dedupe_key__startswith=f"call:waits:{call.id}").count()


# ---- what was wanted while the database was away ----


def test_a_level_1_by_voice_that_is_handed_in_later_counts_from_the_call(
    cast: Cast, told: Callable[..., Telling], journals: MemoryJournals
) -> None:
    call = told().says_pin().speaks().later("open", severity=1, recording=1).ends()
    assert hand_in_waiting(BACK) == 1
    case = only_case()
    assert (case.severity, case.case_class, case.opened_by_id) == (1, "premium", cast.people["plus"].id)
    assert (case.submitted_at, case.called_at) == (CALLED, CALLED)
    assert case.due_at is not None
    assert case.due_at - CALLED < timedelta(hours=8)
    (recording,) = call.recordings
    assert (recording.case_id, recording.event_seq, recording.waits_for_staff) == (case.id, 1, False)
    assert (recording.started_at, recording.seconds, recording.company_id) == (CALLED, 1.0, case.company_id)
    assert (call.row.case_id, call.row.person_name, call.row.known_by) == (case.id, "Lucía Ferrer", "pin")
    assert (call.row.outcome, call.row.handed_in_at) == ("away", BACK)
    assert (journals.count_waiting(), hand_in_waiting(BACK), told_on_duty(call)) == (0, 0, 0)
    assert journals.read_sound(call.id, 1) == VOICE


def test_the_clock_of_a_later_hand_in_is_the_one_of_a_call_that_was_answered(
    cast: Cast, told: Callable[..., Telling]
) -> None:
    for begun in (CALLED, CALLED + timedelta(minutes=1)):
        told(begun=begun).says_pin().speaks().later("open", severity=1, recording=1).ends()
    hand_in_waiting(BACK)
    first, second = Case.objects.across_companies("a test").filter(channel="phone").order_by("submitted_at")
    assert first.due_at is not None
    assert second.due_at is not None
    assert second.due_at - first.due_at == timedelta(minutes=1)


def test_a_confirmation_is_registered_at_the_instant_of_the_call(cast: Cast, told: Callable[..., Telling]) -> None:
    number = cast.open().number
    call = told().says_pin().later("confirm", number=number).ends()
    hand_in_waiting(BACK)
    case = row(cast, number)
    assert (case.called_at, call.row.case_id) == (CALLED, case.id)
    assert types(cast, number).count("phone_confirmed") == 1


def test_a_code_confirms_its_own_case_and_no_other(cast: Cast, told: Callable[..., Telling]) -> None:
    own, other = cast.open().number, cast.open("plus_second").number
    code = case_code(row(cast, own))
    call = told().note("identify_later", number=own, code=code).later("confirm", own).later("confirm", other).ends()
    hand_in_waiting(BACK)
    assert (row(cast, own).called_at, row(cast, other).called_at) == (CALLED, None)
    assert (call.row.known_by, call.row.person_id, told_on_duty(call) > 0) == ("code", None, True)


def test_a_wrong_pin_lets_the_recording_wait_and_tells_who_is_on_duty(
    cast: Cast, told: Callable[..., Telling], caplog: pytest.LogCaptureFixture
) -> None:
    wrong = f"{(int(pin_of('plus')) + 1) % 1_000_000:06d}"
    with caplog.at_level(logging.DEBUG):
        call = told().says_pin(pin=wrong).speaks().later("open", severity=1, recording=1).ends()
        hand_in_waiting(BACK)
    assert not Case.objects.across_companies("a test").filter(channel="phone").exists()
    (recording,) = call.recordings
    assert (recording.waits_for_staff, recording.case_id, call.row.company_id) == (True, None, None)
    assert WrongPin.objects.count() == 1
    assert told_on_duty(call) > 0
    assert wrong not in str(call.row.log) + caplog.text


def test_who_is_on_duty_is_told_of_so_many_calls_an_hour(told: Callable[..., Telling]) -> None:
    for _ in range(hand_in_call.MOST_TOLD + 3):
        told().speaks("message").ends("message")
    hand_in_waiting(BACK, limit=50)
    mails = OutboundMail.objects.filter(dedupe_key__startswith="call:waits:")
    person = mails.values_list("person_id", flat=True)[0]
    sent = mails.filter(person_id=person).exclude(state="withheld")
    assert sent.count() == hand_in_call.MOST_TOLD


def test_strangers_cases_are_not_touched_nor_linked(cast: Cast, told: Callable[..., Telling]) -> None:
    number = cast.open("standard").number
    before = types(cast, number)
    call = (
        told().says_pin("plus").speaks("message").later("confirm", number).later("message", number, recording=1).ends()
    )
    hand_in_waiting(BACK)
    assert types(cast, number) == before
    assert (call.row.case_id, call.recordings[0].case_id, call.recordings[0].waits_for_staff) == (None, None, True)


def test_a_contract_that_is_over_lets_everything_wait_for_staff(cast: Cast, told: Callable[..., Telling]) -> None:
    contract = find_contract(cast.people["plus"].company_id, BACK)
    assert contract is not None
    late = BACK + (contract.ends_on - BACK.date()) + timedelta(days=2)
    call = told(begun=late).says_pin().speaks().later("open", severity=1, recording=1).ends()
    hand_in_waiting(late)
    assert [one.waits_for_staff for one in call.recordings] == [True]
    assert (call.row.person_name, call.row.case_id) == ("Lucía Ferrer", None)


# ---- what nobody dealt with ----


def test_a_message_that_nothing_came_of_goes_into_the_case_of_the_call(
    cast: Cast, told: Callable[..., Telling]
) -> None:
    number = cast.open().number
    call = told().is_known(cast.people["plus"]).speaks("message", case=number)
    call.is_cut_off()
    hand_in_waiting(BACK)
    event = events_of(row(cast, number)).filter(type="message").get()
    (recording,) = call.recordings
    assert (event.payload["call"], event.occurred_at) == (str(call.id), CALLED)
    assert (recording.event_seq, recording.case_id) == (event.seq, row(cast, number).id)
    assert (call.row.outcome, call.row.ended_at) == ("interrupted", CALLED)


def test_a_description_that_the_line_was_killed_in_opens_the_case_with_its_severity(
    cast: Cast, told: Callable[..., Telling]
) -> None:
    call = told().is_known(cast.people["plus"]).note("wanted", severity=1).speaks()
    call.is_cut_off()
    hand_in_waiting(BACK)
    case = only_case()
    assert (case.severity, case.case_class, case.called_at) == (1, "premium", CALLED)
    assert case.due_at is not None
    assert [one.case_id for one in call.recordings] == [case.id]


def test_a_take_that_was_too_short_opens_no_second_case(cast: Cast, told: Callable[..., Telling]) -> None:
    call = told().is_known(cast.people["plus"]).speaks(voiced_s=0.7).speaks(voiced_s=4.0)
    call.later("open", severity=2, recording=2).ends("opened")
    hand_in_waiting(BACK)
    assert [one.case_id for one in call.recordings] == [only_case().id] * 2
    assert not any(one.waits_for_staff for one in call.recordings)


def test_without_a_case_it_becomes_one_of_no_class(cast: Cast, told: Callable[..., Telling]) -> None:
    told().is_known(cast.people["plus"]).speaks("message").ends("hung_up")
    hand_in_waiting(BACK)
    assert (only_case().case_class, only_case().severity, only_case().called_at) == ("undecided", 3, None)


def test_of_somebody_unknown_it_waits_for_staff(told: Callable[..., Telling]) -> None:
    call = told().speaks("message").speaks("conversation").speaks("message", voiced_s=0.2).ends("message")
    hand_in_waiting(BACK)
    assert [one.waits_for_staff for one in call.recordings] == [True, False, False]


def test_for_a_closed_case_it_waits_for_staff(cast: Cast, told: Callable[..., Telling]) -> None:
    number = cast.open().number
    close_case(cast.duty_manager, cast.now, number, "withdrawn", "Not needed any more.")
    call = told().is_known(cast.people["plus"]).speaks("message", case=number).ends("message")
    hand_in_waiting(BACK)
    assert [one.waits_for_staff for one in call.recordings] == [True]


def test_what_the_desk_did_is_only_linked(cast: Cast, told: Callable[..., Telling]) -> None:
    first = told().says_pin().speaks().later("open", severity=2, recording=1).ends()
    hand_in_waiting(BACK)
    number = only_case().number
    again = told().is_known(cast.people["plus"]).speaks().note("consumed", recording=1, number=number).ends("opened")
    hand_in_waiting(BACK)
    assert (again.row.case_id, again.recordings[0].case_id) == (first.row.case_id, only_case(number).id)


def test_a_page_keeps_whom_it_called(told: Callable[..., Telling], cast: Cast) -> None:
    page = told(direction="page")
    Call.objects.create(
        id=page.id, direction="page", started_at=CALLED, seen_at=CALLED, person_id=cast.people["engineer"].id
    )
    page.note("answered", name="Marta").ends("acknowledged")
    hand_in_waiting(BACK)
    assert (page.row.person_id, page.row.outcome) == (cast.people["engineer"].id, "acknowledged")
    assert page.row.answered_at == CALLED


# ---- once, whatever happens ----


class Killed(BaseException):
    """Nothing in between runs any more."""


def everything() -> Mapping[str, Any]:
    """What there is, without the ids that are made anew."""
    cases = Case.objects.across_companies("a test").filter(channel="phone")
    return {
        "cases": sorted(cases.values_list("severity", "case_class", "submitted_at", "called_at")),
        "events": CaseEvent.objects.across_companies("a test").count(),
        "calls": sorted(Call.objects.values_list("id", "outcome", "handed_in_at")),
        "recordings": sorted(Recording.objects.values_list("call_id", "number", "event_seq", "waits_for_staff")),
        "tries": WrongPin.objects.count(),
        "mails": sorted(OutboundMail.objects.values_list("topic", "address")),
    }


BEFORE_THE_FIRST = ("identify_by_pin", "open_by_voice", "leave_message")
WITH_THE_SECOND = ("_tell_duty", "people_on_duty", "post_mails")


def all_kinds(told: Callable[..., Telling]) -> None:
    told().says_pin().speaks().speaks("message").later("open", severity=1, recording=1).ends()
    told().says_pin(pin="000000").speaks("message").later("message", recording=1).ends()


def test_killed_at_any_step_and_repeated_it_comes_to_the_same(
    cast: Cast, told: Callable[..., Telling], journals: MemoryJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_args: Any, **_named: Any) -> None:
        raise Killed

    all_kinds(told)
    places: list[tuple[Any, str, bool]] = [(hand_in_call, step, True) for step in BEFORE_THE_FIRST]
    places += [(calls, step, True) for step in ("save_call", "add_recording")]
    places += [(hand_in_call, step, False) for step in WITH_THE_SECOND] + [(journals, "settle", False)]
    nothing = everything()
    for place, name, is_first in places:
        with monkeypatch.context() as broken:
            broken.setattr(place, name, killed)
            with pytest.raises(Killed):
                hand_in_waiting(BACK)
        assert (everything() == nothing) == is_first, name
    hand_in_waiting(BACK)
    once = everything()
    assert (len(once["cases"]), len(once["calls"]), len(once["recordings"]), once["tries"]) == (2, 2, 3, 1)
    assert journals.count_waiting() == 0
    for call_id in list(journals.kept):
        journals.new[call_id] = journals.kept.pop(call_id)
    assert hand_in_waiting(BACK) == 2
    assert everything() == once


def test_what_cannot_be_done_for_an_unknown_reason_waits_for_staff(
    told: Callable[..., Telling], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(hand_in_call, "open_by_voice", broken)
    call = told().says_pin().speaks().later("open", severity=1, recording=1).ends()
    assert hand_in_waiting(BACK) == 1
    assert [one.waits_for_staff for one in call.recordings] == [True]
    assert told_on_duty(call) > 0


def test_without_the_database_everything_waits_for_five_seconds(
    told: Callable[..., Telling], journals: MemoryJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(*_args: Any) -> None:
        asked.append(1)
        raise OperationalError

    for _ in range(3):
        told().ends()
    with monkeypatch.context() as down:
        down.setattr(calls, "lock_call", away)
        assert hand_in_waiting(BACK) == 0
    assert (len(asked), len(journals.take(9, BACK + timedelta(seconds=4)))) == (1, 2)
    journals.held.clear()
    assert hand_in_waiting(BACK + timedelta(seconds=5)) == 3


def test_one_call_that_cannot_be_handed_in_keeps_no_other_waiting(
    told: Callable[..., Telling], journals: MemoryJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = told().ends(), told().ends()
    journals.damaged.add(first.id)
    assert hand_in_waiting(BACK) == 1
    assert (journals.count_unreadable(), second.row.handed_in_at) == (1, BACK)
    third, fourth = told().ends(), told().ends()
    save = calls.save_call

    def spoilt(call_id: UUID, **fields: Any) -> Call:
        if call_id == third.id:
            raise RuntimeError
        return save(call_id, **fields)

    monkeypatch.setattr(calls, "save_call", spoilt)
    assert (hand_in_waiting(BACK), fourth.row.handed_in_at) == (1, BACK)
    assert [claim.id for claim in journals.take(9, BACK + timedelta(minutes=1))] == [third.id]


_HANDS_IN = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from django.conf import settings
from guardia.adapters.call_journal import FolderJournals
from guardia.journeys import hand_in_call
from guardia.kernel.outside import outside, replaced

def killed(*_args, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

journals = FolderJournals(Path({folder!r}), outside().lab_keys)
place = {{"journals": journals, "calls": hand_in_call.calls, "journey": hand_in_call}}[{place!r}]
setattr(place, {name!r}, killed)
with replaced(call_journals=journals):
    hand_in_call.hand_in_waiting(datetime.fromisoformat({now!r}))
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_while_it_hands_in_has_done_all_or_nothing(cast: Cast, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    journals = FolderJournals(folder, call_journals(settings.GUARDIA)._keys)  # type: ignore[attr-defined]
    steps = [("journey", "open_by_voice"), ("calls", "save_call"), ("journey", "leave_message"), ("journals", "settle")]
    with replaced(call_journals=journals):
        call = Telling(journals).says_pin().speaks().speaks("message").later("open", severity=1, recording=1).ends()
        for place, name in steps:
            text = _HANDS_IN.format(folder=str(folder), place=place, name=name, now=BACK.isoformat())
            finish_killed(start(text, tmp_path / "var"))
            assert Call.objects.filter(id=call.id).exists() == (name == "settle"), name
        assert hand_in_waiting(BACK) == 1
    assert Case.objects.across_companies("a test").filter(channel="phone").count() == 2
    assert [one.number for one in call.recordings] == [1, 2]
    assert journals.count_waiting() == 0


# ---- the sweep ----


def test_sound_is_erased_when_its_time_is_over_but_not_what_waits_for_staff(
    cast: Cast, told: Callable[..., Telling], journals: MemoryJournals
) -> None:
    kept = told().is_known(cast.people["plus"]).speaks("message").ends("message")
    waits = told().speaks("message").ends("message")
    hand_in_waiting(BACK)
    late = max(clock.now(), datetime.fromtimestamp((kept.id.int >> 80) / 1000, BACK.tzinfo)) + timedelta(days=91)
    assert sweep_calls(BACK, 90).journals == 0
    assert sweep_calls(late, 90).journals == 1
    assert (kept.recordings[0].erased_at, waits.recordings[0].erased_at) == (late, None)
    assert set(journals.kept) == {waits.id}
    Recording.objects.filter(call_id=waits.id).update(settled_at=late)
    assert sweep_calls(late, 90).journals == 1
    assert waits.recordings[0].erased_at == late


def test_a_call_that_nobody_draws_any_more_is_ended_unless_its_journal_waits(told: Callable[..., Telling]) -> None:
    journalled = told()
    for call_id in (dead := uuid7(), young := uuid7(), journalled.id):
        seen_at = BACK if call_id == young else CALLED
        Call.objects.create(id=call_id, direction="in", started_at=CALLED, seen_at=seen_at, step="waiting")
    assert sweep_calls(BACK, 90).ended == 1
    call = Call.objects.get(id=dead)
    assert (call.outcome, call.ended_at, call.step) == ("interrupted", CALLED, "")
    assert Call.objects.filter(ended_at=None).count() == 2


def test_wrong_tries_are_forgotten_after_a_month(told: Callable[..., Telling]) -> None:
    assert told is not None
    for days in (29, 31):
        WrongPin.objects.create(what="4071", caller=NUMBER, tried_at=BACK - timedelta(days=days))
    assert sweep_calls(BACK, 90).tries == 1
