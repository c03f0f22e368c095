"""A move of open cases is killed with -9 at every point, and goes on: each case moves exactly once."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.db.models import Count
from tests.support import processes
from tests.support.cast import Cast
from tests.torture.move_process import POINTS

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.sla import queries
from guardia.features.sla.rules.draft_calendar import Closure
from guardia.journeys.move_calendar import carry_on_all, start_move
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.write_calendar import write_calendar
from guardia.reports.calendar_pages import draft_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SCRIPT = str(Path(__file__).with_name("move_process.py"))
OFFICE = "office 09-19"
CASES = 8


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_move_goes_on_and_moves_each_case_once(cast: Cast, tmp_path: Path, point: str) -> None:
    for index in range(CASES):
        cast.open(("plus", "plus_second")[index % 2], severity=1 + index % 3)
    newest = queries.find_calendar_version(OFFICE)
    assert newest is not None
    draft = replace(draft_of(newest), closures=(Closure("2026-11-23", "The office moves"),))
    _name, version = write_calendar(cast.duty_manager, cast.now, draft, 1)
    move_id = start_move(cast.duty_manager, cast.now, OFFICE, version, "because")
    command = [sys.executable, SCRIPT, str(move_id), cast.now.isoformat(), point]
    processes.finish_killed(processes.start_command(command, tmp_path))
    unfinished = queries.find_calendar_move(move_id)
    assert unfinished is not None
    assert unfinished.finished_at is None
    done = moved_events()
    assert all(n == 1 for n in done.values())
    assert len(done) == unfinished.moved, "what is counted is what is committed"
    carry_on_all(lambda: cast.now)
    assert list(moved_events().values()) == [1] * CASES
    move = queries.find_calendar_move(move_id)
    assert move is not None
    assert (move.moved, move.total, move.finished_at) == (CASES, CASES, cast.now)
    stands = Case.objects.across_companies("a test reads").values_list("calendar_version_id", flat=True)
    assert set(stands) == {move.to_version_id}
    assert [columns for _number, columns in rebuild_projections(repair=False) if columns] == []


def moved_events() -> dict[object, int]:
    """How often each case was moved."""
    rows = CaseEvent.objects.across_companies("a test reads").filter(type="calendar_changed")
    return dict(rows.values_list("case_id").annotate(n=Count("id")).order_by())
