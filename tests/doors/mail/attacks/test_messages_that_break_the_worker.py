"""Attacks on the worker: a message that the database does not take must not stop those behind it, nor vanish."""

from dataclasses import replace
from typing import Any

import pytest
from tests.doors.mail.test_work import POISON, proven
from tests.support.cast import Cast
from tests.support.letters import DESK
from tests.support.mail_flood import message

from guardia.adapters.mail_spool import MemorySpool
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.work import MOST_TRIES, TRY_AGAIN_AFTER, MailWorker
from guardia.features.cases.models import Case
from guardia.features.mail.models import InboundMail
from guardia.features.mail.rules.arrived import Letter
from guardia.features.mail.rules.deciding import Limits
from guardia.kernel import clock
from guardia.kernel.outside import MailFacts

pytestmark = pytest.mark.django_db
WHY = "the test's own"


class Spoilt:
    """A reader by which something gets through that no database takes."""

    def __init__(self, what: str, value: Any) -> None:
        self.what, self.value = what, value

    def read(self, raw: bytes, envelope_sender: str | None) -> Letter:
        letter = read_letter(raw, envelope_sender)
        return replace(letter, **{self.what: self.value}) if letter.subject == POISON else letter


def worked(cast: Cast, reader: Spoilt, door: str = "smtp") -> MemorySpool:
    """Let a worker meet the poison and a message on each side of it, as often as it tries."""
    spool = MemorySpool()
    for n in (2, 3, 4):
        sender, raw = message(n)
        facts = MailFacts(door if n == 3 else "smtp", cast.now, "127.0.0.1", "mail.example", sender, (DESK,))
        spool.keep(facts, raw)
    worker = MailWorker(spool, reader, proven, Limits())
    for tries in range(MOST_TRIES):
        with clock.frozen_at(cast.now + tries * 2 * TRY_AGAIN_AFTER):
            worker.work()
    return spool


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("sender", "a\x00b@astilleros.example"),
        ("signals", ("\x00",)),
        ("signals", ("\ud800",)),
        ("html", "\ud800"),
        ("language", "x" * 40),
        ("sender", "x" * 400),
    ],
)
def test_attack_something_that_no_database_takes(cast: Cast, what: str, value: object) -> None:
    """NUL is refused by the driver without any code, a lone surrogate by the encoder: neither is a database away."""
    spool = worked(cast, Spoilt(what, value))
    assert spool.count_waiting() == 0
    assert InboundMail.objects.count() == 3
    assert Case.objects.across_companies(WHY).count() >= 2


def test_attack_a_message_of_which_not_even_the_bare_facts_are_taken(cast: Cast) -> None:
    spool = worked(cast, Spoilt("language", "es"), door="a door longer than its column")
    assert spool.count_waiting() == 0
    assert spool.count_unreadable() == 1
    assert Case.objects.across_companies(WHY).count() == 2
