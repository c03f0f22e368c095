"""The worker: what waits is taken in, whatever else fails, and counts from when it came."""

import smtplib
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import processes
from tests.support.cast import Cast
from tests.support.letters import DESK, PROVEN
from tests.support.mail_flood import Door, message

from guardia.adapters.lab_keys import LabKeys
from guardia.adapters.mail_spool import FolderSpool, MemorySpool
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.work import ASK_AGAIN_AFTER, TRY_AGAIN_AFTER, UNSURE_AT_MOST, MailWorker
from guardia.features.cases.models import Case
from guardia.features.mail.models import InboundMail
from guardia.features.mail.rules.arrived import Envelope, Letter, Stated, Verdict
from guardia.features.mail.rules.deciding import Limits
from guardia.kernel import clock
from guardia.kernel.outside import MailFacts, outside

WHY = "the test's own"
POISON = "Incidencia 3"


class PlainReader:
    """Reads in this process; a message with the poison's subject states what no severity is."""

    def read(self, raw: bytes, envelope_sender: str | None) -> Letter:
        letter = read_letter(raw, envelope_sender)
        return replace(letter, stated=Stated(severity=9)) if letter.subject == POISON else letter


def proven(_raw: bytes, _envelope: Envelope, _senders: Sequence[str]) -> Verdict:
    return PROVEN


def spool_of(cast: Cast, count: int) -> MemorySpool:
    spool = MemorySpool()
    for n in range(count):
        sender, raw = message(n)
        spool.keep(MailFacts("smtp", cast.now, "127.0.0.1", "mail.example", sender, (DESK,)), raw)
    return spool


@pytest.mark.django_db
def test_one_message_that_cannot_be_taken_in_holds_up_no_other_and_ends_in_quarantine(cast: Cast) -> None:
    spool = spool_of(cast, 6)
    worker = MailWorker(spool, PlainReader(), proven, Limits())
    worker.work()
    assert Case.objects.across_companies(WHY).count() == 5
    assert spool.count_waiting() == 1
    for tries in range(1, 3):
        with clock.frozen_at(cast.now + tries * 2 * TRY_AGAIN_AFTER):
            worker.work()
    (failed,) = InboundMail.objects.filter(outcome="quarantined")
    assert (failed.reason, failed.subject) == ("failed", POISON)
    assert spool.count_waiting() == 0


@pytest.mark.django_db
def test_a_message_whose_key_is_missing_waits_for_it_and_is_taken_in_then(cast: Cast, tmp_path: Path) -> None:
    new_key = LabKeys("dev-2", {"dev-1": b"1" * 32, "dev-2": b"2" * 32})
    sender, raw = message(0)
    written = FolderSpool(tmp_path, new_key)
    written.keep(MailFacts("smtp", cast.now, "127.0.0.1", "mail.example", sender, (DESK,)), raw)
    old = MailWorker(FolderSpool(tmp_path, LabKeys("dev-1", {"dev-1": b"1" * 32})), PlainReader(), proven, Limits())
    old.work()
    assert (written.count_waiting(), written.count_unreadable()) == (1, 0)
    with clock.frozen_at(cast.now + 2 * TRY_AGAIN_AFTER):
        MailWorker(written, PlainReader(), proven, Limits()).work()
    assert Case.objects.across_companies(WHY).count() == 1
    assert written.count_waiting() == 0


@pytest.mark.django_db
def test_a_judge_that_fails_proves_nobody_and_loses_nothing(cast: Cast) -> None:
    def fails(_raw: bytes, _envelope: Envelope, _senders: Sequence[str]) -> Verdict:
        raise RuntimeError("a fault of ours")

    spool = spool_of(cast, 1)
    worker = MailWorker(spool, PlainReader(), fails, Limits())
    worker.work()
    assert spool.count_waiting() == 1
    with clock.frozen_at(cast.now + UNSURE_AT_MOST + timedelta(seconds=1)):
        worker.work()
    assert InboundMail.objects.get().reason == "unproven"


@pytest.mark.django_db
def test_where_dns_does_not_answer_it_is_asked_again_before_anybody_is_judged(cast: Cast) -> None:
    answers = [Verdict("temperror", is_unsure=True), PROVEN]

    def judged(_raw: bytes, _envelope: Envelope, _senders: Sequence[str]) -> Verdict:
        return answers.pop(0)

    worker = MailWorker(spool_of(cast, 1), PlainReader(), judged, Limits())
    worker.work()
    worker.work()
    assert not InboundMail.objects.exists()
    with clock.frozen_at(cast.now + ASK_AGAIN_AFTER + timedelta(seconds=1)):
        worker.work()
    assert InboundMail.objects.get().outcome == "case"
    assert Case.objects.across_companies(WHY).get().submitted_at == cast.now


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_while_the_database_is_away_mail_is_taken_and_counts_from_when_it_came(cast: Cast, tmp_path: Path) -> None:
    door = Door(tmp_path)
    try:
        door.start("listen")
        door.start("work-lost", DATABASE_URL=f"postgresql://postgres@/guardia?host={tmp_path}")
        processes.wait_until("the listener answers", door.listens, within_s=60)
        sender, raw = message(1)
        with smtplib.SMTP("127.0.0.1", door.port, timeout=20) as connection:
            connection.sendmail(sender, [DESK], raw)
        (mail_id,) = outside().mail_spool.waiting(10, cast.now + timedelta(days=9_000))
        came_at = outside().mail_spool.read(mail_id)[0].arrived_at
        time.sleep(6)
        assert door.running["work-lost"].poll() is None
        assert outside().mail_spool.count_waiting() == 1
        door.start("work-1")
        processes.wait_until("it is a case", lambda: Case.objects.across_companies(WHY).exists(), within_s=60)
        assert Case.objects.across_companies(WHY).get().submitted_at == came_at
    finally:
        door.stop()
