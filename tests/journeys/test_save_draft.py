"""A draft is saved from a proposal or the draft before, edited by its analyst; what does not parse is not saved."""

import pytest
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, gates_passed, line_added, rule_added, rule_text

from guardia.features.lab.models import Draft, LabJob
from guardia.journeys.draft_correction import request_proposals, save_draft
from guardia.journeys.move_case import close_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def bench(cast: Cast) -> Bench:
    return Bench(cast)


def save(bench: Bench, number: str, **how: object) -> int:
    return save_draft(bench.cast.analyst, bench.cast.now, number, **how)  # type: ignore[arg-type]


def proposed(bench: Bench) -> str:
    """A case with one proposal: a YARA rule and a ClamAV line."""
    number = bench.reported()
    bench.determine(number)
    bench.propose(number, [rule_added("Lab_One", number), line_added("Lab.One", number)])
    return number


def no_draft_was_saved() -> bool:
    return not Draft.objects.across_companies("a test counts").exists()


def test_a_saved_draft_is_one_build_and_its_gates_wait(bench: Bench) -> None:
    number = proposed(bench)
    draft = bench.draft(number, save(bench, number, proposal_index=0))
    assert (draft.number, draft.base_number, draft.build_number, draft.state) == (1, 1, 2, "gating")
    job = bench.lease("gates")
    assert job.payload["build"]["digest"] == draft.build_digest
    assert [operation["op"] for operation in draft.operations] == ["ADD", "ADD"]
    assert all(operation["record"]["id"].startswith("r") for operation in draft.operations)


def test_an_edit_changes_text_name_and_bytes(bench: Bench) -> None:
    number = proposed(bench)
    edits = {0: rule_text("Lab_Edited", "ANOTHER-LITERAL").replace("\n", "\r\n"), 1: "  Lab.Edited:0:*:deadbeef00  "}
    draft = bench.draft(number, save(bench, number, proposal_index=0, edits=edits))
    rule, line = (operation["record"] for operation in draft.operations)
    assert (rule["name"], line["name"], line["line"]) == ("Lab_Edited", "Lab.Edited", "Lab.Edited:0:*:deadbeef00")
    assert "\r" not in rule["source"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "this is no rule",
        "rule Broken { condition: }}",
        rule_text("Lab_One") + rule_text("Lab_Two"),
        'include "/etc/passwd"\n' + rule_text("Lab_One"),
        rule_text("Lab_One").replace("rule", 'include "x.yar"\nrule'),
        rule_text("1Lab"),
        rule_text("Lab_One") + "\x00",
    ],
)
def test_a_text_that_is_not_one_rule_names_its_field_and_saves_nothing(bench: Bench, text: str) -> None:
    number = proposed(bench)
    with pytest.raises(Invalid) as refused:
        save(bench, number, proposal_index=0, edits={0: text})
    assert set(refused.value.fields) == {"text-0"}
    assert refused.value.fields["text-0"] == refused.value.sentence
    assert no_draft_was_saved()


@pytest.mark.parametrize("text", ["", "Lab.One", "Lab One:0:*:aa", "a:0:*:aabb\nb:0:*:ccdd", ":0:*:aabb"])
def test_a_line_that_clamav_would_not_read_names_its_field_and_saves_nothing(bench: Bench, text: str) -> None:
    number = proposed(bench)
    with pytest.raises(Invalid) as refused:
        save(bench, number, proposal_index=0, edits={1: text})
    assert set(refused.value.fields) == {"text-1"}
    assert no_draft_was_saved()


def test_a_name_that_the_database_has_already_is_refused(bench: Bench) -> None:
    number = proposed(bench)
    with pytest.raises(Refused, match="Lab_Harmless_Family_0001"):
        save(bench, number, proposal_index=0, edits={0: rule_text("Lab_Harmless_Family_0001")})
    assert no_draft_was_saved()


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_a_text_that_is_not_the_drafts_cannot_be_edited(bench: Bench, index: int) -> None:
    number = proposed(bench)
    with pytest.raises(Invalid, match="not one of this draft"):
        save(bench, number, proposal_index=0, edits={index: rule_text("Lab_One")})


@pytest.mark.parametrize("index", [None, -1, 1, 99])
def test_a_proposal_that_was_not_made_is_refused(bench: Bench, index: int | None) -> None:
    number = proposed(bench)
    with pytest.raises(Invalid, match="Choose a proposal"):
        save(bench, number, proposal_index=index)


def test_the_next_draft_supersedes_the_one_before_and_its_gates_count_no_more(bench: Bench) -> None:
    number = proposed(bench)
    first = save(bench, number, proposal_index=0)
    running = bench.lease("gates")
    second = save(bench, number, from_draft=first, edits={0: rule_text("Lab_Better")})
    assert (first, second) == (1, 2)
    bench.hand_in(running, gates_passed())
    assert bench.draft(number, first).state == "superseded"
    assert bench.draft(number, second).state == "gating"
    kept = bench.draft(number, first).operations[0]["record"]["name"]
    assert kept == "Lab_One"
    with pytest.raises(Refused):
        bench.review(bench.draft(number, first))


def test_a_reviewed_draft_that_is_edited_starts_again_with_gates_and_review(bench: Bench) -> None:
    number = proposed(bench)
    first = save(bench, number, proposal_index=0)
    bench.hand_in(bench.lease("gates"), gates_passed())
    bench.review(bench.draft(number, first))
    second = save(bench, number, from_draft=first, edits={0: rule_text("Lab_Sneaked_In")})
    for draft in (first, second):
        with pytest.raises(Refused):
            bench.approve(bench.draft(number, draft))


def test_a_superseded_draft_saved_again_is_built_on_the_newest_release(bench: Bench) -> None:
    number = proposed(bench)
    first = save(bench, number, proposal_index=0)
    bench.hand_in(bench.lease("gates"), gates_passed())
    bench.released(bench.reported(content=b"another sample " * 20))
    second = bench.draft(number, save(bench, number, from_draft=first))
    assert (second.base_number, second.build_number) == (2, 3)


def test_one_key_saves_one_draft(bench: Bench) -> None:
    number = proposed(bench)
    saved = {save(bench, number, proposal_index=0, idempotency_key="form") for _ in range(3)}
    assert saved == {1}
    assert LabJob.objects.across_companies("a test counts").filter(kind="gates").count() == 1


def test_only_analysts_draft_and_only_in_open_cases(bench: Bench) -> None:
    number, cast = proposed(bench), bench.cast
    for part in ("engineer", "releaser", "duty_manager", "plus"):
        with pytest.raises(Forbidden):
            save_draft(cast.actors[part], cast.now, number, proposal_index=0)
    request_proposals(cast.analyst, cast.now, number)
    with pytest.raises(Refused, match="being made already"):
        request_proposals(cast.analyst, cast.now, number)
    close_case(cast.engineer, cast.now, number, "withdrawn", "No longer needed.")
    with pytest.raises(Refused, match="closed"):
        save(bench, number, proposal_index=0)
    with pytest.raises(NotFound):
        save(bench, "00000000", proposal_index=0)
