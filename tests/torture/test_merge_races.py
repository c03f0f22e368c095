"""Joining and parting at the same instant: one order wins, nothing is charged twice, and nobody waits for ever."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.cases import queries as cases
from guardia.features.contracts import queries as contracts
from guardia.features.contracts.models import QuotaEntry
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.undo_merge import undo_merge
from guardia.kernel.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12


def row(cast: Cast, number: str) -> Any:
    return cases.get_case_for(cast.engineer, number)


def left(cast: Cast) -> int:
    contract = contracts.get_contract_for(cast.engineer, "MSA-4071")
    return contracts.balance(contract, contracts.contract_today(contract, cast.now))[0] or 0


def standing(cast: Cast, *numbers: str) -> int:
    """How many of the cases are charged now."""
    rows = [row(cast, number) for number in numbers]
    return sum(contracts.standing_charge(one.id, one.company_id) is not None for one in rows)


def demand_sound(cast: Cast, answers: list[Any], *numbers: str) -> None:
    """Only refusals that a person can read, an open problem charged once each, the ledger and the log in agreement."""
    assert {type(error) for error in raised(answers)} <= {Refused}, raised(answers)
    still_open = [number for number in numbers if row(cast, number).closed_at is None]
    assert standing(cast, *numbers) == len(still_open)
    assert left(cast) == 12 - len(still_open)
    assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]


def test_many_who_part_the_same_two_part_them_once(cast: Cast) -> None:
    duplicate, kept = cast.open().number, cast.open().number
    merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
    answers = at_once([partial(undo_merge, cast.engineer, cast.now, duplicate, "Not the same") for _ in range(ROUNDS)])
    assert len(returned(answers)) == 1
    demand_sound(cast, answers, duplicate, kept)
    entries = QuotaEntry.objects.of_company(row(cast, kept).company_id).filter(case_id=row(cast, duplicate).id)
    assert sorted(entries.values_list("kind", flat=True)) == ["refund", "reserve", "reserve"]


def test_who_parts_and_who_joins_the_same_two_either_way_leave_one_order(cast: Cast) -> None:
    one, two = cast.open().number, cast.open().number
    acts = [
        act
        for _ in range(ROUNDS)
        for act in (
            partial(merge_case, cast.engineer, cast.now, one, two, "The same"),
            partial(merge_case, cast.engineer, cast.now, two, one, "The same"),
            partial(undo_merge, cast.engineer, cast.now, one, "Not the same"),
            partial(undo_merge, cast.engineer, cast.now, two, "Not the same"),
        )
    ]
    answers = at_once(acts)
    assert returned(answers)
    demand_sound(cast, answers, one, two)


def test_who_joins_the_case_that_goes_on_with_a_third_while_another_parts_it(cast: Cast) -> None:
    one, two, three = (cast.open().number for _ in range(3))
    merge_case(cast.engineer, cast.now, one, two, "The same")
    onward = partial(merge_case, cast.engineer, cast.now, two, three, "The same")
    parting = partial(undo_merge, cast.engineer, cast.now, one, "Not the same")
    answers = at_once([onward, parting] * ROUNDS)
    demand_sound(cast, answers, one, two, three)
    assert row(cast, two).merged_into_id == row(cast, three).id
    assert row(cast, one).merged_into_id in {None, row(cast, two).id}


def test_who_opens_the_last_incident_while_another_parts_gets_it_or_the_parting_is_refused(cast: Cast) -> None:
    duplicate, kept = cast.open().number, cast.open().number
    merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
    for _ in range(left(cast) - 1):
        cast.open()
    acts: list[Callable[[], object]] = [
        partial(undo_merge, cast.engineer, cast.now, duplicate, "Not the same"),
        partial(cast.open, "plus"),
    ]
    answers = at_once(acts)
    assert len(returned(answers)) == 1
    assert [getattr(error, "code", error) for error in raised(answers)] == ["no_premium_left"]
    assert left(cast) == 0
