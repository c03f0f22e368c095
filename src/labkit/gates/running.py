"""Runs the six gates in their order and reports how far they are.

Rules:
- A failed gate does not end the run: one run shows every problem.
- A gate that breaks, or whose corpus or engine is not there, has failed; only a gate without a failure has passed.
"""

import time
import traceback
from collections.abc import Callable
from typing import Any, Final

from engines import ENGINE_NAMES
from labkit.corpora.manifest import CorpusBroken
from labkit.gates.bench import Advance, Bench, Found, Unusable
from labkit.gates.clean_corpus import clean_corpus
from labkit.gates.lint import lint
from labkit.gates.load import load
from labkit.gates.samples import claim, lost_detections, memory
from labkit.wire.messages import Failure, GateName, GateResult, GateState

GATES: Final[dict[GateName, Callable[[Bench, Advance], Found]]] = {
    "claim": claim,
    "clean_corpus": clean_corpus,
    "lost_detections": lost_detections,
    "memory": memory,
    "lint": lint,
    "load": load,
}

Report = Callable[[list[dict[str, Any]]], None]
Say = Callable[[str], None]


def run_gates(bench: Bench, report: Report, say: Say) -> dict[str, Any]:
    """The result of a gates job. `report` gets all six steps whenever one moves, `say` what the log should hold."""
    steps = {name: GateResult(name, "waiting") for name in GATES}

    def show() -> None:
        report([step.to_json() for step in steps.values()])

    for name, gate in GATES.items():
        start = time.monotonic()

        def advance(done: int, total: int, name: GateName = name, start: float = start) -> None:
            steps[name] = GateResult(name, "running", done, total, time.monotonic() - start)
            show()

        advance(0, 0)
        found = _found(gate, bench, advance, say)
        steps[name] = _result(name, steps[name], found, time.monotonic() - start)
        show()
    return {
        "gates": [step.to_json() for step in steps.values()],
        "engines": _engines(bench),
        "corpus": bench.corpus_facts(),
    }


def _found(gate: Callable[[Bench, Advance], Found], bench: Bench, advance: Advance, say: Say) -> Found:
    try:
        return gate(bench, advance)
    except (CorpusBroken, Unusable) as error:
        return Found(str(error), {}, [Failure(str(error))])
    except Exception as error:  # noqa: BLE001 - whatever breaks inside a gate, the gate has not passed
        say(f"a gate broke:\n{traceback.format_exc()}")
        what = f"The gate itself broke ({type(error).__name__}: {error}); see the lab worker's log"
        return Found(what, {}, [Failure(what)])


def _result(name: GateName, running: GateResult, found: Found, seconds: float) -> GateResult:
    state: GateState = "failed" if found.failures else "passed"
    total = max(running.total, running.done)
    done = total if state == "passed" else running.done
    return GateResult(name, state, done, total, seconds, found.summary, found.counts, tuple(found.failures))


def _engines(bench: Bench) -> dict[str, str | None]:
    """The version of each engine of the matrix; null for one that is not installed."""
    versions: dict[str, str | None] = {}
    for name in ENGINE_NAMES:
        try:
            versions[name] = bench.engine(name).version
        except Unusable:
            versions[name] = None  # the gates that needed it have failed and said why
    return versions
