"""Ten thousand clocks fall due at the same instant; two tickers record them, one of them is killed in the middle."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.support import processes
from tests.support.case_copies import copy_case
from tests.support.cast import Cast
from tests.support.ticking import WHY, tick_all

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.sla.models import ClockFiring, ClockWatch, EscalationStep, StaffNotice
from guardia.journeys import case_log
from guardia.journeys.take_case import take_case
from guardia.kernel.outbox.models import OutboxMessage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CASES = 10_000
SAMPLE = 40
TICKER = """
import sys
from datetime import datetime
from guardia.doors.cli import ticker
from guardia.kernel import clock
with clock.frozen_at(datetime.fromisoformat("{now}")):
    sys.exit(ticker.main(["--interval", "0.05"]))
"""


@pytest.fixture
def tickers() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            processes.kill(process)


def count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def breaches() -> int:
    return count("SELECT count(*) FROM sla_clockfiring WHERE mark = 'breach'")


def test_ten_thousand_clocks_due_at_once_are_recorded_once_each_though_a_ticker_is_killed_in_the_middle(
    cast: Cast, tickers: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    tick_all(cast.now + timedelta(hours=3.9))
    copy_case(number, CASES - 1)
    text = TICKER.format(now=(cast.now + timedelta(hours=4, milliseconds=200)).isoformat())
    tickers += [processes.start(text, tmp_path), processes.start(text, tmp_path)]
    processes.wait_until("some are recorded", lambda: breaches() > 0, within_s=60)
    processes.kill(tickers[0])
    in_the_middle = breaches()
    assert 0 < in_the_middle < CASES
    tickers.append(processes.start(text, tmp_path))
    processes.wait_until("all are recorded", lambda: breaches() == CASES, within_s=120)
    waiting = ClockWatch.objects.across_companies(WHY).filter(next_at__isnull=False, clock="response")
    assert waiting.count() == 0
    assert_each_once(in_the_middle)


def assert_each_once(in_the_middle: int) -> None:
    """Firings, events, steps, messages and notices: of each kind one for each case, none twice, none missing."""
    breached = CaseEvent.objects.across_companies(WHY).filter(type="breached")
    assert (breached.count(), breached.values("case").distinct().count()) == (CASES, CASES), in_the_middle
    fired = ClockFiring.objects.across_companies(WHY).filter(mark="breach")
    assert fired.values("case", "clock", "version").distinct().count() == CASES
    told = CaseEvent.objects.across_companies(WHY).filter(type="escalated", payload__mark="breach")
    assert (told.count(), told.values("case").distinct().count()) == (CASES, CASES)
    for rows in (
        OutboxMessage.objects.filter(kind="escalation_mail", payload__mark="breach").values("payload__case"),
        StaffNotice.objects.across_companies(WHY).filter(facts__mark="breach").values("case"),
        EscalationStep.objects.across_companies(WHY).filter(firing__mark="breach").values("case"),
    ):
        assert rows.distinct().count() == CASES
        assert rows.count() % CASES == 0
    for case in Case.objects.across_companies(WHY).select_related("company").order_by("id")[:: CASES // SAMPLE]:
        assert case_log.projected(case) == []
