"""The line is told to stop while an engineer's phone rings for an alarm: started again, it rings that same phone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.cast import make_cast
from tests.support.line_world import World, line_world
from tests.support.processes import wait_until

from guardia.features.cases.models import Case
from guardia.features.sla.models import PhonePage
from guardia.journeys.confirm_call import case_code, confirm_call
from guardia.journeys.fire_clocks import ensure_default_policy, tick
from guardia.kernel import clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WHY = "the test's own"


@pytest.fixture
def world(transactional_db: None, keys: None, tmp_path: Path) -> Iterator[World]:
    cast = make_cast(clock.now())
    ensure_default_policy(clock.now())
    with line_world(cast, tmp_path) as made:
        yield made


def test_a_stop_in_mid_ring_passes_the_engineer_on_duty_by_in_no_page(world: World) -> None:
    with world.engineer("engineer", after_s=None) as marta:
        number = world.cast.open("plus", severity=1).number
        case = Case.objects.across_companies(WHY).get(number=number)
        confirm_call(world.cast.engineer, clock.now(), number, "code", case_code(case))
        tick(clock.now() + timedelta(seconds=1))
        marta.until("a call from", 60.0)
        assert world.line.stop() == 0
    page = PhonePage.objects.across_companies(WHY).get()
    assert page.tried == []
    assert page.ended_at is None
    with world.engineer("engineer") as again:
        world.line.restart()
        again.until("answered", 60.0)
    wait_until("the page is noted", lambda: PhonePage.objects.across_companies(WHY).get().tried != [], 60.0)
