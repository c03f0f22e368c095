"""Copies of a case by the thousand, by SQL: with its log and its watched clocks.

Every copy has an id and number of its own; what follows from its events is right as long as nothing is shifted.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.apps import apps
from django.db import connection, transaction

from guardia.kernel.ids import case_number, uuid7

FIRST_SERIAL = 5_000_000
CHUNK = 20_000
TABLES = (("cases", "Case"), ("cases", "CaseEvent"), ("sla", "ClockWatch"))


def copy_case(number: str, count: int, *, shifts: Sequence[timedelta] = (), first: int = FIRST_SERIAL) -> None:
    """Make `count` copies of a case; the n-th stands `shifts[n]` later in time, where shifts are given."""
    for start in range(0, count, CHUNK):
        new = [
            (uuid7(), case_number(first + index), shifts[index] if shifts else timedelta(0))
            for index in range(start, min(start + CHUNK, count))
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            for app, model in TABLES:
                cursor.execute(_statement(app, model), [*map(list, zip(*new, strict=True)), number])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_case, cases_caseevent, sla_clockwatch")


def _statement(app: str, model: str) -> str:
    meta = apps.get_model(app, model)._meta
    columns: dict[str, str] = {}
    for field in meta.concrete_fields:
        kind, old = field.get_internal_type(), f'old."{field.column}"'
        if kind != "BigAutoField":
            shifted = f"{old} + new.shift" if kind == "DateTimeField" else old
            columns[field.column] = _own(model).get(field.column, shifted)
    names = ", ".join(f'"{name}"' for name in columns)
    link = "id" if model == "Case" else "case_id"
    return f"""
        INSERT INTO {meta.db_table} ({names})
        SELECT {", ".join(columns.values())}
        FROM unnest(%s::uuid[], %s::text[], %s::interval[]) AS new (id, number, shift),
             {meta.db_table} AS old JOIN cases_case AS original ON original.id = old.{link}
        WHERE original.number = %s
    """  # noqa: S608  names of our own tables


def _own(model: str) -> Mapping[str, str]:
    if model == "Case":
        due = "CASE WHEN old.due_at IS NULL THEN old.queue_due_at ELSE old.queue_due_at + new.shift END"
        return {"id": "new.id", "number": "new.number", "queue_due_at": due}
    if model == "CaseEvent":
        return {"case_id": "new.id"}
    moved = "jsonb_build_array(mark->>0, ((mark->>1)::timestamptz + new.shift)::text)"
    marks = f"(SELECT coalesce(jsonb_agg({moved}), '[]') FROM jsonb_array_elements(old.marks) AS mark)"  # noqa: S608
    return {"id": "gen_random_uuid()", "case_id": "new.id", "marks": marks}
