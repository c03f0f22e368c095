"""Whom a page by phone calls next: one after the other, each in their turn, and never without end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.sla.rules.paging import (
    AGAIN,
    AT_ONCE_THE_NEXT,
    OUTCOMES,
    PAUSE,
    RETRY,
    ROUNDS,
    TRIES,
    Attempt,
    Next,
    Over,
    in_order,
    next_call,
)

SINCE = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
RINGING = timedelta(seconds=25)
PEOPLE = ("ana", "ben", "cat")
FAILURES = (*AGAIN, *AT_ONCE_THE_NEXT)


def follow(order: tuple[str, ...], outcomes: list[str]) -> tuple[list[Attempt], Next | Over]:
    """Call as the rule says; every call ends after `RINGING` with the next of these outcomes."""
    tried: list[Attempt] = []
    said = next_call(order, tried, SINCE)
    for outcome in outcomes:
        if isinstance(said, Over):
            break
        tried.append(Attempt(said.person, outcome, said.at + RINGING, said.round))
        said = next_call(order, tried, SINCE)
    return tried, said


def called(*outcomes: str, order: tuple[str, ...] = PEOPLE) -> str:
    tried, said = follow(order, list(outcomes))
    return " ".join([*(attempt.person for attempt in tried), said.person if isinstance(said, Next) else said.outcome])


def test_the_first_is_called_at_once() -> None:
    assert next_call(PEOPLE, [], SINCE) == Next("ana", SINCE)


@pytest.mark.parametrize("outcome", AGAIN)
def test_who_does_not_answer_is_called_again_after_a_minute_and_then_the_next_is(outcome: str) -> None:
    tried, said = follow(PEOPLE, [outcome])
    assert said == Next("ana", tried[-1].ended_at + RETRY)
    tried, said = follow(PEOPLE, [outcome, outcome])
    assert said == Next("ben", tried[-1].ended_at)


@pytest.mark.parametrize("outcome", AT_ONCE_THE_NEXT)
def test_who_cannot_or_will_not_makes_room_at_once(outcome: str) -> None:
    tried, said = follow(PEOPLE, [outcome])
    assert said == Next("ben", tried[-1].ended_at)
    assert called("no_answer", outcome) == "ana ana ben"


def test_an_acknowledgement_ends_it() -> None:
    assert called("declined", "acknowledged") == "ana ben acknowledged"


def test_after_everybody_the_next_round_waits_and_after_the_last_nobody_was_reached() -> None:
    tried, said = follow(PEOPLE, ["declined"] * 3)
    assert said == Next("ana", tried[-1].ended_at + PAUSE, 2)
    assert called(*["declined"] * 99) == " ".join([*PEOPLE * ROUNDS, "nobody"])


def test_with_nobody_to_call_it_is_over() -> None:
    assert next_call((), [], SINCE) == Over("nobody")


def test_who_comes_on_duty_meanwhile_has_a_turn_and_who_left_is_called_no_more() -> None:
    tried = [Attempt("ana", "no_answer", SINCE)]
    assert next_call(("dan", "ben"), tried, SINCE) == Next("dan", SINCE)


def test_everybody_stands_once_in_the_order_at_the_first_place() -> None:
    assert in_order(["ben"], ["ana", "ben"], ["cat", "ana"]) == ("ben", "ana", "cat")


orders = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True).map(tuple)


@given(orders, st.lists(st.sampled_from(FAILURES), min_size=100, max_size=100))
def test_it_always_ends_in_order_and_with_one_phone_at_a_time(order: tuple[str, ...], outcomes: list[str]) -> None:
    tried, said = follow(order, outcomes)
    assert said == Over("nobody")
    assert len(tried) <= len(order) * TRIES * ROUNDS
    for number in range(1, ROUNDS + 1):
        turns = [attempt.person for attempt in tried if attempt.round == number]
        assert tuple(dict.fromkeys(turns)) == order
        assert all(turns.count(person) <= TRIES for person in order)
        assert sum(one != other for one, other in pairwise(turns)) == len(order) - 1
    starts = [attempt.ended_at - RINGING for attempt in tried]
    ends = [attempt.ended_at for attempt in tried]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


@given(st.lists(st.tuples(orders, st.sampled_from(OUTCOMES)), min_size=200, max_size=200))
def test_it_ends_whoever_comes_and_goes(steps: list[tuple[tuple[str, ...], str]]) -> None:
    tried: list[Attempt] = []
    for order, outcome in steps:
        said = next_call(order, tried, SINCE)
        if isinstance(said, Over):
            assert (said.outcome == "acknowledged") == any(one.outcome == "acknowledged" for one in tried)
            return
        assert said.person in order
        tried.append(Attempt(said.person, outcome, said.at + RINGING, said.round))
    pytest.fail("it did not end")
