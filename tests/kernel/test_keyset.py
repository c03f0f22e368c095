"""A place in a list as text: read as written, and refused where it is not one of ours."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.kernel.keyset import Order

SOMEBODY = "5ef77f92-8ae9-480c-9d0d-de937027a706"
ORDER = Order("queue", {"tier": int, "at": datetime, "id": UUID})
INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(st.integers(-(2**31) + 1, 2**31 - 1), INSTANTS, st.uuids())
def test_a_place_is_read_as_it_was_written(tier: int, at: datetime, row: UUID) -> None:
    text = ORDER.text_of((tier, at, row))
    assert text.isascii()
    assert ORDER.read(text) == (tier, at, row)


def _text(written: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(written).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "****",
        "ñ",
        _text(["closed", 1, "2026-11-23T09:00:00+00:00", SOMEBODY]),
        _text(["queue", 1]),
        _text(["queue", True, "2026-11-23T09:00:00+00:00", SOMEBODY]),
        _text(["queue", 2**40, "2026-11-23T09:00:00+00:00", SOMEBODY]),
        _text(["queue", 1, "2026-11-23T09:00:00", SOMEBODY]),
        _text(["queue", 1, "0001-01-01T00:00:00+23:00", SOMEBODY]),
        _text(["queue", 1, 5, SOMEBODY]),
        _text(["queue", 1, "2026-11-23T09:00:00+00:00", "1 OR 1=1"]),
        _text({"queue": 1}),
        _text(7),
        _text([]),
        _text(["queue", 1, "2026-11-23T09:00:00+00:00", SOMEBODY]) * 9,
    ],
)
def test_a_text_that_is_no_place_of_this_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever is wrong with it
        ORDER.read(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        ORDER.read(text)
