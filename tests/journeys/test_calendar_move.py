"""Open cases move to another calendar version: explicitly, exactly once, and nothing finished changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.cases import operations as cases
from guardia.features.cases import queries as case_queries
from guardia.features.sla import queries
from guardia.features.sla.rules.draft_calendar import Closure, DraftCalendar
from guardia.journeys.answer_case import answer_case
from guardia.journeys.move_calendar import carry_on, carry_on_all, preview_move, start_move
from guardia.journeys.move_case import close_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.take_case import take_case
from guardia.journeys.use_calendar import use_calendar
from guardia.journeys.write_calendar import write_calendar
from guardia.kernel import clock
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.vocabulary import Actor
from guardia.reports.calendar_pages import draft_of

OFFICE = "office 09-19"
Write = Callable[..., int]


@pytest.fixture
def write(cast: Cast) -> Write:
    """Save the next version of the office's calendar, changed as said."""

    def next_version(**changes: Any) -> int:
        newest = queries.find_calendar_version(OFFICE)
        assert newest is not None
        draft: DraftCalendar = replace(draft_of(newest), **changes)
        return write_calendar(cast.duty_manager, cast.now, draft, newest.version)[1]

    return next_version


def case_of(cast: Cast, number: str) -> Any:
    return case_queries.get_case_for(cast.engineer, number)


def types_of(cast: Cast, number: str) -> list[str]:
    return [event.type for event in case_queries.events_of(case_of(cast, number))]


def moved(cast: Cast, version: int, now: datetime | None = None) -> UUID:
    move_id = start_move(cast.duty_manager, now or cast.now, OFFICE, version, "The office closes for the move")
    list(carry_on(move_id, lambda: now or cast.now))
    return move_id


def test_a_running_clock_is_judged_anew_and_its_log_says_so(cast: Cast, write: Write) -> None:
    number = cast.open(severity=1).number
    before = case_of(cast, number).due_at
    version = write(closures=(Closure("2026-11-23", "The office moves"),))
    assert case_of(cast, number).due_at == before, "a new version moves nothing by itself (P9)"
    moved(cast, version)
    case = case_of(cast, number)
    assert before == datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    assert case.due_at == datetime(2026, 11, 24, 12, 0, tzinfo=UTC), "Tuesday, 09:00 + 4 h in Madrid"
    event = case_queries.events_of(case).last()
    assert event is not None
    assert event.type == "calendar_changed"
    assert event.payload["before"] == 1
    assert event.payload["version"] == 2
    assert event.payload["due_before"] == before.isoformat()
    assert event.payload["reason"] == "The office closes for the move"
    assert event.actor["name"] == "Elena Soto"
    assert [columns for _number, columns in rebuild_projections(repair=False) if columns] == []


def test_finished_clocks_keep_their_calendar_version(cast: Cast, write: Write) -> None:
    """P9, P27: an answered, a breached and a closed case stay what they were, to the last column."""
    answered, closed, breached = (cast.open(severity=1).number for _ in range(3))
    running = cast.open("plus_second", severity=1).number
    take_case(cast.engineer, cast.now, answered)
    answer_case(cast.engineer, cast.now, answered, text="It is the driver.", how="analysis")
    close_case(cast.plus, cast.now, closed, "withdrawn", "not needed")
    later = cast.now + timedelta(hours=5)
    with clock.frozen_at(later):
        fresh = open_at(cast, later)
        finished = [answered, closed, breached, running]
        before = [row_of(cast, number) for number in finished]
        version = write(closures=(Closure("2026-11-23", "The office moves"),))
        moved(cast, version, later)
        assert [row_of(cast, number) for number in finished] == before
        assert case_of(cast, fresh).calendar_version_id == newest_id()


def open_at(cast: Cast, now: datetime) -> str:
    early, cast.now = cast.now, now
    try:
        return cast.open(severity=1).number
    finally:
        cast.now = early


def row_of(cast: Cast, number: str) -> dict[str, Any]:
    case = case_of(cast, number)
    return {name: value for name, value in vars(case).items() if not name.startswith("_")}


def newest_id() -> UUID:
    newest = queries.find_calendar_version(OFFICE)
    assert newest is not None
    return UUID(str(newest.id))


def test_the_preview_tells_what_the_move_then_does(cast: Cast, write: Write) -> None:
    critical, low = cast.open(severity=1).number, cast.open("plus_second", severity=3).number
    version = write(weekly={"mon": "00:00-24:00", "sun": "00:00-24:00", "tue": "", "wed": "", "thu": "", "fri": ""})
    later = cast.now + timedelta(hours=3)
    seen = preview_move(cast.duty_manager, later, OFFICE, version)
    assert (seen.total, seen.earlier, seen.later, seen.unchanged, seen.breached) == (2, 0, 0, 2, 0)
    shorter = write(weekly={"mon": "00:00-01:00, 10:00-24:00", "tue": "09:00-10:00"})
    assert preview_move(cast.duty_manager, later, OFFICE, shorter).total == 2
    move_id = moved(cast, shorter, later)
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert (move.total, move.moved, move.breached, move.finished_at) == (2, 2, 0, later)
    assert {case_of(cast, number).calendar_version_id for number in (critical, low)} == {newest_id()}


def test_a_case_that_the_new_version_has_breached_says_so_at_once(cast: Cast, write: Write) -> None:
    """Submitted on a holiday's eve under short hours; the new version counts the night as well."""
    night = cast.now + timedelta(hours=12)
    with clock.frozen_at(night):
        number = open_at(cast, night)
        morning = night + timedelta(hours=8)
        version = write(weekly=dict.fromkeys(("mon", "tue", "wed"), "00:00-24:00"))
        seen = preview_move(cast.duty_manager, morning, OFFICE, version)
        assert seen.breached == 1
        assert [shift.number for shift in seen.breaching] == [number]
        move_id = moved(cast, version, morning)
    case = case_of(cast, number)
    assert case.clock_state == "breached"
    assert case.breached_at == case.due_at == night + timedelta(hours=4)
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert move.breached == 1


def test_moving_asks_for_a_duty_manager_and_a_reason(cast: Cast, write: Write) -> None:
    cast.open(severity=1)
    version = write(note="as before")
    with pytest.raises(Forbidden):
        start_move(cast.engineer, cast.now, OFFICE, version, "because")
    with pytest.raises(Forbidden):
        preview_move(cast.plus, cast.now, OFFICE, version)
    with pytest.raises(Invalid) as refused:
        start_move(cast.duty_manager, cast.now, OFFICE, version, "  ")
    assert "reason" in refused.value.fields


def test_a_second_move_waits_for_the_end_of_the_first(cast: Cast, write: Write) -> None:
    cast.open(severity=1)
    version = write(note="as before")
    start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    with pytest.raises(Refused) as refused:
        start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    assert refused.value.code == "calendar_move_runs"
    assert carry_on_all(lambda: cast.now) >= 1
    with pytest.raises(Refused) as refused:
        start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    assert refused.value.code == "calendar_move_empty"


def test_cases_of_other_calendars_stay(cast: Cast, write: Write) -> None:
    number = cast.open("standard").number
    cast.open(severity=1)
    moved(cast, write(note="as before"))
    assert "calendar_changed" not in types_of(cast, number)


def test_contracts_take_a_version_by_an_act_of_its_own(cast: Cast, write: Write) -> None:
    old = cast.open(severity=1).number
    version = write(closures=(Closure("2026-11-23", "The office moves"),))
    with pytest.raises(Invalid) as refused:
        use_calendar(cast.duty_manager, cast.now, OFFICE, version, [], "agreed")
    assert "contract" in refused.value.fields
    contract = str(case_of(cast, old).contract_id)
    assert use_calendar(cast.duty_manager, cast.now, OFFICE, version, [contract], "agreed") == 1
    fresh = cast.open("plus_second", severity=1).number
    assert case_of(cast, fresh).calendar_version_id == newest_id()
    assert case_of(cast, old).calendar_version_id != newest_id(), "an open case keeps its version (RC-12)"


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_move_each_case_once(cast: Cast, write: Write) -> None:
    numbers = [cast.open(part, severity=2).number for part in ("plus", "plus_second") for _ in range(5)]
    version = write(note="as before")
    move_id = start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    now = cast.now
    answers = at_once([lambda: list(carry_on(move_id, lambda: now))] * 3)
    assert raised(answers) == []
    assert [types_of(cast, number).count("calendar_changed") for number in numbers] == [1] * len(numbers)
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert (move.moved, move.total) == (10, 10)
    assert move.finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_begin_one_move(cast: Cast, write: Write) -> None:
    cast.open(severity=1)
    version = write(note="as before")
    actor, now = cast.duty_manager, cast.now
    answers = at_once([lambda: start_move(actor, now, OFFICE, version, "because")] * 2)
    assert len(returned(answers)) == 1
    assert [type(error) for error in raised(answers)] == [Refused]


@pytest.mark.django_db(transaction=True)
def test_a_case_that_somebody_works_on_moves_later(cast: Cast, write: Write) -> None:
    busy, free = (cast.open(part, severity=1).number for part in ("plus", "plus_second"))
    version = write(note="as before")
    move_id = start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    with transaction.atomic():
        cases.lock_case(case_of(cast, busy))
        now = cast.now
        assert raised(at_once([lambda: list(carry_on(move_id, lambda: now))])) == []
        assert "calendar_changed" in types_of(cast, free)
        assert "calendar_changed" not in types_of(cast, busy)
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert move.finished_at is None
    list(carry_on(move_id, lambda: now))
    assert types_of(cast, busy).count("calendar_changed") == 1
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert (move.moved, move.finished_at) == (2, now)


@pytest.mark.django_db(transaction=True)
def test_two_who_save_the_same_version_at_once_make_one(cast: Cast) -> None:
    newest = queries.find_calendar_version(OFFICE)
    assert newest is not None
    now = cast.now

    def save(actor: Actor, note: str) -> Callable[[], tuple[str, int]]:
        return lambda: write_calendar(actor, now, replace(draft_of(newest), note=note), 1)

    answers = at_once([save(cast.duty_manager, "mine"), save(cast.duty_manager, "yours")])
    assert returned(answers) == [(OFFICE, 2)]
    (lost,) = raised(answers)
    assert isinstance(lost, Refused)
    assert "Elena Soto" in lost.sentence
    assert queries.find_calendar_version(OFFICE, 3) is None
