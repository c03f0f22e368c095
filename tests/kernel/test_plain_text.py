"""Whatever text comes in, the database can keep what the doors let through."""

from hypothesis import given
from hypothesis import strategies as st

from guardia.kernel.plain_text import plain_json, plain_text

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@given(ANY_TEXT)
def test_plain_text_can_always_be_kept_and_is_plain_already(text: str) -> None:
    plain = plain_text(text)
    assert "\x00" not in plain
    assert plain.encode("utf-8").decode() == plain
    assert plain_text(plain) == plain


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_that_can_be_kept_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


def test_every_text_of_a_json_value_is_made_plain() -> None:
    value = {"a\x00": ["b\x00", {"c": "\ud800", "d": [1, None, True, 1.5]}]}
    assert plain_json(value) == {"a": ["b", {"c": "\ufffd", "d": [1, None, True, 1.5]}]}
