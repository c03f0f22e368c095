"""A run of the gates has passed only where all six passed in both engines on a corpus that has files."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.lab.rules.gates import ENGINES, GATES, shortfalls


def passed(**changed: Any) -> dict[str, Any]:
    gates = [{"gate": gate, "state": "passed"} for gate in GATES]
    return {"gates": gates, "engines": dict.fromkeys(ENGINES, "1.0"), "corpus": {"files": 20_000}, **changed}


def test_six_passed_gates_in_both_engines_on_a_full_corpus_have_passed() -> None:
    assert shortfalls(passed()) == []


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_did_not_run_fails_the_run(gate: str) -> None:
    gates = [entry for entry in passed()["gates"] if entry["gate"] != gate]
    assert shortfalls(passed(gates=gates)) == [f"gate {gate}: did not run"]


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("state", ["failed", "running", "waiting", "", "Passed", None])
def test_a_gate_in_any_other_state_fails_the_run(gate: str, state: str | None) -> None:
    gates = [{**entry, "state": state} if entry["gate"] == gate else entry for entry in passed()["gates"]]
    assert len(shortfalls(passed(gates=gates))) == 1


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_is_reported_twice_must_have_passed_both_times(gate: str) -> None:
    said = {"gate": gate, "state": "failed"}
    assert shortfalls(passed(gates=[*passed()["gates"], said]))
    assert shortfalls(passed(gates=[said, *passed()["gates"]]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("version", [None, ""])
def test_a_missing_engine_fails_the_run(engine: str, version: str | None) -> None:
    assert shortfalls(passed(engines={**passed()["engines"], engine: version})) == [f"engine {engine} took no part"]
    others = {name: "1.0" for name in ENGINES if name != engine}
    assert shortfalls(passed(engines=others)) == [f"engine {engine} took no part"]


@pytest.mark.parametrize("corpus", [{}, {"files": 0}, {"files": -1}, {"files": None}, {"files": "many"}, None, []])
def test_an_empty_or_unreadable_corpus_fails_the_run(corpus: Any) -> None:
    assert shortfalls(passed(corpus=corpus)) == ["the clean corpus is empty"]


@pytest.mark.parametrize("result", [{}, {"gates": None, "engines": None, "corpus": None}, {"gates": ["claim"]}])
def test_findings_without_form_fail_every_gate(result: dict[str, Any]) -> None:
    assert len(shortfalls(result)) == len(GATES) + len(ENGINES) + 1


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(result=st.dictionaries(st.sampled_from(["gates", "engines", "corpus", "passed"]), anything))
def test_no_made_up_findings_pass(result: dict[str, Any]) -> None:
    assert shortfalls(result)
