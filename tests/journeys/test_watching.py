"""What the ticker waits for: kept with every event that can move a clock, and recorded once each when it passes."""

from datetime import datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.support.cast import Cast
from tests.support.ticking import case_of, differences, events, fired, tick_all, watch_of

from guardia.features.sla.models import ClockWatch
from guardia.journeys.answer_case import answer_case
from guardia.journeys.fire_clocks import tick
from guardia.journeys.move_case import close_case, reopen_case, wait_for_customer
from guardia.journeys.take_case import take_case
from guardia.journeys.watch_clocks import watch_open_cases
from guardia.journeys.write_message import write_message

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
TICK = timedelta(milliseconds=250)


def watched(number: str, clock: str = "response") -> list[tuple[str, datetime]]:
    return [(name, datetime.fromisoformat(at)) for name, at in watch_of(number, clock).marks]


def test_a_new_case_waits_for_each_share_of_its_target_and_its_end(cast: Cast) -> None:
    number = cast.open().number
    shares = [("50", 2 * HOUR), ("75", 3 * HOUR), ("90", 3.6 * HOUR), ("breach", 4 * HOUR)]
    assert watched(number) == [(name, cast.now + span) for name, span in shares]
    assert watch_of(number).next_at == cast.now + 2 * HOUR
    assert watched(number, "assignment") == [("unassigned", cast.now + 30 * MINUTE)]


def test_a_mark_is_recorded_when_it_has_passed_and_not_before(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    assert tick_all(cast.now + 2 * HOUR) == 0
    assert tick_all(cast.now + 2 * HOUR + TICK) == 1
    assert fired(number) == ["50"]
    assert tick_all(cast.now + 2 * HOUR + TICK) == 0
    assert watch_of(number).next_mark == "75"


def test_a_breach_is_an_event_strictly_after_the_end(cast: Cast) -> None:
    number = cast.open().number
    due = cast.now + 4 * HOUR
    tick_all(due)
    assert events(number, "breached") == []
    tick_all(due + TICK)
    (breach,) = events(number, "breached")
    assert breach.payload == {"clock": "response", "due_at": due.isoformat(), "late_by_s": 0.25}
    assert breach.occurred_at == due + TICK
    case = case_of(number)
    assert (case.clock_state, case.breached_at) == ("breached", due)
    assert differences() == {}


def test_marks_that_passed_together_are_all_recorded_and_only_the_highest_is_told(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    tick_all(cast.now + 5 * HOUR)
    assert fired(number) == ["breach", "90", "75", "50"]
    assert {event.payload["mark"] for event in events(number, "escalated")} == {"breach"}
    assert events(number, "breached")[0].payload["late_by_s"] == HOUR.total_seconds()
    assert differences() == {}


def test_an_answered_case_waits_for_nothing_more(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    answer_case(cast.engineer, cast.now + HOUR, number, "The driver blocks it.", "analysis")
    assert watch_of(number).next_at is None
    tick_all(cast.now + 8 * HOUR)
    assert fired(number) == []


def test_an_answer_that_came_late_but_before_the_ticker_leaves_the_breach_recorded_and_tells_nobody(
    cast: Cast,
) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    tick_all(cast.now + 3.7 * HOUR)
    before = len(events(number, "escalated"))
    answer_case(cast.engineer, cast.now + 4 * HOUR + SECOND, number, "The driver blocks it.", "analysis")
    tick_all(cast.now + 4 * HOUR + 2 * SECOND)
    assert fired(number)[-1] == "breach"
    assert len(events(number, "breached")) == 1
    assert len(events(number, "escalated")) == before
    assert differences() == {}


def test_a_closed_case_that_is_reopened_goes_on_with_the_marks_that_were_not_recorded(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    tick_all(cast.now + 2 * HOUR + TICK)
    close_case(cast.plus, cast.now + 2.5 * HOUR, number, "withdrawn", "not needed")
    assert watch_of(number).next_at is None
    reopen_case(cast.plus, cast.now + 2.6 * HOUR, number, "needed after all")
    assert [name for name, _at in watched(number)] == ["75", "90", "breach"]
    tick_all(cast.now + 5 * HOUR)
    assert sorted(fired(number)) == ["50", "75", "90", "breach"]


def test_a_breach_is_recorded_once_however_much_is_said_afterwards(cast: Cast) -> None:
    number = cast.open().number
    tick_all(cast.now + 4 * HOUR + TICK)
    for turn in range(3):
        write_message(cast.plus, cast.now + (5 + turn) * HOUR, number, "Any news?")
        tick_all(cast.now + (5 + turn) * HOUR + TICK)
    assert len(events(number, "breached")) == 1
    assert fired(number).count("breach") == 1


def test_a_case_that_somebody_is_taking_stops_waiting_for_a_holder(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now + 10 * MINUTE, number)
    assert watch_of(number, "assignment").next_at is None
    tick_all(cast.now + HOUR)
    assert fired(number, "assignment") == []


def test_a_case_that_was_taken_late_but_before_the_ticker_is_called_out_to_nobody(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now + 31 * MINUTE, number)
    tick_all(cast.now + HOUR)
    assert fired(number, "assignment") == []
    assert events(number, "escalated") == []


def test_nobody_waits_for_the_customers_own_time(cast: Cast) -> None:
    """P22: the next answer pauses while the customer is waited for, and has no end then."""
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    answer_case(cast.engineer, cast.now, number, "The driver blocks it.", "analysis")
    write_message(cast.plus, cast.now + HOUR, number, "It still freezes.")
    assert watch_of(number, "next_answer").next_at is not None
    wait_for_customer(cast.engineer, cast.now + 2 * HOUR, number, "The log is needed.")
    row = watch_of(number, "next_answer")
    assert (row.next_at, row.due_at, row.marks) == (None, None, [])


def test_open_cases_are_adopted_and_those_that_are_watched_stay_as_they_are(cast: Cast) -> None:
    numbers = [cast.open().number for _ in range(3)]
    tick_all(cast.now + 2 * HOUR + TICK)
    before = list(ClockWatch.objects.across_companies("all of them").order_by("id").values())
    assert watch_open_cases(cast.now + 2.5 * HOUR) == 3
    assert list(ClockWatch.objects.across_companies("all of them").order_by("id").values()) == before
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sla_clockwatch")
    watch_open_cases(cast.now + 5 * HOUR)
    assert [name for name, _at in watched(numbers[0])] == ["breach"]


def test_a_word_that_moves_no_clock_costs_few_queries_and_writes_no_watch(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    with CaptureQueriesContext(connection) as told:
        write_message(cast.engineer, cast.now + MINUTE, number, "Looking at it.", is_internal=True)
    writes = [query["sql"] for query in told if "sla_" in query["sql"] and not query["sql"].startswith("SELECT")]
    assert writes == []
    assert sum("sla_" in query["sql"] for query in told) <= 4


def test_a_tick_with_nothing_due_asks_two_questions(cast: Cast) -> None:
    cast.open()
    with CaptureQueriesContext(connection) as asked:
        assert not tick(cast.now + MINUTE).did_something
    assert sum("SAVEPOINT" not in query["sql"] for query in asked) == 2
