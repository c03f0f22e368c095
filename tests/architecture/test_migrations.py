"""Migrations are linear, named by intent, complete, and safe on tables that hold rows."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Index

MADE_BY_MACHINE = re.compile(r"_(auto|initial|merge|alter|rename|remove|add)(_|$)|_and_more$")
FOUNDING = {
    ("accounts", "0001_companies_people_and_machines"),
    ("audit", "0001_audit_trail"),
    ("audit", "0002_trail_is_append_only"),
    ("cases", "0001_cases_and_events"),
    ("cases", "0002_events_are_append_only_and_numbers_are_serial"),
    ("contracts", "0001_plans_contracts_and_quota"),
    ("contracts", "0002_ledger_is_append_only_and_terms_do_not_overlap"),
    ("lab", "0001_samples_jobs_drafts_and_approvals"),
    ("lab", "0002_approvals_are_append_only_and_drafts_keep_their_build"),
    ("outbox", "0001_outbox"),
    ("releases", "0001_record_log_lanes_and_proofs"),
    ("releases", "0002_three_people_passed_gates_and_lanes_that_only_go_on"),
    ("releases", "0003_lanes_cannot_be_emptied"),
    ("releases", "0004_proofs_are_kept_once_by_their_bytes"),
    ("sla", "0001_calendar_versions"),
}
"""The migrations of the first release, 0.1.0: they run on a new database only, so that nothing waits for their locks.
Until that release is tagged, a new migration may join them; afterwards the list is closed."""
NEVER = (
    migrations.RenameModel,
    migrations.RenameField,
    migrations.AlterModelTable,
    migrations.AlterUniqueTogether,
    migrations.AlterIndexTogether,
)
"""Running code of the release before would fail at once: add the new, move the rows, drop the old one release later."""
RISKY_SQL = {
    r"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)": "an index made without CONCURRENTLY stops every write",
    r"\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b": "a changed column type rewrites the table under its lock",
    r"\bSET\s+NOT\s+NULL\b": "SET NOT NULL reads the whole table under its lock: first a CHECK NOT VALID",
    r"\bADD\s+CONSTRAINT\b(?!.*\bNOT\s+VALID\b)": "a constraint without NOT VALID reads the whole table under its lock",
    r"\bLOCK\s+TABLE\b": "an explicit table lock stops everybody",
    r"\bVACUUM\s+FULL\b": "VACUUM FULL rewrites the table under an exclusive lock",
    r"\bTRUNCATE\s+(?!ON\b)\w": "TRUNCATE loses rows",
}


def own_migrations() -> dict[tuple[str, str], Migration]:
    """The project's own migrations, in no order."""
    loader = MigrationLoader(None)
    own = {config.label for config in apps.get_app_configs() if config.name.startswith("guardia.")}
    return {key: migration for key, migration in loader.disk_migrations.items() if key[0] in own}


def _made_tables(migration: Migration) -> set[str]:
    return {step.name.lower() for step in migration.operations if isinstance(step, migrations.CreateModel)}


def dangers(migration: Migration) -> Iterator[str]:
    """Why a migration would stop or break a server that is at work, a sentence for each step."""
    new = _made_tables(migration)
    for step in migration.operations:
        yield from _dangers_of(step, new, is_atomic=migration.atomic)


def _dangers_of(step: Operation, new: set[str], *, is_atomic: bool) -> Iterator[str]:
    what = type(step).__name__
    if isinstance(step, NEVER):
        yield f"{what}: the release before would fail; add the new beside the old"
    elif isinstance(step, AddIndexConcurrently | RemoveIndexConcurrently):
        if is_atomic:
            yield f"{what}: needs atomic = False"
    elif isinstance(step, migrations.RunPython | migrations.RunSQL):
        yield from _dangers_of_running(step, what)
    elif str(getattr(step, "model_name", "")).lower() not in new:
        yield from _dangers_of_changing(step, what)


def _dangers_of_running(step: migrations.RunPython | migrations.RunSQL, what: str) -> Iterator[str]:
    if not step.reversible:
        yield f"{what}: has no way back; give its reverse"
    if isinstance(step, migrations.RunSQL):
        sql = step.sql if isinstance(step.sql, str) else " ".join(map(str, step.sql))
        yield from (why for pattern, why in RISKY_SQL.items() if re.search(pattern, sql, re.IGNORECASE | re.DOTALL))


def _dangers_of_changing(step: Operation, what: str) -> Iterator[str]:
    if isinstance(step, migrations.AddIndex | migrations.AddConstraint):
        yield f"{what}: locks a table that has rows; use AddIndexConcurrently, or NOT VALID and then VALIDATE"
    elif isinstance(step, migrations.AlterField):
        yield f"{what} {step.name}: may rewrite the table; say the SQL that does not"
    elif isinstance(step, migrations.AddField):
        field = step.field
        if not (field.null or field.has_db_default() or field.many_to_many):
            yield f"{what} {step.name}: the release before cannot insert; give it null=True or db_default"


def test_each_app_has_one_line_of_migrations() -> None:
    own = own_migrations()
    followed = Counter(
        (app, parent)
        for (app, _name), migration in own.items()
        for parent in {dependency for dependency in migration.dependencies if dependency[0] == app}
    )
    assert [parent for (_app, parent), times in followed.items() if times > 1] == []
    numbers = {
        app: sorted(int(name.partition("_")[0]) for other, name in own if other == app) for app in {a for a, _ in own}
    }
    assert {app: found for app, found in numbers.items() if found != list(range(1, len(found) + 1))} == {}


def test_each_migration_is_named_by_its_intent() -> None:
    unclear = [name for _app, name in own_migrations() if MADE_BY_MACHINE.search(name)]
    assert unclear == []


def test_the_models_have_no_missing_migration() -> None:
    loader = MigrationLoader(None)
    found = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(loader.graph)
    assert {
        app: [str(step) for migration in made for step in migration.operations] for app, made in found.items()
    } == {}


def test_migrations_after_the_first_release_stop_nobody_at_work() -> None:
    told = {
        f"{app}.{name}": list(dangers(made))
        for (app, name), made in own_migrations().items()
        if (app, name) not in FOUNDING
    }
    assert {name: reasons for name, reasons in told.items() if reasons} == {}


def test_the_founding_migrations_exist() -> None:
    assert own_migrations().keys() >= FOUNDING


@pytest.mark.parametrize("way_back", [pytest.param(key, id=key[1]) for key in sorted(FOUNDING)])
def test_every_founding_migration_has_a_way_back(way_back: tuple[str, str]) -> None:
    steps = own_migrations()[way_back].operations
    assert [step for step in steps if not step.reversible] == []


class _Made(Migration):
    operations = [
        migrations.AddIndex("case", Index(fields=["state"], name="case_state")),
        migrations.RunSQL("CREATE INDEX slow ON cases_case (state)"),
        migrations.RenameField("case", "state", "status"),
    ]


def test_a_planted_danger_is_told() -> None:
    told = "\n".join(dangers(_Made("planted", "cases")))
    assert "locks a table" in told
    assert "without CONCURRENTLY" in told
    assert "no way back" in told
    assert "the release before would fail" in told
