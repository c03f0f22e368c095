"""The only writer of the outbox, and the claim that a delivering worker makes.

A message is written once for each `dedupe_key`: an act that is repeated posts nothing new. A worker claims due rows
with SKIP LOCKED inside its own transaction and marks each done or sets its next attempt; a poisoned row waits longer
each time and never stops the others.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from guardia.kernel.jobs import wake
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.transactions import operation

_LONGEST_WAIT = timedelta(hours=1)
_DOUBLINGS = 12
_BATCH = 50


@operation
def post(
    kind: str, dedupe_key: str, payload: Mapping[str, Any], now: datetime, *, company_id: UUID | None = None
) -> None:
    """Write the intention `kind`, at most once for each `dedupe_key`."""
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                kind=kind,
                dedupe_key=dedupe_key,
                payload=dict(payload),
                company_id=company_id,
                created_at=now,
                next_attempt_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    wake("deliver_outbox")


def _wait(attempts: int) -> timedelta:
    """Return how long a message waits that has failed so often: twice as long each time, at most an hour."""
    return min(_LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, _DOUBLINGS)))


def deliver_due(handlers: Mapping[str, Callable[[Mapping[str, Any]], None]], now: datetime) -> tuple[int, int]:
    """Carry out due messages and return how many were done and how many failed (these wait and are tried again)."""
    done = failed = 0
    with transaction.atomic():
        due = OutboxMessage.objects.select_for_update(skip_locked=True).filter(done_at=None, next_attempt_at__lte=now)
        for message in due.order_by("next_attempt_at")[:_BATCH]:
            message.attempts += 1
            try:
                with transaction.atomic():
                    handlers[message.kind](message.payload)
            except Exception as error:  # noqa: BLE001  any failure of the outside world is kept and tried again
                message.last_error = f"{type(error).__name__}: {error}".replace("\x00", "")[:2000]
                message.next_attempt_at = now + _wait(message.attempts)
                failed += 1
            else:
                message.done_at, message.last_error = now, ""
                done += 1
            message.save(update_fields=["attempts", "last_error", "next_attempt_at", "done_at"])
    return done, failed
