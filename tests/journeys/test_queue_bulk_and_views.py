"""Many rows at once, each with its own result; and a person's own views of the queue."""

from uuid import UUID, uuid4

import pytest
from tests.support.cast import Cast

from guardia.features.cases import queries
from guardia.features.cases.queries import events_of, get_case_for
from guardia.features.cases.rules.queue_filter import QueueFilter
from guardia.journeys import saved_views
from guardia.journeys.bulk_cases import MOST, bulk
from guardia.journeys.move_case import close_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused

pytestmark = pytest.mark.django_db


def holders(cast: Cast, numbers: list[str]) -> list[str]:
    return [get_case_for(cast.engineer, number).holder_name for number in numbers]


def test_the_rows_that_cannot_be_moved_do_not_keep_the_others_from_it(cast: Cast) -> None:
    numbers = [cast.open(consent_standard=True).number for _ in range(4)]
    take_case(cast.analyst, cast.now, numbers[1])
    close_case(cast.engineer, cast.now, numbers[2], how="solved", reason="Done")
    chosen = [*numbers, "40710000"]
    result = bulk(cast.engineer, cast.now, "assign", chosen, cast.analyst.id, "Tomás takes all", token="form-1")
    assert result.done == (numbers[0], numbers[3])
    assert [number for number, _why in result.refused] == [numbers[1], numbers[2], "40710000"]
    whys = dict(result.refused)
    assert "already" in whys[numbers[1]]
    assert "closed" in whys[numbers[2]]
    assert holders(cast, [numbers[0], numbers[1], numbers[3]]) == ["Tomás Vega"] * 3


def test_a_form_that_is_sent_twice_moves_each_row_once(cast: Cast) -> None:
    numbers = [cast.open(consent_standard=True).number for _ in range(2)]
    results = [bulk(cast.engineer, cast.now, "take", numbers, "", "", token="form-2") for _ in range(2)]
    assert results[0] == results[1]
    assert results[0].done == tuple(numbers)
    for number in numbers:
        assert events_of(get_case_for(cast.engineer, number)).filter(type="taken").count() == 1


@pytest.mark.parametrize(("act", "target", "holder"), [("put_back", "", ""), ("change_group", "release", "")])
def test_rows_are_put_back_or_handed_over_together(cast: Cast, act: str, target: str, holder: str) -> None:
    numbers = [cast.open(consent_standard=True).number for _ in range(3)]
    bulk(cast.engineer, cast.now, "take", [*numbers, numbers[0]], "", "", token="a")
    result = bulk(cast.engineer, cast.now, act, numbers, target, "Together", token="b")
    assert (result.done, result.refused) == (tuple(numbers), ())
    assert holders(cast, numbers) == [holder] * 3


def test_a_request_that_cannot_be_used_does_nothing(cast: Cast) -> None:
    number = cast.open().number
    for act, numbers, target, reason in (
        ("explode", [number], "", "x"),
        ("take", [], "", ""),
        ("take", ["1"] * 1 + [str(n) for n in range(MOST + 1)], "", ""),
        ("assign", [number], "me", "x"),
        ("assign", [number], cast.analyst.id, ""),
        ("put_back", [number], "", ""),
    ):
        with pytest.raises(Invalid):
            bulk(cast.engineer, cast.now, act, numbers, target, reason, token="t")
    with pytest.raises(Forbidden):
        bulk(cast.plus, cast.now, "take", [number], "", "", token="t")
    assert get_case_for(cast.engineer, number).holder_id is None


# ---- saved views ----


def own(cast: Cast, part: str = "engineer") -> list[tuple[str, dict[str, str]]]:
    return [(view.name, view.filters) for view in queries.views_of(UUID(cast.actors[part].id))]


def test_a_view_keeps_its_filters_under_its_name_and_is_replaced_under_the_same(cast: Cast) -> None:
    wanted = QueueFilter.read({"view": "open", "plan": "plus", "severity": "1"})
    saved_views.save_view(cast.engineer, cast.now, " Plus,  level 1 ", wanted)
    assert own(cast) == [("Plus, level 1", wanted.written())]
    saved_views.save_view(cast.engineer, cast.now, "Plus, level 1", QueueFilter("mine"))
    assert own(cast) == [("Plus, level 1", {"view": "mine"})]


def test_views_are_renamed_put_in_order_and_deleted(cast: Cast) -> None:
    ids = [UUID(saved_views.save_view(cast.engineer, cast.now, name, QueueFilter())) for name in ("A", "B", "C")]
    saved_views.move_view(cast.engineer, ids[2], up=True)
    assert [name for name, _ in own(cast)] == ["A", "C", "B"]
    saved_views.move_view(cast.engineer, ids[0], up=True)
    saved_views.move_view(cast.engineer, ids[0], up=False)
    assert [name for name, _ in own(cast)] == ["C", "A", "B"]
    saved_views.rename_view(cast.engineer, ids[1], "Bee")
    with pytest.raises(Refused, match="another view of this name"):
        saved_views.rename_view(cast.engineer, ids[1], "A")
    assert saved_views.delete_view(cast.engineer, ids[2]) == "C"
    assert [name for name, _ in own(cast)] == ["A", "Bee"]


def test_nobody_touches_anothers_views_and_customers_have_none(cast: Cast) -> None:
    view_id = UUID(saved_views.save_view(cast.engineer, cast.now, "Mine", QueueFilter()))
    for act in (
        lambda: saved_views.rename_view(cast.analyst, view_id, "Yours"),
        lambda: saved_views.delete_view(cast.analyst, view_id),
        lambda: saved_views.move_view(cast.analyst, view_id, up=True),
        lambda: saved_views.rename_view(cast.engineer, uuid4(), "None"),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Forbidden):
        saved_views.save_view(cast.plus, cast.now, "Mine", QueueFilter())
    assert own(cast) == [("Mine", {"view": "open"})]
    assert own(cast, "analyst") == []


def test_names_and_numbers_of_views_have_bounds(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("", "   ", "x" * 61):
        with pytest.raises(Invalid):
            saved_views.save_view(cast.engineer, cast.now, name, QueueFilter())
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 2)
    for name in ("A", "B"):
        saved_views.save_view(cast.engineer, cast.now, name, QueueFilter())
    with pytest.raises(Refused, match="Delete one"):
        saved_views.save_view(cast.engineer, cast.now, "C", QueueFilter())
