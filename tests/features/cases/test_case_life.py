"""Which act is open in which state: the whole table, and no state without a way on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.cases.rules.life import MOVES, refusal, state_after
from guardia.kernel.vocabulary import CaseState as S

ENDS = {S.CLOSED, S.REJECTED}
OPEN = set(S) - ENDS
TABLE: dict[str, tuple[set[S], S | None]] = {
    "take": (OPEN, S.IN_PROGRESS),
    "assign": (OPEN, S.IN_PROGRESS),
    "put_back": (OPEN, None),
    "change_group": (OPEN, None),
    "message": (OPEN, None),
    "answer": (OPEN, None),
    "wait": (OPEN - {S.SUBMITTED, S.WAITING_CUSTOMER}, S.WAITING_CUSTOMER),
    "resume": ({S.WAITING_CUSTOMER}, S.IN_PROGRESS),
    "to_lab": (OPEN - {S.WITH_LAB}, S.WITH_LAB),
    "solution": (OPEN - {S.SUBMITTED}, S.SOLUTION_OFFERED),
    "close": (OPEN, S.CLOSED),
    "reopen": ({S.CLOSED}, S.REOPENED),
    "reject": ({S.SUBMITTED, S.TRIAGED, S.IN_PROGRESS, S.WITH_LAB}, S.REJECTED),
}


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("act", list(TABLE))
def test_an_act_is_open_exactly_where_the_table_says(act: str, state: S) -> None:
    open_in, leads_to = TABLE[act]
    assert (refusal(act, state) == "") == (state in open_in)
    if state in open_in:
        assert state_after(act, state) == (leads_to or state)


def test_there_is_no_act_beside_the_table() -> None:
    assert set(MOVES) == set(TABLE)


def test_a_rejected_case_stays_rejected_and_a_closed_one_can_only_be_reopened() -> None:
    assert [act for act in MOVES if refusal(act, S.REJECTED) == ""] == []
    assert [act for act in MOVES if refusal(act, S.CLOSED) == ""] == ["reopen"]


@given(acts=st.lists(st.sampled_from(list(MOVES)), max_size=30))
def test_whatever_is_tried_in_whatever_order_every_refusal_has_its_sentence(acts: list[str]) -> None:
    state = S.SUBMITTED
    for act in acts:
        why = refusal(act, state)
        if why:
            assert why.endswith(".")
        else:
            state = state_after(act, state)
    if state not in ENDS:
        assert refusal("close", state) == ""
