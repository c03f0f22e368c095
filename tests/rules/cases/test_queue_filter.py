"""What a list is narrowed to comes from an address and goes back into one; nonsense narrows nothing."""

from hypothesis import given
from hypothesis import strategies as st

from guardia.features.cases.rules.queue_filter import PARTS, VIEWS, QueueFilter


def test_known_parts_are_kept_and_unknown_ones_left_out() -> None:
    wanted = QueueFilter.read(
        {"view": "mine", "severity": "1", "group": "kitchen", "holder": "me", "x": "y", "due": "9"}
    )
    assert wanted.written() == {"view": "mine", "severity": "1", "holder": "me"}


def test_a_holder_is_a_person_me_or_nobody() -> None:
    person = "01900000-0000-7000-8000-000000000001"
    for text, kept in (
        (person, person),
        ("me", "me"),
        ("none", "none"),
        ("1; DROP TABLE", ""),
        (person.upper() + "F", ""),
    ):
        assert QueueFilter.read({"holder": text})["holder"] == kept


def test_an_unknown_view_is_the_open_one() -> None:
    assert QueueFilter.read({"view": "../../etc"}).view == "open"
    assert {view: QueueFilter(view).scope for view in ("mine", "closed", "all")} == {
        "mine": "open",
        "closed": "closed",
        "all": "all",
    }


@given(st.dictionaries(st.sampled_from([*PARTS, "view", "after"]), st.one_of(st.text(), st.none(), st.integers())))
def test_what_was_read_is_read_again_as_it_was_written(given_parts: dict[str, object]) -> None:
    wanted = QueueFilter.read(given_parts)
    assert wanted.view in VIEWS
    assert QueueFilter.read(wanted.written()) == wanted
