"""The load gate: each engine loads the whole build, twice, within time and memory, and scans a self-test set with it.

The loading is done by a process of its own (`load_probe`), so that time and peak memory are those of the load alone
and an engine that dies takes nobody along.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import labkit
from engines import ENGINE_NAMES
from labkit.gates.bench import Advance, Bench, Found, Unusable
from labkit.gates.self_test import write_self_test
from labkit.wire.messages import Failure

_GRACE_S: Final = 30.0


def load(bench: Bench, advance: Advance) -> Found:
    """The gate `load`: each engine loads the build within its budgets of time and memory, and scans, twice."""
    samples = write_self_test(bench.scratch / "self-test")
    failures: list[Failure] = []
    sentences: list[str] = []
    counts: dict[str, int | float] = {"self-test files": len(samples)}
    for at, engine in enumerate(ENGINE_NAMES, start=1):
        try:
            bench.engine(engine)
            facts = _probe(bench, engine, samples)
        except Unusable as error:
            failures.append(Failure(str(error), engine=engine))
        else:
            counts[f"{engine} seconds"] = facts["seconds"]
            counts[f"{engine} MiB"] = facts["mib"]
            sentences.append(f"{engine} loads in {facts['seconds']:.2f} s with {facts['mib']:.0f} MiB")
            failures += [Failure(what, engine=engine) for what in _over_budget(bench, engine, facts)]
        advance(at, len(ENGINE_NAMES))
    summary = failures[0].what if failures else "; ".join(sentences) + "; the self-test set is scanned, twice"
    return Found(summary, counts, failures)


def _probe(bench: Bench, engine: str, samples: list[Path]) -> dict[str, Any]:
    budget = bench.payload.budgets.load_s
    command = [sys.executable, "-m", "labkit.gates.load_probe", engine, str(bench.builds["build"]), *map(str, samples)]
    environment = {**os.environ, "PYTHONPATH": str(Path(labkit.__file__).parent.parent)}
    try:
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=2 * budget + _GRACE_S
        )
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"{engine} did not load the build twice within {2 * budget + _GRACE_S:.0f} s") from error
    if answer.returncode != 0:
        trouble = answer.stderr.strip().splitlines()[-1:] or [f"it ended with status {answer.returncode}"]
        raise Unusable(f"{engine} does not load the build: {trouble[0][:1000]}")
    facts: dict[str, Any] = json.loads(answer.stdout)
    return facts


def _over_budget(bench: Bench, engine: str, facts: dict[str, Any]) -> list[str]:
    budgets = bench.payload.budgets
    found = [f"{engine} with this build did not scan a self-test file: {reason}" for reason in facts["not_scanned"]]
    if facts["seconds"] > budgets.load_s:
        found.append(f"{engine} takes {facts['seconds']:.1f} s to load the build; the budget is {budgets.load_s:g} s")
    if facts["mib"] > budgets.load_mb:
        found.append(f"{engine} takes {facts['mib']:.0f} MiB to load the build; the budget is {budgets.load_mb:g} MiB")
    if not facts["same"]:
        found.append(f"{engine} says something else of the self-test set after the build is loaded again")
    return found
