"""The desk: what it grants to whom, that nobody hears of a stranger's case, and what it does without the database."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from tests.journeys.promise_story import at, mails_to, row, types
from tests.support.at_once import at_once, raised, returned
from tests.support.callers import NUMBER, contract_of, desk, known, known_by_code, pin_of
from tests.support.cast import EMAILS, Cast, make_cast
from tests.support.mail_cast import kept_mail

from guardia.doors.voice import questions as q
from guardia.doors.voice.desk import Desk, DeskUnreachable
from guardia.features.cases.models import Case, CaseEvent
from guardia.features.contracts.models import Contract, NamedContact, Plan
from guardia.features.contracts.queries import find_contract
from guardia.journeys.confirm_call import case_code
from guardia.journeys.move_case import close_case

SATURDAY = at("2026-11-28 23:10")


def opened_on(cast: Cast, now: datetime, part: str = "plus", **changes: Any) -> str:
    return replace(cast, now=now).open(part, **changes).number


def by_code(cast: Cast, number: str, now: datetime) -> q.Caller:
    return known_by_code(number, case_code(row(cast, number)), now)


# ---- who ----


@pytest.mark.django_db
def test_a_named_contact_may_phone(cast: Cast) -> None:
    caller = known("plus", cast.now)
    person = cast.people["plus"]
    assert caller == q.Caller(
        person.company_id, "Astilleros del Norte", person.id, "Lucía Ferrer", 1, "in_force", may_phone=True
    )


@pytest.mark.django_db
def test_whom_nobody_knows_hears_nothing_more(cast: Cast) -> None:
    assert desk().answer(q.IdentifyByPin("4071", "555019"), cast.now) == q.NotIdentified()
    assert desk().answer(q.IdentifyByCode("40000012", "555019"), cast.now) == q.NotIdentified()
    for _ in range(5):
        desk(number="").answer(q.IdentifyByPin("4071", "555019"), cast.now)
    told = desk(number="").answer(q.IdentifyByPin("4071", pin_of("plus")), cast.now)
    assert told == q.NotIdentified(is_closed=True)


def test_no_question_shows_its_secret() -> None:
    assert "407118" not in repr(q.IdentifyByPin("4071", "407118"))
    assert "407118" not in repr(q.IdentifyByCode("40000012", "407118"))


@pytest.mark.django_db
def test_who_may_not_phone_may_leave_a_message_and_nothing_else(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    caller = known("plus_admin", SATURDAY)
    assert (caller.may_phone, caller.refusal) == (False, "not_named")
    for question in _questions_of(caller, number):
        assert desk().answer(question, SATURDAY) == q.Refused("not_entitled"), question
    kept = desk().answer(q.LeaveMessage(caller, "", 1, 5), SATURDAY)
    assert isinstance(kept, q.MessageKept)
    assert row(cast, kept.number).opened_by_name == "Carmen Ruiz"


@pytest.mark.django_db
def test_after_the_contract_a_message_is_left_to_staff(cast: Cast) -> None:
    Contract.objects.of_company(cast.people["plus"].company_id).update(ends_on=cast.now.date())
    caller = known("plus", cast.now)
    assert (caller.contract, caller.may_phone, caller.refusal) == ("expired", False, "expired")
    assert desk().answer(q.LeaveMessage(caller, "", 1, 5), cast.now) == q.MessageKept("")


def _questions_of(caller: q.Caller, number: str) -> list[q.Question]:
    return [
        q.ListCases(caller),
        q.FindCase(caller, number),
        q.ConfirmCase(caller, number),
        q.OpenByVoice(caller, 1, 1, 5),
        q.ListMail(caller),
        q.SettleMail(caller, uuid4(), is_own=True),
    ]


# ---- nobody else's ----


@pytest.mark.django_db
def test_a_strangers_case_is_neither_heard_nor_touched(cast: Cast) -> None:
    """The standard company gets the phone line too, so that nothing but the walls keeps it out."""
    number = opened_on(cast, SATURDAY)
    mail = kept_mail(SATURDAY)
    _give_line(cast)
    caller = known("standard", SATURDAY)
    assert caller.may_phone
    before = _log_of(cast, number)
    for asked in (q.FindCase(caller, number), q.ConfirmCase(caller, number)):
        assert desk().answer(asked, SATURDAY) == q.NoSuchCase(), asked
    assert desk().answer(q.ListCases(caller), SATURDAY) == q.CasesFound([])
    assert desk().answer(q.ListMail(caller), SATURDAY) == q.MailsFound([])
    for is_own in (True, False):
        assert desk().answer(q.SettleMail(caller, mail.id, is_own), SATURDAY) == q.Refused("mail_unknown")
    assert desk().answer(q.LeaveMessage(caller, number, 1, 5), SATURDAY) == q.MessageKept("")
    assert _log_of(cast, number) == before
    mail.refresh_from_db()
    assert mail.outcome == "quarantined"


@pytest.mark.django_db
def test_the_code_of_one_case_reaches_no_other_of_the_same_company(cast: Cast) -> None:
    own, other = opened_on(cast, SATURDAY), opened_on(cast, SATURDAY)
    caller = by_code(cast, own, SATURDAY)
    for asked in (q.FindCase(caller, other), q.ConfirmCase(caller, other)):
        assert desk().answer(asked, SATURDAY) == q.NoSuchCase(), asked
    for refused in (q.OpenByVoice(caller, 1, 1, 5), q.ListMail(caller), q.SettleMail(caller, uuid4(), is_own=True)):
        assert desk().answer(refused, SATURDAY) == q.Refused("not_entitled"), refused
    found = desk().answer(q.ListCases(caller), SATURDAY)
    assert isinstance(found, q.CasesFound)
    assert [one.number for one in found.cases] == [own]
    assert desk().answer(q.LeaveMessage(caller, other, 1, 5), SATURDAY) == q.MessageKept(own)
    assert types(cast, other) == ["submitted", "quota"]


@pytest.mark.django_db
def test_a_caller_by_code_confirms_the_case_and_the_log_says_by_what(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    done = desk().answer(q.ConfirmCase(by_code(cast, number, SATURDAY), number), SATURDAY)
    assert isinstance(done, q.CaseConfirmed)
    assert (done.is_first, done.opens_clock) == (True, True)
    event = CaseEvent.objects.of_company(row(cast, number).company_id).get(type="phone_confirmed")
    assert (event.payload["how"], event.actor["side"]) == ("code", "customer")


@pytest.mark.django_db
def test_somebody_who_left_during_the_call_hears_nothing_more(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    caller = known("plus", SATURDAY)
    person = cast.people["plus"]
    person.is_active = False
    person.save(update_fields=["is_active"])
    for question in (q.ListCases(caller), q.FindCase(caller, number), q.OpenByVoice(caller, 1, 1, 5)):
        assert desk().answer(question, SATURDAY) == q.NoSuchCase(), question


def _give_line(cast: Cast) -> None:
    Plan.objects.filter(code="standard").update(has_phone=True)
    contract = find_contract(cast.people["standard"].company_id, cast.now)
    assert contract is not None
    person = cast.people["standard"]
    NamedContact.objects.create(
        company_id=person.company_id, contract=contract, person_id=person.id, since=cast.now - timedelta(days=1)
    )


def _log_of(cast: Cast, number: str) -> list[Any]:
    rows = CaseEvent.objects.of_company(row(cast, number).company_id).order_by("case_id", "seq")
    return list(rows.values_list("case_id", "seq", "type"))


# ---- cases ----


@pytest.mark.django_db
def test_what_waits_for_a_call_is_read_first_then_the_newest_at_most_nine(cast: Cast) -> None:
    urgent = opened_on(cast, SATURDAY)
    others = [opened_on(cast, SATURDAY + timedelta(minutes=n), severity=3, case_class="standard") for n in range(1, 12)]
    later = SATURDAY + timedelta(minutes=30)
    found = desk().answer(q.ListCases(known("plus", later)), later)
    assert isinstance(found, q.CasesFound)
    assert [one.number for one in found.cases] == [urgent, *reversed(others)][:9]
    assert [one.needs_call for one in found.cases] == [True] + [False] * 8


@pytest.mark.django_db
def test_a_closed_case_is_not_listed_but_told(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    close_case(cast.plus, SATURDAY, number, "withdrawn", "Solved by itself.")
    caller = known("plus", SATURDAY)
    assert desk().answer(q.ListCases(caller), SATURDAY) == q.CasesFound([])
    told = desk().answer(q.FindCase(caller, number), SATURDAY)
    assert isinstance(told, q.CaseSpoken)
    assert (told.state, told.needs_call, told.due_at) == ("closed", False, None)
    assert desk().answer(q.ConfirmCase(caller, number), SATURDAY) == q.Refused("closed")


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["", "40000013", "1", "٤٠٧١٨٨٢٣", "99999999"])
def test_a_number_that_is_none_names_no_case(cast: Cast, number: str) -> None:
    caller = known("plus", cast.now)
    assert desk().answer(q.FindCase(caller, number), cast.now) == q.NoSuchCase()


@pytest.mark.django_db
def test_what_is_said_of_a_case_is_what_is_stored(cast: Cast) -> None:
    number = opened_on(cast, SATURDAY)
    caller = known("plus", SATURDAY)
    told = desk().answer(q.FindCase(caller, number), SATURDAY)
    assert told == q.CaseSpoken(
        number, 1, "submitted", needs_call=True, is_premium=True, is_held=False, is_confirmed=False, answered=False,
        due_at=at("2026-11-30 13:00"), zone="Europe/Madrid",
    )  # fmt: skip
    one = desk()
    done = [one.answer(q.ConfirmCase(caller, number), SATURDAY + timedelta(minutes=n)) for n in (4, 5)]
    assert done[0] == done[1]
    assert isinstance(done[0], q.CaseConfirmed)
    assert (done[0].is_first, done[0].opens_clock, done[0].case.needs_call) == (True, True, False)
    assert done[0].case.due_at == SATURDAY + timedelta(minutes=4, hours=4)
    second = desk().answer(q.ConfirmCase(caller, number), SATURDAY + timedelta(minutes=9))
    assert isinstance(second, q.CaseConfirmed)
    assert (second.is_first, second.opens_clock) == (False, False)


@pytest.mark.django_db
def test_a_case_is_opened_once_however_often_the_desk_is_asked(cast: Cast) -> None:
    caller, one = known("plus", SATURDAY), desk(language="en")
    question = q.OpenByVoice(caller, 1, 1, 30.2)
    opened = [one.answer(question, SATURDAY + timedelta(seconds=n)) for n in (0, 7)]
    assert opened[0] == opened[1]
    assert isinstance(opened[0], q.CaseOpened)
    assert (opened[0].case.is_confirmed, opened[0].case.is_premium, opened[0].fell_to_standard) == (True, True, False)
    assert Case.objects.across_companies("a test").count() == 1
    assert "Solicitud recibida" in mails_to(EMAILS["plus"])[-1]


@pytest.mark.django_db
def test_without_a_premium_incident_left_the_caller_is_told(cast: Cast) -> None:
    for _ in range(12):
        cast.open()
    opened = desk().answer(q.OpenByVoice(known("plus", cast.now), 2, 1, 30), cast.now)
    assert isinstance(opened, q.CaseOpened)
    assert (opened.case.is_premium, opened.fell_to_standard) == (False, True)
    wanted = desk().answer(q.OpenByVoice(known("plus", cast.now), 2, 1, 30, is_premium=False), cast.now)
    assert isinstance(wanted, q.CaseOpened)
    assert not wanted.fell_to_standard


@pytest.mark.django_db
def test_a_severity_that_is_none_is_refused(cast: Cast) -> None:
    asked = q.OpenByVoice(known("plus", cast.now), 7, 1, 30)
    assert desk().answer(asked, cast.now) == q.Refused("severity_unknown")


@pytest.mark.django_db
def test_a_strangers_message_is_kept_by_nobody_yet(cast: Cast) -> None:
    assert desk().answer(q.LeaveMessage(None, "40000012", 1, 5), cast.now) == q.MessageKept("")
    assert not Case.objects.across_companies("a test").exists()


# ---- mail ----


@pytest.mark.django_db
@pytest.mark.parametrize(("is_own", "outcome"), [(True, "accepted"), (False, "refused")])
def test_a_caller_stands_up_for_the_own_mail_or_disowns_it(cast: Cast, is_own: bool, outcome: str) -> None:  # noqa: FBT001
    mail = kept_mail(cast.now)
    caller, one = known("plus", cast.now), desk()
    found = one.answer(q.ListMail(caller), cast.now)
    assert found == q.MailsFound([q.MailWaiting(mail.id, mail.arrived_at, "Europe/Madrid")])
    for _ in range(2):
        assert one.answer(q.SettleMail(caller, mail.id, is_own), cast.now) == q.MailSettled()
    mail.refresh_from_db()
    assert (mail.outcome, mail.settled_by_name) == (outcome, "Lucía Ferrer")
    assert one.answer(q.ListMail(caller), cast.now) == q.MailsFound([])
    assert desk().answer(q.SettleMail(caller, mail.id, is_own), cast.now) == q.Refused("settled")


@pytest.mark.django_db
def test_a_colleagues_mail_is_neither_listed_nor_settled_by_phone(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    caller = known("plus_second", cast.now)
    assert desk().answer(q.ListMail(caller), cast.now) == q.MailsFound([])
    assert desk().answer(q.SettleMail(caller, mail.id, is_own=True), cast.now) == q.Refused("mail_unknown")
    mail.refresh_from_db()
    assert mail.outcome == "quarantined"


# ---- the database ----


def _in_thread(act: Callable[[], Any]) -> Any:
    (answer,) = at_once([act])
    return answer


@pytest.mark.django_db(transaction=True)
def test_without_the_database_the_desk_says_so_and_answers_again_afterwards(keys: None, now: datetime) -> None:
    make_cast(now)
    question = q.IdentifyByPin(contract_of("plus"), pin_of("plus"))

    def away_then_back() -> tuple[bool, Any]:
        there = connection.settings_dict
        connection.settings_dict = {**there, "HOST": "127.0.0.1", "PORT": "1"}
        try:
            with pytest.raises(DeskUnreachable) as told:
                desk().answer(question, now)
        finally:
            connection.settings_dict = there
        return pin_of("plus") in repr(told.value), desk().answer(question, now)

    shows_pin, again = _in_thread(away_then_back)
    assert not shows_pin
    assert isinstance(again, q.Identified)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_dropped_is_not_used_again(keys: None, now: datetime) -> None:
    make_cast(now)
    question = q.IdentifyByPin(contract_of("plus"), pin_of("plus"))
    opened, dropped = threading.Event(), threading.Event()

    def ask_twice() -> Any:
        desk().answer(question, now)
        connection.ensure_connection()
        pids.append(connection.connection.info.backend_pid)
        opened.set()
        assert dropped.wait(timeout=30)
        return desk().answer(question, now)

    pids: list[int] = []

    def drop() -> None:
        assert opened.wait(timeout=30)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pids[0]])
        dropped.set()

    answers = at_once([ask_twice, drop])
    assert raised(answers) == []
    assert isinstance(answers[0], q.Identified)
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_twelve_calls_at_once_each_get_their_own_answer(keys: None, now: datetime) -> None:
    cast = make_cast(now)
    parts = ["plus", "plus_second", "standard"] * 4
    acts = [
        lambda n=n, part=part: Desk(uuid4(), f"{NUMBER}{n}", "en").answer(
            q.IdentifyByPin(contract_of(part), pin_of(part)), now
        )
        for n, part in enumerate(parts)
    ]
    found = [one for one in returned(at_once(acts)) if isinstance(one, q.Identified)]
    assert [one.caller.person_id for one in found] == [cast.people[part].id for part in parts]
