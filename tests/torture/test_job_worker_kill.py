"""A worker is killed in the middle of a job: the next one does it again, once the lost one is not heard of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.support import processes
from tests.support.cast import Cast
from tests.support.flushing import empty_job_tables

from guardia.features.releases.models import LanePointer, Publication
from guardia.features.releases.operations import lock_lane
from guardia.kernel.jobs import wake
from guardia.kernel.vocabulary import Lane

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    empty_job_tables()
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            processes.kill(process)


def start(started: list[subprocess.Popen[str]], var: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "procrastinate", "worker"]
    process = processes.start_command(command, var)
    started.append(process)
    return process


def job_states(task: str) -> list[str]:
    return list(ProcrastinateJob.objects.filter(task_name=task).order_by("id").values_list("status", flat=True))


def test_a_job_of_a_killed_worker_is_done_by_the_next(
    cast: Cast, worker: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """The job waits for the lane's lock, which the test holds, while its worker is killed."""
    processes.release_tree(tmp_path).found(cast.now, development=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM releases_publication WHERE lane = 'standard'")
        cursor.execute("UPDATE releases_publication SET published_at = NULL")
    with transaction.atomic():
        wake("publish")
    with transaction.atomic():
        lock_lane(Lane.ACCELERATED)
        first = start(worker, tmp_path)
        processes.wait_until("the worker has the job", lambda: "doing" in job_states("publish"))
        processes.kill(first)
    assert "doing" in job_states("publish")
    assert Publication.objects.get(lane="accelerated").published_at is None
    start(worker, tmp_path)
    processes.wait_until("the job is done again", lambda: "doing" not in job_states("publish"), within_s=45)
    assert Publication.objects.get(lane="accelerated").published_at is not None
    assert LanePointer.objects.get(lane="accelerated").release_id == 1
    assert processes.release_tree(tmp_path).shown(Lane.ACCELERATED) == 1
