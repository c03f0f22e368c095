"""What is once written stays as it was: the database itself refuses, whoever asks."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from tests.support.cast import Cast
from tests.support.lab_bench import Bench

from guardia.features.accounts.operations import enrol, issue_code
from guardia.features.accounts.queries import find_open_code
from guardia.journeys.prove_correction import accept_proof
from guardia.kernel.vocabulary import Lane

# ruff: noqa: S608  the names of tables and columns are those of this file
pytestmark = pytest.mark.django_db

APPEND_ONLY = (
    "cases_caseevent",
    "contracts_quotaentry",
    "lab_approval",
    "lab_determination",
    "releases_release",
    "releases_evidence",
    "releases_proof",
    "audit_auditentry",
)


def refused(statement: str) -> str:
    """Return the database's sentence for a refused statement, or an empty string where it went through."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error)
    return ""


def columns_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.fixture
def everything_written(cast: Cast) -> Cast:
    """A story after which every append-only table has rows."""
    bench = Bench(cast)
    number = bench.reported()
    bench.determine(number)
    bench.released(number)
    person = cast.people["plus_admin"]
    with transaction.atomic():
        code = find_open_code(issue_code(person.company_id, "taller-07", person.id, cast.now), cast.now)
        assert code is not None
        machine, _ = enrol(code, "taller-07", b"k" * 32, Lane.ACCELERATED, cast.now)
    accept_proof(machine, cast.now, b"no statement at all", b"s" * 64)
    return cast


def test_no_row_of_an_append_only_table_can_be_changed_or_removed(everything_written: Cast) -> None:
    for table in APPEND_ONLY:
        assert rows_of(table) > 0, f"the story wrote nothing to {table}"
        for column in columns_of(table):
            assert "append-only" in refused(f"UPDATE {table} SET {column} = {column}"), f"{table}.{column}"
        assert "append-only" in refused(f"DELETE FROM {table}"), table


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_an_append_only_table_cannot_be_emptied(table: str) -> None:
    assert "append-only" in refused(f"TRUNCATE {table} CASCADE")


def other_value(column: str, kind: str) -> str:
    """Return SQL that differs from what a column of lab_draft has."""
    if kind == "jsonb":
        return '\'[{"op": "DEL"}]\'::jsonb'
    if kind == "uuid":
        return f"'{uuid4()}'"
    if kind == "integer":
        return f"{column} + 1"
    if kind == "timestamp with time zone":
        return f"{column} + interval '1 second'"
    return "'other'"


def test_a_draft_keeps_everything_but_its_state(everything_written: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'lab_draft'")
        columns = dict(cursor.fetchall())
    assert len(columns) > 10
    assert refused("UPDATE lab_draft SET state = 'superseded'") == ""
    for column, kind in columns.items():
        if column != "state":
            sentence = refused(f"UPDATE lab_draft SET {column} = {other_value(column, kind)}")
            assert "never edited" in sentence, f"{column}: {sentence or 'went through'}"
    assert "never edited" in refused("DELETE FROM lab_draft")


def test_drafts_cannot_be_emptied_away(everything_written: Cast) -> None:
    assert refused("TRUNCATE lab_draft")
    assert "append-only" in refused("TRUNCATE lab_draft CASCADE")
    assert rows_of("lab_draft") == 1


def test_lanes_cannot_be_emptied_so_that_they_may_go_back(everything_written: Cast) -> None:
    assert "never without a release" in refused("DELETE FROM releases_lanepointer")
    assert "never without a release" in refused("TRUNCATE releases_lanepointer")
    assert rows_of("releases_lanepointer") == 2
