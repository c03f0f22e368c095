"""A release needs three people, passed gates on exactly its bytes and the next number: the database checks it."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, gates_passed

from guardia.features.lab import operations as lab
from guardia.features.lab.models import Approval, Draft
from guardia.features.releases.models import LanePointer, Release
from guardia.journeys.publish_release import publish_pending, run_standard_batch

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench(cast: Cast) -> Bench:
    return Bench(cast)


def insert(draft: Draft, cast: Cast, **changes: Any) -> str:
    """Insert a release of a draft past every rule of the program; return the database's refusal, or nothing."""
    facts: dict[str, Any] = {
        "number": draft.build_number,
        "label": draft.build_label,
        "draft_id": draft.id,
        "operations": draft.operations,
        "state_root": draft.state_root,
        "build_digest": draft.build_digest,
        "created_at": cast.now,
    }
    try:
        with transaction.atomic():
            Release.objects.create(**{**facts, **changes})
    except IntegrityError as error:
        return str(error)
    return ""


def sign(draft: Draft, cast: Cast, *roles: str) -> None:
    """Set the names of these roles, past the journeys."""
    with transaction.atomic():
        for role in roles:
            person = cast.people[role]
            lab.approve(draft, role, person.id, person.name, cast.now)


def test_a_release_with_three_people_and_passed_gates_is_taken(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    sign(draft, bench.cast, "reviewer", "releaser")
    assert insert(draft, bench.cast) == ""


@pytest.mark.parametrize("missing", ["reviewer", "releaser"])
def test_two_people_are_not_enough(bench: Bench, missing: str) -> None:
    draft = bench.gated(bench.reported())
    sign(draft, bench.cast, *({"reviewer", "releaser"} - {missing}))
    assert "lacks one of three people" in insert(draft, bench.cast)


def test_one_person_in_two_roles_is_refused_even_to_plain_sql(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    for role, person in (("reviewer", "analyst"), ("releaser", "analyst")):
        with pytest.raises(IntegrityError, match="three_different_people"), transaction.atomic():
            Approval.objects.create(
                company_id=draft.company_id, draft=draft, role=role, person_id=bench.cast.people[person].id,
                person_name="Tomás Vega", build_digest=draft.build_digest, approved_at=bench.cast.now,
            )  # fmt: skip
    with pytest.raises(IntegrityError, match="one_person_for_each_role"), transaction.atomic():
        Approval.objects.create(
            company_id=draft.company_id, draft=draft, role="author", person_id=uuid4(),
            person_name="A second author", build_digest=draft.build_digest, approved_at=bench.cast.now,
        )  # fmt: skip


def test_names_under_another_build_do_not_count(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    sign(draft, bench.cast, "reviewer", "releaser")
    assert "lacks one of three people on its build" in insert(draft, bench.cast, build_digest="0" * 64)


def test_waiting_gates_do_not_count(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    sign(draft, bench.cast, "reviewer", "releaser")
    assert "lacks passed gates" in insert(draft, bench.cast)


def test_failed_gates_do_not_count(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    failed = gates_passed()
    failed["gates"][1]["state"] = "failed"
    bench.hand_in(bench.lease("gates"), failed)
    sign(draft, bench.cast, "reviewer", "releaser")
    assert "lacks passed gates" in insert(draft, bench.cast)


def test_passed_gates_of_another_build_do_not_count(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    sign(draft, bench.cast, "reviewer", "releaser")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE lab_labjob SET request = jsonb_set(request, '{build_digest}', '\"other\"') WHERE kind = 'gates'"
        )
    assert "lacks passed gates on its build" in insert(draft, bench.cast)


@pytest.mark.parametrize("number", [1, 3, 40])
def test_only_the_next_number_is_taken(bench: Bench, number: int) -> None:
    draft = bench.gated(bench.reported())
    sign(draft, bench.cast, "reviewer", "releaser")
    assert "releases are one line" in insert(draft, bench.cast, number=number)


def test_nothing_but_the_first_release_is_a_baseline(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    assert "only_the_baseline_has_no_draft" in insert(draft, bench.cast, is_baseline=True)
    assert "only_the_baseline_has_no_draft" in insert(draft, bench.cast, is_baseline=True, draft_id=None)


def test_a_draft_is_released_once(bench: Bench) -> None:
    draft = bench.released(bench.reported())
    assert "draft_id" in insert(draft, bench.cast, number=3, label="20261123.9")


def point(lane: str, number: int) -> str:
    try:
        with transaction.atomic():
            LanePointer.objects.filter(lane=lane).update(release_id=number)
    except IntegrityError as error:
        return str(error)
    return ""


def test_a_lane_never_goes_back_and_standard_is_never_ahead(bench: Bench) -> None:
    bench.released(bench.reported(), publish=False)
    assert "standard is never ahead" in point("standard", 2)
    publish_pending(bench.cast.now)
    assert "cannot go back" in point("accelerated", 1)
    run_standard_batch(bench.cast.releaser, bench.cast.now, "every hour")
    publish_pending(bench.cast.now)
    assert "cannot go back" in point("standard", 1)
    assert list(LanePointer.objects.order_by("lane").values_list("lane", "release_id")) == [
        ("accelerated", 2),
        ("standard", 2),
    ]
