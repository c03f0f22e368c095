"""Listener and worker are killed with -9 again and again while mail pours in: none lost, none doubled, none answered
twice. `make torture` sends 10,000 messages and kills 200 times; the tests 1,000 and 20.
"""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count
from tests.support import processes
from tests.support.cast import Cast
from tests.support.mail_flood import Door, flood

from guardia.features.cases.models import Case
from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.kernel.outside import outside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MESSAGES, KILLS = (10_000, 200) if os.environ.get("GUARDIA_TORTURE") else (1_000, 20)
WHY = "the test's own"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path)
    yield door
    door.stop()
    with connection.cursor() as cursor:  # whoever was killed in a transaction is gone before the tables are emptied
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
        )


def test_no_message_is_lost_doubled_or_answered_twice_though_everything_is_killed(cast: Cast, door: Door) -> None:
    names = ("listen", "work-1", "work-2")
    for name in names:
        door.start(name)
    processes.wait_until("the listener answers", door.listens, within_s=60)
    chance = random.Random(4)
    repeated = 0
    with ThreadPoolExecutor(1) as pool:
        for start in range(0, MESSAGES, MESSAGES // KILLS):
            sending = pool.submit(flood, door.port, range(start, start + MESSAGES // KILLS))
            time.sleep(chance.uniform(0.0, 0.4))
            door.kill(chance.choice(names))
            repeated += sending.result()
    processes.wait_until("all is taken in", lambda: outside().mail_spool.count_waiting() == 0, within_s=600)
    taken = InboundMail.objects.exclude(reason="repeated")
    assert taken.count() == taken.values("message_id").distinct().count() == MESSAGES
    assert set(taken.values_list("outcome", flat=True)) == {"case"}
    assert Case.objects.across_companies(WHY).count() == MESSAGES
    assert taken.values("case_id").distinct().count() == MESSAGES
    answers = OutboundMail.objects.filter(answers_id__isnull=False)
    assert answers.count() == answers.values("answers_id").distinct().count() == MESSAGES
    doubled = OutboundMail.objects.values("case_id", "address").annotate(times=Count("id")).filter(times__gt=1)
    assert not doubled.exists()
    again = InboundMail.objects.filter(reason="repeated").count()
    print(f"{MESSAGES} messages, {door.kills} kills, {repeated} attempts repeated, {again} arrived twice, 0 lost")  # noqa: T201
    assert door.kills == KILLS
