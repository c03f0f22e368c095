"""The queue: its order, its pages, the starvation guard, its filters and the load of the staff."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.cast import Cast
from tests.support.many_cases import ids, many_like, plain_case, queue_facts

from guardia.features.accounts.models import Company
from guardia.features.cases import queries
from guardia.features.cases.models import NEVER_DUE, Case
from guardia.features.cases.queries import QUEUE, Listed, Narrowing
from guardia.features.cases.rules.queue_order import Guard
from guardia.kernel.vocabulary import Actor
from guardia.reports.case_list import load_by_holder

pytestmark = pytest.mark.django_db
KEYS = st.tuples(
    st.integers(1, 2), st.integers(1, 4), st.one_of(st.none(), st.integers(-3, 3)), st.sampled_from([0, 10, 20]),
    st.integers(0, 9),
)  # fmt: skip
WITH_A_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
STARVED_DAYS = 5


def all_pages(actor: Actor, narrowing: Narrowing, guard: Guard | None) -> list[Listed]:
    pages = [queries.list_for(actor, narrowing, guard=guard)]
    while pages[-1].after:
        pages.append(queries.list_for(actor, narrowing, start=pages[-1].after, guard=guard))
    return pages


def contract_order(cases: list[Case]) -> list[Case]:
    """Tier, severity, due (none last), plan rank, arrival: written anew from the contract, on its own columns."""
    far = datetime.max.replace(tzinfo=NEVER_DUE.tzinfo)
    return sorted(
        cases, key=lambda c: (c.tier, c.severity, c.due_at or far, -c.plan_rank, c.submitted_at, c.id)
    )  # fmt: skip


def guarded_order(cases: list[Case], starved_before: datetime) -> list[Case]:
    """The guard by its definition, slowly: a starved standard case steps forward while the one before it may be passed:
    a premium case behind the last one with a running target, or a standard one that is not starved itself.
    """
    order = contract_order(cases)

    def is_starved(case: Case) -> bool:
        return case.tier > 1 and case.submitted_at < starved_before

    def may_be_passed(place: int) -> bool:
        promised_behind = any(case.tier == 1 and case.due_at for case in order[place:])
        return not is_starved(order[place]) and not promised_behind

    for case in [case for case in order if is_starved(case)]:
        place = order.index(case)
        while place and may_be_passed(place - 1):
            order[place - 1], order[place] = order[place], order[place - 1]
            place -= 1
    return order


@WITH_A_DATABASE
@given(keys=st.lists(KEYS, max_size=30), size=st.integers(1, 7), is_guarded=st.booleans())
def test_the_pages_of_the_queue_together_are_the_contracts_order_or_the_guards(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, keys: list[Any], size: int, *, is_guarded: bool
) -> None:
    with transaction.atomic():
        like = plain_case(cast)
        rows = [like, *many_like(like, [queue_facts(cast.now, *key) for key in keys])]
        starved_before = cast.now - timedelta(days=STARVED_DAYS)
        guard = queries.guard_at(starved_before) if is_guarded else None
        wanted = guarded_order(rows, starved_before) if is_guarded else contract_order(rows)
        with monkeypatch.context() as patch:
            patch.setattr(queries, "PAGE_SIZE", size)
            pages = all_pages(cast.engineer, Narrowing(), guard)
            assert ids([row for page in pages for row in page.rows]) == ids(wanted)
            back = queries.list_for(cast.engineer, Narrowing(), start=pages[-1].before, backwards=True, guard=guard)
            if len(pages) > 1:
                assert ids(back.rows) == ids(pages[-2].rows)
            taken = queries.next_unheld(cast.engineer, guard=guard)
            assert taken is not None
            assert taken.id == next(case.id for case in wanted if case.holder_id is None)
        transaction.set_rollback(True)


def test_a_starved_standard_case_passes_premium_best_effort_and_never_a_running_target(cast: Cast) -> None:
    old, promised, best_effort, young = many_like(
        plain_case(cast),
        [
            queue_facts(cast.now, 2, 1, None, 0, age_days=30, closed_at=None),
            queue_facts(cast.now, 1, 4, 2, 10, age_days=0),
            queue_facts(cast.now, 1, 4, None, 10, age_days=0),
            queue_facts(cast.now, 2, 1, None, 0, age_days=1),
        ],
    )
    guard = queries.guard_at(cast.now - timedelta(days=5))
    rows = ids(queries.list_for(cast.engineer, Narrowing(), guard=guard).rows)[1:]
    assert rows == ids([promised, old, best_effort, young])


def test_an_answered_case_stands_with_those_that_have_no_target(cast: Cast) -> None:
    case = plain_case(cast)
    assert case.queue_due_at == case.due_at
    columns = {"answered_at": cast.now, "queue_due_at": NEVER_DUE}
    later, answered = many_like(case, [queue_facts(cast.now, 1, 1, 9, 20, 0), {**columns}])
    assert ids(queries.list_for(cast.engineer, Narrowing()).rows) == ids([case, later, answered])


def test_a_row_that_moved_meanwhile_is_no_reason_to_lose_or_repeat_another(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    rows = many_like(plain_case(cast), [queue_facts(cast.now, 1, 3, hours, 20, 0) for hours in range(1, 8)])
    first = queries.list_for(cast.engineer, Narrowing(severity=3))
    Case.objects.across_companies("a test closes").filter(id=first.rows[-1].id).update(closed_at=cast.now)
    second = queries.list_for(cast.engineer, Narrowing(severity=3), start=first.after)
    assert ids(second.rows) == ids(rows[2:4])


# ---- filters ----


def test_each_filter_finds_those_and_only_those(cast: Cast) -> None:
    case = plain_case(cast)
    holder, firm = UUID(cast.analyst.id), Company.objects.get(name="Cerámicas Duero")
    terms = {**case.terms, "plan": "business"}
    Case.objects.across_companies("a test arranges").filter(id=case.id).update(group="lab", language="es", severity=2)
    changes: dict[str, tuple[dict[str, Any], Narrowing]] = {
        "group": ({"group": "release"}, Narrowing(groups=("release",))),
        "two groups": ({"group": "first_line"}, Narrowing(groups=("first_line", "nowhere"))),
        "language": ({"language": "en", "group": "lab"}, Narrowing(languages=("en",))),
        "severity": ({"severity": 4, "group": "lab"}, Narrowing(severity=4)),
        "tier": ({"tier": 2, "group": "lab"}, Narrowing(tier=2)),
        "class": ({"case_class": "undecided", "group": "lab"}, Narrowing(case_class="undecided")),
        "kind": ({"kind": "service_request", "group": "lab"}, Narrowing(kind="service_request")),
        "state": ({"state": "with_lab", "group": "lab"}, Narrowing(state="with_lab")),
        "holder": ({"holder_id": holder, "group": "lab"}, Narrowing(holder_id=holder)),
        "company": ({"company_id": firm.id, "group": "lab"}, Narrowing(company_ids=(firm.id,))),
        "plan": ({"terms": terms, "group": "lab"}, Narrowing(plan="business")),
        "due": ({"queue_due_at": cast.now - timedelta(hours=1), "group": "lab"}, Narrowing(due_before=cast.now)),
    }
    made = many_like(case, [{"severity": 2, "language": "es", **facts} for facts, _ in changes.values()])
    for row, (name, (_facts, narrowing)) in zip(made, changes.items(), strict=True):
        assert ids(queries.list_for(cast.engineer, narrowing).rows) == [row.id], name
        closed = replace(narrowing, scope="closed")
        assert queries.list_for(cast.engineer, closed).rows == [], name
    assert queries.list_for(cast.engineer, Narrowing(company_ids=())).rows == []
    held = ids(queries.list_for(cast.engineer, Narrowing(is_unheld=True)).rows)
    assert len(held) == len(made)


def test_closed_cases_come_last_closed_first_and_a_narrowed_list_says_how_far_it_looked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_WINDOW", 4)
    closed = [{"closed_at": cast.now - timedelta(hours=n), "group": "lab" if n == 9 else "release"} for n in range(10)]
    rows = many_like(plain_case(cast), closed)
    assert ids(queries.list_for(cast.engineer, Narrowing("closed")).rows) == ids(rows)
    pages = all_pages(cast.engineer, Narrowing("closed", groups=("lab",)), None)
    assert [page.is_partial for page in pages] == [True, True, False]
    assert [row.id for page in pages for row in page.rows] == [rows[9].id]


def test_counts_end_where_nobody_counts_any_further(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_COUNTED", 3)
    many_like(plain_case(cast), [{} for _ in range(5)])
    queue = queries.queue_for(cast.engineer)
    assert queries.counts_up_to([queue, queue.filter(severity=4), queue.none() | queue]) == [3, 0, 3]


def test_the_load_counts_open_cases_running_targets_and_breaches_of_each_of_the_staff(cast: Cast) -> None:
    marta, tomas = UUID(cast.engineer.id), UUID(cast.analyst.id)
    hold = {"holder_id": marta, "holder_name": "Marta Ibáñez"}
    many_like(
        plain_case(cast),
        [
            queue_facts(cast.now, 1, 1, 2, 20, 0, **hold),
            queue_facts(cast.now, 1, 1, -2, 20, 0, **hold),
            queue_facts(cast.now, 1, 1, None, 20, 0, **hold),
            {**hold, "closed_at": cast.now},
            {"holder_id": UUID(int=7), "holder_name": "Somebody who left", "queue_due_at": NEVER_DUE},
        ],
    )
    loads = {load.person_id: load for load in load_by_holder(cast.now)}
    assert (loads[marta].open, loads[marta].running, loads[marta].breached) == (3, 1, 1)
    assert (loads[tomas].open, loads[tomas].name) == (0, "Tomás Vega")
    assert (loads[UUID(int=7)].open, loads[UUID(int=7)].name) == (1, "Somebody who left")


def test_the_keys_of_a_case_are_those_of_its_place(cast: Cast) -> None:
    case = plain_case(cast)
    assert QUEUE.read(QUEUE.text_of(QUEUE.key_of(case))) == QUEUE.key_of(case)
