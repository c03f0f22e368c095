"""Changes to cases: rows are added, events appended, projections saved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from guardia.features.cases.models import NEVER_DUE, Case, CaseEvent, CaseFile, IdempotencyKey, Report
from guardia.features.cases.rules.projection import Projection
from guardia.kernel.ids import case_number
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class ArrivedFile:
    """A file that joins a case: its sample under quarantine and the name it came with."""

    sample_id: UUID
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ClockColumns:
    """The response clock's part of the projection."""

    state: str
    due_at: datetime | None
    breached_at: datetime | None
    answered_at: datetime | None
    answer_s: int | None = None
    """The working time from the clock's start to the qualified answer."""

    @property
    def queue_due_at(self) -> datetime:
        """The queue's key: an answered case has nothing due any more, and stands with those that never had."""
        return NEVER_DUE if self.due_at is None or self.answered_at is not None else self.due_at


@operation
def next_case_number() -> str:
    """Return the next free case number; numbers of undone transactions are skipped, never used twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('case_number_serial')")
        return case_number(cursor.fetchone()[0])


def new_case(**facts: Any) -> Case:
    """Return a case, unsaved, with what never changes; its projections follow from its first event."""
    return Case(
        **facts,
        case_class="undecided",
        severity=4,
        state="submitted",
        state_since=facts["submitted_at"],
        clock_state="best_effort",
        tier=2,
        plan_rank=0,
    )


@operation
def add_case(case: Case) -> None:
    """Insert a new case; its first event follows in the same transaction."""
    case.save(force_insert=True)


@operation
def lock_case(case: Case) -> Case:
    """Return the case with its row locked: events of one case are appended one after the other."""
    return (
        Case.objects.of_company(case.company_id)
        .select_related("company")
        .select_for_update(of=("self",))
        .get(id=case.id)
    )


@operation
def append_event(
    case: Case, event_type: str, actor: Actor, occurred_at: datetime, now: datetime, payload: Mapping[str, Any]
) -> CaseEvent:
    """Append the case's next event; the case must be locked by the caller (`lock_case`) or new."""
    case.last_seq += 1
    return CaseEvent.objects.create(
        company_id=case.company_id,
        case=case,
        seq=case.last_seq,
        type=event_type,
        actor=actor.as_json(),
        occurred_at=occurred_at,
        recorded_at=now,
        payload=dict(payload),
    )


def project(case: Case, projection: Projection, clock: ClockColumns) -> list[str]:
    """Put a projection into the row in hand, unsaved, and return the names of the columns that it changed."""
    values = {
        "case_class": projection.case_class,
        "severity": projection.severity,
        "tier": projection.tier,
        "plan_rank": projection.plan_rank,
        "state": projection.state,
        "state_since": projection.state_since,
        "state_reason": projection.state_reason[:300],
        "holder_id": projection.holder_id,
        "holder_name": projection.holder_name,
        "holder_since": projection.holder_since,
        "closed_at": projection.closed_at,
        "closed_how": projection.closed_how,
        "fixed_in": projection.fixed_in,
        "last_seq": projection.last_seq,
        "clock_state": clock.state,
        "due_at": clock.due_at,
        "breached_at": clock.breached_at,
        "answered_at": clock.answered_at,
        "answer_s": clock.answer_s,
        "queue_due_at": clock.queue_due_at,
        "queue_rank": -projection.plan_rank,
        "group": projection.group,
        "acknowledged_at": projection.acknowledged_at,
        "called_at": projection.called_at,
        "merged_into_id": projection.merged_into_id,
    }
    changed = [name for name, value in values.items() if getattr(case, name) != value]
    for name in changed:
        setattr(case, name, values[name])
    return changed


@operation
def save_projection(case: Case, columns: Iterable[str]) -> None:
    """Save these columns of the row in hand (and where its events stand)."""
    case.save(update_fields=[*{*columns, "last_seq"}])


@operation
def add_report(case: Case, values: Mapping[str, str]) -> Report:
    """Keep what a signature change request says."""
    return Report.objects.create(company_id=case.company_id, case=case, **values)


@operation
def add_files(case: Case, files: Iterable[ArrivedFile], role: str, event_seq: int, now: datetime) -> list[CaseFile]:
    """Let files join the case under the event that brought them."""
    return CaseFile.objects.bulk_create(
        [
            CaseFile(
                company_id=case.company_id,
                case=case,
                sample_id=file.sample_id,
                role=role,
                filename=file.filename,
                sha256=file.sha256,
                size=file.size,
                event_seq=event_seq,
                added_at=now,
            )
            for file in files
        ]
    )


@operation
def keep_answer(owner: str, key: str, request_digest: str, answer: Mapping[str, Any], now: datetime) -> None:
    """Keep the answer of a request, to be given again to its repetitions."""
    # A key whose answer is no longer given is free again: its row is taken over.
    IdempotencyKey.objects.update_or_create(
        owner=owner,
        key=key,
        defaults={"request_digest": request_digest, "answer": dict(answer), "created_at": now},
    )


@operation
def lock_key(owner: str, key: str) -> None:
    """Let requests with the same key wait for each other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{owner}\x1f{key}"])
