"""Senders are killed with -9 while they send: every mail arrives, automatic ones never twice, none under two ids."""

import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from django.db import transaction
from tests.support import processes
from tests.support.cast import Cast
from tests.support.smtp_sink import Sink, smtp_sink

from guardia.features.mail.models import OutboundMail
from guardia.features.mail.operations import NewMail, post_mails
from guardia.journeys.post import mail_names, new_mail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
MAILS, KILLS = 500, 20


def write(cast: Cast) -> dict[str, NewMail]:
    """Return mails by their address, every second one automatic."""
    mails = [
        new_mail(
            key=f"mail {n}",
            topic="message",
            why="opener",
            address=f"p{n}@x.example",
            language="en",
            subject="New message",
            paragraphs=["New message."],
            is_automatic=n % 2 == 0,
        )
        for n in range(MAILS)
    ]
    with transaction.atomic():
        OutboundMail.objects.all().delete()
        post_mails(mails, cast.now)
    return {mail.address: mail for mail in mails}


def left() -> int:
    return OutboundMail.objects.filter(next_attempt_at__isnull=False).count()


def test_senders_are_killed(cast: Cast, tmp_path: Path) -> None:
    mails, random = write(cast), Random(4)
    with smtp_sink(answers_after_s=0.02) as sink:
        command = [sys.executable, "-m", "tests.torture.send_process", sink.url]
        running = [processes.start_command(command, tmp_path) for _ in range(2)]
        kills = 0
        while kills < KILLS:
            before = len(sink.got)
            wait_for(sink, before + random.randint(3, 12))
            time.sleep(random.random() / 20)
            victim = random.randrange(len(running))
            is_alive = running[victim].poll() is None
            processes.kill(running[victim])
            kills += is_alive
            assert left(), "everything was sent before the kills were done"
            running[victim] = processes.start_command(command, tmp_path)
        for process in running:
            processes.finish(process)
        processes.finish(processes.start_command(command, tmp_path))
        check(mails, sink)


def wait_for(sink: Sink, count: int) -> None:
    processes.wait_until("mails arrive", lambda: len(sink.got) >= min(count, MAILS))


def check(mails: dict[str, NewMail], sink: Sink) -> None:
    times = Counter(recipient for _path, recipient, _raw in sink.got)
    uncertain = set(OutboundMail.objects.filter(state="uncertain").values_list("address", flat=True))
    assert left() == 0
    assert set(OutboundMail.objects.values_list("state", flat=True)) <= {"sent", "uncertain"}
    for address, mail in mails.items():
        if mail.is_automatic:
            assert times[address] <= 1
            assert times[address] == 1 or address in uncertain
        else:
            assert 1 <= times[address] <= 2
            assert address not in uncertain
    ids = {(recipient, re.findall(rb"\r\nMessage-ID: <(.+?)>", raw)[0].decode()) for _path, recipient, raw in sink.got}
    assert ids <= {(address, mail.message_id) for address, mail in mails.items()}
    names = mail_names()
    assert all(names.bounced(path) == mails[recipient].id for path, recipient, _raw in sink.got)
