"""A line whose unit has other settings than the pages: its beats decide, and a dead one is shown as dead."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from guardia.adapters.call_journal import MemoryJournals
from guardia.features.calls.operations import beat_line
from guardia.kernel.outside import replaced
from guardia.reports.line_health import GONE_AFTER, SILENT_AFTER, LineHealth, line_part, line_state

NOW = datetime(2026, 11, 28, 2, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
APART = "10.0.0.5:5060"
pytestmark = pytest.mark.django_db


def seen(ago: timedelta, where: str = APART) -> None:
    with transaction.atomic():
        beat_line("line-5060", NOW - ago, NOW - ago, 2, "registered", {"where": where} if where else {})


def state(*, port: int = 0, is_apart: bool = False) -> LineHealth | None:
    with override_settings(GUARDIA=replace(settings.GUARDIA, line_port=port, line_apart=is_apart)):
        return line_state(NOW)


def test_a_line_that_beats_is_seen_where_it_says_though_no_port_is_set_here() -> None:
    seen(SECOND)
    found = state()
    assert found is not None
    assert (found.is_up, found.calls, found.trunk, found.where) == (True, 2, "registered", APART)


@pytest.mark.parametrize("ago", [SILENT_AFTER + SECOND, timedelta(hours=3), GONE_AFTER])
def test_a_line_that_died_is_shown_as_dead_though_no_port_is_set_here(keys: None, ago: timedelta) -> None:
    seen(ago)
    found = state()
    assert found is not None
    assert (found.is_up, found.last_at, found.calls) == (False, NOW - ago, 0)
    with replaced(call_journals=MemoryJournals()), override_settings(GUARDIA=replace(settings.GUARDIA, line_port=0)):
        told = line_part(NOW)
    assert told is not None
    assert told["ok"] is False


def test_without_a_port_and_a_beat_there_is_no_line() -> None:
    assert state() is None
    seen(GONE_AFTER + SECOND)
    assert state() is None, "it was taken away"


def test_a_line_with_a_port_or_a_unit_apart_is_dead_until_it_is_seen_and_for_ever_after_it_died() -> None:
    for found in (state(port=5060), state(is_apart=True)):
        assert found is not None
        assert (found.is_up, found.last_at) == (False, None)
    seen(GONE_AFTER * 50)
    for found in (state(port=5060), state(is_apart=True)):
        assert found is not None
        assert (found.is_up, found.where) == (False, APART)


def test_a_beat_that_names_no_address_leaves_the_one_of_the_settings() -> None:
    seen(SECOND, where="")
    found = state(port=5061)
    assert found is not None
    assert found.where == f"{settings.GUARDIA.line_host}:5061"
