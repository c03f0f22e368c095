"""What waited in the outbox of an older version becomes a mail of its own, once."""

import pytest
from tests.support.cast import Cast

from guardia.doors.jobs.tasks import _HANDLERS
from guardia.features.mail.models import OutboundMail
from guardia.journeys.mail_alarms import mail_old_notice
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.outbox.post import deliver_due

pytestmark = pytest.mark.django_db
OLD = {
    "to": "lucia.ferrer@astilleros.example",
    "subject": "[4071 8823] Nuevo mensaje",
    "body": "Nuevo mensaje.\n\nhttps://guardia.example/cases/40718823/\n\nLínea telefónica prioritaria: 900 000 147",
}


def test_an_old_notice_becomes_a_mail_in_the_readers_language(cast: Cast) -> None:
    OutboxMessage.objects.create(
        kind="mail", dedupe_key="old", payload=OLD, created_at=cast.now, next_attempt_at=cast.now
    )
    assert deliver_due(_HANDLERS, cast.now) == (1, 0)
    mail = OutboundMail.objects.get(address=OLD["to"])
    assert (mail.subject, mail.language, mail.state) == (OLD["subject"], cast.people["plus"].language, "waiting")
    assert mail.person_id == cast.people["plus"].id
    assert [paragraph["text"] for paragraph in mail.paragraphs] == OLD["body"].split("\n\n")


def test_an_old_notice_that_is_handed_over_again_is_one_mail(cast: Cast) -> None:
    for _ in range(2):
        mail_old_notice(OLD, cast.now)
    assert OutboundMail.objects.filter(address=OLD["to"]).count() == 1
