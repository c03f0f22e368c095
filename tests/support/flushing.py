"""Emptying the database after a test with real commits (`django_db(transaction=True)`).

Append-only tables refuse TRUNCATE, as they must; only here, between tests, their triggers are put aside for the one
transaction that empties them. Procrastinate's tables, which Django does not manage, are emptied too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

_JOBS = "TRUNCATE procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"


def _empty(operations: Any, statements: Sequence[str]) -> None:
    alias = operations.connection.alias
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in (*statements, f"{_JOBS} CASCADE"):
            cursor.execute(statement)


def empty_job_tables() -> None:
    """Forget every job and worker."""
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute(f"{_JOBS} CASCADE")


@contextmanager
def flush_that_empties_append_only_tables() -> Iterator[None]:
    """Let Django's flush empty every table within the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", _empty)
        yield
