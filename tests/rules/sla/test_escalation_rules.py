"""Escalation policies: what they may say, whom a mark tells when, and that nobody is told at midnight."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.default_escalation import DEFAULT_STEPS
from guardia.features.sla.rules.escalation import (
    GRACE,
    Coverage,
    Step,
    parse_steps,
    put_off,
    set_off,
    taken_at,
    telling,
    written,
)
from guardia.features.sla.rules.expectations import Malformed

OFFICE = Calendar.parse(
    {
        "zone": "Europe/Madrid",
        "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "closed_on": [],
        "open_on": {},
    }
)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FRIDAY_1650 = datetime(2026, 11, 27, 15, 50, tzinfo=UTC)
FRIDAY_1700 = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
MONDAY_0900 = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def step(**changes: Any) -> dict[str, Any]:
    return {"on": "breach", "clock": "response", "to": "holder", "by": ["console"], **changes}


def test_the_policy_that_ships_is_one() -> None:
    steps = parse_steps(DEFAULT_STEPS)
    assert [Step.parse(one.as_json(), "step") for one in steps] == list(steps)


def test_the_policy_that_ships_rings_a_phone_for_a_confirmed_call_and_for_severe_breaches_only() -> None:
    steps = parse_steps(DEFAULT_STEPS)
    rings = [(one.on, one.clock, one.to, sorted(one.severities)) for one in steps if "phone" in one.by]
    assert rings == [
        ("breach", "response", "duty_manager", [1, 2]),
        ("called", "response", "on_duty", [1, 2, 3, 4]),
    ]


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"on": "60"}, "steps[0].on", "one of 50, 75, 90, breach, unassigned, called"),
        ({"on": "unassigned"}, "steps[0].clock", "one of assignment"),
        ({"on": "75", "clock": "assignment"}, "steps[0].clock", "one of response, next_answer, resolution"),
        ({"to": "everybody"}, "steps[0].to", "one of holder, group"),
        ({"by": []}, "steps[0].by", "at least one of console, mail, webhook, phone"),
        ({"by": ["pigeon"]}, "steps[0].by", 'got "pigeon"'),
        ({"severities": [0]}, "steps[0].severities", "at least one of 1, 2, 3, 4"),
        ({"severities": [True]}, "steps[0].severities", "got true"),
        ({"classes": ["gold"]}, "steps[0].classes", 'got "gold"'),
        ({"after": "10 minutes"}, "steps[0].after", "ISO 8601"),
        ({"after": "P31D"}, "steps[0].after", "at most 30 days"),
        ({"repeat": "PT1S", "at_most": 3}, "steps[0].repeat", "from 1 minute"),
        ({"repeat": "PT5M"}, "steps[0].at_most", "2 or more times"),
        ({"at_most": 3}, "steps[0].at_most", "how long until the step repeats"),
        ({"at_most": 100, "repeat": "PT5M"}, "steps[0].at_most", "from 1 to 12"),
        ({"colour": "red"}, "steps[0].colour", "one of the names"),
    ],
)
def test_a_step_that_does_not_say_what_it_must_is_refused_at_its_place(
    changes: dict[str, Any], place: str, words: str
) -> None:
    with pytest.raises(Malformed) as refused:
        parse_steps([step(**changes)])
    assert refused.value.place == place
    assert words in str(refused.value)


def test_a_policy_tells_nobody_twice_at_the_same_time() -> None:
    with pytest.raises(Malformed, match=r"steps\[1\]"):
        parse_steps([step(severities=[1, 2]), step(severities=[2, 3], by=["mail"])])
    parse_steps([step(severities=[1, 2]), step(severities=[3]), step(after="PT1H")])


@pytest.mark.parametrize("value", [None, {}, "steps", [], [step()] * 41, [1]])
def test_what_is_no_list_of_steps_is_no_policy(value: Any) -> None:
    with pytest.raises(Malformed):
        parse_steps(value)


def test_a_mark_sets_off_the_steps_of_its_clock_severity_and_class() -> None:
    steps = parse_steps([step(), step(clock="resolution"), step(severities=[1], to="group"), step(on="75")])
    assert [number for number, _ in set_off(steps, "response", "breach", 1, "premium")] == [0, 2]
    assert [number for number, _ in set_off(steps, "response", "breach", 2, "premium")] == [0]
    assert set_off(parse_steps([step(classes=["premium"])]), "response", "breach", 1, "standard") == []


def test_of_marks_that_passed_together_only_the_highest_tells_and_a_call_always() -> None:
    """P25: no storm of mails after an outage."""
    assert telling(["50", "breach", "75", "90"]) == ["breach"]
    assert telling(["50", "called"]) == ["50", "called"]
    assert telling([]) == []


def test_a_step_waits_in_working_time_only() -> None:
    """P13: ten minutes after 16:55 on Friday is 9:05 on Monday."""
    wanted = Step.parse(step(after="PT10M"), "step")
    assert taken_at(Coverage(OFFICE), wanted, FRIDAY_1650 + 5 * MINUTE, FRIDAY_1650) == MONDAY_0900 + 5 * MINUTE


def test_a_breach_at_closing_time_is_told_while_somebody_is_still_there() -> None:
    wanted = Step.parse(step(), "step")
    just_after = FRIDAY_1700 + timedelta(milliseconds=200)
    assert taken_at(Coverage(OFFICE), wanted, FRIDAY_1700, just_after) == just_after


def test_after_an_outage_nobody_is_told_at_midnight() -> None:
    """P13, P24: what fell due on Friday and is heard on Saturday night waits for Monday."""
    wanted = Step.parse(step(), "step")
    midnight = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
    assert taken_at(Coverage(OFFICE), wanted, FRIDAY_1650, midnight) == MONDAY_0900
    assert put_off(Coverage(OFFICE), FRIDAY_1650, midnight) == MONDAY_0900
    assert put_off(Coverage(OFFICE), FRIDAY_1650, MONDAY_0900 + HOUR) == MONDAY_0900 + HOUR


def test_a_clock_that_a_call_opened_tells_at_night() -> None:
    called_at = FRIDAY_1700 + HOUR
    opened = Coverage(OFFICE, called_at)
    midnight = datetime(2026, 11, 27, 23, 0, tzinfo=UTC)
    assert put_off(opened, FRIDAY_1700, midnight) == midnight
    wanted = Step.parse(step(after="PT30M"), "step")
    assert taken_at(opened, wanted, FRIDAY_1650, FRIDAY_1650) == called_at + 20 * MINUTE
    assert taken_at(opened, wanted, midnight, midnight) == midnight + 30 * MINUTE


def test_a_confirmed_call_is_told_at_any_hour() -> None:
    wanted = Step.parse(step(on="called", to="on_duty"), "step")
    night = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
    assert taken_at(Coverage(OFFICE), wanted, night - HOUR, night) == night


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_a_duration_is_written_as_it_is_read(span: timedelta) -> None:
    whole = timedelta(seconds=int(span.total_seconds()))
    assert Step.parse(step(after=written(whole)), "step").after == whole


@given(
    due=st.integers(0, 365 * 86_400).map(lambda second: MONDAY_0900 + timedelta(seconds=second)),
    late=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10)),
)
def test_a_late_step_is_taken_in_working_time_or_just_after_it_was_due(due: datetime, late: timedelta) -> None:
    now = due + late
    at = put_off(Coverage(OFFICE), due, now)
    assert at >= now
    assert OFFICE.is_open(at) or at - due <= GRACE
