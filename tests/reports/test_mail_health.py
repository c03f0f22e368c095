"""What is told of the mail door: last message, what waits where, and when it is no longer well."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from tests.support.cast import Cast
from tests.support.mail_cast import kept_mail

from guardia.adapters.mail_spool import MemorySpool
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import OutboundMail
from guardia.journeys.prove_sender import ask_contact
from guardia.kernel.outside import MailFacts, replaced
from guardia.reports.case_messages import message_views, named_passwords
from guardia.reports.mail_health import is_well, mail_health, mail_part, quarantine_count

pytestmark = pytest.mark.django_db


@pytest.fixture
def spool(cast: Cast) -> Iterator[MemorySpool]:
    """A spool whose listener has just said that it lives."""
    memory = MemorySpool()
    memory.beat({}, cast.now)
    with replaced(mail_spool=memory):
        yield memory


LUCIA = "lucia.ferrer@astilleros.example"


def test_the_figures_are_those_of_the_rows(cast: Cast, spool: MemorySpool) -> None:
    old = kept_mail(cast.now, arrived_at=cast.now - timedelta(hours=3))
    kept_mail(cast.now)
    kept_mail(cast.now, outcome="refused", reason="automatic")
    kept_mail(cast.now, outcome="refused", reason="automatic", arrived_at=cast.now - timedelta(days=2))
    kept_mail(cast.now, reason="failed", settled_at=cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)
    health = mail_health(cast.now)
    assert (health.quarantined, health.quarantine_oldest_at) == (2, old.arrived_at)
    assert (health.refused, health.failures, health.outgoing_waiting) == (1, 1, 1)
    assert health.last_at == cast.now - timedelta(minutes=2)
    assert (health.listening, is_well(health, cast.now)) == (True, True)
    later = cast.now + timedelta(seconds=31)
    assert (mail_health(later).listening, is_well(mail_health(later), later)) == (False, False), "it fell silent"


def test_mail_that_waits_too_long_to_be_sent_is_no_longer_well(cast: Cast, spool: MemorySpool) -> None:
    kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)

    def is_ok(later: timedelta) -> bool:
        spool.beat({}, cast.now + later)
        return bool(mail_part(cast.now + later)["ok"])

    assert is_ok(timedelta(minutes=15))
    assert not is_ok(timedelta(minutes=15, seconds=1))
    OutboundMail.objects.update(next_attempt_at=None, state="sent")
    assert is_ok(timedelta(days=1))


def test_mail_that_waits_too_long_on_disk_is_no_longer_well(cast: Cast, spool: MemorySpool) -> None:
    arrived_at = cast.now - timedelta(minutes=5)
    mail_id = UUID(int=(int(arrived_at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
    spool.keep(MailFacts("smtp", arrived_at, id=mail_id), b"Subject: one")
    assert mail_part(cast.now)["ok"]
    spool.beat({}, cast.now + timedelta(seconds=1))
    later = mail_part(cast.now + timedelta(seconds=1))
    assert (later["ok"], later["spool_waiting"]) == (False, 1)


def test_the_health_page_tells_of_mail_and_does_not_fail_for_it(cast: Cast) -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert json.loads(answer.content)["mail"]["quarantined"] == 0


def test_the_quarantine_is_late_after_a_quarter_of_an_hour(cast: Cast) -> None:
    assert quarantine_count(cast.now).waiting == 0
    kept_mail(cast.now, arrived_at=cast.now - timedelta(minutes=15))
    assert not quarantine_count(cast.now).is_late
    assert quarantine_count(cast.now + timedelta(seconds=1)).is_late


def test_passwords_and_faults_of_a_message_are_for_staff(cast: Cast) -> None:
    case = get_case_for(cast.engineer, cast.open().number)
    mail = kept_mail(cast.now, outcome="case", reason="opened", case_id=case.id)
    staff, customer = (message_views(who, case.id)[str(mail.id)] for who in (cast.engineer, cast.plus))
    assert (staff.passwords, bool(staff.faults), staff.has_html) == (("hunter2",), True, True)
    assert (customer.passwords, customer.faults, customer.quoted) == ((), (), "> an older message")
    assert named_passwords(cast.engineer, case.id) == ("hunter2",)
    assert named_passwords(cast.plus, case.id) == ()
