"""A case joins a release while the lane is just being moved to it: it hears of it once, never not at all."""

from collections.abc import Callable
from functools import partial

import pytest
from tests.support.at_once import at_once, raised
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, scanned

from guardia.features.cases.models import CaseEvent
from guardia.features.cases.queries import get_case_for
from guardia.journeys.join_release import join_release
from guardia.journeys.publish_release import publish_pending, run_standard_batch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("attempt", range(4))
def test_joining_while_the_lane_moves_tells_the_case_exactly_once(cast: Cast, attempt: int) -> None:
    bench = Bench(cast)
    bench.released(bench.reported())
    waiting = [cast.open_report("standard", content=f"{attempt} {index}".encode()).number for index in range(3)]
    for _ in waiting:
        job = bench.lease("precheck")
        found = scanned(job, "not_detected")
        newest = job.payload["newest"]["number"]
        for scan in found["scans"]:
            if scan["build"] == newest:
                scan["verdicts"] = {
                    engine: {**said, "outcome": "detected", "names": ["Lab.New"]}
                    for engine, said in scan["verdicts"].items()
                }
        bench.hand_in(job, found)
    run_standard_batch(cast.releaser, cast.now, "now")
    joining = [partial(join_release, cast.analyst, cast.now, number) for number in waiting]
    acts: list[Callable[[], object]] = [partial(publish_pending, cast.now), *joining]
    answers = at_once(acts)
    assert not raised(answers)
    told = CaseEvent.objects.across_companies("a test reads").filter(type="released", case__number__in=waiting)
    assert sorted(event.case.number for event in told) == sorted(waiting)
    for number in waiting:
        case = get_case_for(cast.standard, number)
        assert (case.fixed_in, case.state) == (2, "solution_offered")
