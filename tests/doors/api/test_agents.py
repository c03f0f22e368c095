"""A customer's machine at the API: let in by a code, known by its token, believed by its signature."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from tests.doors.api.test_cases_over_the_api import post, problem_of
from tests.doors.stage import Stage, bearer
from tests.support.lab_bench import VERSIONS

from guardia.features.accounts.models import EnrolmentCode, Machine
from guardia.features.cases import queries
from guardia.features.cases.models import IdempotencyKey
from guardia.features.releases.queries import get_release
from guardia.journeys.enrol_machine import create_code, revoke_machine
from guardia.kernel import clock
from sigdist.records import canonical_bytes

pytestmark = pytest.mark.django_db
ENROL, ME = "/api/v1/agents/enrol", "/api/v1/agents/me"
CHALLENGES, PROOFS = f"{ME}/challenges", f"{ME}/proofs"
KEY = base64.b64encode(bytes(range(32))).decode()


def a_code(stage: Stage, admin: str = "plus_admin", name: str = "SRV-09") -> str:
    """Return a fresh code."""
    return create_code(stage.cast.actors[admin], stage.cast.now, name)


def enrol(code: str, **changes: Any) -> Any:
    """Enrol a machine."""
    return post(Client(), ENROL, {"code": code, "public_key": KEY, "name": "SRV-09", **changes})


def in_base64(content: bytes) -> str:
    """Return bytes as they travel."""
    return base64.b64encode(content).decode()


def signed(statement: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, str]:
    """Return a signed proof."""
    content = canonical_bytes(statement)
    return {"statement": in_base64(content), "signature": in_base64(key.sign(content))}


def a_statement(stage: Stage, nonce: str) -> dict[str, Any]:
    """Return what a machine says whose engines now detect the sample."""
    release = get_release(2)
    files = queries.files_of(queries.get_case_for(stage.cast.analyst, stage.released))
    verdicts = {
        name: {"engine": name, "engine_version": version, "outcome": "detected", "names": ["Lab.New"]}
        for name, version in VERSIONS.items()
    }
    return {
        "type": "guardia-proof/1",
        "case": stage.released,
        "nonce": nonce,
        "agent_id": stage.machine().agent_id,
        "lane": "accelerated",
        "release": 2,
        "label": release.label,
        "state_root": release.state_root,
        "samples": [{"sha256": file.sha256, "verdicts": verdicts} for file in files],
        "scanned_at": "2026-11-23T09:00:00Z",
    }


def a_nonce(stage: Stage) -> str:
    """Return a fresh challenge's nonce."""
    return str(post(stage.agent(), CHALLENGES, {"case": stage.released}).json()["nonce"])


def test_a_code_enrols_one_machine_and_tells_its_token_once(stage: Stage) -> None:
    answer = enrol(a_code(stage))
    assert answer.status_code == 201
    told = answer.json()
    assert (told["lane"], told["granted_lane"]) == ("accelerated", "accelerated")
    assert told["root"]["signed"]
    assert "/accelerated/gl_" in told["metadata_url"]
    me = bearer(told["token"]).get(ME).json()
    assert me["metadata_url"] == told["metadata_url"]
    assert "token" not in me
    machine = Machine.objects.across_companies("the test's own").get(id=told["agent_id"])
    assert told["token"] not in str(vars(machine))


def test_a_standard_companys_machine_gets_the_standard_lane_without_a_token_in_its_address(stage: Stage) -> None:
    told = enrol(a_code(stage, "standard_admin")).json()
    assert told["lane"] == "standard"
    assert "gl_" not in told["metadata_url"]


def test_a_code_is_typed_as_people_type(stage: Stage) -> None:
    code = a_code(stage)
    assert enrol(code.lower().replace("-", " ")).status_code == 201


def test_a_used_an_old_and_an_unknown_code_look_the_same(stage: Stage) -> None:
    used = a_code(stage)
    assert enrol(used).status_code == 201
    old = a_code(stage)
    said = [problem_of(enrol(code), 409, "code_unknown")["detail"] for code in (used, "AAAAA-AAAAA-AAAAA-AAAAA", "")]
    with clock.frozen_at(stage.cast.now + timedelta(hours=1)):
        said.append(problem_of(enrol(old), 409, "code_unknown")["detail"])
    assert len(set(said)) == 1


def test_codes_and_tokens_are_kept_nowhere_in_the_clear(stage: Stage) -> None:
    page = stage.browser("plus_admin").post("/machines/codes/", {"form_token": "t1", "name": "SRV-07"})
    made = page.context["code"]
    assert made in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    kept = [str(list(model.values())) for model in (IdempotencyKey.objects.all(), _codes())]
    assert made not in str(kept)
    assert made.replace("-", "") not in str(kept)
    again = stage.browser("plus_admin").post("/machines/codes/", {"form_token": "t1", "name": "SRV-07"})
    assert again.status_code == 422
    assert _codes().count() == 1


def _codes() -> Any:
    return EnrolmentCode.objects.across_companies("the test's own")


@pytest.mark.parametrize(
    "key", ["", "no base64!", "ñ", in_base64(bytes(31)), in_base64(bytes(33)), KEY + "=", "A" * 100_000]
)
def test_a_key_that_is_none_is_named_and_costs_no_code(stage: Stage, key: str) -> None:
    code = a_code(stage)
    assert list(problem_of(enrol(code, public_key=key), 422, "key_malformed")["fields"]) == ["public_key"]
    assert enrol(code).status_code == 201


def test_a_machines_name_is_only_ever_shown(stage: Stage) -> None:
    answer = enrol(a_code(stage, name="<script>alert(1)</script>"), name="<script>alert(2)</script>\x00" + "x" * 200)
    assert answer.status_code == 201
    page = stage.browser("plus").get("/machines/").content.decode()
    assert "<script>alert" not in page
    assert "alert(2)" not in page  # the administrator's name stands, not the machine's
    assert "&lt;script&gt;alert(1)" in page


def test_a_revoked_machine_and_a_strangers_token_open_nothing(stage: Stage) -> None:
    agent = stage.agent()
    assert agent.get(ME).status_code == 200
    revoke_machine(stage.cast.plus_admin, stage.cast.now, stage.machine_id, "lost")
    for address in (ME, CHALLENGES, PROOFS):
        method = agent.get if address == ME else agent.post
        problem_of(method(address), 401, "not_signed_in")
    problem_of(stage.program("plus").get(ME), 401, "not_signed_in")
    problem_of(Client().get(ME), 401, "not_signed_in")


@pytest.mark.parametrize("number", ["", "\x00", "40710105", "x" * 5000])
def test_a_challenge_for_no_case_is_not_found(stage: Stage, number: str) -> None:
    problem_of(post(stage.agent(), CHALLENGES, {"case": number}), 404, "case_unknown")


def test_a_challenge_for_a_strangers_case_looks_like_one_for_none(stage: Stage) -> None:
    theirs = problem_of(post(stage.agent("standard_admin"), CHALLENGES, {"case": stage.released}), 404, "case_unknown")
    none = problem_of(post(stage.agent("standard_admin"), CHALLENGES, {"case": "40710105"}), 404, "case_unknown")
    assert theirs == none


def test_a_challenge_for_a_case_without_a_report_is_refused(stage: Stage) -> None:
    problem_of(post(stage.agent(), CHALLENGES, {"case": stage.incident}), 409, "no_report")


def test_a_whole_proof_closes_the_case_and_counts_once(stage: Stage) -> None:
    proof = signed(a_statement(stage, a_nonce(stage)), stage.machine().key)
    accepted = post(stage.agent(), PROOFS, proof).json()
    assert accepted == {"accepted": True, "reason": "", "case_state": "closed"}
    replayed = post(stage.agent(), PROOFS, proof).json()
    assert (replayed["accepted"], "counts once" in replayed["reason"]) == (False, True)
    problem_of(post(stage.agent(), CHALLENGES, {"case": stage.released}), 409, "case_closed")
    assert "machine" in stage.program("plus").get(f"/api/v1/cases/{stage.released}").json()["closed_how"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "x" * 43}, "not issued"),
        ({"agent_id": "0190a1b2-0000-7000-8000-000000000001"}, "another machine"),
        ({"state_root": "0" * 64}, "state root"),
        ({"release": 1}, "state root"),
        ({"lane": "standard"}, "lane"),
        ({"samples": []}, ""),
    ],
)
def test_a_proof_that_does_not_fit_is_refused_with_its_reason(
    stage: Stage, changes: dict[str, Any], reason: str
) -> None:
    statement = {**a_statement(stage, a_nonce(stage)), **changes}
    judged = post(stage.agent(), PROOFS, signed(statement, stage.machine().key)).json()
    assert not judged["accepted"]
    assert reason in judged["reason"]


def test_a_proof_signed_by_another_key_or_changed_on_the_way_is_refused(stage: Stage) -> None:
    statement = a_statement(stage, a_nonce(stage))
    forged = signed(statement, Ed25519PrivateKey.generate())
    changed = signed(statement, stage.machine().key)
    changed["statement"] = in_base64(canonical_bytes({**statement, "release": 3}))
    for proof in (forged, changed):
        assert not post(stage.agent(), PROOFS, proof).json()["accepted"]
    assert post(stage.agent(), PROOFS, signed(statement, stage.machine().key)).json()["accepted"]


def test_a_proof_after_a_quarter_of_an_hour_is_stale(stage: Stage) -> None:
    statement = a_statement(stage, a_nonce(stage))
    with clock.frozen_at(stage.cast.now + timedelta(minutes=16)):
        judged = post(stage.agent(), PROOFS, signed(statement, stage.machine().key)).json()
    assert "15 minutes" in judged["reason"]


@pytest.mark.parametrize("text", ["{", "not base64", "ñ", "AAA"])
def test_a_proof_that_cannot_be_read_is_named(stage: Stage, text: str) -> None:
    answer = post(stage.agent(), PROOFS, {"statement": text, "signature": text})
    assert "statement" in problem_of(answer, 422, "not_base64")["fields"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", json.dumps({"type": "x"}).encode(), b"[" * 50_000])
def test_a_signed_statement_that_is_no_proof_is_refused_and_kept(stage: Stage, content: bytes) -> None:
    signature = in_base64(stage.machine().key.sign(content))
    judged = post(stage.agent(), PROOFS, {"statement": in_base64(content), "signature": signature})
    assert judged.status_code == 200
    assert not judged.json()["accepted"]
    assert judged.json()["reason"]
