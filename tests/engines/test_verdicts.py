from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import Verdict

NAMES = st.lists(st.text(min_size=1), min_size=1).map(tuple)


@given(names=NAMES)
def test_a_verdict_survives_its_json(names: tuple[str, ...]) -> None:
    verdict = Verdict("clamav", "1.4.6", "detected", names)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_names_are_sorted_and_single_so_that_equal_findings_are_equal() -> None:
    assert Verdict("e", "1", "detected", ("b", "a", "b")).names == ("a", "b")


@pytest.mark.parametrize(
    ("outcome", "names", "reason"),
    [
        ("clean", (), None),
        ("detected", (), None),
        ("not_detected", ("x",), None),
        ("not_scanned", (), None),
        ("not_detected", (), "why"),
    ],
    ids=["unknown word", "detected as nothing", "names without detection", "not scanned for no reason", "odd reason"],
)
def test_a_verdict_that_contradicts_itself_is_refused(outcome: Any, names: tuple[str, ...], reason: str | None) -> None:
    with pytest.raises(ValueError, match="verdict of e"):
        Verdict("e", "1", outcome, names, reason)


@pytest.mark.parametrize("broken", [{}, {"engine": 1}, {"engine": "e", "engine_version": "1", "outcome": "x"}])
def test_a_broken_document_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="verdict"):
        Verdict.from_json(broken)
