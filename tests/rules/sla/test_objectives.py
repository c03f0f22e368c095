"""The clocks that pause: next answer, resolution, assignment; and the marks of any clock."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.sla.objectives_model import Logged, minutes_of
from tests.rules.sla.scenarios import WEEKS, at, calendars, instants, madrid

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.marks import marks_of
from guardia.features.sla.rules.objectives import CLOCKS, ObjectiveReading, Objectives, read_objectives
from guardia.kernel.vocabulary import Clock

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GOLD = {
    "1": {"next_answer": "PT2H", "resolution": "PT6H", "assignment": "PT30M"},
    "2": {"next_answer": "PT4H", "resolution": "PT20H", "assignment": "PT2H"},
    "3": {"next_answer": None, "resolution": "PT40H"},
}


def submitted(when: str, severity: int = 1) -> Logged:
    return Logged("submitted", at(when), "customer", {"severity": severity})


def told(kind: str, when: str, side: str = "staff", **payload: Any) -> Logged:
    return Logged(kind, at(when), side, payload)


def answered(when: str) -> Logged:
    return told("answered", when, qualified=True)


def moved(when: str, state: str, kind: str = "state_changed") -> Logged:
    return told(kind, when, state=state)


def read(clock: Clock, *log: Logged, as_of: str, objectives: dict[str, Any] | None = None) -> ObjectiveReading:
    return read_objectives(madrid(), Objectives.parse(objectives or GOLD), log, at(as_of))[clock]


def test_the_next_answer_is_not_timed_before_the_first_qualified_one() -> None:
    """P3: an update target that fires before the first response."""
    log = [submitted("2026-11-23 09:00"), told("message", "2026-11-23 09:30", "customer")]
    assert read(Clock.NEXT_ANSWER, *log, as_of="2026-11-27 09:00").state == "none"


def test_a_public_answer_stops_the_next_answer() -> None:
    """P4: an update target that escalated although the agent had answered."""
    log = [
        submitted("2026-11-23 09:00"),
        answered("2026-11-23 10:00"),
        told("message", "2026-11-23 11:00", "customer"),
        told("message", "2026-11-23 12:00"),
    ]
    found = read(Clock.NEXT_ANSWER, *log, as_of="2026-11-27 09:00")
    assert (found.state, found.ended_at, found.breached_at) == ("met", at("2026-11-23 12:00"), None)


@pytest.mark.parametrize(
    "event",
    [
        told("message", "2026-11-23 12:00", internal=True),
        Logged("message", at("2026-11-23 12:00"), "system", {}, "system"),
        Logged("precheck", at("2026-11-23 12:00"), "lab", {"outcome": "confirmed"}, "lab"),
        told("state_changed", "2026-11-23 12:00", state="in_progress"),
        told("taken", "2026-11-23 12:00", state="in_progress"),
    ],
    ids=["internal note", "automatic message", "precheck", "a flip of the state", "taking the case"],
)
def test_what_is_no_persons_public_word_stops_nothing(event: Logged) -> None:
    """P19: an automatic reply, a bot or a flip of the status counted as a response."""
    log = [submitted("2026-11-23 09:00"), answered("2026-11-23 10:00"), told("message", "2026-11-23 11:00", "customer")]
    found = read(Clock.NEXT_ANSWER, *log, event, as_of="2026-11-23 12:30")
    assert (found.state, found.due_at) == ("running", at("2026-11-23 13:00"))


def test_a_third_party_s_word_is_neither_ours_nor_the_customer_s() -> None:
    """P20: the reply of somebody in copy counted as our response."""
    log = [submitted("2026-11-23 09:00"), answered("2026-11-23 10:00")]
    third = Logged("message", at("2026-11-23 11:00"), "other", {}, "person")
    assert read(Clock.NEXT_ANSWER, *log, third, as_of="2026-11-23 12:00").state == "none"
    asked = told("message", "2026-11-23 10:30", "customer")
    assert read(Clock.NEXT_ANSWER, *log, asked, third, as_of="2026-11-23 12:00").state == "running"


def test_an_answer_that_asks_for_data_in_the_same_step_is_recorded_and_then_waits() -> None:
    """P5: with answer and "pending" saved together, the first response was never recorded."""
    log = [
        submitted("2026-11-23 09:00"),
        answered("2026-11-23 10:00"),
        moved("2026-11-23 10:00", "waiting_customer"),
        told("message", "2026-11-23 11:00", "customer"),
    ]
    assert read(Clock.NEXT_ANSWER, *log, as_of="2026-11-23 11:00").due_at == at("2026-11-23 13:00")


def test_reopening_goes_on_with_what_was_used() -> None:
    """P7: reopened tickets were computed wrong, or started from nothing."""
    log = [
        submitted("2026-11-23 09:00"),
        told("closed", "2026-11-23 11:00"),
        told("reopened", "2026-11-25 09:00", "customer"),
    ]
    found = read(Clock.RESOLUTION, *log, as_of="2026-11-25 10:00")
    assert (found.state, found.due_at) == ("running", at("2026-11-25 13:00"))


@pytest.mark.parametrize("end", ["closed", "rejected", "merged"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_an_ended_case_is_late_for_nothing(end: str, clock: Clock) -> None:
    """P10: merged and closed tickets escalated."""
    log = [submitted("2026-11-23 09:00"), answered("2026-11-23 09:05"), told("message", "2026-11-23 09:06", "customer")]
    found = read(clock, *log, told(end, "2026-11-23 09:10"), as_of="2026-12-23 09:00")
    assert (found.state, found.breached_at) == ("met", None)


def test_a_customers_message_restarts_a_clock_that_waited() -> None:
    """P12: a note in the portal did not restart the clock, only mail did."""
    log = [
        submitted("2026-11-23 09:00"),
        told("solution", "2026-11-23 10:00"),
        told("message", "2026-11-23 15:00", "customer"),
    ]
    found = read(Clock.RESOLUTION, *log, as_of="2026-11-23 15:00")
    assert (found.state, found.due_at) == ("running", at("2026-11-24 10:00"))


def test_a_pause_is_counted_with_the_clock_s_own_calendar() -> None:
    """P16: pause time was counted with another calendar, so a weekend of waiting gave hours away."""
    log = [
        submitted("2026-11-20 17:00"),
        moved("2026-11-20 18:00", "waiting_customer"),
        moved("2026-11-23 10:00", "in_progress"),
    ]
    found = read(Clock.RESOLUTION, *log, as_of="2026-11-23 10:00")
    assert (found.remaining, found.due_at) == (5 * HOUR, at("2026-11-23 15:00"))


def test_a_change_of_severity_keeps_the_pauses() -> None:
    """P17: a change of severity dropped the pause time."""
    log = [
        submitted("2026-11-23 09:00", 2),
        moved("2026-11-23 10:00", "waiting_customer"),
        moved("2026-11-23 14:00", "in_progress"),
        told("severity_changed", "2026-11-23 15:00", to=1),
    ]
    found = read(Clock.RESOLUTION, *log, as_of="2026-11-23 15:00")
    assert (found.remaining, found.due_at) == (4 * HOUR, at("2026-11-23 19:00"))


def test_no_end_is_shown_while_paused() -> None:
    """P22: the planned end was meaningless while paused, and still shown."""
    log = [submitted("2026-11-23 09:00"), moved("2026-11-23 10:00", "waiting_customer")]
    found = read(Clock.RESOLUTION, *log, as_of="2026-12-23 10:00")
    assert (found.state, found.due_at, found.breached_at) == ("paused", None, None)
    assert found.remaining == 5 * HOUR


def test_the_assignment_is_timed_again_when_a_case_is_put_back() -> None:
    log = [
        submitted("2026-11-23 09:00"),
        moved("2026-11-23 09:10", "in_progress", "taken"),
        told("put_back", "2026-11-23 12:00"),
    ]
    assert read(Clock.ASSIGNMENT, *log[:2], as_of="2026-11-23 12:00").state == "met"
    assert read(Clock.ASSIGNMENT, *log, as_of="2026-11-23 12:00").due_at == at("2026-11-23 12:30")
    late = read(Clock.ASSIGNMENT, *log, moved("2026-11-23 13:00", "in_progress", "assigned"), as_of="2026-11-23 14:00")
    assert (late.state, late.breached_at) == ("breached", at("2026-11-23 12:30"))


def test_a_voided_answer_gives_the_case_back_to_the_response_clock() -> None:
    log = [submitted("2026-11-23 09:00"), answered("2026-11-23 10:00"), told("message", "2026-11-23 11:00", "customer")]
    assert read(Clock.NEXT_ANSWER, *log, told("answer_voided", "2026-11-23 11:30"), as_of="2026-11-24 12:00").state == (
        "none"
    )


def test_at_the_very_end_nothing_is_breached() -> None:
    log = [submitted("2026-11-23 09:00")]
    assert read(Clock.RESOLUTION, *log, as_of="2026-11-23 15:00").state == "running"
    assert read(Clock.RESOLUTION, *log, as_of="2026-11-23 15:01").breached_at == at("2026-11-23 15:00")


def test_an_objective_that_no_working_time_reaches_keeps_no_case_from_being_written() -> None:
    """P14, P15."""
    log = [submitted("2026-11-23 09:00")]
    found = read(Clock.RESOLUTION, *log, as_of="2026-11-24 15:00", objectives={"1": {"resolution": "P300000D"}})
    assert found.state == "none"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ([], "objectives"),
        ({"5": {}}, "objectives.5"),
        ({"1": {"first_reply": "PT1H"}}, "objectives.1.first_reply"),
        ({"1": {"resolution": "PT0H"}}, "objectives.1.resolution"),
        ({"1": {"resolution": "-PT4H"}}, "objectives.1.resolution"),
        ({"1": None}, "objectives.1"),
    ],
)
def test_objectives_that_say_nothing_are_refused_by_their_place(written: object, place: str) -> None:
    with pytest.raises(Malformed) as refused:
        Objectives.parse(written)
    assert refused.value.place == place


# -- against the minutes --

TARGETS = {
    "1": {"next_answer": 90, "resolution": 300, "assignment": 30},
    "2": {"next_answer": 240, "resolution": 900, "assignment": 200},
    "3": {"resolution": 2000},
}
WRITTEN = {level: {clock: f"PT{minutes}M" for clock, minutes in row.items()} for level, row in TARGETS.items()}
MOST_KINDS = ("asks", "asks", "says", "notes", "bot", "answers", "voids", "waits", "resumes", "offers", "severity")
STARTS = ("asks", "puts back", "reopens")
KINDS = (*MOST_KINDS, "takes", "puts back", "ends", "reopens")


class _Story:
    """A log that the journeys could have written."""

    def __init__(self, start: datetime, severity: int) -> None:
        self.log = [Logged("submitted", start, "customer", {"severity": severity})]
        self.state, self.standing, self.is_held = "submitted", 0, False

    def add(self, kind: str, when: datetime, side: str = "staff", who: str = "person", **payload: Any) -> None:
        self.log.append(Logged(kind, when, side, payload, who))
        self.state = str(payload.get("state", {"solution": "solution_offered"}.get(kind, self.state)))

    def go(self, kind: str, when: datetime, choice: int) -> None:
        if self.state in ("closed", "rejected", "merged"):
            if kind == "reopens":
                self.add("reopened", when, ("customer", "staff")[choice % 2])
                self.state = "reopened"
        elif kind == "asks":
            was_waiting = self.state == "waiting_customer"
            self.add("message", when, "customer")
            if was_waiting:
                self.add("state_changed", when, "customer", state="in_progress")
        elif kind in ("says", "notes", "bot"):
            side, who = ("system", "system") if kind == "bot" else ("staff", "person")
            self.add("message", when, side, who, internal=kind == "notes")
        elif kind in ("answers", "voids"):
            self._judge(kind, when)
        elif kind == "severity":
            self.add("severity_changed", when, to=1 + choice % 4)
        elif kind == "puts back" and self.is_held:
            self.add("put_back", when)
            self.is_held = False
        elif kind == "ends":
            self.add(("closed", "rejected", "merged")[choice % 3], when)
            self.state = "closed"
        else:
            self._move(kind, when)

    def _judge(self, kind: str, when: datetime) -> None:
        if kind == "answers":
            self.add("answered", when, qualified=True)
            self.standing += 1
        elif self.standing:
            self.add("answer_voided", when)
            self.standing -= 1

    def _move(self, kind: str, when: datetime) -> None:
        if kind == "takes":
            stays = self.state in ("waiting_customer", "solution_offered", "with_lab")
            self.add("taken", when, state=self.state if stays else "in_progress")
            self.is_held = True
        elif kind == "waits":
            self.add("state_changed", when, state="waiting_customer")
        elif kind == "resumes" and self.state == "waiting_customer":
            self.add("state_changed", when, state="in_progress")
        elif kind == "offers":
            self.add("solution", when)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Logged], datetime]:
    when = draw(instants)
    story = _Story(when, draw(st.integers(1, 4)))
    kind = ""
    for _ in range(draw(st.integers(0, 9))):
        # A clock that starts and ends within one minute is too short for a model of minutes to see.
        shortest = 5 if kind in STARTS else 0
        when += timedelta(minutes=max(shortest, draw(st.sampled_from((0, 5, 30, 90, 240, 700)))))
        kind = draw(st.sampled_from(KINDS))
        story.go(kind, when, draw(st.integers(0, 11)))
    return story.log, when + timedelta(minutes=draw(st.sampled_from((0, 1, 90, 1500))))


@settings(max_examples=120)
@given(calendars, stories(), st.sampled_from(CLOCKS))
def test_drawn_logs_agree_with_the_minutes(
    calendar: Calendar, story: tuple[list[Logged], datetime], clock: Clock
) -> None:
    log, as_of = story
    found = read_objectives(calendar, Objectives.parse(WRITTEN), log, as_of)[clock]
    used, breached_at = minutes_of(calendar, TARGETS, clock.value, log, as_of)
    assert found.breached_at == breached_at
    if found.remaining is not None and found.target is not None:
        assert found.remaining == max(timedelta(0), found.target - used * MINUTE)
    if found.state == "running":
        assert found.due_at is not None
        assert found.due_at >= as_of or found.remaining == timedelta(0)
    if found.state == "paused":
        assert found.due_at is None


@settings(max_examples=60)
@given(calendars, stories(), st.sampled_from(CLOCKS))
def test_the_steps_of_a_running_clock_add_up_to_its_target(
    calendar: Calendar, story: tuple[list[Logged], datetime], clock: Clock
) -> None:
    log, as_of = story
    found = read_objectives(calendar, Objectives.parse(WRITTEN), log, as_of)[clock]
    if found.state == "running" and found.target is not None:
        total = sum((step.ends_at - step.starts_at for step in found.steps), timedelta(0))
        changed = any(event.type == "severity_changed" for event in log)
        assert total == found.target or (changed and total > found.target)


# -- marks --


def test_marks_fall_in_covered_time_and_end_at_the_end() -> None:
    """P18: a warning that lay days ahead was computed to 00:00."""
    calendar = madrid()
    start = at("2026-11-23 15:00")
    steps = calendar.intervals(start, calendar.advance(start, 20 * HOUR))
    assert marks_of(steps, 20 * HOUR, (90, 50, 75)) == [
        ("50", at("2026-11-24 15:00")),
        ("75", at("2026-11-25 10:00")),
        ("90", at("2026-11-25 13:00")),
        ("breach", at("2026-11-25 15:00")),
    ]


def test_a_share_that_is_used_up_at_closing_time_falls_then() -> None:
    calendar = madrid()
    start = at("2026-11-23 17:00")
    steps = calendar.intervals(start, calendar.advance(start, 4 * HOUR))
    assert marks_of(steps, 4 * HOUR, (50,))[0] == ("50", at("2026-11-23 19:00"))


def test_shares_that_a_raise_found_used_are_left_out() -> None:
    calendar = madrid()
    start = at("2026-11-23 12:00")
    steps = calendar.intervals(start, calendar.advance(start, HOUR))
    assert [name for name, _ in marks_of(steps, 4 * HOUR, (50, 75, 90))] == ["75", "90", "breach"]
    assert marks_of((), 4 * HOUR, (50,)) == []
    assert marks_of((), 4 * HOUR, (50,), start) == [("breach", start)]


@given(calendars, instants, st.integers(1, 1200), st.sets(st.integers(1, 99), max_size=4))
def test_a_mark_is_the_first_instant_at_which_its_share_is_used(
    calendar: Calendar, start: datetime, minutes: int, percents: set[int]
) -> None:
    target = minutes * timedelta(seconds=6)
    due_at = calendar.advance(start, target)
    *marks, end = marks_of(calendar.intervals(start, due_at), target, percents)
    assert end == ("breach", due_at)
    assert [int(name) for name, _ in marks] == sorted(percents)
    for name, instant in marks:
        assert instant == calendar.advance(start, target * int(name) / 100)


def test_a_night_clock_is_marked_at_night() -> None:
    """A week whose windows end at midnight loses nothing on the way to a mark (P1)."""
    calendar = Calendar.parse({"zone": "Europe/Madrid", "weekly": WEEKS[4]})
    start = at("2026-11-23 22:00")
    steps = calendar.intervals(start, calendar.advance(start, 4 * HOUR))
    assert marks_of(steps, 4 * HOUR, (50,))[0] == ("50", at("2026-11-24 00:00"))
