"""Raw mail is forgotten when its time of keeping is over, by when it was dealt with, and not before."""

from datetime import timedelta

import pytest
from tests.conftest import MONDAY_10

from guardia.adapters.mail_spool import MemorySpool
from guardia.journeys.sweep_mail import sweep_mail
from guardia.kernel import clock
from guardia.kernel.outside import MailFacts, replaced


@pytest.mark.usefixtures("keys")
def test_raw_mail_is_forgotten_so_many_days_after_it_was_dealt_with() -> None:
    spool = MemorySpool()
    kept = spool.keep(MailFacts("smtp", MONDAY_10), b"kept").id
    waiting = spool.keep(MailFacts("smtp", MONDAY_10), b"waiting").id
    with clock.frozen_at(MONDAY_10):
        spool.settle(kept)
    with replaced(mail_spool=spool):
        assert sweep_mail(MONDAY_10 + timedelta(days=400), kept_days=400) == (0, 0)
        assert sweep_mail(MONDAY_10 + timedelta(days=400, seconds=1), kept_days=400) == (0, 1)
    assert spool.read(waiting)[1] == b"waiting"
