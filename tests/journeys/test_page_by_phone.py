"""Alarms by phone: who is called, what an acknowledgement does, and that no two workers make the same call."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from tests.journeys.promise_story import at
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast
from tests.support.ticking import case_of, differences, events, steps, tick_all, told

from guardia.features.accounts.models import Person
from guardia.features.sla.models import PhonePage, StaffNotice
from guardia.features.sla.rules.default_escalation import DEFAULT_CODE
from guardia.features.sla.rules.paging import PAUSE, RETRY, ROUNDS, TRIES
from guardia.journeys.accept_call import accept_call
from guardia.journeys.acknowledge_alarm import acknowledge_alarm
from guardia.journeys.answer_case import answer_case
from guardia.journeys.confirm_call import case_code, confirm_call
from guardia.journeys.escalation_policies import save_policy
from guardia.journeys.fire_clocks import ensure_default_policy
from guardia.journeys.move_case import close_case
from guardia.journeys.page_by_phone import HELD_BACK, PageToMake, claim_pages, end_attempt, pages_over, release_page
from guardia.journeys.take_case import take_case
from guardia.journeys.whom_to_ring import whom_to_ring
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.errors import Invalid, NotFound
from guardia.kernel.outbox.models import OutboxMessage
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
WHY = "a test looks at every row"
SATURDAY = at("2026-11-28 23:30")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TICK = timedelta(milliseconds=250)
LEASE = timedelta(minutes=2)
PHONES = {"engineer": "600100100", "analyst": "600200200", "duty_manager": "600300300"}


@pytest.fixture
def night(cast: Cast) -> Cast:
    """Saturday night; everybody with a duty has a phone."""
    for part, phone in PHONES.items():
        Person.objects.filter(id=cast.people[part].id).update(phone=phone)
    return replace(cast, now=SATURDAY)


def without_phone(cast: Cast, *parts: str) -> None:
    Person.objects.filter(id__in=[cast.people[part].id for part in parts]).update(phone="")


def called_in(cast: Cast, **changes: Any) -> str:
    """A case that is phoned in on Saturday night, ticked."""
    number = cast.open(**changes).number
    confirm_call(cast.engineer, cast.now, number, "code", case_code(case_of(number)))
    tick_all(cast.now + TICK)
    return number


def pages(number: str) -> list[PhonePage]:
    return list(PhonePage.objects.across_companies(WHY).filter(case__number=number).order_by("id"))


def page_of(number: str) -> PhonePage:
    (page,) = pages(number)
    return page


def one(cast: Cast, later: timedelta = SECOND) -> PageToMake:
    (call,) = claim_pages(cast.now + later, 10, LEASE)
    return call


def fail(call: PageToMake, outcome: str, now: Any) -> bool:
    return end_attempt(call.page_id, call.person_id, outcome, now)


def tried(number: str) -> list[tuple[str, str]]:
    return [(attempt["name"].split()[0], attempt["outcome"]) for attempt in page_of(number).tried]


def test_a_confirmed_call_on_saturday_night_pages_the_engineer_on_duty_within_the_same_tick(night: Cast) -> None:
    number = called_in(night)
    page = page_of(number)
    assert (page.clock, page.mark, page.severity) == ("response", "called", 1)
    assert page.people == [night.engineer.id]
    assert page.created_at == page.next_at == SATURDAY + TICK
    call = one(night)
    assert (call.name, call.phone, call.language) == ("Marta Ibáñez", PHONES["engineer"], "en")
    assert (call.number, call.company, call.severity) == (number, case_of(number).company.name, 1)


def test_an_acknowledgement_by_phone_stops_the_steps_to_come_and_gives_the_case(night: Cast) -> None:
    number = called_in(night)
    assert steps(number)
    call = one(night)
    assert fail(call, "acknowledged", SATURDAY + MINUTE)
    page = page_of(number)
    assert (page.outcome, page.ended_at, page.next_at) == ("acknowledged", SATURDAY + MINUTE, None)
    assert str(page.acknowledged_by_id) == night.engineer.id
    assert {step.stopped_why for step in steps(number)} == {"acknowledged"}
    tick_all(SATURDAY + HOUR)
    assert told(number) == [("response", "called", "on_duty")]
    assert claim_pages(SATURDAY + HOUR, 10, LEASE) == []
    assert str(case_of(number).holder_id) == night.engineer.id
    (event,) = events(number, "paged")
    assert event.actor["id"] == night.engineer.id
    assert event.payload["outcome"] == "acknowledged"
    assert [event.actor["name"] for event in events(number, "alarm_acknowledged")] == ["Marta Ibáñez"]
    assert differences() == {}


def test_a_page_that_was_acknowledged_in_the_console_is_over_while_it_rings(night: Cast) -> None:
    number = called_in(night)
    call = one(night)
    assert pages_over([call.page_id]) == set()
    acknowledge_alarm(night.engineer, SATURDAY + MINUTE, number)
    assert pages_over([call.page_id, uuid4()]) == {call.page_id}
    assert fail(call, "withdrawn", SATURDAY + MINUTE)
    assert tried(number) == [("Marta", "withdrawn")]
    assert page_of(number).outcome == "stopped"
    assert claim_pages(SATURDAY + HOUR, 10, LEASE) == []


def test_who_holds_the_case_keeps_it_when_somebody_else_acknowledges(night: Cast) -> None:
    number = called_in(night)
    take_case(night.analyst, SATURDAY + SECOND, number)
    fail(one(night), "acknowledged", SATURDAY + MINUTE)
    assert str(case_of(number).holder_id) == night.analyst.id


def test_after_two_calls_without_answer_the_next_of_the_rotation_is_called_then_the_duty_manager(night: Cast) -> None:
    number = called_in(night)
    now, names, waits = SATURDAY + SECOND, [], []
    for _ in range(6):
        (call,) = claim_pages(now, 10, LEASE)
        names.append(call.name.split()[0])
        fail(call, "no_answer", now)
        waits.append((page_of(number).next_at or now) - now)
        now += waits[-1]
    assert names == ["Marta", "Marta", "Tomás", "Tomás", "Elena", "Elena"]
    assert waits == [RETRY, 0 * SECOND, RETRY, 0 * SECOND, RETRY, PAUSE]


def test_who_declines_makes_room_at_once(night: Cast) -> None:
    called_in(night)
    fail(one(night), "declined", SATURDAY + MINUTE)
    assert one(night, MINUTE).name == "Tomás Vega"


def test_somebody_without_a_phone_is_passed_over_and_the_log_says_so(night: Cast) -> None:
    without_phone(night, "engineer")
    number = called_in(night)
    assert one(night).name == "Tomás Vega"
    assert tried(number) == [("Marta", "no_phone")]
    (event,) = events(number, "paged")
    assert (event.payload["name"], event.payload["outcome"]) == ("Marta Ibáñez", "no_phone")
    assert differences() == {}


def test_where_nobody_has_a_phone_the_duty_managers_are_told_in_the_end(night: Cast) -> None:
    without_phone(night, *PHONES)
    number = called_in(night)
    now = SATURDAY + SECOND
    for _ in range(ROUNDS):
        assert claim_pages(now, 10, LEASE) == []
        now += PAUSE
    page = page_of(number)
    assert (page.outcome, page.next_at) == ("nobody", None)
    assert len(page.tried) == 3 * ROUNDS
    notices = StaffNotice.objects.across_companies(WHY).filter(facts__mark="nobody_reached")
    assert [str(notice.person_id) for notice in notices] == [night.duty_manager.id]
    assert OutboxMessage.objects.filter(kind="escalation_mail", payload__mark="nobody_reached").count() == 1


def test_a_page_that_nobody_answers_ends_after_three_rounds(night: Cast) -> None:
    number = called_in(night)
    now, calls = SATURDAY + SECOND, 0
    while page_of(number).next_at is not None:
        (call,) = claim_pages(now, 1, LEASE)
        fail(call, "silent", now)
        calls, now = calls + 1, max(now, page_of(number).next_at or now)
    assert calls == 3 * TRIES * ROUNDS
    assert page_of(number).outcome == "nobody"
    assert now == SATURDAY + SECOND + RETRY * 3 * ROUNDS + PAUSE * (ROUNDS - 1)


def test_a_call_that_is_reported_twice_counts_once(night: Cast) -> None:
    number = called_in(night)
    call = one(night)
    report = (call.page_id, call.person_id, "busy", SATURDAY + MINUTE)
    assert end_attempt(*report, started_at=SATURDAY + SECOND)
    before = page_of(number)
    assert not end_attempt(call.page_id, call.person_id, "busy", SATURDAY + HOUR, started_at=SATURDAY + SECOND)
    after = page_of(number)
    assert (after.tried, after.next_at) == (before.tried, before.next_at)
    assert len(events(number, "paged")) == 1


def test_an_acknowledgement_that_comes_late_still_counts(night: Cast) -> None:
    """The line could not reach the database while the engineer pressed the key; another call was made meanwhile."""
    number = called_in(night)
    call = one(night)
    fail(call, "failed", SATURDAY + MINUTE)
    assert end_attempt(
        call.page_id, call.person_id, "acknowledged", SATURDAY + 2 * MINUTE, started_at=SATURDAY + SECOND
    )
    assert page_of(number).outcome == "acknowledged"
    assert fail(one_more(call, night), "no_answer", SATURDAY + 3 * MINUTE)
    assert page_of(number).outcome == "acknowledged"


def one_more(call: PageToMake, cast: Cast) -> PageToMake:
    return replace(call, person_id=UUID(cast.analyst.id))


def test_who_has_left_acknowledges_nothing(night: Cast) -> None:
    number = called_in(night)
    call = one(night)
    Person.objects.filter(id=call.person_id).update(is_active=False)
    fail(call, "acknowledged", SATURDAY + MINUTE)
    assert page_of(number).ended_at is None
    assert one(night, MINUTE).name == "Tomás Vega"


def test_an_unknown_outcome_or_page_is_an_error(night: Cast) -> None:
    called_in(night)
    call = one(night)
    with pytest.raises(ValueError, match="ends as one of"):
        fail(call, "shrugged", SATURDAY)
    with pytest.raises(ValueError, match="there is no page"):
        end_attempt(uuid4(), call.person_id, "busy", SATURDAY)


def close(cast: Cast, number: str) -> None:
    close_case(cast.engineer, SATURDAY + MINUTE, number, "solved", "the driver was replaced")


def answer(cast: Cast, number: str) -> None:
    answer_case(cast.engineer, SATURDAY + MINUTE, number, "The driver blocks it.", "analysis")


def acknowledge(cast: Cast, number: str) -> None:
    assert acknowledge_alarm(cast.engineer, SATURDAY + MINUTE, number)


@pytest.mark.parametrize("end", [close, answer, acknowledge])
def test_what_is_settled_elsewhere_calls_nobody_any_more(night: Cast, end: Callable[[Cast, str], None]) -> None:
    number = called_in(night)
    take_case(night.engineer, SATURDAY + SECOND, number)
    end(night, number)
    page = page_of(number)
    assert (page.outcome, page.ended_at, page.next_at) == ("stopped", SATURDAY + MINUTE, None)
    assert claim_pages(SATURDAY + HOUR, 10, LEASE) == []


def test_taking_the_case_alone_does_not_stop_a_page_about_the_answer(night: Cast) -> None:
    number = called_in(night)
    take_case(night.engineer, SATURDAY + SECOND, number)
    assert page_of(number).ended_at is None


def test_a_case_is_called_about_by_one_page_at_a_time_the_gravest_case_first(night: Cast) -> None:
    ensure_default_policy(night.now)
    wanted = [
        {"on": "called", "clock": "response", "to": to, "by": ["phone"]} for to in ("on_duty", "duty_manager", "group")
    ]
    save_policy(night.duty_manager, night.now, DEFAULT_CODE, "All plans", wanted, 1)
    mild, grave = called_in(night, severity=2), called_in(night)
    assert len(pages(grave)) == 3
    calls = claim_pages(SATURDAY + SECOND, 10, LEASE)
    assert [call.number for call in calls] == [grave, mild]
    fail(calls[0], "acknowledged", SATURDAY + MINUTE)
    assert {page.outcome for page in pages(grave)} == {"acknowledged"}


def test_a_lease_that_ran_out_or_was_given_back_lets_the_page_be_called_again(night: Cast) -> None:
    called_in(night)
    call = one(night)
    assert claim_pages(SATURDAY + SECOND + LEASE - SECOND, 10, LEASE) == []
    assert one(night, SECOND + LEASE) == call
    release_page(call.page_id, SATURDAY + SECOND + LEASE + SECOND)
    assert claim_pages(SATURDAY + SECOND + LEASE + 2 * SECOND, 10, LEASE) == []
    assert one(night, SECOND + LEASE + SECOND + HELD_BACK) == call


def test_pages_that_cannot_be_made_now_hold_up_no_other(night: Cast) -> None:
    first, second = called_in(night), called_in(night)
    (call,) = claim_pages(SATURDAY + SECOND, 1, LEASE)
    release_page(call.page_id, SATURDAY + SECOND)
    (next_call,) = claim_pages(SATURDAY + 3 * SECOND, 1, LEASE)
    assert {call.number, next_call.number} == {first, second}


def test_the_timeline_tells_staff_of_calls_and_customers_only_who_took_theirs(night: Cast) -> None:
    number = called_in(night)
    fail(one(night), "no_answer", SATURDAY + MINUTE)
    accept_call(UUID(night.engineer.id), number, SATURDAY + 2 * MINUTE, uuid4())
    titles = [entry.title for entry in case_page(night.engineer, SATURDAY + HOUR, number).timeline]
    assert "Called Marta Ibáñez: no answer" in titles
    assert "Marta Ibáñez took the call" in titles
    seen = [entry.title for entry in case_page(night.plus, SATURDAY + HOUR, number).timeline]
    assert "Marta Ibáñez took the call" in seen
    assert not [title for title in seen if "Called" in title]


def test_whoever_takes_a_callers_call_sees_to_the_case(night: Cast) -> None:
    number = called_in(night)
    one(night)
    call_id = uuid4()
    for _ in range(2):
        accept_call(UUID(night.analyst.id), number, SATURDAY + MINUTE, call_id)
    page = page_of(number)
    assert (page.outcome, str(page.acknowledged_by_id)) == ("acknowledged", night.analyst.id)
    assert str(case_of(number).holder_id) == night.analyst.id
    assert [event.payload["call"] for event in events(number, "call_taken")] == [str(call_id)]
    assert {step.stopped_why for step in steps(number)} == {"acknowledged"}
    assert differences() == {}


def test_a_call_without_a_case_is_in_the_audit_trail(night: Cast) -> None:
    call_id = uuid4()
    accept_call(UUID(night.analyst.id), "", SATURDAY, call_id)
    entry = AuditEntry.objects.get(act="call_taken")
    assert (entry.thing, entry.actor["id"]) == (f"call {call_id}", night.analyst.id)


def test_only_present_staff_take_calls_about_cases_that_exist(night: Cast) -> None:
    with pytest.raises(Invalid):
        accept_call(UUID(night.plus.id), "", SATURDAY, uuid4())
    with pytest.raises(NotFound):
        accept_call(UUID(night.engineer.id), "00000000", SATURDAY, uuid4())


def ring(cast: Cast) -> list[tuple[str, str, str]]:
    return [(phone.name.split()[0], phone.phone, phone.duty) for phone in whom_to_ring(cast.now)]


def test_the_engineer_on_duty_rings_then_the_next_then_the_duty_manager(night: Cast) -> None:
    assert ring(night) == [
        ("Marta", PHONES["engineer"], "on_duty"),
        ("Tomás", PHONES["analyst"], "next"),
        ("Elena", PHONES["duty_manager"], "duty_manager"),
    ]


def test_who_has_no_phone_is_listed_so_that_the_log_can_say_it_and_who_has_left_is_not(night: Cast) -> None:
    without_phone(night, "engineer")
    Person.objects.filter(id=night.people["analyst"].id).update(is_active=False)
    assert ring(night)[0] == ("Marta", "", "on_duty")
    assert "Tomás" not in [name for name, _, _ in ring(night)]


def test_without_a_roster_whoever_leads_rings(night: Cast) -> None:
    before_the_first_version = replace(night, now=night.now - timedelta(days=90))
    assert ring(before_the_first_version) == [("Elena", PHONES["duty_manager"], "duty_manager")]


@pytest.mark.django_db(transaction=True)
def test_ten_workers_at_once_never_get_the_same_page(night: Cast) -> None:
    numbers = {called_in(night, severity=severity) for severity in (1, 2, 1, 2, 1)}
    answers = at_once([lambda: claim_pages(SATURDAY + MINUTE, 1, LEASE)] * 10)
    assert raised(answers) == []
    claimed = [call.number for calls in returned(answers) for call in calls]
    claimed += [call.number for call in claim_pages(SATURDAY + MINUTE, 10, LEASE)]
    assert sorted(claimed) == sorted(numbers)


@pytest.mark.django_db(transaction=True)
def test_the_same_acknowledgement_from_ten_workers_counts_once(night: Cast) -> None:
    number = called_in(night)
    call = one(night)
    report = (call.page_id, call.person_id, "acknowledged", SATURDAY + MINUTE)
    answers = at_once([lambda: end_attempt(*report, started_at=SATURDAY)] * 10)
    assert raised(answers) == []
    assert sorted(returned(answers)) == [False] * 9 + [True]
    assert len(events(number, "alarm_acknowledged")) == len(events(number, "taken")) == 1


KILLED = """
import os, signal, sys
from datetime import datetime, timedelta
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from guardia.journeys.page_by_phone import claim_pages
calls = claim_pages(datetime.fromisoformat(sys.argv[2]), 1, timedelta(minutes=2))
print(calls[0].number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_worker_that_was_killed_is_called_again_once_its_lease_is_over(night: Cast) -> None:
    number = called_in(night)
    name = str(connection.settings_dict["NAME"])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, name, (SATURDAY + SECOND).isoformat()],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "guardia.config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.strip() == number
    assert claim_pages(SATURDAY + MINUTE, 10, LEASE) == []
    assert one(night, LEASE + SECOND).number == number
