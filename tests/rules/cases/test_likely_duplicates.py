"""Which cases are proposed as the same problem: by weight of the reasons, the likeliest first."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from guardia.features.cases.rules.duplicates import Alike, likely, reasons

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOTHING_ALIKE: dict[str, Any] = {
    "is_same_file": False,
    "is_same_detection": False,
    "words": 0,
    "asked": 4,
    "is_same_opener": False,
    "is_other_channel": False,
}


def alike(number: str = "1", after: timedelta = timedelta(hours=1), **facts: Any) -> Alike:
    return Alike(case_id=uuid4(), number=number, submitted_at=AT + after, **{**NOTHING_ALIKE, **facts})


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"is_same_file": True}, ("same_file",)),
        ({"is_same_detection": True}, ("same_detection",)),
        ({"words": 3}, ("similar_words",)),
        ({"is_same_opener": True, "is_other_channel": True}, ("same_sender", "other_channel")),
        ({"words": 4, "is_same_opener": True}, ("similar_words", "same_sender")),
    ],
)
def test_a_case_is_proposed_with_its_reasons(facts: dict[str, Any], why: tuple[str, ...]) -> None:
    assert [one.why for one in likely([alike(**facts)], AT)] == [why]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"is_other_channel": True},
        {"is_same_opener": True},
        {"words": 2},
        {"words": 1, "asked": 1},
        {"words": 2, "is_other_channel": True, "is_same_opener": False},
    ],
)
def test_a_case_that_has_too_little_in_common_is_not_proposed(facts: dict[str, Any]) -> None:
    assert likely([alike(**facts)], AT) == []


def test_the_same_person_counts_for_72_hours_before_and_after() -> None:
    edge = timedelta(hours=72)
    for after in (edge, -edge):
        assert reasons(alike(after=after, is_same_opener=True), AT) == ("same_sender",)
        beyond = after + timedelta(seconds=1) * (1 if after > timedelta(0) else -1)
        assert reasons(alike(after=beyond, is_same_opener=True), AT) == ()


def test_five_are_proposed_the_heaviest_first_then_the_nearest() -> None:
    far = [alike(str(n), timedelta(hours=n), words=4) for n in range(8, 1, -1)]
    found = likely([*far, alike("9", timedelta(days=20), is_same_file=True)], AT)
    assert [one.number for one in found] == ["9", "2", "3", "4", "5"]
