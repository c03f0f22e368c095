"""Waking background work by name, in the transaction of its cause: no commit, no job.

A job that already waits is enough for any number of wakings; the task itself looks for everything that is due.
"""

from django.db import transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app


def wake(task: str) -> None:
    """Defer `task` (of `guardia.doors.jobs.tasks`), unless it waits already."""
    try:
        with transaction.atomic():
            app.configure_task(task, queueing_lock=task).defer()
    except exceptions.AlreadyEnqueued:
        pass  # one that waits is enough
