"""The six gates, and when a run of them has passed. The worker reports; this rule decides, and fails closed."""

from collections.abc import Mapping
from typing import Any

GATES = ("claim", "clean_corpus", "lost_detections", "memory", "lint", "load")
ENGINES = ("yara-x", "clamav")


def shortfalls(result: Mapping[str, Any]) -> list[str]:
    """Return what a run lacks to have passed, as sentences; empty only where all six gates passed in both engines."""
    states = {str(gate.get("gate")): str(gate.get("state")) for gate in result.get("gates", [])}
    found = [f"gate {gate}: {states.get(gate, 'did not run')}" for gate in GATES if states.get(gate) != "passed"]
    found += [f"engine {engine} took no part" for engine in ENGINES if not result.get("engines", {}).get(engine)]
    if int(result.get("corpus", {}).get("files", 0)) <= 0:
        found.append("the clean corpus is empty")
    return found
