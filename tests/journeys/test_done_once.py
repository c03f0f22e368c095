"""A key makes a repetition give the first answer, for a day; after that it is a key like any other."""

from datetime import timedelta

import pytest
from tests.support.cast import Cast

from guardia.journeys.move_case import close_case
from guardia.journeys.once import once
from guardia.journeys.open_case import open_case
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import Refused

pytestmark = pytest.mark.django_db


def test_without_a_key_nothing_is_remembered(cast: Cast) -> None:
    assert open_case(cast.plus, cast.now, cast.request()) != open_case(cast.plus, cast.now, cast.request())


@pytest.mark.parametrize("hours", [0, 1, 23.9])
def test_within_a_day_the_first_answer_is_given_again(cast: Cast, hours: float) -> None:
    first = open_case(cast.plus, cast.now, cast.request(), "key")
    assert open_case(cast.plus, cast.now + timedelta(hours=hours), cast.request(), "key") == first


def test_after_a_day_the_key_is_free_again(cast: Cast) -> None:
    first = open_case(cast.plus, cast.now, cast.request(), "key")
    later = cast.now + timedelta(hours=24, seconds=1)
    second = open_case(cast.plus, later, cast.request(subject="Something else"), "key")
    assert second.number != first.number
    assert open_case(cast.plus, later, cast.request(subject="Something else"), "key") == second


def test_one_key_for_two_acts_is_refused(cast: Cast) -> None:
    number = cast.open().number
    write_message(cast.plus, cast.now, number, "Hello", idempotency_key="form-token")
    with pytest.raises(Refused, match="another request"):
        close_case(cast.plus, cast.now, number, "withdrawn", "No longer needed.", idempotency_key="form-token")


def test_a_form_sent_twice_writes_one_message(cast: Cast) -> None:
    number = cast.open().number
    first = write_message(cast.plus, cast.now, number, "Hello", idempotency_key="form-token")
    assert write_message(cast.plus, cast.now, number, "Hello", idempotency_key="form-token") == first
    assert write_message(cast.plus, cast.now, number, "Hello", idempotency_key="next-form") == first + 1


def test_a_refused_request_does_not_use_its_key_up(cast: Cast) -> None:
    number = cast.open().number
    with pytest.raises(RuntimeError, match="the disk"):
        once(cast.plus, cast.now, "key", "act", {}, _fail)
    assert write_message(cast.plus, cast.now, number, "Hello", idempotency_key="key")


def _fail() -> dict[str, str]:
    raise RuntimeError("the disk is full")


@pytest.mark.parametrize("key", ["k" * 121, "a\x00b", "line\nbreak"])
def test_a_key_that_cannot_be_kept_is_refused_with_a_sentence(cast: Cast, key: str) -> None:
    with pytest.raises(Refused):
        open_case(cast.plus, cast.now, cast.request(), key)
