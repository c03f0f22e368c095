"""Two who press "take next" at once never get the same case, and the queue's order holds."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.cases.models import NEVER_DUE, Case, CaseEvent
from guardia.features.cases.queries import queue_for
from guardia.journeys.assign_case import assign_case, change_group
from guardia.journeys.bulk_cases import bulk
from guardia.journeys.take_case import take_next

pytestmark = pytest.mark.django_db(transaction=True)
FIRST_LINE = ("engineer", "analyst", "duty_manager")


@pytest.mark.parametrize(("takers", "waiting"), [(2, 1), (2, 2), (20, 20), (20, 7)])
def test_nobody_gets_a_case_that_another_got(cast: Cast, takers: int, waiting: int) -> None:
    numbers = {cast.open(consent_standard=True).number for _ in range(waiting)}
    whose = [cast.actors[FIRST_LINE[index % len(FIRST_LINE)]] for index in range(takers)]
    answers = at_once([partial(take_next, who, cast.now) for who in whose])
    assert not raised(answers)
    taken = [number for number in returned(answers) if number]
    assert sorted(taken) == sorted(numbers)[: len(taken)] if takers >= waiting else taken
    assert len(taken) == len(set(taken)) == min(takers, waiting)
    events = CaseEvent.objects.across_companies("a test counts").filter(type="taken")
    assert events.count() == len(taken)
    holders = Case.objects.across_companies("a test reads").exclude(holder_id=None)
    for case in holders:
        said = events.get(case=case).actor["id"]
        assert case.holder_id == UUID(said)


def test_twenty_who_ask_at_once_get_twenty_cases_of_their_own_groups(cast: Cast) -> None:
    numbers = [cast.open(consent_standard=True).number for _ in range(30)]
    for number in numbers[::3]:
        change_group(cast.engineer, cast.now, number, "lab", "For the lab")
    lab, first_line = set(numbers[::3]), set(numbers) - set(numbers[::3])
    asks = [partial(take_next, cast.reviewer, cast.now)] * 8 + [partial(take_next, cast.engineer, cast.now)] * 12
    answers = at_once(asks)
    assert not raised(answers)
    assert None not in answers
    assert len(set(answers)) == 20
    assert set(answers[:8]) <= lab
    assert set(answers[8:]) <= first_line
    events = CaseEvent.objects.across_companies("a test counts").filter(type="taken")
    assert len({event.case_id for event in events}) == events.count() == 20


def test_taking_assigning_and_whole_pages_at_once_leave_each_case_with_one_story(cast: Cast) -> None:
    numbers = [cast.open(consent_standard=True).number for _ in range(10)]
    marta, tomas = UUID(cast.engineer.id), cast.analyst.id
    acts: list[partial[Any]] = [partial(take_next, cast.duty_manager, cast.now) for _ in range(6)]
    acts += [partial(assign_case, cast.releaser, cast.now, number, marta, "Hers") for number in numbers[:5]]
    acts += [
        partial(bulk, cast.releaser, cast.now, "assign", order, tomas, "All his", token=str(index))
        for index, order in enumerate((numbers, numbers[::-1]))
    ]
    answers = at_once(acts)
    assert not raised(answers)
    for number in numbers:
        case = Case.objects.across_companies("a test reads").get(number=number)
        story = CaseEvent.objects.across_companies("a test reads").filter(case=case).order_by("seq")
        assert [event.seq for event in story] == list(range(1, case.last_seq + 1))
        moves = [event for event in story if event.type in {"taken", "assigned"}]
        last = moves[-1]
        assert str(case.holder_id) == last.payload.get("holder_id", last.actor["id"])
        consumed = [event for event in story if event.type == "quota" and event.payload["movement"] == "consume"]
        assert len(consumed) == (case.case_class == "premium")


def test_the_queue_is_ordered_by_tier_severity_due_plan_and_arrival(cast: Cast) -> None:
    day, numbers = timedelta(days=1), []
    for tier in (2, 1):
        for severity in (4, 1):
            for due in (None, 2, 1):
                for rank in (10, 20):
                    for arrived in (1, 0):
                        number = cast.open(consent_standard=True).number
                        numbers.append(number)
                        Case.objects.across_companies("a test arranges").filter(number=number).update(
                            tier=tier, severity=severity, due_at=cast.now + due * day if due else None,
                            queue_due_at=cast.now + due * day if due else NEVER_DUE, plan_rank=rank, queue_rank=-rank,
                            submitted_at=cast.now + arrived * timedelta(minutes=1),
                        )  # fmt: skip

    def place(case: Case) -> tuple[object, ...]:
        due = case.due_at or cast.now + 1000 * day
        return (case.tier, case.severity, due, -case.plan_rank, case.submitted_at, case.id)

    queue = list(queue_for(cast.engineer))
    assert len(queue) == len(numbers) == 48
    assert queue == sorted(queue, key=place)
    taken = [take_next(cast.engineer, cast.now) for _ in range(10)]
    assert taken == [case.number for case in queue[:10]]


def test_a_case_that_somebody_works_on_this_very_instant_is_passed_over(cast: Cast) -> None:
    first, second = cast.open().number, cast.open().number
    with transaction.atomic():
        Case.objects.across_companies("a test holds").select_for_update().get(number=first)
        assert returned(at_once([lambda: take_next(cast.engineer, cast.now)])) == [second]
    assert take_next(cast.analyst, cast.now) == first
    assert take_next(cast.analyst, cast.now) is None


def test_a_standard_company_stands_behind_a_premium_one_whatever_the_severity(cast: Cast) -> None:
    standard = cast.open("standard", severity=1).number
    premium = cast.open("plus", severity=4).number
    assert take_next(cast.engineer, cast.now) == premium
    assert take_next(cast.engineer, cast.now) == standard
