"""The database goes away, hangs, or answers too late in the middle of calls: nothing is doubled, lost, or silent."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction
from tests.support.cast import make_cast
from tests.support.hearing import babble
from tests.support.line_world import World, line_world
from tests.support.processes import wait_until

from guardia.features.calls.models import Call, Recording
from guardia.features.cases.models import Case, CaseEvent
from guardia.journeys.confirm_call import case_code
from guardia.journeys.fire_clocks import ensure_default_policy
from guardia.kernel import clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(transactional_db: None, keys: None, tmp_path: Path) -> Iterator[World]:
    """The line, with the office closed."""
    cast = make_cast(clock.now())
    ensure_default_policy(clock.now())
    with line_world(cast, tmp_path) as made:
        yield made


def cases() -> list[Case]:
    return list(Case.objects.across_companies("the test's cases").order_by("submitted_at"))


def confirmations(number: str) -> list[CaseEvent]:
    rows = CaseEvent.objects.across_companies("the test's case").filter(case__number=number)
    return list(rows.filter(type="phone_confirmed"))


@contextmanager
def held(table: str, seconds: float) -> Iterator[None]:
    """Let whoever wants a table wait for so long, beginning when the block begins."""
    began = threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            began.set()
            time.sleep(seconds)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert began.wait(10.0)
    yield
    thread.join()


def cut_off(world: World) -> None:
    """End every connection of the line's to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert world.line.pid


def test_a_confirmation_that_is_answered_too_late_is_registered_once(world: World) -> None:
    opened = world.cast.open("plus", severity=1)
    (case,) = cases()
    with world.calling() as lucia:
        lucia.press("2", "2", opened.number, case_code(case))
        wait_until("the caller is known", lambda: Call.objects.filter(known_by="code").exists(), 60.0)
        time.sleep(1.0)
        with held(CaseEvent._meta.db_table, 10.5):
            lucia.press("1")
        time.sleep(10.0)
        lucia.hang_up()
        outcome = lucia.outcome()
    (call,) = world.handed_in()
    assert len(confirmations(opened.number)) == 1
    (case,) = cases()
    assert case.called_at is not None
    assert call.started_at < case.called_at < clock.now()
    assert world.says(outcome, "away.kept")


def test_a_pin_that_is_asked_while_our_records_hang_opens_one_case_at_its_true_time(world: World) -> None:
    with world.calling(talk=babble(3, 20.0)) as lucia:
        with held("accounts_wrongpin", 14.0):
            lucia.press(world.known("plus"))
        time.sleep(4.0)
        lucia.press("1")
        time.sleep(14.0)  # the notice, and what she says
        lucia.press("#")
        time.sleep(10.0)
        lucia.hang_up()
        outcome = lucia.outcome()
    (call,) = world.handed_in()
    (case,) = cases()
    assert (case.channel, case.severity, case.case_class) == ("phone", 1, "premium")
    assert call.ended_at is not None
    assert case.submitted_at < call.ended_at
    assert call.company_id == case.company_id
    assert Recording.objects.get(call=call).case_id == case.id
    assert world.says(outcome, "away.kept")


def test_a_line_whose_connections_are_cut_goes_on_with_new_ones(world: World) -> None:
    opened = world.cast.open("plus", severity=1)
    (case,) = cases()
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(1.5):
            cut_off(world)
        connection.close()

    cutter = threading.Thread(target=cut)
    with world.calling() as lucia:
        cutter.start()
        try:
            lucia.press("2", "2", opened.number, case_code(case))
            time.sleep(6.0)
            lucia.press("1")
            time.sleep(8.0)
        finally:
            stop.set()
            cutter.join()
        connection.close()  # it was cut off too
    world.handed_in()
    assert len(confirmations(opened.number)) == 1


@pytest.mark.parametrize("after_s", [0.0, 0.05])
def test_a_line_killed_right_after_a_case_was_opened_has_opened_one(world: World, after_s: float) -> None:
    with world.calling(talk=babble(3, 20.0)) as lucia:
        lucia.press(world.known("plus"), "2", "1")
        world.until_noted("recording")
        time.sleep(3.0)
        lucia.press("#")
        ends_at = time.monotonic() + 60.0
        while not cases() and time.monotonic() < ends_at:
            time.sleep(0.002)
        time.sleep(after_s)
        world.line.kill()
        assert world.line.restart() < 8.0
    (call,) = world.handed_in()
    (case,) = cases()
    assert case.case_class == "premium"
    assert Recording.objects.get(call=call).case_id == case.id
    assert len(confirmations(case.number)) == 1
