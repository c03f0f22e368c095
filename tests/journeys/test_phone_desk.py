"""What the phone line registers: confirmed calls, cases opened by voice, messages; once each, with their true time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import translation
from tests.journeys.promise_story import at, demand_rebuilt_alike, last, mails_to, row, types
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import EMAILS, Cast, make_cast

from guardia.features.calls.models import Call, LineBeat
from guardia.features.calls.operations import add_recording, erase_recordings, save_call, settle_recording
from guardia.features.calls.queries import (
    calls_by_arrival,
    calls_of_case,
    find_recording,
    live_calls,
    recordings_of_case,
    recordings_to_erase,
    recordings_waiting,
)
from guardia.features.cases.models import Case
from guardia.features.cases.queries import events_of
from guardia.features.contracts.models import Contract, NamedContact
from guardia.features.contracts.queries import balance, contract_today, find_contract
from guardia.features.sla.models import ClockFiring
from guardia.journeys import open_by_voice as opening
from guardia.journeys.confirm_by_phone import confirm_by_phone
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.draw_call import CallPicture, beat, draw_call
from guardia.journeys.fire_clocks import tick
from guardia.journeys.leave_message import leave_message
from guardia.journeys.move_case import close_case, wait_for_customer
from guardia.journeys.open_by_voice import VoiceOpened, open_by_voice
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
SATURDAY = at("2026-11-28 23:10")


def opened_on(cast: Cast, now: datetime, part: str = "plus", **changes: Any) -> str:
    return replace(cast, now=now).open(part, **changes).number


def voice(cast: Cast, now: datetime, call: UUID, severity: int = 1, **more: Any) -> VoiceOpened:
    return open_by_voice(cast.plus, now, severity, call, 1, 41.6, **more)


def in_spanish(sentence: str) -> str:
    with translation.override("es"):
        return translation.gettext(sentence)


def premium_left(cast: Cast) -> int | None:
    contract = find_contract(cast.people["plus"].company_id, cast.now)
    assert contract is not None
    return balance(contract, contract_today(contract, cast.now))[0]


def spend_all(cast: Cast) -> None:
    while premium_left(cast):
        cast.open()


# ---- confirming ----


def test_a_call_on_saturday_night_opens_the_clock_and_sets_the_alarm_off(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    assert row(cast, number).due_at == at("2026-11-30 13:00")
    called = SATURDAY + timedelta(minutes=4)
    done = confirm_by_phone(cast.plus, called, number, called, uuid4(), "pin")
    assert (done.is_first, done.opens_clock) == (True, True)
    assert (done.case.called_at, done.case.due_at) == (called, called + timedelta(hours=4))
    assert "Llamada confirmada" in mails_to(EMAILS["plus"])[-1]
    tick(called + timedelta(seconds=5))
    firing = ClockFiring.objects.across_companies("a test").get(case_id=done.case.id, mark="called")
    assert firing.fired_at == called + timedelta(seconds=5)
    demand_rebuilt_alike()


def test_a_call_is_the_persons_own_fact_and_says_how_they_were_known(cast: Cast) -> None:
    number, call = opened_on(cast, SATURDAY), uuid4()
    confirm_by_phone(cast.plus, SATURDAY, number, SATURDAY, call, "pin")
    event = last(cast, number)
    assert (event.type, event.actor["name"], event.actor["side"]) == ("phone_confirmed", "Lucía Ferrer", "customer")
    assert (event.payload["how"], event.payload["call"]) == ("pin", str(call))
    assert case_page(cast.plus, SATURDAY, number).promise.call.called_at == SATURDAY


def test_a_call_that_is_handed_in_again_changes_nothing(cast: Cast) -> None:
    number, call = opened_on(cast, SATURDAY), uuid4()
    answers = [confirm_by_phone(cast.plus, SATURDAY + timedelta(days=n), number, SATURDAY, call, "pin") for n in (0, 3)]
    assert [(one.is_first, one.opens_clock) for one in answers] == [(True, True), (True, True)]
    assert types(cast, number).count("phone_confirmed") == 1


def test_a_second_call_is_told_that_there_was_a_first(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    confirm_call(cast.engineer, SATURDAY, number, "known", reason="Known by voice.")
    later = SATURDAY + timedelta(minutes=9)
    again = confirm_by_phone(cast.plus, later, number, later, uuid4(), "pin")
    assert (again.is_first, again.opens_clock, again.case.called_at) == (False, False, SATURDAY)


def test_a_severity_without_a_target_is_confirmed_and_opens_no_clock(cast: Cast) -> None:
    done = confirm_by_phone(cast.plus, SATURDAY, opened_on(cast, SATURDAY, severity=3), SATURDAY, uuid4(), "pin")
    assert (done.is_first, done.opens_clock, done.case.due_at) == (True, False, None)


def test_a_call_that_is_handed_in_after_an_outage_counts_from_its_own_instant(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    called = SATURDAY + timedelta(minutes=2)
    done = confirm_by_phone(cast.plus, SATURDAY + timedelta(hours=1), number, called, uuid4(), "code")
    assert (done.case.called_at, done.case.due_at) == (called, called + timedelta(hours=4))
    event = last(cast, number)
    assert (event.occurred_at, event.recorded_at) == (called, SATURDAY + timedelta(hours=1))


def test_a_strangers_case_does_not_exist_and_a_closed_one_takes_no_call(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    with pytest.raises(NotFound):
        confirm_by_phone(cast.standard, SATURDAY, number, SATURDAY, uuid4(), "pin")
    close_case(cast.plus, SATURDAY, number, "withdrawn", "Solved by itself.")
    with pytest.raises(Refused):
        confirm_by_phone(cast.plus, SATURDAY, number, SATURDAY, uuid4(), "pin")
    with pytest.raises(Forbidden):
        confirm_by_phone(cast.engineer, SATURDAY, number, SATURDAY, uuid4(), "pin")
    assert "phone_confirmed" not in types(cast, number)


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_the_same_instant_are_one_first_and_one_second(keys: None, now: datetime) -> None:
    cast = make_cast(now)
    number = opened_on(cast, SATURDAY)
    acts = [lambda: confirm_by_phone(cast.plus, SATURDAY, number, SATURDAY, uuid4(), "pin") for _ in range(6)]
    answers = at_once(acts)
    assert raised(answers) == []
    assert sorted(one.is_first for one in returned(answers)) == [False] * 5 + [True]
    assert types(cast, number).count("phone_confirmed") == 1


# ---- opening by voice ----


def test_a_case_that_is_opened_by_voice_has_been_phoned_in_and_its_clock_runs(cast: Cast) -> None:
    call, left = uuid4(), premium_left(cast)
    opened = voice(cast, SATURDAY, call)
    case = opened.case
    assert (case.case_class, case.channel, case.severity, opened.is_undecided) == ("premium", "phone", 1, False)
    assert (case.submitted_at, case.called_at, case.due_at) == (SATURDAY, SATURDAY, SATURDAY + timedelta(hours=4))
    assert (case.subject, case.opened_by_name) == (in_spanish("Opened by phone"), "Lucía Ferrer")
    first = events_of(case)[0].payload
    assert (first["call"], first["recording"], first["seconds"]) == (str(call), 1, 42)
    assert "0:42" in first["text"]
    assert left is not None
    assert premium_left(cast) == left - 1
    tick(SATURDAY + timedelta(seconds=5))
    assert ClockFiring.objects.across_companies("a test").filter(case_id=case.id, mark="called").count() == 1
    demand_rebuilt_alike()


def test_the_number_is_mailed_and_no_call_is_asked_for(cast: Cast) -> None:
    number = voice(cast, SATURDAY, uuid4()).case.number
    mail = mails_to(EMAILS["plus"])[-1]
    assert f"{number[:4]} {number[4:]}" in mail
    assert "oficina está cerrada" not in mail.lower()


def test_the_same_recording_opens_one_case_and_spends_one_incident_days_later_too(cast: Cast) -> None:
    call, left = uuid4(), premium_left(cast)
    first = voice(cast, SATURDAY, call)
    again = voice(cast, SATURDAY + timedelta(days=4), call, arrived_at=SATURDAY)
    assert (again.case.number, again.is_undecided) == (first.case.number, False)
    assert Case.objects.across_companies("a test").count() == 1
    assert left is not None
    assert premium_left(cast) == left - 1
    assert len([one for one in mails_to(EMAILS["plus"]) if first.case.number[4:] in one]) == 1


def test_another_recording_of_the_same_call_is_another_case(cast: Cast) -> None:
    call = uuid4()
    one = open_by_voice(cast.plus, SATURDAY, 1, call, 1, 10)
    assert open_by_voice(cast.plus, SATURDAY, 2, call, 2, 10).case.number != one.case.number


def test_a_line_that_is_killed_between_leaves_nothing_half_done(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    call, left = uuid4(), premium_left(cast)

    def killed(*_args: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(opening, "notify_customer", killed)
        with pytest.raises(SystemExit), transaction.atomic():
            voice(cast, SATURDAY, call)
    assert (Case.objects.across_companies("a test").count(), premium_left(cast)) == (0, left)
    voice(cast, SATURDAY + timedelta(minutes=1), call, arrived_at=SATURDAY)
    assert left is not None
    assert premium_left(cast) == left - 1


def test_what_is_handed_in_after_an_outage_counts_from_the_call(cast: Cast) -> None:
    case = voice(cast, SATURDAY + timedelta(hours=2), uuid4(), arrived_at=SATURDAY).case
    assert (case.submitted_at, case.called_at, case.due_at) == (SATURDAY, SATURDAY, SATURDAY + timedelta(hours=4))


def test_without_a_premium_incident_left_the_class_stays_undecided(cast: Cast) -> None:
    spend_all(cast)
    opened = voice(cast, cast.now, uuid4())
    assert (opened.case.case_class, opened.is_undecided) == ("undecided", True)
    assert (opened.case.due_at, premium_left(cast)) == (None, 0)


def test_who_wants_standard_gets_standard_and_spends_nothing(cast: Cast) -> None:
    left = premium_left(cast)
    opened = voice(cast, cast.now, uuid4(), is_premium=False)
    assert (opened.case.case_class, opened.is_undecided, premium_left(cast)) == ("standard", False, left)


def test_who_may_not_phone_opens_nothing(cast: Cast) -> None:
    NamedContact.objects.of_company(cast.people["plus"].company_id).filter(person_id=cast.plus.id).update(
        until=cast.now
    )
    for actor in (cast.plus, cast.plus_admin, cast.standard, cast.engineer):
        with pytest.raises(Forbidden):
            open_by_voice(actor, SATURDAY, 1, uuid4(), 1, 10)
    Contract.objects.of_company(cast.people["plus"].company_id).update(ends_on=cast.now.date())
    with pytest.raises(Forbidden):
        open_by_voice(cast.plus_second, SATURDAY, 1, uuid4(), 1, 10)
    with pytest.raises(Invalid):
        open_by_voice(cast.plus_second, SATURDAY, 7, uuid4(), 1, 10)
    assert not Case.objects.across_companies("a test").exists()


@pytest.mark.django_db(transaction=True)
def test_a_recording_that_is_handed_in_by_six_at_the_same_instant_opens_one_case(keys: None, now: datetime) -> None:
    cast, call = make_cast(now), uuid4()
    left = premium_left(cast)
    answers = at_once([lambda: voice(cast, SATURDAY, call) for _ in range(6)])
    assert raised(answers) == []
    assert len({one.case.number for one in returned(answers)}) == 1
    assert left is not None
    assert premium_left(cast) == left - 1


@pytest.mark.django_db(transaction=True)
def test_two_who_spend_the_last_incident_by_voice_get_one_premium_case(keys: None, now: datetime) -> None:
    cast = make_cast(now)
    while (premium_left(cast) or 0) > 1:
        cast.open()
    answers = at_once([lambda: voice(cast, SATURDAY, uuid4()) for _ in range(2)])
    assert raised(answers) == []
    assert sorted(one.case.case_class for one in returned(answers)) == ["premium", "undecided"]
    assert premium_left(cast) == 0


# ---- messages ----


def test_a_message_stands_in_its_case_once_and_ends_the_waiting(cast: Cast) -> None:
    number, call = cast.open().number, uuid4()
    take_case(cast.engineer, cast.now, number)
    wait_for_customer(cast.engineer, cast.now, number, "Which version is it?")
    for _ in range(2):
        assert leave_message(cast.plus, SATURDAY, number, call, 2, 42.4) == number
    said = [event for event in events_of(row(cast, number)) if event.type == "message"]
    assert [(event.payload["text"], event.payload["call"], event.payload["recording"]) for event in said] == [
        (in_spanish("Voice message, %(length)s") % {"length": "0:42"}, str(call), 2)
    ]
    assert said[0].actor["name"] == "Lucía Ferrer"
    assert row(cast, number).state == "in_progress"


def test_a_message_that_arrives_late_does_not_end_a_waiting_that_began_after_it_was_spoken(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    spoken, asked = SATURDAY, SATURDAY + timedelta(minutes=20)
    wait_for_customer(cast.engineer, asked, number, "Which version is it?")
    take_case(cast.duty_manager, asked + timedelta(minutes=1), number)
    late = asked + timedelta(hours=1)
    assert leave_message(cast.plus, late, number, uuid4(), 1, 9, spoken) == number
    assert (types(cast, number)[-1], last(cast, number).occurred_at) == ("message", spoken)
    assert row(cast, number).state == "waiting_customer"
    assert leave_message(cast.plus, late, number, uuid4(), 1, 9, asked) == number
    assert row(cast, number).state == "in_progress", "it was spoken when the case waited"
    demand_rebuilt_alike()


def test_a_message_without_a_case_becomes_one_that_is_undecided_and_not_phoned_in(cast: Cast) -> None:
    call, left = uuid4(), premium_left(cast)
    number = leave_message(cast.plus, SATURDAY + timedelta(hours=1), "", call, 1, 9.6, SATURDAY)
    case = row(cast, number)
    assert (case.case_class, case.severity, case.channel) == ("undecided", 3, "phone")
    assert (case.submitted_at, case.called_at, premium_left(cast)) == (SATURDAY, None, left)
    assert leave_message(cast.plus, SATURDAY + timedelta(days=3), "", call, 1, 9.6, SATURDAY) == number
    assert len([one for one in mails_to(EMAILS["plus"]) if number[4:] in one]) == 1


def test_who_may_not_phone_may_leave_a_message(cast: Cast) -> None:
    assert row(cast, leave_message(cast.plus_admin, cast.now, "", uuid4(), 1, 5)).opened_by_name == "Carmen Ruiz"
    assert row(cast, leave_message(cast.standard, cast.now, "", uuid4(), 1, 5)).case_class == "standard"


def test_what_fits_nowhere_is_left_to_staff(cast: Cast) -> None:
    number = cast.open().number
    assert leave_message(cast.standard, cast.now, number, uuid4(), 1, 5) == ""
    close_case(cast.plus, cast.now, number, "withdrawn", "Solved by itself.")
    assert leave_message(cast.plus, cast.now, number, uuid4(), 1, 5) == ""
    Contract.objects.of_company(cast.people["plus"].company_id).update(ends_on=cast.now.date())
    assert leave_message(cast.plus, cast.now, "", uuid4(), 1, 5) == ""
    assert "message" not in types(cast, number)


def test_a_message_from_before_its_case_counts_from_the_case(cast: Cast) -> None:
    number = cast.open().number
    leave_message(cast.plus, SATURDAY, number, uuid4(), 1, 5, cast.now - timedelta(hours=1))
    assert last(cast, number).occurred_at == cast.now


# ---- pictures of calls ----


def picture(now: datetime, **changes: Any) -> CallPicture:
    facts: dict[str, Any] = {"id": uuid4(), "direction": "in", "started_at": now, "caller": "+34600111222"}
    return CallPicture(**{**facts, **changes})


def test_a_living_call_is_drawn_anew_and_never_backwards(cast: Cast) -> None:
    number = cast.open().number
    call = picture(cast.now, step="greeting")
    assert draw_call(call, cast.now)
    assert draw_call(replace(call, step="waiting", case=number), cast.now + timedelta(seconds=2))
    assert not draw_call(replace(call, step="choosing"), cast.now + timedelta(seconds=1))
    (drawn,) = live_calls()
    assert (drawn.step, drawn.case_id, drawn.seen_at) == (
        "waiting",
        row(cast, number).id,
        cast.now + timedelta(seconds=2),
    )
    assert draw_call(replace(call, ended_at=cast.now, outcome="hung up"), cast.now + timedelta(seconds=3))
    assert not live_calls()


def test_no_picture_is_drawn_over_what_was_handed_in(cast: Cast) -> None:
    call = picture(cast.now, step="greeting")
    draw_call(call, cast.now)
    with transaction.atomic():
        save_call(call.id, handed_in_at=cast.now, outcome="done", ended_at=cast.now)
    assert not draw_call(replace(call, step="talking"), cast.now + timedelta(seconds=9))
    assert Call.objects.get(id=call.id).outcome == "done"


def test_what_a_stranger_sends_as_the_number_fits_and_is_one_line(cast: Cast) -> None:
    call = picture(cast.now, caller="\u202e" + "9\r\n" * 60)
    draw_call(call, cast.now)
    kept = Call.objects.get(id=call.id).caller
    assert len(kept) <= 80
    assert kept.isprintable()


def test_a_line_beats_in_one_row(cast: Cast) -> None:
    for second in range(3):
        beat("line-1", cast.now, cast.now + timedelta(seconds=second), second, "registered", {"desk_away": 0})
    row_of_line = LineBeat.objects.get()
    assert (row_of_line.calls, row_of_line.seen_at) == (2, cast.now + timedelta(seconds=2))


def test_recordings_are_kept_once_belong_to_their_case_and_are_erased_when_dealt_with(cast: Cast) -> None:
    case = row(cast, cast.open().number)
    with transaction.atomic():
        call = save_call(uuid4(), direction="in", caller="", started_at=cast.now, seen_at=cast.now)
        rows = [
            add_recording(call, 1, "message", cast.now, 9.5, 7.0, waits_for_staff=True),
            add_recording(call, 1, "message", cast.now, 99.0, 7.0),
        ]
    assert [one.id for one in rows] == [rows[0].id] * 2
    assert [one.seconds for one in recordings_waiting()] == [9.5]
    later = cast.now + timedelta(days=1)
    assert not recordings_to_erase(later)
    assert not calls_of_case(case.id, case.company_id)
    with transaction.atomic():
        settle_recording(
            rows[0], later, "Marta", "Is theirs.", company_id=case.company_id, case_id=case.id, event_seq=1
        )
    assert not recordings_waiting()
    assert list(recordings_of_case(case.id)) == [rows[0]]
    assert list(calls_of_case(case.id, case.company_id)) == [call]
    assert list(calls_by_arrival((later, call.id))) == [call]
    assert not calls_by_arrival((call.started_at, call.id))
    assert [one.call_id for one in recordings_to_erase(later)] == [call.id]
    with transaction.atomic():
        assert erase_recordings([call.id], later) == 1
        assert erase_recordings([call.id], later) == 0
    found = find_recording(rows[0].id)
    assert found is not None
    assert found.erased_at == later
