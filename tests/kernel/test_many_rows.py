"""Rows by the thousand in one statement: every value arrives as it was; a known key is what the caller says it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.support.cast import Cast
from tests.support.ticking import WHY, watch_of

from guardia.features.sla.models import ClockFiring
from guardia.kernel.many_rows import insert_rows, update_rows
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.transactions import TransactionMissing

NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)


def message(key: str, **changes: object) -> dict[str, object]:
    row = {"id": f"01a205cc-0000-7000-8000-{abs(hash(key)) % 10**12:012d}", "kind": "mail", "dedupe_key": key}
    times = {"created_at": NOW, "next_attempt_at": NOW.isoformat(), "attempts": 0, "last_error": ""}
    return {**row, **times, "payload": {"to": "ana"}, **changes}


@pytest.mark.django_db
def test_awkward_values_arrive_as_they_were() -> None:
    payload = {"to": 'O\'Hara "the % one" \\ {x}', "n": [1, None, True], "ñ": "ß\u2028\U0001f6e1"}
    insert_rows(OutboxMessage, [message("odd", payload=payload)])
    row = OutboxMessage.objects.get(dedupe_key="odd")
    assert (row.payload, row.created_at, row.next_attempt_at, row.done_at) == (payload, NOW, NOW, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "late_by", [timedelta(microseconds=1), timedelta(microseconds=46), timedelta(seconds=1.5), timedelta(days=4000)]
)
def test_every_duration_arrives_as_it_was_a_tiny_one_too(cast: Cast, late_by: timedelta) -> None:
    watch = watch_of(cast.open().number)
    same = {"company_id": watch.company_id, "case_id": watch.case_id, "clock": "response", "mark": "50", "version": 1}
    key = "01a205cc-0000-7000-8000-000000000001"
    insert_rows(ClockFiring, [{"id": key, **same, "due_at": NOW, "fired_at": NOW, "late_by": late_by}])
    assert ClockFiring.objects.across_companies(WHY).get(id=key).late_by == late_by


@pytest.mark.django_db
def test_a_known_key_is_an_error_unless_the_caller_says_what_happens_to_it() -> None:
    insert_rows(OutboxMessage, [message("one")])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(OutboxMessage, [message("one", id="01a205cc-0000-7000-8000-000000000002")])
    insert_rows(OutboxMessage, [message("one"), message("two")], "(dedupe_key) DO NOTHING")
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_rows_are_saved_by_their_id_and_others_stay() -> None:
    insert_rows(OutboxMessage, [message("one"), message("two")])
    update_rows(OutboxMessage, [{"id": message("one")["id"], "attempts": 7, "done_at": NOW}])
    rows = OutboxMessage.objects.order_by("dedupe_key").values_list("attempts", "done_at")
    assert list(rows) == [(7, NOW), (0, None)]
    update_rows(OutboxMessage, [])
    insert_rows(OutboxMessage, [])


@pytest.mark.django_db(transaction=True)
def test_it_needs_the_transaction_of_a_journey() -> None:
    with pytest.raises(TransactionMissing):
        insert_rows(OutboxMessage, [message("one")])
