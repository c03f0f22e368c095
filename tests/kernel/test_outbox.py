"""What must happen outside: written with its cause, done at least once, deduplicated; one bad row stops no other."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from tests.conftest import MONDAY_10 as NOW
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.mail.models import OutboundMail
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.outbox.post import deliver_due, post
from guardia.kernel.transactions import TransactionMissing

Handler = Callable[[Mapping[str, Any]], None]


def write(key: str, **payload: Any) -> None:
    with transaction.atomic():
        post("mail", key, payload, NOW)


def poisoned(payload: Mapping[str, Any]) -> None:
    raise ConnectionError(f"no route to {payload.get('to', 'anybody')}\x00")


class Sent:
    """A handler that keeps what it sent; `bad` ones fail."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(self, payload: Mapping[str, Any]) -> None:
        if payload.get("bad"):
            poisoned(payload)
        self.sent.append(str(payload.get("to")))


@pytest.mark.django_db
def test_a_message_is_written_once_for_each_key() -> None:
    for _ in range(3):
        write("case:1:1:ana", to="ana")
    write("case:1:2:ana", to="ana")
    handler = Sent()
    assert deliver_due({"mail": handler}, NOW) == (2, 0)
    write("case:1:1:ana", to="ana")
    assert deliver_due({"mail": handler}, NOW) == (0, 0)
    assert handler.sent == ["ana", "ana"]


@pytest.mark.django_db
def test_a_case_posts_to_each_reader_once_however_often_it_is_sent(cast: Cast) -> None:
    cast.open()
    keys = list(OutboundMail.objects.values_list("dedupe_key", flat=True))
    assert len(keys) == len(set(keys)) == 2  # the opener is one of the two named contacts


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_nothing_can_be_posted() -> None:
    with pytest.raises(TransactionMissing):
        post("mail", "key", {}, NOW)


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_is_never_sent() -> None:
    with transaction.atomic():
        post("mail", "key", {"to": "ana"}, NOW)
        transaction.set_rollback(True)
    handler = Sent()
    assert deliver_due({"mail": handler}, NOW) == (0, 0)


@pytest.mark.django_db
def test_a_poisoned_message_waits_longer_each_time_and_stops_no_other() -> None:
    write("bad", to="nobody", bad=True)
    moment, waits = NOW, []
    for turn in range(1, 9):
        write(f"good {turn}", to=f"reader {turn}")
        handler = Sent()
        assert deliver_due({"mail": handler}, moment) == (1, 1)
        assert handler.sent == [f"reader {turn}"]
        message = OutboxMessage.objects.get(dedupe_key="bad")
        assert message.attempts == turn
        assert "no route to nobody" in message.last_error
        waits.append(message.next_attempt_at - moment)
        assert deliver_due({"mail": handler}, message.next_attempt_at - timedelta(seconds=1)) == (0, 0)
        moment = message.next_attempt_at
    assert waits == sorted(set(waits))


@pytest.mark.django_db
@pytest.mark.parametrize("attempts", [12, 46, 47, 60, 1100, 100_000])
def test_a_message_that_has_failed_for_weeks_still_stops_no_other(attempts: int) -> None:
    write("bad", to="nobody", bad=True)
    OutboxMessage.objects.update(attempts=attempts)
    write("good", to="ana")
    handler = Sent()
    assert deliver_due({"mail": handler}, NOW) == (1, 1)
    assert handler.sent == ["ana"]
    assert OutboxMessage.objects.get(dedupe_key="bad").next_attempt_at == NOW + timedelta(hours=1)


@pytest.mark.django_db
def test_a_message_of_an_unknown_kind_waits_and_stops_no_other() -> None:
    with transaction.atomic():
        post("telegram", "odd", {}, NOW)
    write("good", to="ana")
    handler = Sent()
    assert deliver_due({"mail": handler}, NOW) == (1, 1)
    assert handler.sent == ["ana"]


@pytest.mark.django_db
def test_a_handler_whose_database_work_fails_spoils_no_other() -> None:
    def broken(payload: Mapping[str, Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    handler = Sent()
    with transaction.atomic():
        post("sums", "bad", {}, NOW)
    write("good", to="ana")
    assert deliver_due({"mail": handler, "sums": broken}, NOW) == (1, 1)
    assert OutboxMessage.objects.get(dedupe_key="good").done_at == NOW


@pytest.mark.django_db(transaction=True)
def test_many_deliverers_at_once_send_each_message_once() -> None:
    with transaction.atomic():
        for index in range(120):
            post("mail", f"message {index}", {"to": f"reader {index}"}, NOW)
    sent, lock = [], threading.Lock()

    def handler(payload: Mapping[str, Any]) -> None:
        with lock:
            sent.append(payload["to"])

    answers = at_once([lambda: deliver_due({"mail": handler}, NOW) for _ in range(8)])
    assert not raised(answers)
    assert sum(done for done, _ in returned(answers)) == len(sent)
    while deliver_due({"mail": handler}, NOW) != (0, 0):
        pass
    assert sorted(sent) == sorted(f"reader {index}" for index in range(120))
