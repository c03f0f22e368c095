"""What alarms say outside: composed at delivery, one mail a person, nothing that is over, no words of customers."""

import json
from datetime import timedelta

import pytest
from tests.support.case_copies import copy_case
from tests.support.cast import Cast
from tests.support.ticking import tick_all

from guardia.adapters.webhook import RememberedWebhook
from guardia.doors.jobs.tasks import _DIGESTS
from guardia.features.accounts.models import Person
from guardia.features.mail.models import OutboundMail
from guardia.journeys.answer_case import answer_case
from guardia.journeys.escalation_policies import save_policy
from guardia.journeys.fire_clocks import ensure_default_policy
from guardia.journeys.take_case import take_case
from guardia.kernel import clock
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.outbox.post import deliver_due
from guardia.kernel.outside import replaced

pytestmark = pytest.mark.django_db
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def follow(cast: Cast, *marks: str, by: str = "mail") -> None:
    ensure_default_policy(cast.now)
    steps = [{"on": mark, "clock": "response", "to": "holder", "by": by.split()} for mark in marks]
    save_policy(cast.duty_manager, cast.now, "default", "All plans", steps, 1)


def held(cast: Cast, count: int = 1) -> list[str]:
    numbers = [cast.open(subject="The secret name of our ship").number for _ in range(count)]
    for number in numbers:
        take_case(cast.engineer, cast.now, number)
    return numbers


def deliver(cast: Cast, after: timedelta) -> list[OutboundMail]:
    """Return the mails that the digests due at an instant became."""
    known = set(OutboundMail.objects.values_list("id", flat=True))
    with clock.frozen_at(cast.now + after):
        deliver_due({"mail": lambda _payload: None}, cast.now + after, _DIGESTS)
    return list(OutboundMail.objects.filter(topic="alarm").exclude(id__in=known))


def body(message: OutboundMail) -> str:
    return "\n\n".join(paragraph["text"] for paragraph in message.paragraphs)


def test_what_falls_due_together_for_one_person_is_one_mail(cast: Cast) -> None:
    """P25: thirty warnings are no storm."""
    follow(cast, "75")
    (number,) = held(cast)
    copy_case(number, 29)
    tick_all(cast.now + 3 * HOUR + SECOND)
    (message,) = deliver(cast, 3 * HOUR + 2 * SECOND)
    assert (message.address, message.why) == ("marta.ibanez@guardia.example", "roles")
    assert message.subject == "30 alerts, 0 of them missed targets"
    assert "and 5 more" in body(message)
    assert "Sent to you as: holder of the case." in body(message)
    assert not OutboxMessage.objects.filter(kind="escalation_mail", done_at=None).exists()
    assert deliver(cast, 3 * HOUR + 3 * SECOND) == []


def test_the_share_in_a_mail_is_that_of_its_sending(cast: Cast) -> None:
    """P21: a mail that waited twenty minutes tells 83 %, not 75 %."""
    follow(cast, "75")
    (number,) = held(cast)
    tick_all(cast.now + 3 * HOUR + SECOND)
    (message,) = deliver(cast, 3 * HOUR + 20 * MINUTE)
    assert "Now: 83 % used, due at " in body(message)
    assert number[:4] in message.subject


def test_a_warning_whose_case_was_answered_meanwhile_is_not_sent(cast: Cast) -> None:
    follow(cast, "75")
    (number,) = held(cast)
    tick_all(cast.now + 3 * HOUR + SECOND)
    answer_case(cast.engineer, cast.now + 3 * HOUR + MINUTE, number, "The driver blocks it.", "analysis")
    assert deliver(cast, 3 * HOUR + 2 * MINUTE) == []
    assert not OutboxMessage.objects.filter(kind="escalation_mail", done_at=None).exists()


def test_a_missed_target_is_told_though_it_was_answered_meanwhile_and_the_mail_says_so(cast: Cast) -> None:
    follow(cast, "breach")
    (number,) = held(cast)
    tick_all(cast.now + 4 * HOUR + SECOND)
    answer_case(cast.engineer, cast.now + 4 * HOUR + MINUTE, number, "The driver blocks it.", "analysis")
    (message,) = deliver(cast, 4 * HOUR + 2 * MINUTE)
    assert "The response target was missed" in message.subject
    assert "Now: answered at " in body(message)


def test_mails_hold_no_words_of_customers_and_speak_the_readers_language(cast: Cast) -> None:
    Person.objects.filter(id=cast.people["engineer"].id).update(language="es")
    follow(cast, "breach")
    held(cast)
    tick_all(cast.now + 4 * HOUR + SECOND)
    (message,) = deliver(cast, 4 * HOUR + 2 * SECOND)
    assert "secret name" not in f"{message.subject} {body(message)}"
    assert "response target" not in body(message)


def test_somebody_who_has_left_is_written_to_no_more(cast: Cast) -> None:
    follow(cast, "75")
    held(cast)
    tick_all(cast.now + 3 * HOUR + SECOND)
    Person.objects.filter(id=cast.people["engineer"].id).update(is_active=False)
    assert deliver(cast, 3 * HOUR + 2 * SECOND) == []


def test_the_webhook_gets_its_alerts_together_and_again_with_the_same_ids_after_a_refusal(cast: Cast) -> None:
    follow(cast, "breach", by="webhook")
    with replaced(webhook=RememberedWebhook(refuses=True)) as ports:
        held(cast, 3)
        tick_all(cast.now + 4 * HOUR + SECOND)
        hook = ports.webhook
        assert isinstance(hook, RememberedWebhook)
        with clock.frozen_at(cast.now + 4 * HOUR + 2 * SECOND):
            assert deliver_due({"mail": lambda _payload: None}, clock.now(), _DIGESTS)[1] == 3
        waiting = OutboxMessage.objects.filter(kind="escalation_webhook", done_at=None)
        assert {message.last_error for message in waiting} == {
            "WebhookRefused: the receiver of the webhook answered 503: try later"
        }
        hook.refuses = False
        with clock.frozen_at(cast.now + 4 * HOUR + MINUTE):
            deliver_due({"mail": lambda _payload: None}, clock.now(), _DIGESTS)
    ((sent, _now),) = hook.sent
    alerts = json.loads(sent)["alerts"]
    assert len(alerts) == 3
    assert {alert["id"] for alert in alerts} == {
        message.dedupe_key for message in OutboxMessage.objects.filter(kind="escalation_webhook")
    }
    assert {(alert["state"], alert["mark"]) for alert in alerts} == {("breached", "breach")}
    assert b"secret name" not in sent
