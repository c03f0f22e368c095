"""Fixtures of every test that needs the server: keys, a release tree, the cast of characters."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings

from guardia.kernel import clock
from guardia.wiring import hold_ceremony, make_lab_key
from tests.support.cast import Cast, make_cast
from tests.support.flushing import flush_that_empties_append_only_tables

MONDAY_10 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A working Monday, 10:00 in Madrid."""


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Hash the cast's passwords with the least work."""
    settings.PASSWORD_HASHERS = ["tests.support.passwords.QuickArgon2"]


@pytest.fixture(scope="session", autouse=True)
def flush() -> Iterator[None]:
    """Let tests with real commits begin and end with empty tables, append-only ones too."""
    with flush_that_empties_append_only_tables():
        yield


@pytest.fixture(scope="session")
def keys() -> None:
    """Development keys of this test run: lab key and signing keys."""
    if not (settings.GUARDIA.private / "keys" / "lab.json").exists():
        assert make_lab_key(settings.GUARDIA, "dev-1") == ""
    assert hold_ceremony(settings.GUARDIA, MONDAY_10) == ""


@pytest.fixture
def now() -> Iterator[datetime]:
    """The frozen present: Monday, 10:00 in Madrid."""
    with clock.frozen_at(MONDAY_10):
        yield MONDAY_10


@pytest.fixture
def cast(db: None, keys: None, now: datetime) -> Cast:
    """The sample data's companies and people, as actors, with the baseline release on both lanes of a fresh tree."""
    return make_cast(now)
