"""Whom a passed mark tells, by what, how often, and what stops it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from tests.support.cast import Cast
from tests.support.ticking import case_of, differences, events, fired, steps, tick_all, told, watch_of

from guardia.adapters.webhook import RememberedWebhook
from guardia.features.accounts.models import Person
from guardia.features.sla.models import ClockFiring, ClockWatch, StaffNotice
from guardia.features.sla.rules.default_escalation import DEFAULT_CODE
from guardia.journeys.acknowledge_alarm import acknowledge_alarm
from guardia.journeys.answer_case import answer_case
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.escalation_policies import save_policy
from guardia.journeys.fire_clocks import ensure_default_policy, tick
from guardia.journeys.move_case import close_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.outside import replaced

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
TICK = timedelta(milliseconds=250)
WHY = "a test looks at every row"


def follow(cast: Cast, *wanted: dict[str, Any]) -> None:
    """Let these be the steps of the default policy."""
    ensure_default_policy(cast.now)
    save_policy(cast.duty_manager, cast.now, DEFAULT_CODE, "All plans", list(wanted), 1)


def step(on: str, to: str, by: str = "console", clock: str = "response", **more: Any) -> dict[str, Any]:
    return {"on": on, "clock": clock, "to": to, "by": by.split(), **more}


def held(cast: Cast) -> str:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    return number


def mails(to: str = "") -> list[str]:
    rows = OutboxMessage.objects.filter(kind="escalation_mail").order_by("created_at", "id")
    names = {str(person.id): person.email for person in Person.objects.all()}
    return [names[row.payload["to"]] for row in rows if to in names[row.payload["to"]]]


def unread(part: str, cast: Cast) -> list[StaffNotice]:
    rows = StaffNotice.objects.across_companies(WHY).filter(person_id=cast.people[part].id, read_at=None)
    return list(rows.order_by("created_at"))


def test_the_holder_is_told_in_the_console_and_by_one_mail(cast: Cast) -> None:
    follow(cast, step("75", "holder", "console mail"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    assert told(number) == [("response", "75", "holder")]
    assert mails() == ["marta.ibanez@guardia.example"]
    (notice,) = unread("engineer", cast)
    assert (notice.facts["mark"], notice.facts["why"]) == ("75", "holder")


def test_where_nobody_holds_the_case_its_group_is_told_and_the_log_says_so(cast: Cast) -> None:
    follow(cast, step("75", "holder"))
    number = cast.open().number
    tick_all(cast.now + 3 * HOUR + TICK)
    (event,) = events(number, "escalated")
    (taken,) = event.payload["steps"]
    assert (taken["meant"], taken["to"]) == ("holder", "group")
    assert set(taken["people"]) >= {"Marta Ibáñez", "Tomás Vega"}
    assert event.payload["late_by_s"] == 0.25


def test_one_person_behind_two_names_gets_one_mail_and_one_notice(cast: Cast) -> None:
    """P25: the duty manager who holds the case is not told twice."""
    follow(cast, step("breach", "holder", "console mail"), step("breach", "duty_manager", "console mail"))
    number = cast.open().number
    take_case(cast.duty_manager, cast.now, number)
    tick_all(cast.now + 4 * HOUR + TICK)
    assert len(told(number)) == 2
    assert mails("elena") == ["elena.soto@guardia.example"]
    assert len(unread("duty_manager", cast)) == 1


def test_a_repeated_step_is_in_the_log_each_time_and_mails_once(cast: Cast) -> None:
    follow(cast, step("breach", "holder", "console mail", repeat="PT30M", at_most=3))
    number = held(cast)
    for minutes in (0, 30, 60, 90, 120):
        tick_all(cast.now + 4 * HOUR + minutes * MINUTE + SECOND * (minutes // 30 + 1))
    assert len(told(number)) == 3
    assert [event.payload["steps"][0]["round"] for event in events(number, "escalated")] == [0, 1, 2]
    assert len(mails()) == 1


def test_an_acknowledgement_stops_the_steps_to_come(cast: Cast) -> None:
    follow(cast, step("breach", "holder"), step("breach", "duty_manager", after="PT15M"))
    number = held(cast)
    tick_all(cast.now + 4 * HOUR + TICK)
    assert acknowledge_alarm(cast.engineer, cast.now + 4 * HOUR + MINUTE, number)
    assert not acknowledge_alarm(cast.engineer, cast.now + 4 * HOUR + MINUTE, number)
    tick_all(cast.now + 5 * HOUR)
    assert told(number) == [("response", "breach", "holder")]
    (waiting,) = steps(number)
    assert waiting.stopped_why == "acknowledged"
    (event,) = events(number, "alarm_acknowledged")
    assert event.payload["marks"] == [["response", "breach"]]
    assert unread("engineer", cast) == []
    assert differences() == {}


def test_an_acknowledged_warning_does_not_silence_the_breach(cast: Cast) -> None:
    follow(cast, step("75", "holder"), step("breach", "holder"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    acknowledge_alarm(cast.engineer, cast.now + 3.1 * HOUR, number)
    tick_all(cast.now + 4 * HOUR + TICK)
    assert [mark for _, mark, _ in told(number)] == ["75", "breach"]


def test_customers_acknowledge_nothing(cast: Cast) -> None:
    number = held(cast)
    with pytest.raises(Forbidden):
        acknowledge_alarm(cast.plus, cast.now, number)
    with pytest.raises(NotFound):
        acknowledge_alarm(cast.engineer, cast.now, "00000000")


@pytest.mark.parametrize("end", ["answered", "closed"])
def test_an_answer_or_an_end_stops_the_steps_to_come_and_says_why(cast: Cast, end: str) -> None:
    """P8, P10: what is over keeps nobody awake."""
    follow(cast, step("75", "holder"), step("75", "duty_manager", after="PT30M"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    later = cast.now + 3 * HOUR + MINUTE
    if end == "answered":
        answer_case(cast.engineer, later, number, "The driver blocks it.", "analysis")
    else:
        close_case(cast.engineer, later, number, "solved", "the driver was replaced")
    tick_all(cast.now + 5 * HOUR)
    assert told(number) == [("response", "75", "holder")]
    assert [one.stopped_why for one in steps(number)] == [end]
    assert unread("engineer", cast) == []


def test_taking_the_case_stops_the_call_for_a_holder(cast: Cast) -> None:
    follow(
        cast,
        step("unassigned", "group", clock="assignment"),
        step("unassigned", "duty_manager", clock="assignment", after="PT10M"),
    )
    number = cast.open().number
    tick_all(cast.now + 30 * MINUTE + TICK)
    take_case(cast.engineer, cast.now + 35 * MINUTE, number)
    tick_all(cast.now + HOUR)
    assert told(number) == [("assignment", "unassigned", "group")]
    assert [one.stopped_why for one in steps(number)] == ["taken"]


def test_the_account_manager_of_the_contract_is_told_or_the_duty_manager_where_there_is_none(cast: Cast) -> None:
    follow(cast, step("75", "account_manager", "mail"), step("breach", "account_manager", "mail"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    assert mails() == ["rosa.lamas@guardia.example"]
    Person.objects.filter(id=cast.people["account_manager"].id).update(is_active=False)
    tick_all(cast.now + 4 * HOUR + TICK)
    assert [to for _, _, to in told(number)] == ["account_manager", "duty_manager"]
    assert mails("elena") == ["elena.soto@guardia.example"]


def test_the_webhook_is_asked_only_where_the_operator_named_one(cast: Cast) -> None:
    follow(cast, step("75", "holder", "webhook"), step("breach", "holder", "webhook"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    assert OutboxMessage.objects.filter(kind="escalation_webhook").count() == 0
    with replaced(webhook=RememberedWebhook()):
        tick_all(cast.now + 4 * HOUR + TICK)
    (message,) = OutboxMessage.objects.filter(kind="escalation_webhook")
    assert (message.payload["number"], message.payload["mark"]) == (number, "breach")


def test_a_plan_may_have_a_policy_of_its_own(cast: Cast) -> None:
    follow(cast, step("75", "holder"))
    save_policy(cast.duty_manager, cast.now, "eager", "For the eager", [step("50", "duty_manager")], 0)
    number, other = held(cast), held(cast)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'UPDATE cases_case SET terms = terms || \'{"escalation": "eager"}\' WHERE id = %s', [case_of(number).id]
        )
    tick_all(cast.now + 2 * HOUR + TICK)
    tick_all(cast.now + 3 * HOUR + TICK)
    assert told(number) == [("response", "50", "duty_manager")]
    assert told(other) == [("response", "75", "holder")]


def test_a_policy_is_changed_by_duty_managers_only_and_never_over_anothers_version(cast: Cast) -> None:
    ensure_default_policy(cast.now)
    with pytest.raises(Forbidden):
        save_policy(cast.engineer, cast.now, DEFAULT_CODE, "All plans", [step("75", "holder")], 1)
    assert save_policy(cast.duty_manager, cast.now, DEFAULT_CODE, "All plans", [step("75", "holder")], 1) == 2
    with pytest.raises(Refused):
        save_policy(cast.duty_manager, cast.now, DEFAULT_CODE, "All plans", [step("90", "holder")], 1)
    with pytest.raises(Invalid) as refused:
        save_policy(cast.duty_manager, cast.now, DEFAULT_CODE, "All plans", [{**step("75", "holder"), "on": "7"}], 2)
    assert list(refused.value.fields) == ["steps.0.on"]


def test_an_edit_of_the_policy_changes_nothing_that_is_under_way(cast: Cast) -> None:
    follow(cast, step("75", "holder"), step("75", "duty_manager", after="PT30M"))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + TICK)
    save_policy(cast.duty_manager, cast.now, DEFAULT_CODE, "All plans", [step("90", "holder")], 2)
    tick_all(cast.now + 3.5 * HOUR + SECOND)
    assert told(number) == [("response", "75", "holder"), ("response", "75", "duty_manager")]


def test_a_clock_that_cannot_be_judged_waits_and_stops_no_other(cast: Cast) -> None:
    follow(cast, step("75", "holder"))
    bad, good = held(cast), held(cast)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET terms = '{}' WHERE number = %s", [bad])
    tick_all(cast.now + 3 * HOUR + TICK)
    assert fired(good) == ["75", "50"]
    assert fired(bad) == []
    row = watch_of(bad)
    assert row.failures == 1
    assert row.next_at == cast.now + 3 * HOUR + TICK + 15 * SECOND
    assert "KeyError" in row.last_error


def test_a_row_that_the_database_refuses_is_found_among_a_thousand_good_ones(cast: Cast) -> None:
    follow(cast, step("75", "holder"))
    numbers = [held(cast) for _ in range(5)]
    row = watch_of(numbers[2])
    with transaction.atomic():
        ClockFiring.objects.bulk_create(
            [
                ClockFiring(
                    company_id=row.company_id,
                    case_id=row.case_id,
                    clock="response",
                    mark="50",
                    version=row.version,
                    due_at=cast.now,
                    fired_at=cast.now,
                    late_by=timedelta(0),
                )
            ]
        )
    tick_all(cast.now + 2 * HOUR + TICK)
    assert [fired(number) for number in numbers] == [["50"]] * 5
    assert [watch_of(number).failures for number in numbers] == [0, 0, 1, 0, 0]


def test_the_gravest_are_heard_first_then_the_tier_then_the_longest_overdue(cast: Cast) -> None:
    follow(cast, step("breach", "holder"))
    keys = [(3, 1), (1, 2), (2, 1), (1, 1)]
    numbers = [held(cast) for _ in keys]
    for number, (severity, tier) in zip(numbers, keys, strict=True):
        rows = ClockWatch.objects.across_companies(WHY).filter(case__number=number)
        rows.update(severity=severity, tier=tier)
    heard = []
    while tick(cast.now + 4 * HOUR + TICK).did_something:
        heard += [number for number in numbers if fired(number) and number not in heard]
    assert heard == [numbers[place] for place in (3, 1, 2, 0)]


def test_after_a_confirmed_call_the_engineer_on_duty_is_told_at_once_even_at_night(cast: Cast) -> None:
    follow(cast, step("called", "on_duty", "console mail"), step("called", "duty_manager", after="PT15M"))
    night = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    confirm_call(cast.engineer, night, number, "known", reason="called back on the contract's number")
    tick_all(night + TICK)
    assert told(number)[-1] == ("response", "called", "on_duty")
    assert "called" in fired(number)
    assert mails()
