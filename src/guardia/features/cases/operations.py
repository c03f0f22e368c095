"""Changes to cases: rows are added, events appended, projections saved."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.search import SearchVector
from django.db import connection
from django.db.models import F, Value
from django.db.models.lookups import Exact

from guardia.features.cases.models import NEVER_DUE, Case, CaseEvent, CaseFile, IdempotencyKey, Report, SavedView
from guardia.features.cases.rules import words
from guardia.features.cases.rules.projection import VERSIONS, EventFact, Projection
from guardia.kernel.ids import case_number
from guardia.kernel.many_rows import insert_rows
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
def next_case_numbers(count: int) -> list[str]:
    """Return the next free case numbers; numbers of undone transactions are skipped, never used twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('case_number_serial') FROM generate_series(1, %s)", [count])
        return [case_number(serial) for (serial,) in cursor.fetchall()]


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


@dataclass(frozen=True)
class FirstEvents:
    """A new case with its first events (type, payload), its projections set, and the words by which it is found."""

    case: Case
    facts: Sequence[EventFact]
    words: str


@operation
def add_cases(new: Sequence[FirstEvents], now: datetime) -> None:
    """Insert new cases, whole, with their first events, in two statements."""
    for one in new:
        one.case.words = word_vector(one.words)
    Case.objects.bulk_create([one.case for one in new])
    events = [
        CaseEvent(
            company_id=one.case.company_id,
            case=one.case,
            seq=fact.seq,
            type=fact.type,
            actor=dict(fact.actor),
            occurred_at=fact.occurred_at,
            recorded_at=now,
            payload=dict(fact.payload),
        )
        for one in new
        for fact in one.facts
    ]
    CaseEvent.objects.bulk_create(events)
    for one in new:
        one.case.__dict__.pop("words", None)  # an expression until here; nobody reads it back


@operation
def lock_case(case: Case) -> Case:
    """Return the case with its row locked: events of one case are appended one after the other."""
    return (
        Case.objects.of_company(case.company_id)
        .select_related("company")
        .defer("words")
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
        schema_version=VERSIONS.get(event_type, 1),
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
        "submitted_at": projection.arrived_at,
    }
    changed = [name for name, value in values.items() if getattr(case, name) != value]
    for name in changed:
        setattr(case, name, values[name])
    return changed


def word_vector(text: str) -> Any:
    """Return the words of a text as the search finds them: stemmed for both languages, with and without accents."""
    plain = words.without_accents(text)
    vector = SearchVector(Value(plain), config="spanish") + SearchVector(Value(plain), config="english")
    return vector if plain == text else vector + SearchVector(Value(text), config="spanish")


@operation
def save_projection(case: Case, columns: Iterable[str], vector: Any = None) -> None:
    """Save these columns of the row in hand (and where its events stand), with its words where they are given."""
    if vector is not None:
        case.words = vector
    case.save(update_fields=[*{*columns, "last_seq", *(["words"] if vector is not None else [])}])
    case.__dict__.pop("words", None)  # an expression until here; nobody reads it back


@operation
def has_words(case: Case, vector: Any) -> bool:
    """Whether the stored words of a locked case are these."""
    rows = Case.objects.of_company(case.company_id).filter(id=case.id)
    return rows.filter(Exact(F("words"), vector)).exists()  # the field's own `exact` is a search


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


# -- the ticker --


@operation
def lock_open_cases(ids: Sequence[UUID]) -> list[Case]:
    """Return those of these cases that are still open, their rows locked in the order of their ids."""
    rows = Case.objects.across_companies("the clocks of every open case are watched").filter(id__in=ids, closed_at=None)
    return list(rows.defer("words").order_by("id").select_for_update(of=("self",)))


@dataclass(frozen=True)
class Addition:
    """An event that the system appends to a locked case."""

    case: Case
    type: str
    payload: Mapping[str, Any]


@operation
def append_to_many(additions: Sequence[Addition], actor: Actor, now: datetime) -> None:
    """Append events to locked cases, set-based, and save what follows from them.

    Such events change no fact of a case; but the fold reads the clock as of the last event, so that an end which lies
    before `now` shows as the breach that it is.
    """
    ids = {one.case.id: (str(one.case.id), str(one.case.company_id)) for one in additions}
    events: list[dict[str, Any]] = []
    for one in additions:
        one.case.last_seq += 1
        case_id, company_id = ids[one.case.id]
        events.append(
            {
                "company_id": company_id,
                "case_id": case_id,
                "seq": one.case.last_seq,
                "type": one.type,
                "payload": one.payload,
            }
        )
    same = {"schema_version": 1, "actor": dict(actor.as_json()), "occurred_at": now, "recorded_at": now}
    insert_rows(CaseEvent, events, same=same)
    rows = list({one.case.id: one.case for one in additions}.values())
    with connection.cursor() as cursor:
        cursor.execute(_APPENDED, [now, now, [row.id for row in rows], [row.last_seq for row in rows]])


_APPENDED: Final = """
UPDATE cases_case AS held
SET last_seq = new.seq,
    breached_at = CASE WHEN clock_state = 'running' AND due_at < %s THEN due_at ELSE breached_at END,
    clock_state = CASE WHEN clock_state = 'running' AND due_at < %s THEN 'breached' ELSE clock_state END
FROM unnest(%s::uuid[], %s::int[]) AS new (id, seq)
WHERE held.id = new.id
"""


# -- calendars --


@dataclass(frozen=True)
class MovedCase:
    """A locked case under its new calendar version: the clock's columns, and what its event says."""

    case: Case
    clock: ClockColumns
    payload: Mapping[str, Any]


@operation
def move_calendars(moved: Sequence[MovedCase], version_id: UUID, actor: Mapping[str, str], now: datetime) -> None:
    """Let locked cases stand on another calendar version: one event each, and the columns that follow, set-based."""
    if not moved:
        return
    for one in moved:
        case, clock = one.case, one.clock
        case.last_seq += 1
        case.calendar_version_id = version_id
        case.clock_state, case.due_at, case.breached_at = clock.state, clock.due_at, clock.breached_at
        case.queue_due_at = clock.queue_due_at
    names = ("id", "company_id", "last_seq", "clock_state", "due_at", "breached_at", "queue_due_at")
    rows = [{name: getattr(one.case, name) for name in names} | {"payload": one.payload} for one in moved]
    written = json.dumps(rows, default=str)
    with connection.cursor() as cursor:
        cursor.execute(_MOVED_EVENTS, ["calendar_changed", json.dumps(actor), now, now, written])
        cursor.execute(_MOVED_CASES, [version_id, written])


# One document rather than an array for each column: a batch is written several times as fast.
_MOVED_EVENTS: Final = """
INSERT INTO cases_caseevent
    (company_id, case_id, seq, type, schema_version, actor, occurred_at, recorded_at, payload)
SELECT company_id, id, last_seq, %s, 1, %s::jsonb, %s, %s, payload
FROM json_to_recordset(%s::json) AS new (id uuid, company_id uuid, last_seq int, payload jsonb)
"""
_MOVED_CASES: Final = """
UPDATE cases_case AS held
SET calendar_version_id = %s, last_seq = new.last_seq, clock_state = new.clock_state, due_at = new.due_at,
    breached_at = new.breached_at, queue_due_at = new.queue_due_at
FROM json_to_recordset(%s::json) AS new (
    id uuid, last_seq int, clock_state text, due_at timestamptz, breached_at timestamptz, queue_due_at timestamptz
) WHERE held.id = new.id
"""


@operation
def wait_for_locks_at_most(span: str) -> None:
    """Let the rest of this transaction wait for locks only so long, such as `2s`; then OperationalError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [span])


# -- saved views --


@operation
def add_view(person_id: UUID, name: str, filters: Mapping[str, str], now: datetime) -> SavedView:
    """Keep a view at the end of a person's own ones."""
    views = SavedView.objects.filter(person_id=person_id)
    last = views.order_by("-position").values_list("position", flat=True).first()
    position = 0 if last is None else last + 1
    return SavedView.objects.create(
        person_id=person_id, name=name, filters=dict(filters), position=position, created_at=now
    )


@operation
def save_view(view: SavedView, **changes: Any) -> None:
    """Change a view's name or filters."""
    for name, value in changes.items():
        setattr(view, name, value)
    view.save(update_fields=list(changes))


@operation
def delete_view(view: SavedView) -> None:
    """Forget a view."""
    view.delete()


@operation
def order_views(views: Sequence[SavedView]) -> None:
    """Let a person's views stand in this order."""
    for position, view in enumerate(views):
        view.position = position
    SavedView.objects.bulk_update(views, ["position"])
