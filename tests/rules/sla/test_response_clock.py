"""The response clock: RC-2 to RC-14, the shared vectors, and a slow second opinion."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.rules.sla.minute_model import MinuteModel
from tests.rules.sla.scenarios import (
    BUSINESS,
    MADRID,
    TANGLED,
    at,
    calendars,
    instants,
    madrid,
    plus,
    scenario_objects,
    vectors,
)

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.clock import Reading, TargetBeyondHorizon, evaluate, next_deadline
from guardia.features.sla.rules.events import Event, History
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.policies import Policy, Promise
from guardia.features.sla.rules.scenario import Scenario

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def submitted(when: str, severity: int = 1) -> Event:
    return Event(at(when), "submitted", severity)


def changed(when: str, severity: int) -> Event:
    return Event(at(when), "severity_changed", severity)


def called(when: str) -> Event:
    return Event(at(when), "phone_confirmed")


def answered(when: str, *, qualified: bool = True) -> Event:
    return Event(at(when), "answered", qualified=qualified)


def voided(when: str) -> Event:
    return Event(at(when), "answer_voided")


def judged(*events: Event, as_of: str, policy: Policy | None = None, calendar: Calendar | None = None) -> Reading:
    return evaluate(calendar or madrid(), policy or plus(), events, at(as_of))


def facts(reading: Reading) -> dict[str, Any]:
    return {
        "state": reading.state,
        "due_at": reading.due_at,
        "breached_at": reading.breached_at,
        "answered_at": reading.answered_at,
        "remaining": reading.remaining,
    }


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_every_vector_agrees_to_the_second(vector: dict[str, Any]) -> None:
    scenario = Scenario.parse(vector)
    reading = scenario.read()
    zone = scenario.calendar.tzinfo
    found = {
        name: None if instant is None else instant.astimezone(zone).isoformat()
        for name, instant in facts(reading).items()
        if name in ("due_at", "breached_at", "answered_at")
    }
    assert {"state": reading.state, **found} == vector["expect"]


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_every_vector_agrees_with_the_minutes(vector: dict[str, Any]) -> None:
    assert facts(Scenario.parse(vector).read()) == MinuteModel(vector).judge()


@settings(max_examples=150, deadline=None)
@given(written=scenario_objects())
def test_drawn_scenarios_agree_with_the_minutes(written: dict[str, Any]) -> None:
    assert facts(Scenario.parse(written).read()) == MinuteModel(written).judge()


@settings(max_examples=200)
@given(written=scenario_objects(), minutes=st.integers(0, 4000))
def test_a_call_never_makes_the_end_later(written: dict[str, Any], minutes: int) -> None:
    """RC-3, whatever happened before and after it."""
    submitted_at = datetime.fromisoformat(written["events"][0]["at"])
    call = {"at": (submitted_at + minutes * MINUTE).isoformat(), "type": "phone_confirmed"}
    # Unanswered, and judged after all events: so only the call differs.
    events = [event for event in written["events"] if event["type"] in ("submitted", "severity_changed")]
    as_of = (submitted_at + timedelta(days=30)).isoformat()
    without = Scenario.parse({**written, "events": events, "as_of": as_of}).read().due_at
    called_too = Scenario.parse({**written, "events": [*events, call], "as_of": as_of}).read().due_at
    assert (without is None) == (called_too is None)
    assert without is None or called_too is None or called_too <= without


@given(calendar=calendars, start=instants, spent=st.integers(0, 900), away=st.integers(0, 4000))
def test_lowering_and_raising_again_gives_nothing_back(
    calendar: Calendar, start: datetime, spent: int, away: int
) -> None:
    """RC-6: the working time at the graver severity is never granted twice."""
    lowered_at = start + spent * MINUTE
    raised_at = lowered_at + away * MINUTE
    events = [
        Event(start, "submitted", 1),
        Event(lowered_at, "severity_changed", 2),
        Event(raised_at, "severity_changed", 1),
    ]
    reading = evaluate(calendar, plus(), events, raised_at)
    rest = max(timedelta(0), 4 * HOUR - calendar.elapsed(start, lowered_at))
    assert reading.due_at == calendar.advance(raised_at, rest)


@given(calendar=calendars, start=instants, call=st.none() | st.integers(0, 3000), severity=st.integers(1, 4))
def test_the_steps_add_up_to_the_target(calendar: Calendar, start: datetime, call: int | None, severity: int) -> None:
    policy = Policy.parse(TANGLED)
    events = [Event(start, "submitted", severity)]
    events += [] if call is None else [Event(start + call * MINUTE, "phone_confirmed")]
    reading = evaluate(calendar, policy, events, start + 3000 * MINUTE)
    total = sum((step.ends_at - step.starts_at for step in reading.steps), timedelta(0))
    assert total == policy[severity].target
    assert reading.steps[-1].ends_at == reading.due_at


@given(written=scenario_objects())
def test_the_order_of_the_file_matters_only_among_ties(written: dict[str, Any]) -> None:
    """RC-13."""
    instants_written = [event["at"] for event in written["events"]]
    if len(set(instants_written)) == len(instants_written):
        turned = {**written, "events": written["events"][::-1]}
        assert Scenario.parse(turned).read() == Scenario.parse(written).read()


@given(written=scenario_objects(), later=st.integers(1, 5000))
def test_a_breach_is_for_good_unless_an_answer_is_voided(written: dict[str, Any], later: int) -> None:
    """RC-10: it stays, and stays the same, however much later one looks."""
    events = [event for event in written["events"] if event["type"] != "answer_voided"]
    first = Scenario.parse({**written, "events": events}).read()
    as_of = (datetime.fromisoformat(written["as_of"]) + later * MINUTE).isoformat()
    then = Scenario.parse({**written, "events": events, "as_of": as_of}).read()
    if first.state == "breached":
        assert (then.state, then.breached_at) == ("breached", first.breached_at)


@given(written=scenario_objects())
def test_nothing_after_as_of_matters(written: dict[str, Any]) -> None:
    """RC-13: events after it have not happened."""
    past = [event for event in written["events"] if event["at"] <= written["as_of"]]
    assert Scenario.parse({**written, "events": past}).read() == Scenario.parse(written).read()


def test_the_next_deadline_is_the_end_while_it_can_still_be_breached() -> None:
    running = judged(submitted("2026-11-23 10:00"), as_of="2026-11-23 14:00")
    assert next_deadline(running) == at("2026-11-23 14:00")
    assert running.remaining == timedelta(0)
    for over in (
        judged(submitted("2026-11-23 10:00"), as_of="2026-11-23 14:01"),
        judged(submitted("2026-11-23 10:00"), answered("2026-11-23 11:00"), as_of="2026-11-23 12:00"),
        judged(submitted("2026-11-23 10:00", 3), as_of="2026-11-23 14:01"),
    ):
        assert next_deadline(over) is None


def test_a_breach_never_falls_on_a_closed_night() -> None:
    """P13: breach mails at midnight and at weekends for an office calendar."""
    reading = judged(submitted("2026-11-20 22:00"), as_of="2026-11-22 03:00")
    assert (reading.state, reading.due_at) == ("running", at("2026-11-23 13:00"))
    assert reading.remaining == 4 * HOUR


def test_a_new_calendar_version_does_not_rewrite_old_cases() -> None:
    """P27: an old case is judged with the version that it froze (RC-12)."""
    events = [submitted("2026-11-20 18:00"), answered("2026-11-23 11:59")]
    frozen = madrid()
    assert judged(*events, as_of="2026-12-31 10:00", calendar=frozen).state == "met"
    later = madrid(weekly={"fri": [["09:00", "23:00"]]})
    assert judged(*events, as_of="2026-12-31 10:00", calendar=later).state == "breached"
    assert judged(*events, as_of="2026-12-31 10:00", calendar=frozen).state == "met"


def test_the_steps_of_a_call_say_what_covered_them() -> None:
    reading = judged(submitted("2026-11-20 17:30"), called("2026-11-20 17:45"), as_of="2026-11-20 18:00")
    assert [(step.starts_at, step.ends_at, step.why) for step in reading.steps] == [
        (at("2026-11-20 17:30"), at("2026-11-20 17:45"), "calendar"),
        (at("2026-11-20 17:45"), at("2026-11-20 21:30"), "call"),
    ]


def test_the_steps_after_a_raise_start_at_it_and_add_up_to_the_rest() -> None:
    policy = Policy.parse(BUSINESS)
    events = [
        submitted("2026-11-23 10:00", 2),
        changed("2026-11-23 11:00", 4),
        changed("2026-11-23 18:00", 2),
    ]
    reading = judged(*events, as_of="2026-11-23 18:30", policy=policy)
    # Lowered to 10 h from Monday 10:00: Tuesday 10:00; raised with 5 h left: Tuesday 13:00, so the former holds.
    assert reading.due_at == at("2026-11-24 10:00")
    assert reading.steps[0].starts_at == at("2026-11-23 10:00")
    raised = judged(submitted("2026-11-23 10:00", 3), changed("2026-11-23 12:00", 1), as_of="2026-11-23 12:00")
    assert [(step.starts_at, step.ends_at) for step in raised.steps] == [
        (at("2026-11-23 12:00"), at("2026-11-23 16:00"))
    ]


def test_an_end_that_a_raise_sets_at_once_has_no_steps() -> None:
    events = [submitted("2026-11-23 10:00"), changed("2026-11-23 14:00", 3), changed("2026-11-23 21:00", 1)]
    reading = judged(*events, as_of="2026-11-23 21:00")
    assert (reading.due_at, reading.steps, reading.state) == (at("2026-11-23 21:00"), (), "running")


def test_what_remains_is_counted_under_the_coverage_in_force() -> None:
    """An end that the lower severity's coverage set, looked at under that of the graver one."""
    events = [submitted("2026-11-23 17:30", 3), changed("2026-11-23 18:00", 2)]
    reading = judged(*events, as_of="2026-11-23 18:15", policy=Policy.parse(TANGLED))
    assert reading.due_at == at("2026-11-23 20:30")
    assert [step.why for step in reading.steps] == ["always"]
    assert reading.remaining == 45 * MINUTE


def test_only_the_first_call_counts() -> None:
    events = [submitted("2026-11-20 20:00"), called("2026-11-20 21:00"), called("2026-11-20 23:00")]
    assert judged(*events, as_of="2026-11-20 23:30").due_at == at("2026-11-21 01:00")


def test_a_call_at_the_instant_of_submission_opens_at_once() -> None:
    events = [submitted("2026-11-20 20:00"), called("2026-11-20 20:00")]
    reading = judged(*events, as_of="2026-11-20 20:00")
    assert reading.due_at == at("2026-11-21 00:00")
    assert [step.why for step in reading.steps] == ["call"]


def test_at_the_very_end_an_answer_comes_before_the_breach() -> None:
    events = [submitted("2026-11-23 10:00"), called("2026-11-23 14:00"), answered("2026-11-23 14:00")]
    assert judged(*events, as_of="2026-11-25 10:00").state == "met"  # RC-10


def test_answers_and_changes_at_one_instant_are_taken_in_the_order_of_the_file() -> None:
    lowered, done = changed("2026-11-23 12:00", 3), answered("2026-11-23 12:00")
    start = submitted("2026-11-23 10:00")
    assert judged(start, lowered, done, as_of="2026-11-23 13:00").state == "answered"
    assert judged(start, done, lowered, as_of="2026-11-23 13:00").state == "met"


def test_a_change_to_the_same_severity_is_no_event() -> None:
    events = [submitted("2026-11-23 10:00"), changed("2026-11-23 12:00", 1)]
    assert judged(*events, as_of="2026-11-23 13:00") == judged(events[0], as_of="2026-11-23 13:00")


def test_an_answer_that_is_voided_later_stands_until_then() -> None:
    events = [submitted("2026-11-23 10:00"), answered("2026-11-23 11:00"), voided("2026-11-23 17:00")]
    assert judged(*events, as_of="2026-11-23 16:59").state == "met"
    assert judged(*events, as_of="2026-11-23 17:00").breached_at == at("2026-11-23 14:00")


def test_a_kept_history_is_judged_like_its_events() -> None:
    events = [answered("2026-11-23 11:00"), submitted("2026-11-23 10:00")]
    kept = History.of(events)
    assert evaluate(madrid(), plus(), kept, at("2026-11-23 12:00")) == judged(*events, as_of="2026-11-23 12:00")


@pytest.mark.parametrize(
    ("events", "place", "expected"),
    [
        ([], "events", "a submitted event"),
        ([answered("2026-11-23 10:00")], "events[0]", "a submitted event before"),
        ([submitted("2026-11-23 10:00"), submitted("2026-11-23 11:00")], "events[1]", "only one"),
        ([submitted("2026-11-23 10:00"), called("2026-11-23 09:59")], "events[1]", "a submitted event before"),
        ([called("2026-11-23 10:00"), submitted("2026-11-23 10:00")], "events[0]", "a submitted event before"),
        ([submitted("2026-11-23 10:00"), voided("2026-11-23 11:00")], "events[1]", "to void"),
        (
            [submitted("2026-11-23 10:00"), answered("2026-11-23 11:00", qualified=False), voided("2026-11-23 12:00")],
            "events[2]",
            "to void",
        ),
        (
            [
                voided("2026-11-23 13:00"),
                submitted("2026-11-23 10:00"),
                answered("2026-11-23 11:00"),
                voided("2026-11-23 12:00"),
            ],
            "events[0]",
            "to void",
        ),
        ([submitted("2026-11-24 10:00")], "as_of", "not before the submission"),
    ],
)
def test_what_is_no_history_is_malformed_by_its_place(events: list[Event], place: str, expected: str) -> None:
    with pytest.raises(Malformed) as refused:
        judged(*events, as_of="2026-11-23 23:00")
    assert refused.value.place == place
    assert expected in refused.value.expected


def test_a_target_beyond_all_years_is_refused_for_its_severity() -> None:
    endless = timedelta(days=2_000_000)
    for coverage in ("calendar", "always"):
        promise = Promise(endless, coverage)
        none = Promise(None)
        with pytest.raises(TargetBeyondHorizon, match="severity 2"):
            judged(
                submitted("2026-11-23 10:00", 2), as_of="2026-11-23 10:00", policy=Policy((none, promise, none, none))
            )


def test_values_that_say_nothing_are_refused_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="a positive duration"):
        Promise(timedelta(0))
    with pytest.raises(ValueError, match="name one from 1 to 4"):
        Event(at("2026-11-23 10:00"), "submitted")
    with pytest.raises(ValueError, match="name one from 1 to 4"):
        Event(at("2026-11-23 10:00"), "phone_confirmed", 1)
    with pytest.raises(ValueError, match="needs its offset"):
        Event(datetime(2026, 11, 23, 10), "phone_confirmed")  # noqa: DTZ001 - the point


@example(MADRID["zone"])
@given(st.sampled_from(("Asia/Kathmandu", "America/St_Johns")))
def test_the_offset_of_an_instant_s_writing_does_not_matter(zone: str) -> None:
    local = at("2026-11-20 17:30").astimezone(Calendar.parse({**MADRID, "zone": zone}).tzinfo)
    here = judged(submitted("2026-11-20 17:30"), as_of="2026-11-20 18:00")
    assert evaluate(madrid(), plus(), [Event(local, "submitted", 1)], at("2026-11-20 18:00")) == here
