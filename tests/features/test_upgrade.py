"""A database of every released version, with data, is upgraded to the present one and still adds up."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.web_process import database_url

PROJECT = Path(__file__).resolve().parents[2]
DUMPS = sorted((PROJECT / "tests" / "vectors").glob("database-*.sql.gz"))


@pytest.fixture
def empty_database(db: None) -> Iterator[str]:
    """A database of its own beside the test database; gone afterwards."""
    url = database_url()
    name = f"upgrade_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
    front, _, query = url.partition("?")
    yield f"{front.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, check=False, cwd=PROJECT
    )


def test_there_is_a_database_of_every_released_version() -> None:
    lines = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    released = {line.split()[1] for line in lines if line.startswith("## 0")}
    assert released
    assert {path.name.removeprefix("database-").removesuffix(".sql.gz") for path in DUMPS} >= released


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.name)
def test_a_database_of_an_earlier_version_is_upgraded_with_its_data(dump: Path, empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as server:
        server.execute(gzip.decompress(dump.read_bytes()).decode())
    migrated = run(empty_database, "manage.py", "migrate", "--no-input", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    # `guardia run` does this by itself where migrations were applied: new columns of old cases, and their clocks.
    repaired = run(empty_database, "-m", "guardia.doors.cli.main", "rebuild", "--repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert " open cases are watched" in repaired.stdout
    rebuilt = run(empty_database, "-m", "guardia.doors.cli.main", "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert " 0 differ" in rebuilt.stdout
    with psycopg.connect(empty_database) as server:
        for table in ("cases_case", "cases_caseevent", "contracts_quotaentry", "releases_release", "releases_proof"):
            (count,) = server.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608
            assert count > 0, f"the data of {table} is lost"
