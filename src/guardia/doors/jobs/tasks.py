"""Background tasks: each looks for everything that is due, so that any number of wakings, retries and killed workers
come to the same. All are idempotent.
"""

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from procrastinate import exceptions, jobs
from procrastinate.contrib.django import app

from guardia.journeys.enrol_machine import admit_subscribers
from guardia.journeys.hand_in_call import hand_in_waiting
from guardia.journeys.mail_alarms import mail_alarms, mail_old_notice
from guardia.journeys.move_calendar import carry_on_all, has_much_to_move, wake_unfinished
from guardia.journeys.publish_release import publish_pending, refresh_metadata, standard_batch_if_due
from guardia.journeys.receive_file import sweep_quarantine
from guardia.journeys.send_mail import send_due
from guardia.journeys.sweep_calls import sweep_calls
from guardia.journeys.sweep_mail import sweep_mail
from guardia.kernel import clock
from guardia.kernel.outbox.post import Digest, deliver_due
from guardia.kernel.outside import outside
from guardia.reports.alarm_mail import alarm_body, alarm_mail
from guardia.reports.own_letters import mail_bytes

_log = logging.getLogger("guardia.jobs")
STALLED_AFTER_S = 15


def _mail_old_notice(payload: Mapping[str, Any]) -> None:
    """A notice that an older version wrote into the outbox, before mails had rows of their own."""
    mail_old_notice(payload, clock.now())


def _send_alarms(payloads: Sequence[Mapping[str, Any]]) -> None:
    """What is due for one person goes out as one mail, told as it is now."""
    told = alarm_mail(payloads, clock.now())
    if told is not None:
        mail_alarms(told, clock.now())


def _post_alarms(payloads: Sequence[Mapping[str, Any]]) -> None:
    now = clock.now()
    webhook = outside().webhook
    if webhook.is_set:
        webhook.send(alarm_body(payloads, now), now)


_HANDLERS = {"mail": _mail_old_notice}
_DIGESTS = {"escalation_mail": Digest(_send_alarms), "escalation_webhook": Digest(_post_alarms, at_most=100)}


@app.task(name="publish", queueing_lock="publish", retry=5, pass_context=False)
def publish() -> None:
    """Publish everything that is asked for."""
    for done in publish_pending(clock.now()):
        _log.info("published %s", done)


@app.task(name="deliver_outbox", queueing_lock="deliver_outbox")
def deliver_outbox() -> None:
    """Carry out what waits in the outbox."""
    done, failed = deliver_due(_HANDLERS, clock.now(), _DIGESTS)
    if failed:
        _log.warning("outbox: %d done, %d failed and tried again later", done, failed)


@app.periodic(cron="* * * * * */10", periodic_id="mail")
@app.task(name="send_mail", queueing_lock="send_mail")
def send_mail(timestamp: int = 0) -> None:  # noqa: ARG001  procrastinate's signature
    """Send the mails that are due: when one was written, and every ten seconds for those that are tried again."""
    counts = send_due(clock.now, mail_bytes)
    if counts.later or counts.failed or counts.uncertain:
        _log.warning("mail: %s", counts)


CARRY_ON = (sys.executable, "-m", "guardia.doors.cli.main", "calendars", "carry-on")


@app.task(name="move_calendars", queueing_lock="move_calendars", lock="move_calendars")
def move_calendars() -> None:
    """Carry on with open cases that are on their way to another calendar version; many of them in two processes."""
    helper = subprocess.Popen(CARRY_ON) if has_much_to_move() else None
    batches = carry_on_all(clock.now)
    if helper:
        helper.wait()
    if batches:
        _log.info("calendar moves: %d batches", batches)


@app.periodic(cron="* * * * * */10", periodic_id="due")
@app.task(name="tick", queueing_lock="tick")
def tick(timestamp: int) -> None:  # noqa: ARG001  procrastinate's signature
    """Every ten seconds: a due standard batch, anything left unpublished or undelivered."""
    label = standard_batch_if_due(clock.now())
    if label:
        _log.info("standard batch: %s", label)
    publish_pending(clock.now())
    deliver_due(_HANDLERS, clock.now(), _DIGESTS)
    wake_unfinished()


@app.periodic(cron="*/10 * * * *", periodic_id="upkeep")
@app.task(name="upkeep", queueing_lock="upkeep")
def upkeep(timestamp: int) -> None:  # noqa: ARG001  procrastinate's signature
    """Every ten minutes: metadata that will be over soon, who may read the accelerated lane, unfinished uploads.

    Mail and sound whose time is over, too, and calls of a line that does not come back.
    """
    for lane in refresh_metadata(clock.now()):
        _log.info("signed %s metadata anew", lane)
    admit_subscribers(clock.now())
    sweep_quarantine(clock.now())
    sweep_mail(clock.now(), settings.GUARDIA.mail_kept_days)
    hand_in_waiting(clock.now())
    sweep_calls(clock.now(), settings.GUARDIA.line_kept_days)


@app.periodic(cron="* * * * * */5", periodic_id="stalled")
@app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: Any, timestamp: int) -> None:  # noqa: ARG001  procrastinate's signature
    """Take up again what a killed worker left in the middle."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
        _log.warning("job %s (%s) was left by a lost worker; it is done again", job.id, job.task_name)
        try:
            await manager.retry_job(job)
        except (exceptions.AlreadyEnqueued, exceptions.UniqueViolation):
            # Another one waits already and does the same work: tasks look for everything that is due.
            await manager.finish_job(job, jobs.Status.FAILED, delete_job=True)
