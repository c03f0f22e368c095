"""A case joins a release while the lane is just being moved to it: it hears of it once, never not at all."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.support.at_once import at_once, raised
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, scanned

from guardia.features.cases.models import CaseEvent
from guardia.features.cases.queries import get_case_for
from guardia.journeys import publish_release
from guardia.journeys.join_release import join_release
from guardia.journeys.publish_release import publish_pending, run_standard_batch

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_for_a_release_ahead(bench: Bench, count: int) -> list[str]:
    """Return cases of the standard lane whose correction is release 2, which the next publication brings there."""
    cast = bench.cast
    bench.released(bench.reported())
    waiting = [cast.open_report("standard", content=b"sample %d" % index).number for index in range(count)]
    for _ in waiting:
        job = bench.lease("precheck")
        found = scanned(job, "not_detected")
        for scan in found["scans"]:
            if scan["build"] == job.payload["newest"]["number"]:
                scan["verdicts"] = {
                    engine: {**said, "outcome": "detected", "names": ["Lab.New"]}
                    for engine, said in scan["verdicts"].items()
                }
        bench.hand_in(job, found)
    run_standard_batch(cast.releaser, cast.now, "now")
    return waiting


def demand_told_once(cast: Cast, waiting: list[str]) -> None:
    told = CaseEvent.objects.across_companies("a test reads").filter(type="released", case__number__in=waiting)
    assert sorted(event.case.number for event in told) == sorted(waiting)
    for number in waiting:
        case = get_case_for(cast.standard, number)
        assert (case.fixed_in, case.state) == (2, "solution_offered")


def test_joining_while_the_lane_moves_tells_each_case_exactly_once(cast: Cast) -> None:
    waiting = waiting_for_a_release_ahead(Bench(cast), 4)
    joining = [partial(join_release, cast.analyst, cast.now, number) for number in waiting]
    acts: list[Callable[[], object]] = [partial(publish_pending, cast.now), *joining]
    assert not raised(at_once(acts))
    demand_told_once(cast, waiting)


def test_a_case_that_joins_after_the_others_were_told_and_before_the_lane_has_moved_is_told_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = waiting_for_a_release_ahead(Bench(cast), 1)
    told = threading.Event()
    announce = publish_release.announce

    def announce_and_linger(*about: Any) -> None:
        announce(*about)
        told.set()
        time.sleep(1)  # the publication is not committed yet

    def join() -> str:
        assert told.wait(timeout=20)
        return join_release(cast.analyst, cast.now, waiting[0])

    monkeypatch.setattr(publish_release, "announce", announce_and_linger)
    acts: list[Callable[[], object]] = [partial(publish_pending, cast.now), join]
    assert not raised(at_once(acts))
    demand_told_once(cast, waiting)
