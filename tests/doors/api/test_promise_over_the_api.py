"""The promise over the API: what must be phoned in, the clock's steps, severity, class, and confirmed calls."""

from datetime import timedelta
from typing import Any

import pytest
from tests.doors.api.test_cases_over_the_api import CASES, an_incident, post, problem_of
from tests.doors.stage import Stage, bearer
from tests.journeys.promise_story import at, last, types

from guardia.journeys.change_severity import change_severity
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
NIGHT = at("2026-11-23 21:30")


def opened(stage: Stage, **changes: Any) -> dict[str, Any]:
    answer = post(stage.program("plus"), CASES, an_incident(**changes))
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def call(stage: Stage, number: str, part: str = "engineer", **body: Any) -> Any:
    headers = body.pop("headers", {})
    asked = {"how": "code"} | body
    return post(stage.program(part), f"/api/v1/desk/cases/{number}/phone-confirmation", asked, **headers)


def test_the_answer_to_a_new_case_says_at_once_that_it_must_be_phoned_in(stage: Stage) -> None:
    with clock.frozen_at(NIGHT):
        found = opened(stage)
    assert found["must_phone"] is True
    assert (found["office_opens_at"], found["due_at"]) == ("2026-11-24T08:00:00Z", "2026-11-24T12:00:00Z")
    assert len(found["phone_code"]) == 6
    assert found["phone"]


def test_a_case_explains_its_end_step_by_step(stage: Stage) -> None:
    with clock.frozen_at(NIGHT):
        number = opened(stage)["number"]
        found = stage.program("plus").get(f"{CASES}/{number}").json()
    assert found["steps"] == [
        {"start": "2026-11-24T08:00:00Z", "end": "2026-11-24T12:00:00Z", "seconds": 14400, "total_s": 14400}
        | {"why": "calendar"}
    ]
    assert (found["acknowledged_at"], found["called_at"], found["breached_at"]) == (None, None, None)


def test_a_program_of_the_vendor_confirms_a_call_by_its_code(stage: Stage) -> None:
    with clock.frozen_at(NIGHT):
        told = opened(stage)
        answer = call(stage, told["number"], code=told["phone_code"])
        again = call(stage, told["number"], code=told["phone_code"])
        seen = stage.program("plus").get(f"{CASES}/{told['number']}").json()
    assert answer.status_code == 200, answer.content
    confirmed = {"confirmed_at": "2026-11-23T20:30:00Z", "due_at": "2026-11-24T00:30:00Z"}
    assert answer.json() == {**confirmed, "is_first": True}
    assert again.json() == {**confirmed, "is_first": False}
    assert (seen["must_phone"], seen["phone_code"], seen["called_at"]) == (False, "", "2026-11-23T20:30:00Z")


def test_a_repeated_confirmation_gets_the_same_answer(stage: Stage) -> None:
    with clock.frozen_at(NIGHT):
        told = opened(stage)
        headers = {"Idempotency_Key": "call-1"}
        answers = [call(stage, told["number"], code=told["phone_code"], headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_wrong_code_is_a_problem_document_and_is_counted(stage: Stage) -> None:
    with clock.frozen_at(NIGHT):
        told = opened(stage)
        wrong = f"{(int(told['phone_code']) + 1) % 1_000_000:06d}"
        for _ in range(5):
            document = problem_of(call(stage, told["number"], code=wrong), 409, "code_wrong")
        problem_of(call(stage, told["number"], code=told["phone_code"]), 409, "code_closed")
    assert list(document["fields"]) == ["code"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"how": "voice"}, "how"),
        ({"how": "code", "code": ""}, "code"),
        ({"how": "known", "reason": ""}, "reason"),
        ({"how": "known", "reason": "x", "occurred_at": "2026-11-23T23:00:00+01:00"}, "occurred_at"),
        ({"how": "known", "reason": "x", "occurred_at": "2026-11-01T23:00:00+01:00"}, "occurred_at"),
        ({"how": "known", "reason": "x", "occurred_at": "2026-11-23T21:30:00"}, "occurred_at"),
    ],
    ids=["unknown way", "no code", "no reason", "in the future", "before the submission", "without its zone"],
)
def test_a_call_that_cannot_have_been_is_refused_at_its_field(stage: Stage, body: dict[str, Any], field: str) -> None:
    with clock.frozen_at(NIGHT):
        number = opened(stage)["number"]
        document = problem_of(call(stage, number, **body), 422, _code_of(field))
    assert list(document["fields"]) == [field]


def _code_of(field: str) -> str:
    return {
        "how": "how_unknown",
        "code": "code_missing",
        "reason": "reason_missing",
        "occurred_at": "instant_impossible",
    }[field]


def test_a_contact_s_token_confirms_no_call_and_a_staff_token_opens_no_customer_s_door(stage: Stage) -> None:
    told = opened(stage)
    assert call(stage, told["number"], "plus", code=told["phone_code"]).status_code == 401
    assert stage.program("engineer").get(CASES).status_code == 401
    assert bearer("gs_guessed").get(CASES).status_code == 401


def test_a_revoked_or_old_staff_token_confirms_nothing(stage: Stage) -> None:
    told = opened(stage)
    program = stage.program("engineer")
    with clock.frozen_at(stage.cast.now + timedelta(days=366)):
        answer = post(
            program, f"/api/v1/desk/cases/{told['number']}/phone-confirmation", {"how": "known", "reason": "x"}
        )
    assert answer.status_code == 401


def test_a_customer_disputes_and_answers_over_the_api(stage: Stage) -> None:
    number, program = opened(stage)["number"], stage.program("plus")
    answer = post(program, f"{CASES}/{number}/severity-dispute", {"wanted": 2, "reason": "Only the gate."})
    assert answer.status_code == 200, answer.content
    assert last(stage.cast, number).type == "severity_disputed"
    change_severity(stage.cast.engineer, stage.cast.now, number, 2, "A workaround holds.")
    assert program.get(f"{CASES}/{number}").json()["proposed_severity"] == 2
    answer = post(program, f"{CASES}/{number}/severity-proposal", {"agrees": True})
    assert (answer.json()["severity"], answer.json()["due_at"]) == (2, None)
    problem_of(post(program, f"{CASES}/{number}/severity-proposal", {"agrees": True}), 409, "no_proposal")


@pytest.mark.parametrize("body", [{"agrees": "yes"}, {"agrees": 1}, {}, {"agrees": True, "also": 1}])
def test_an_answer_that_is_neither_yes_nor_no_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    number = opened(stage)["number"]
    problem_of(post(stage.program("plus"), f"{CASES}/{number}/severity-proposal", body), 422, "malformed")


def test_a_standard_case_becomes_premium_over_the_api(stage: Stage) -> None:
    number, program = opened(stage, case_class="standard")["number"], stage.program("plus")
    answer = post(program, f"{CASES}/{number}/class", {"case_class": "premium", "reason": "It cannot wait."})
    assert (answer.json()["case_class"], answer.json()["due_at"]) == ("premium", "2026-11-23T13:00:00Z")
    assert types(stage.cast, number)[-1] == "class_changed"
    problem_of(
        post(program, f"{CASES}/{number}/class", {"case_class": "gold", "reason": "Better."}), 422, "class_unknown"
    )
