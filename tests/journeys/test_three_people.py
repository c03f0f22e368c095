"""Author, reviewer, releaser: three people, each with the role, in words before the database says it."""

from functools import partial

import pytest
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, gates_passed

from guardia.features.cases.models import CaseEvent
from guardia.features.lab.models import Approval, Draft
from guardia.features.lab.rules.three_people import refusal
from guardia.features.releases.models import Publication, Release
from guardia.journeys.approve_draft import approve_release, review_draft
from guardia.journeys.determine_case import determine_case
from guardia.journeys.draft_correction import save_draft
from guardia.journeys.run_gates import request_gates
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.vocabulary import Actor, ActorKind, Role

pytestmark = pytest.mark.django_db
EVERYTHING = frozenset(Role)


@pytest.fixture
def bench(cast: Cast) -> Bench:
    return Bench(cast)


def review(draft: Draft, actor: Actor, bench: Bench) -> None:
    review_draft(actor, bench.cast.now, draft.case_number, draft.number, draft.build_digest)


def release(draft: Draft, actor: Actor, bench: Bench) -> str:
    return approve_release(actor, bench.cast.now, draft.case_number, draft.number, draft.build_digest)


def with_every_role(actor: Actor) -> Actor:
    return Actor(ActorKind.PERSON, actor.id, actor.name, roles=EVERYTHING)


def test_three_people_release_a_gated_draft(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    review(draft, bench.cast.reviewer, bench)
    assert release(draft, bench.cast.releaser, bench) == draft.build_label
    assert Release.objects.get(number=2).build_digest == draft.build_digest
    roles = Approval.objects.across_companies("a test reads").order_by("approved_at").values_list("role", flat=True)
    assert sorted(roles) == ["author", "releaser", "reviewer"]


def test_the_author_neither_reviews_nor_releases_whatever_the_roles(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    author = with_every_role(bench.cast.analyst)
    with pytest.raises(Refused, match="You wrote this draft"):
        review(draft, author, bench)
    review(draft, bench.cast.reviewer, bench)
    with pytest.raises(Refused, match="You wrote this draft"):
        release(draft, author, bench)


def test_the_reviewer_does_not_release_too(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    review(draft, bench.cast.reviewer, bench)
    with pytest.raises(Refused, match="You reviewed this draft"):
        release(draft, with_every_role(bench.cast.reviewer), bench)


@pytest.mark.parametrize("part", ["engineer", "analyst", "releaser", "duty_manager", "plus", "plus_admin"])
def test_only_a_reviewer_reviews(bench: Bench, part: str) -> None:
    draft = bench.gated(bench.reported())
    with pytest.raises(Forbidden, match="Only a reviewer"):
        review(draft, bench.cast.actors[part], bench)


@pytest.mark.parametrize("part", ["engineer", "analyst", "reviewer", "duty_manager", "plus", "plus_admin"])
def test_only_a_releaser_releases(bench: Bench, part: str) -> None:
    draft = bench.gated(bench.reported())
    review(draft, bench.cast.reviewer, bench)
    with pytest.raises(Forbidden, match="Only a releaser"):
        release(draft, bench.cast.actors[part], bench)


def test_nothing_is_reviewed_before_its_gates_have_passed(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    with pytest.raises(Refused, match="still running"):
        review(draft, bench.cast.reviewer, bench)
    with pytest.raises(Refused, match="still running"):
        release(draft, bench.cast.releaser, bench)
    bench.hand_in(bench.lease("gates"), gates_passed(corpus={"files": 0}))
    with pytest.raises(Refused, match="A gate failed"):
        review(draft, bench.cast.reviewer, bench)


def test_nothing_is_released_before_its_review(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    with pytest.raises(Refused, match="A reviewer comes first"):
        release(draft, bench.cast.releaser, bench)


def test_a_page_that_showed_other_bytes_approves_nothing(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    with pytest.raises(Refused, match="another build"):
        review_draft(bench.cast.reviewer, bench.cast.now, draft.case_number, draft.number, "0" * 64)
    assert bench.draft(draft.case_number, draft.number).state == "gated"


def test_approving_twice_with_the_same_key_is_approving_once(bench: Bench) -> None:
    draft = bench.gated(bench.reported())
    at = (bench.cast.now, draft.case_number, draft.number, draft.build_digest)
    for _ in range(2):
        review_draft(bench.cast.reviewer, *at, idempotency_key="review")
    labels = {approve_release(bench.cast.releaser, *at, idempotency_key="release") for _ in range(2)}
    assert labels == {draft.build_label}
    with pytest.raises(Refused, match=r"reviewed already|released already|released this draft"):
        approve_release(bench.cast.releaser, *at)


def test_gates_run_again_only_after_they_failed(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    cast = bench.cast
    with pytest.raises(Refused, match="running or have passed"):
        request_gates(cast.analyst, cast.now, draft.case_number, draft.number)
    bench.hand_in(bench.lease("gates"), None, "the lab's disk is full")
    request_gates(cast.analyst, cast.now, draft.case_number, draft.number)
    bench.hand_in(bench.lease("gates"), gates_passed())
    assert bench.draft(draft.case_number, draft.number).state == "gated"
    with pytest.raises(Forbidden):
        request_gates(cast.engineer, cast.now, draft.case_number, draft.number)


def test_another_release_in_between_supersedes_the_draft(bench: Bench) -> None:
    cast = bench.cast
    first, second = bench.reported(content=b"first " * 50), bench.reported(content=b"second " * 50)
    late = bench.gated(first)
    bench.review(late)
    bench.released(second)
    with pytest.raises(Refused, match="Another release came in between") as moved_on:
        release(late, cast.releaser, bench)
    assert moved_on.value.code == "moved_on"
    assert bench.draft(first, late.number).state == "superseded"
    assert Release.objects.count() == 2
    with pytest.raises(Refused, match="Save the draft again"):
        release(late, cast.releaser, bench)
    assert not CaseEvent.objects.across_companies("a test").filter(type="approved", case_id=late.case_id).exists()


def test_every_state_of_a_draft_has_its_sentence() -> None:
    reviewer = Actor(ActorKind.PERSON, "r", "R", roles=frozenset({Role.REVIEWER}))
    for state in ("saved", "gating", "gate_failed", "reviewed", "approved", "superseded"):
        assert refusal("reviewer", state, reviewer, {"author": "a"})
    assert refusal("reviewer", "gated", reviewer, {"author": "a"}) == ""


@pytest.mark.django_db(transaction=True)
def test_of_many_releasers_who_press_at_once_one_numbers_the_release(cast: Cast) -> None:
    bench = Bench(cast)
    draft = bench.gated(bench.reported())
    bench.review(draft)
    answers = at_once([lambda: bench.approve(draft) for _ in range(12)])
    assert len(returned(answers)) == 1
    assert all(isinstance(error, Refused | Invalid) for error in raised(answers))
    assert Release.objects.count() == 2
    assert Publication.objects.filter(release_id=2).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_drafts_released_at_once_one_is_the_next_and_the_other_is_superseded(cast: Cast) -> None:
    bench = Bench(cast)
    numbers = [bench.reported(content=f"sample {index}".encode() * 20) for index in range(4)]
    drafts = [bench.gated(number) for number in numbers]
    for draft in drafts:
        bench.review(draft)
    answers = at_once([partial(bench.approve, draft) for draft in drafts])
    assert len(returned(answers)) == 1
    assert {getattr(error, "code", repr(error)) for error in raised(answers)} == {"moved_on"}
    states = sorted(bench.draft(draft.case_number, draft.number).state for draft in drafts)
    assert states == ["approved", "superseded", "superseded", "superseded"]
    assert list(Release.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_nothing_is_approved_before_the_lab_has_confirmed_the_claim(cast: Cast) -> None:
    bench = Bench(cast)
    number = bench.reported()
    bench.propose(number)
    draft = bench.draft(number, save_draft(cast.analyst, cast.now, number, proposal_index=0))
    bench.hand_in(bench.lease("gates"), gates_passed())
    with pytest.raises(Refused, match="not confirmed the claim"):
        bench.review(draft)
    with pytest.raises(Refused, match="Take it first"):
        determine_case(cast.analyst, cast.now, number, "fn_confirmed", "Seen.")
    take_case(cast.analyst, cast.now, number)
    determine_case(cast.analyst, cast.now, number, "not_malicious", "At first sight.")
    with pytest.raises(Refused, match="not confirmed the claim"):
        bench.review(draft)
    determine_case(cast.analyst, cast.now, number, "fn_confirmed", "At second sight.")
    bench.review(draft)
    assert bench.approve(bench.draft(number, draft.number))
