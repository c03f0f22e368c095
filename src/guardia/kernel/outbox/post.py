"""The only writer of the outbox, and the claim that a delivering worker makes.

Messages of some kinds are gathered: what is due for the same `payload["to"]` is handed over together, as one digest.

A message is written once for each `dedupe_key`: an act that is repeated posts nothing new. A worker claims due rows
with SKIP LOCKED inside its own transaction and marks each done or sets its next attempt; a poisoned row waits longer
each time and never stops the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from guardia.kernel.ids import uuid7_text
from guardia.kernel.jobs import wake
from guardia.kernel.many_rows import insert_rows
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.transactions import operation

_LONGEST_WAIT = timedelta(hours=1)
_DOUBLINGS = 12
_BATCH = 50


Handler = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Digest:
    """How messages of one kind are handed over together: to whom, and how many at most."""

    handler: Callable[[Sequence[Mapping[str, Any]]], None]
    at_most: int = 20_000


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


class Intention(NamedTuple):
    """What `post_many` writes: a kind, its key, and what the handler needs."""

    kind: str
    dedupe_key: str
    payload: Mapping[str, Any]
    company_id: UUID | str | None = None


@operation
def post_many(intentions: Sequence[Intention], now: datetime) -> int:
    """Write many intentions in one statement, each at most once for its key; return how many were asked for.

    It wakes nobody: writers that work side by side would wait for each other's job. Call `wake_delivery` after it.
    """
    if intentions:
        rows = [
            {
                "id": uuid7_text(),
                "kind": one.kind,
                "dedupe_key": one.dedupe_key,
                "payload": one.payload,
                "company_id": one.company_id,
            }
            for one in intentions
        ]
        same = {"created_at": now, "next_attempt_at": now, "attempts": 0, "last_error": ""}
        insert_rows(OutboxMessage, rows, "(dedupe_key) DO NOTHING", same)
    return len(intentions)


def wake_delivery() -> None:
    """Wake whoever delivers, in a transaction of its own; where that is missed, the next regular look finds it all."""
    with transaction.atomic():
        wake("deliver_outbox")


def _wait(attempts: int) -> timedelta:
    """Return how long a message waits that has failed so often: twice as long each time, at most an hour."""
    return min(_LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, _DOUBLINGS)))


def deliver_due(
    handlers: Mapping[str, Handler], now: datetime, digests: Mapping[str, Digest] | None = None
) -> tuple[int, int]:
    """Carry out due messages and return how many were done and how many failed (these wait and are tried again)."""
    digests = digests or {}
    done = failed = 0
    with transaction.atomic():
        due = _due(now).exclude(kind__in=list(digests))
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
    for kind, digest in digests.items():
        counts = _deliver_digests(kind, digest, now)
        done, failed = done + counts[0], failed + counts[1]
    return done, failed


def _due(now: datetime) -> QuerySet[OutboxMessage]:
    rows = OutboxMessage.objects.select_for_update(skip_locked=True)
    return rows.filter(done_at=None, next_attempt_at__lte=now)


def _deliver_digests(kind: str, digest: Digest, now: datetime) -> tuple[int, int]:
    """Hand over what is due of a kind, all of one receiver together, each receiver in a transaction of its own."""
    done = failed = 0
    for _ in range(_BATCH):
        with transaction.atomic():
            first = _due(now).filter(kind=kind).order_by("next_attempt_at", "id").first()
            if first is None:
                break
            rows = _due(now).filter(kind=kind, payload__to=first.payload["to"]).order_by("next_attempt_at", "id")
            messages = list(rows[: digest.at_most])
            chosen = OutboxMessage.objects.filter(id__in=[message.id for message in messages])
            try:
                with transaction.atomic():
                    digest.handler([message.payload for message in messages])
            except Exception as error:  # noqa: BLE001  any failure of the outside world is kept and tried again
                why = f"{type(error).__name__}: {error}".replace("\x00", "")[:2000]
                tried = max(message.attempts for message in messages) + 1
                chosen.update(attempts=F("attempts") + 1, last_error=why, next_attempt_at=now + _wait(tried))
                failed += len(messages)
            else:
                chosen.update(attempts=F("attempts") + 1, last_error="", done_at=now)
                done += len(messages)
    return done, failed
