"""The line tells our records where it listens, for pages whose settings may be others than its own."""

from pathlib import Path

import pytest
from tests.support.cast import make_cast
from tests.support.line_world import line_world
from tests.support.processes import wait_until

from guardia.features.calls.models import LineBeat
from guardia.kernel import clock
from guardia.reports.line_health import line_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.usefixtures("transactional_db", "keys")
def test_a_line_that_runs_says_where_it_listens(tmp_path: Path) -> None:
    with line_world(make_cast(clock.now()), tmp_path) as world:
        wait_until("a beat of the line", LineBeat.objects.exists, 60)
        found = line_state(clock.now())
        assert found is not None
        assert (found.is_up, found.where) == (True, f"127.0.0.1:{world.line.port}")
