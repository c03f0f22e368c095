"""Cases by the dozen for tests of lists: rows with the columns that a list reads, without their stories."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Value

from guardia.features.cases.models import NEVER_DUE, Case
from guardia.features.cases.queries import get_case_for
from guardia.kernel.ids import case_number, uuid7
from tests.support.cast import Cast


def plain_case(cast: Cast, part: str = "plus") -> Case:
    """A case that somebody opened, to make others like it."""
    return get_case_for(cast.engineer, cast.open(part).number)


def many_like(case: Case, facts: Sequence[Mapping[str, Any]], first: int = 6_000_000) -> list[Case]:
    """Insert a case like this one for each of the facts, changed as they say; return them in the order given."""
    names = [field.attname for field in Case._meta.concrete_fields if field.name != "words"]
    like = {name: getattr(case, name) for name in names}
    rows = []
    for number, changes in enumerate(facts):
        row = Case(**{**like, "id": uuid7(), "number": case_number(first + number), **changes})
        row.words = Value(None)
        rows.append(row)
    return Case.objects.bulk_create(rows)


def queue_facts(
    at: datetime, tier: int, severity: int, due_h: int | None, rank: int, age_days: int, **more: Any
) -> dict[str, Any]:
    """The keys of the queue as columns: `due_h` hours from now (None: no target), so many days old."""
    due = None if due_h is None else at + timedelta(hours=due_h)
    return {
        "tier": tier, "severity": severity, "due_at": due, "queue_due_at": due or NEVER_DUE, "plan_rank": rank,
        "queue_rank": -rank, "submitted_at": at - timedelta(days=age_days), **more,
    }  # fmt: skip


def ids(rows: list[Case]) -> list[UUID]:
    """Return whose rows these are."""
    return [row.id for row in rows]
