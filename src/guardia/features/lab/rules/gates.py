"""The six gates, and when a run of them has passed. The worker reports; this rule decides, and fails closed."""

from collections.abc import Mapping
from typing import Any

GATES = ("claim", "clean_corpus", "lost_detections", "memory", "lint", "load")
ENGINES = ("yara-x", "clamav")


def shortfalls(result: Mapping[str, Any]) -> list[str]:
    """Return what a run lacks to have passed, as sentences; empty only where all six gates passed in both engines.

    A gate that is reported more than once must have passed each time; what has no readable form has not passed.
    """
    states: dict[str, str] = {}
    for entry in _entries(result.get("gates")):
        gate, state = str(entry.get("gate")), str(entry.get("state"))
        if states.get(gate, "passed") == "passed":
            states[gate] = state
    engines, corpus = _fields(result.get("engines")), _fields(result.get("corpus"))
    found = [f"gate {gate}: {states.get(gate, 'did not run')}" for gate in GATES if states.get(gate) != "passed"]
    found += [f"engine {engine} took no part" for engine in ENGINES if not engines.get(engine)]
    files = corpus.get("files")
    if not isinstance(files, int) or files <= 0:
        found.append("the clean corpus is empty")
    return found


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _entries(value: Any) -> list[Mapping[str, Any]]:
    return [_fields(entry) for entry in value] if isinstance(value, list) else []
