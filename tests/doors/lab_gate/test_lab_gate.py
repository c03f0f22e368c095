"""The lab gate: what a worker gets with a lease, and what nobody gets without one."""

import base64
import io
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests.doors.stage import PROBLEM, Stage, bearer, body_of, lab_worker
from tests.support.lab_bench import gates_passed, scanned

from guardia.features.lab.models import LabJob, Sample
from guardia.features.lab.queries import latest_job
from guardia.journeys.lab_work import LeasedJob
from guardia.kernel import clock
from guardia.kernel.outside import outside
from labkit.wire.sealed import open_sealed

pytestmark = pytest.mark.django_db
LEASE = "/lab/v1/lease"


def post(client: Client, address: str, body: Any, lease: str = "") -> Any:
    """Send JSON."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(address, text, content_type="application/json", headers={"X-Lease": lease} if lease else {})


def lease(**asked: Any) -> dict[str, Any]:
    """Lease the next job."""
    answer = post(lab_worker(), LEASE, {"worker": "w1", "engines": {}, **asked})
    assert answer.status_code == 200, answer.content
    job: dict[str, Any] = answer.json()
    return job


def job_url(job: dict[str, Any], end: str) -> str:
    """Return an address of a job."""
    return f"/lab/v1/jobs/{job['id']}/{end}"


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of this status and type."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == PROBLEM
    document: dict[str, Any] = answer.json()
    assert (document["type"], document["status"]) == (f"urn:guardia:problem:{code}", status)
    assert document["detail"]
    return document


def as_leased(job: dict[str, Any]) -> LeasedJob:
    """Return a job as the bench of the tests reads it."""
    return LeasedJob(job["id"], job["kind"], job["lease"], job["lease_s"], job["payload"])


def everywhere(job: dict[str, Any]) -> list[tuple[str, str]]:
    """Return every address of a job with its method."""
    sample = job["payload"]["samples"][0]["sha256"]
    return [
        ("get", job_url(job, f"samples/{sample}")),
        ("get", job_url(job, f"files/{job['payload']['lane']['files'][0]['sha256']}")),
        ("post", job_url(job, "progress")),
        ("post", job_url(job, "result")),
    ]


@pytest.mark.parametrize("token", ["", "wrong", "ñ", "gt_guess"])
def test_nobody_without_the_labs_token_gets_anything(stage: Stage, token: str) -> None:
    stage.cast.open_report()
    for method, address in [("post", LEASE), *everywhere(lease())]:
        problem_of(getattr(bearer(token), method)(address), 401, "not_signed_in")


def test_no_customers_token_and_no_session_is_a_labs_token(stage: Stage) -> None:
    for client in (stage.program("plus"), stage.agent(), stage.browser("analyst"), Client()):
        problem_of(client.post(LEASE, "{}", content_type="application/json"), 401, "not_signed_in")


def test_a_wrong_method_is_told_the_right_one(stage: Stage) -> None:
    stage.cast.open_report()
    job = lease()
    problem_of(lab_worker().get(LEASE), 405, "wrong_method")
    for method, address in everywhere(job):
        wrong = lab_worker().post if method == "get" else lab_worker().get
        problem_of(wrong(address), 405, "wrong_method")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "\xff".encode("latin-1"), b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(stage: Stage, body: Any) -> None:
    problem_of(post(lab_worker(), LEASE, body), 422, "malformed")


@pytest.mark.parametrize("kinds", ["precheck", 3, [[1]], [{}], ["release"], {"precheck": 1}])
def test_kinds_that_are_none_are_refused(stage: Stage, kinds: Any) -> None:
    problem_of(post(lab_worker(), LEASE, {"kinds": kinds}), 422, "malformed")


def test_nothing_to_do_is_no_error(stage: Stage) -> None:
    assert post(lab_worker(), LEASE, {"worker": "w\x00" * 200}).status_code == 204


def test_a_lease_names_samples_with_their_keys_and_what_is_fetched_is_sealed(stage: Stage) -> None:
    content = b"a sample that must never lie about in the clear " * 40
    stage.cast.open_report(content=content)
    job = lease()
    sample = job["payload"]["samples"][0]
    sealed = lab_worker().get(job_url(job, f"samples/{sample['sha256']}"), headers={"X-Lease": job["lease"]})
    assert sealed.headers["Content-Type"] == "application/octet-stream"
    received = body_of(sealed)
    assert content[:48] not in received
    key = base64.b64decode(sample["key"])
    assert b"".join(open_sealed(io.BytesIO(received), key)) == content


def test_keys_are_told_in_the_answer_to_a_lease_and_kept_nowhere(stage: Stage) -> None:
    stage.cast.open_report()
    job = lease()
    key = job["payload"]["samples"][0]["key"]
    kept = LabJob.objects.across_companies("the test's own").get(id=job["id"])
    assert key not in json.dumps(kept.request)
    assert job["lease"] not in str(vars(kept))
    for method, address in everywhere(job):
        answer = getattr(lab_worker(), method)(address, headers={"X-Lease": job["lease"]})
        assert key.encode() not in body_of(answer)


def test_a_foreign_lost_or_missing_lease_opens_nothing(stage: Stage) -> None:
    stage.cast.open_report()
    stage.cast.open_report("standard")
    mine, theirs = lease(), lease()
    for lease_token in ("", "guessed", theirs["lease"]):
        for method, address in everywhere(mine):
            sends = {"data": "{}", "content_type": "application/json"} if method == "post" else {}
            answer = getattr(lab_worker(), method)(address, headers={"X-Lease": lease_token}, **sends)
            problem_of(answer, 409, "lease_lost")


def test_a_lease_ends_when_its_worker_is_not_heard_of_and_the_next_one_wins(stage: Stage) -> None:
    stage.cast.open_report()
    first = lease()
    with clock.frozen_at(stage.cast.now + timedelta(seconds=31)):
        second = lease()
        assert second["id"] == first["id"]
        assert second["lease"] != first["lease"]
        late = post(lab_worker(), job_url(first, "result"), {"ok": False, "error": "late"}, first["lease"])
        problem_of(late, 409, "lease_lost")
        done = post(lab_worker(), job_url(second, "result"), {"ok": False, "error": "No."}, second["lease"])
        assert done.status_code == 204
        again = post(lab_worker(), job_url(second, "result"), {"ok": False, "error": "No."}, second["lease"])
        problem_of(again, 409, "lease_lost")


def test_progress_keeps_a_lease_and_is_shown(stage: Stage) -> None:
    stage.cast.open_report()
    job = lease()
    for seconds in (20, 40, 60):
        with clock.frozen_at(stage.cast.now + timedelta(seconds=seconds)):
            said = post(lab_worker(), job_url(job, "progress"), {"steps": [{"gate": "a\x00"}]}, job["lease"])
            assert said.status_code == 204
    problem_of(post(lab_worker(), job_url(job, "progress"), {"steps": "x"}, job["lease"]), 422, "malformed")


def test_only_what_the_job_names_is_handed_out(stage: Stage) -> None:
    other = stage.cast.upload("standard", b"another company's file")
    stage.cast.open_report()
    job = lease()
    for end, code in ((f"samples/{other.sha256}", "sample_unknown"), (f"files/{'0' * 64}", "file_unknown")):
        problem_of(lab_worker().get(job_url(job, end), headers={"X-Lease": job["lease"]}), 404, code)
    unknown = f"/lab/v1/jobs/{uuid4()}/samples/{other.sha256}"
    problem_of(lab_worker().get(unknown, headers={"X-Lease": job["lease"]}), 404, "job_unknown")
    odd = lab_worker().get(job_url(job, "samples/..%2F..%2Fkeys%2Flab.json"), headers={"X-Lease": job["lease"]})
    assert odd.status_code == 404
    assert lab_worker().get("/lab/v1/jobs/no-id/samples/x").headers["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    ("result", "place"),
    [
        ({}, "scans"),
        ({"scans": "x"}, "scans"),
        ({"scans": [{"sha256": "x", "build": True, "verdicts": {}}]}, "build"),
        ({"scans": [{"sha256": "x", "build": 1, "verdicts": {"clamav": {}}}]}, "clamav"),
        ({"scans": [{"sha256": "x", "build": 1, "verdicts": {"clamav": "detected"}}]}, "clamav"),
    ],
)
def test_findings_that_cannot_be_read_are_not_kept(stage: Stage, result: Any, place: str) -> None:
    stage.cast.open_report()
    job = lease()
    refused = post(lab_worker(), job_url(job, "result"), {"ok": True, "result": result}, job["lease"])
    assert place in problem_of(refused, 422, "findings_malformed")["detail"]
    good = scanned(as_leased(job), "not_detected")
    done = post(lab_worker(), job_url(job, "result"), {"ok": True, "result": good}, job["lease"])
    assert done.status_code == 204


@pytest.mark.parametrize("proposal", ["x", {}, {"title": "a", "reason": "b", "operations": []}, {"operations": [{}]}])
def test_proposals_that_no_page_can_show_are_not_kept(stage: Stage, proposal: Any) -> None:
    stage.bench.reported()
    job = lease(kinds=["draft"])
    refused = post(
        lab_worker(), job_url(job, "result"), {"ok": True, "result": {"proposals": [proposal]}}, job["lease"]
    )
    problem_of(refused, 422, "findings_malformed")


@pytest.mark.parametrize("body", [{"ok": True}, {"ok": True, "result": []}, {"ok": True, "result": None}])
def test_a_result_without_findings_is_refused(stage: Stage, body: Any) -> None:
    stage.cast.open_report()
    job = lease()
    problem_of(post(lab_worker(), job_url(job, "result"), body, job["lease"]), 422, "malformed")


@pytest.mark.parametrize("gates", [None, [], [{"gate": "claim", "state": "passed"}], gates_passed()["gates"][:5]])
def test_a_gate_run_that_lacks_a_gate_has_failed(stage: Stage, gates: Any) -> None:
    draft = stage.bench.drafted(stage.bench.reported())
    job = lease(kinds=["gates"])
    found = gates_passed()
    found["gates"] = gates
    if gates is None:
        del found["gates"]
    assert post(lab_worker(), job_url(job, "result"), {"ok": True, "result": found}, job["lease"]).status_code == 204
    assert stage.bench.draft(draft.case_number, draft.number).state == "gate_failed"


def test_a_failure_is_kept_with_its_sentence_and_shown_to_staff(stage: Stage) -> None:
    opened = stage.cast.open_report()
    job = lease()
    said = "The engine <b>ended</b>.\x00" + "x" * 9000
    done = post(lab_worker(), job_url(job, "result"), {"ok": False, "error": said}, job["lease"])
    assert done.status_code == 204
    case_id = LabJob.objects.across_companies("the test's own").get(id=job["id"])
    kept = latest_job(case_id.case_id, case_id.company_id, "precheck")
    assert kept is not None
    assert len(kept.error) <= 4000
    page = stage.browser("analyst").get(f"/console/lab/{opened.number}/").content.decode()
    assert "<b>ended</b>" not in page


def test_an_object_that_is_gone_is_said_to_be_missing(stage: Stage) -> None:
    stage.cast.open_report(content=b"gone" * 30)
    job = lease()
    sample = job["payload"]["samples"][0]["sha256"]
    row = Sample.objects.across_companies("the test's own").get(sha256=sample)
    outside().quarantine.remove(row.object_name)
    answer = lab_worker().get(job_url(job, f"samples/{sample}"), headers={"X-Lease": job["lease"]})
    problem_of(answer, 404, "object_missing")
