"""Mail that goes out: sent once, tried again for five days, given up, in doubt, kept back; nothing stops the rest."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.support.cast import Cast

from guardia.adapters.mail_transport import RememberedTransport
from guardia.doors.jobs import tasks
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import AddressStanding, OutboundMail
from guardia.features.mail.operations import post_mails
from guardia.features.sla.models import StaffNotice
from guardia.journeys.post import new_mail
from guardia.journeys.send_mail import Sent, send_due
from guardia.kernel.outside import MailNotTaken, replaced
from guardia.reports.own_letters import mail_bytes

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FULL = MailNotTaken("450 4.2.2 mailbox full")
UNKNOWN = MailNotTaken("550 5.1.1 no such user", is_final=True)
SILENT = MailNotTaken("TimeoutError: timed out", is_in_doubt=True)
NOBODY = MailNotTaken("ConnectionRefusedError: refused", is_unreachable=True)


@pytest.fixture
def transport() -> Iterator[RememberedTransport]:
    twin = RememberedTransport()
    with replaced(mail_transport=twin):
        yield twin


def write(now: datetime, address: str = "ana@x.example", **facts: Any) -> OutboundMail:
    said: dict[str, Any] = {
        "key": f"{address} {facts}",
        "topic": "message",
        "why": "opener",
        "language": "en",
        "subject": "[4071 8823] New message",
        "paragraphs": ["New message."],
    }
    mail = new_mail(address=address, **{**said, **facts})
    with transaction.atomic():
        post_mails([mail], now)
    return OutboundMail.objects.get(id=mail.id)


def send(now: Callable[[], datetime]) -> Sent:
    return send_due(now, mail_bytes)


def at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def fresh(mail: OutboundMail) -> OutboundMail:
    return OutboundMail.objects.get(id=mail.id)


def test_what_is_due_is_sent_once(cast: Cast, transport: RememberedTransport) -> None:
    cast.open("plus")
    count = OutboundMail.objects.count()
    assert send(at(cast.now)) == Sent(sent=count)
    assert send(at(cast.now + DAY)) == Sent()
    assert len({mail.id for mail in transport.sent}) == len(transport.sent) == count
    assert set(OutboundMail.objects.values_list("state", "sent_at", "next_attempt_at")) == {("sent", cast.now, None)}


def test_a_mail_that_is_refused_for_now_waits_longer_each_time_and_is_given_up_after_five_days(
    cast: Cast, transport: RememberedTransport
) -> None:
    case = get_case_for(cast.engineer, cast.open("plus").number)
    OutboundMail.objects.all().delete()
    mail = write(cast.now, case=case)
    transport.refusals[mail.id] = FULL
    now, waits = cast.now, list[timedelta]()
    while fresh(mail).state == "waiting":
        send(at(now))
        due = fresh(mail).next_attempt_at
        if due is not None:
            assert send(at(due - timedelta(seconds=1))) == Sent()
            waits.append(due - now)
            now = due
    assert waits[:5] == [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR]
    assert set(waits[5:]) == {HOUR}
    assert 5 * DAY <= now - cast.now < 5 * DAY + HOUR
    row = fresh(mail)
    assert (row.state, row.last_reply, row.attempts) == ("failed", "450 4.2.2 mailbox full", len(waits) + 1)
    assert (
        StaffNotice.objects.across_companies("a test looks").filter(case_id=case.id, facts__mark="mail_failed").exists()
    )


def test_a_final_refusal_ends_it_at_once_with_the_servers_words(cast: Cast, transport: RememberedTransport) -> None:
    mail = write(cast.now)
    transport.refusals[mail.id] = UNKNOWN
    assert send(at(cast.now)) == Sent(failed=1)
    assert (fresh(mail).state, fresh(mail).last_reply) == ("failed", "550 5.1.1 no such user")


def test_a_poisoned_mail_stops_no_other(cast: Cast, transport: RememberedTransport) -> None:
    bad, good = write(cast.now, "bad@x.example"), write(cast.now, "good@x.example")
    OutboundMail.objects.filter(id=bad.id).update(paragraphs=[7])
    assert send(at(cast.now)) == Sent(sent=1, later=1)
    assert [mail.recipient for mail in transport.sent] == ["good@x.example"]
    assert fresh(good).state == "sent"
    assert "AttributeError" in fresh(bad).last_reply


def test_an_address_that_is_none_fails_at_once(cast: Cast, transport: RememberedTransport) -> None:
    mail = write(cast.now, "evil@x.example>\r\nBcc: all@x.example")
    assert send(at(cast.now)) == Sent(failed=1)
    assert fresh(mail).state == "failed"
    assert not transport.sent


def test_where_no_server_answers_the_others_are_not_tried_in_vain(cast: Cast, transport: RememberedTransport) -> None:
    for n in range(3):
        write(cast.now, f"p{n}@x.example")
        transport.refusals[f"p{n}@x.example"] = NOBODY
    assert send(at(cast.now)) == Sent(later=1)
    transport.refusals.clear()
    assert send(at(cast.now + MINUTE)) == Sent(sent=3)


@pytest.mark.parametrize("is_automatic", [True, False], ids=["automatic", "a notice"])
def test_a_mail_left_at_the_dot_by_a_dead_sender(
    cast: Cast, transport: RememberedTransport, *, is_automatic: bool
) -> None:
    mail = write(cast.now, is_automatic=is_automatic)
    OutboundMail.objects.filter(id=mail.id).update(state="handing_over")
    assert send(at(cast.now)) == (Sent(uncertain=1) if is_automatic else Sent(sent=1))
    assert fresh(mail).state == ("uncertain" if is_automatic else "sent")
    assert len(transport.sent) == (0 if is_automatic else 1)


def test_in_doubt_twice_a_person_decides(cast: Cast, transport: RememberedTransport) -> None:
    mail = write(cast.now)
    transport.refusals[mail.id] = SILENT
    assert send(at(cast.now)) == Sent(later=1)
    assert fresh(mail).last_reply == "in doubt: TimeoutError: timed out"
    assert send(at(cast.now + MINUTE)) == Sent(uncertain=1)
    assert (fresh(mail).state, fresh(mail).next_attempt_at) == ("uncertain", None)


def test_the_server_may_say_what_the_database_cannot_keep(cast: Cast, transport: RememberedTransport) -> None:
    mail = write(cast.now)
    transport.refusals[mail.id] = MailNotTaken("450 \x00 wait\r\n" + "x" * 900)
    assert send(at(cast.now)) == Sent(later=1)
    assert fresh(mail).last_reply.startswith("450  wait")


@pytest.mark.parametrize(
    ("standing", "topic", "is_automatic", "state"),
    [
        ("failing", "opened", True, "withheld"),
        ("failing", "opened", False, "sent"),
        ("complained", "opened", False, "withheld"),
        ("complained", "answered", False, "sent"),
    ],
)
def test_an_address_that_bounces_or_complained_gets_what_must_be_told(
    cast: Cast, transport: RememberedTransport, standing: str, topic: str, *, is_automatic: bool, state: str
) -> None:
    mail = write(cast.now, topic=topic, is_automatic=is_automatic)
    AddressStanding.objects.create(address=mail.address, standing=standing, since=cast.now)
    send(at(cast.now))
    assert fresh(mail).state == state
    assert len(transport.sent) == (state == "sent")


def test_a_mail_that_another_sender_has_is_left_to_it(cast: Cast, transport: RememberedTransport) -> None:
    mail = write(cast.now)
    key = int.from_bytes(mail.id.bytes[8:], "big", signed=True)
    other = connections.create_connection("default")
    other.settings_dict = connection.settings_dict
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        assert send(at(cast.now)) == Sent()
    finally:
        other.close()
    assert not transport.sent


@pytest.mark.parametrize("topic", ["account", "proof"])
def test_the_words_of_a_secret_link_are_gone_once_it_was_sent(
    cast: Cast, transport: RememberedTransport, topic: str
) -> None:
    mail = write(cast.now, topic=topic, paragraphs=[{"text": "Set", "url": "https://g.example/secret-key"}])
    send(at(cast.now))
    assert b"secret-key" in transport.sent[0].raw
    assert fresh(mail).paragraphs == []


def test_what_a_journey_writes_wakes_the_job_that_sends_it(cast: Cast, transport: RememberedTransport) -> None:
    cast.open("plus")
    assert ProcrastinateJob.objects.filter(task_name="send_mail", status="todo").count() == 1
    tasks.send_mail()
    assert len(transport.sent) == OutboundMail.objects.count() > 0
