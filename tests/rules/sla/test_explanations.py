"""The arithmetic behind an end, as objects and for reading."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from tests.rules.sla.scenarios import MADRID, PLUS, scenario_objects, vectors

from guardia.features.sla.rules.explanations import as_text, explain
from guardia.features.sla.rules.scenario import Scenario, read_scenarios

CALLED = {
    "name": "called on Friday",
    "calendar": {**MADRID, "open_on": {"2026-11-20": [["17:00", "18:00"]]}},
    "policy": PLUS,
    "events": [
        {"at": "2026-11-20T17:30:00+01:00", "type": "submitted", "severity": 1},
        {"at": "2026-11-20T20:30:00+01:00", "type": "phone_confirmed"},
    ],
    "as_of": "2026-11-20T21:00:30+01:00",
}


def test_an_explanation_has_exactly_the_fields_of_the_specification() -> None:
    assert explain(Scenario.parse(CALLED)) == {
        "name": "called on Friday",
        "state": "running",
        "due_at": "2026-11-21T00:00:00+01:00",
        "breached_at": None,
        "answered_at": None,
        "remaining_s": 10_770,
        "steps": [
            {
                "from": "2026-11-20T17:30:00+01:00",
                "to": "2026-11-20T18:00:00+01:00",
                "seconds": 1800,
                "total_s": 1800,
                "why": "opening",
            },
            {
                "from": "2026-11-20T20:30:00+01:00",
                "to": "2026-11-21T00:00:00+01:00",
                "seconds": 12_600,
                "total_s": 14_400,
                "why": "call",
            },
        ],
    }


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_every_vector_is_explained_to_its_end(vector: dict[str, Any]) -> None:
    explanation = explain(Scenario.parse(vector))
    facts = {key: explanation[key] for key in ("state", "due_at", "breached_at", "answered_at")}
    assert facts == vector["expect"]
    check_steps(json.loads(json.dumps(explanation)))


@given(written=scenario_objects())
def test_any_explanation_adds_up(written: dict[str, Any]) -> None:
    check_steps(json.loads(json.dumps(explain(Scenario.parse(written)))))


def check_steps(explanation: dict[str, Any]) -> None:
    total, until = 0, None
    for step in explanation["steps"]:
        starts_at, ends_at = datetime.fromisoformat(step["from"]), datetime.fromisoformat(step["to"])
        total += step["seconds"]
        assert step["seconds"] == (ends_at - starts_at).total_seconds() > 0
        assert step["total_s"] == total
        assert until is None or until <= starts_at
        until = ends_at
    if explanation["steps"]:
        assert explanation["steps"][-1]["to"] == explanation["due_at"]
    ended = explanation["due_at"] is None or explanation["answered_at"] is not None
    assert (explanation["remaining_s"] is None) == ended


def test_the_text_shows_the_same() -> None:
    assert as_text(explain(Scenario.parse(CALLED))).splitlines() == [
        "called on Friday",
        "  state      running",
        "  due        Sat 2026-11-21 00:00:00+01:00",
        "  breached   none",
        "  answered   none",
        "  remaining  2 h 59 min 30 s",
        "  the time that counts, up to the end in force:",
        (
            "    Fri 2026-11-20 17:30:00+01:00 to Fri 2026-11-20 18:00:00+01:00"
            "        30 min  in all       30 min  opened for this date"
        ),
        (
            "    Fri 2026-11-20 20:30:00+01:00 to Sat 2026-11-21 00:00:00+01:00"
            "    3 h 30 min  in all          4 h  every hour, since the call"
        ),
    ]


def test_a_name_cannot_steer_the_terminal() -> None:
    (scenario,) = read_scenarios(json.dumps({**CALLED, "name": "one\n\u001b[2Jtwo"}))
    assert as_text(explain(scenario)).splitlines()[0] == "one??[2Jtwo"
