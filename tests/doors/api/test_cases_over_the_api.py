"""What a customer's program may do with cases, and what it is told when it may not."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests.doors.stage import PROBLEM, Stage, bearer

from guardia.features.accounts.models import ApiToken
from guardia.features.cases import queries
from guardia.features.lab.models import Upload
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
UPLOADS, CASES = "/api/v1/uploads", "/api/v1/cases"
LIMIT = 4 * 1024 * 1024


def an_incident(**changes: Any) -> dict[str, Any]:
    """A complete request."""
    facts = {"kind": "incident", "case_class": "premium", "severity": 1, "subject": "Scans freeze"}
    return {**facts, "description": "Since 09:30, on 12 machines.", **changes}


def a_report(upload: str, **changes: Any) -> dict[str, Any]:
    """A complete report of a false negative."""
    facts = {"claim": "FN", "product": "Atalaya 8.2", "engine": "ClamAV 1.4.6", "database_version": "20261122.1"}
    return an_incident(**{"kind": "signature_change", "severity": 2, "uploads": [upload], **facts, **changes})


def post(client: Client, address: str, body: Any, **headers: str) -> Any:
    """Send JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(address, text, content_type="application/json", headers=named)


def send(client: Client, content: bytes = b"harmless", **headers: str) -> Any:
    """Send a file."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(UPLOADS, content, content_type="application/octet-stream", headers=named)


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document, which is whole and of this status and type."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == PROBLEM
    document: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= document.keys() <= {"type", "title", "status", "detail", "fields"}
    assert document["type"] == f"urn:guardia:problem:{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"].strip().endswith((".", "…"))
    return document


def test_a_file_a_report_a_message_and_what_they_became(stage: Stage) -> None:
    program = stage.program("plus")
    sent = send(program, b"a sample", X_Filename="n%C3%B3mina.exe")
    assert sent.status_code == 201
    assert sent.json()["filename"] == "nómina.exe"
    assert sent.json()["sha256"] == hashlib.sha256(b"a sample").hexdigest()
    opened = post(program, CASES, a_report(sent.json()["id"]))
    assert opened.status_code == 201
    number = opened.json()["number"]
    assert post(program, f"{CASES}/{number}/messages", {"text": "One more fact"}).status_code == 201
    case = program.get(f"{CASES}/{number}").json()
    assert (case["state"], case["clock_state"], case["premium_left"]) == ("submitted", "best_effort", 11)
    assert case["submitted_at"].endswith("Z")
    assert [one["number"] for one in program.get(CASES).json()] == [number]


@pytest.mark.parametrize(
    "token", ["", "gt_guessed", "ñ", "Bearer", "gt_" + "x" * 9000], ids=["none", "guessed", "not-ascii", "word", "long"]
)
def test_a_token_that_is_none_is_told_how_to_send_one(stage: Stage, token: str) -> None:
    document = problem_of(bearer(token).get(CASES), 401, "not_signed_in")
    assert "Authorization: Bearer" in document["detail"]


def test_a_token_in_the_address_or_a_cookie_opens_nothing(stage: Stage) -> None:
    token = stage.token("plus")
    assert Client().get(f"{CASES}?token={token}&access_token={token}").status_code == 401
    assert stage.browser("plus").get(CASES).status_code == 401  # a session is no token: no forged request gets in


def test_a_revoked_an_expired_and_an_inactive_persons_token_open_nothing(stage: Stage) -> None:
    program = stage.program("plus")
    with clock.frozen_at(stage.cast.now + timedelta(days=365)):
        problem_of(program.get(CASES), 401, "not_signed_in")
    person = stage.cast.people["plus"]
    person.is_active = False
    person.save()
    problem_of(program.get(CASES), 401, "not_signed_in")
    person.is_active = True
    person.save()
    assert program.get(CASES).status_code == 200
    ApiToken.objects.across_companies("the test's own").update(revoked_at=stage.cast.now)
    problem_of(program.get(CASES), 401, "not_signed_in")


def test_the_same_key_opens_one_case_and_another_request_with_it_none(stage: Stage) -> None:
    program = stage.program("plus")
    first = post(program, CASES, an_incident(), Idempotency_Key="k1")
    again = post(program, CASES, an_incident(), Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    problem_of(post(program, CASES, an_incident(severity=2), Idempotency_Key="k1"), 409, "idempotency_key_reused")
    assert len(program.get(CASES).json()) == 1
    number = first.json()["number"]
    for _ in range(2):
        assert post(program, f"{CASES}/{number}/messages", {"text": "One"}, Idempotency_Key="k2").json() == {"seq": 3}


def test_a_key_is_its_owners_own(stage: Stage) -> None:
    mine = post(stage.program("plus"), CASES, an_incident(), Idempotency_Key="k1")
    theirs = post(stage.program("plus_second"), CASES, an_incident(), Idempotency_Key="k1")
    assert mine.json()["number"] != theirs.json()["number"]


def test_a_key_that_is_too_long_is_refused_before_anything_is_done(stage: Stage) -> None:
    program = stage.program("plus")
    problem_of(post(program, CASES, an_incident(), Idempotency_Key="k" * 121), 409, "idempotency_key_too_long")
    assert program.get(CASES).json() == []


def test_what_was_refused_with_a_key_may_be_sent_right_with_it(stage: Stage) -> None:
    program = stage.program("plus")
    refused = post(program, CASES, an_incident(uploads=[str(uuid4())]), Idempotency_Key="k1")
    problem_of(refused, 409, "upload_unknown")
    assert post(program, CASES, an_incident(), Idempotency_Key="k1").status_code == 201


@pytest.mark.parametrize("body", ["", "{", "\x00", "[" * 100_000, '{"severity": ' + "9" * 5000 + "}"])
def test_a_body_that_is_not_json_is_refused(stage: Stage, body: str) -> None:
    answer = post(stage.program("plus"), CASES, body)
    problem_of(answer, 422 if not body else 400, "malformed")


@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"'])
def test_a_body_that_is_no_object_is_refused(stage: Stage, body: str) -> None:
    assert problem_of(post(stage.program("plus"), CASES, body), 422, "malformed")["fields"]


def test_a_form_is_not_taken_for_json(stage: Stage) -> None:
    problem_of(stage.program("plus").post(CASES, {"kind": "incident"}), 400, "malformed")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"severity": "grave"}, "body.severity"),
        ({"subject": 5}, "body.subject"),
        ({"uploads": "all"}, "body.uploads"),
        ({"uploads": ["../etc/passwd"]}, "body.uploads.0"),
        ({"consent_standard": "perhaps"}, "body.consent_standard"),
        ({"misspelt": 1}, "body.misspelt"),
    ],
)
def test_a_field_of_the_wrong_type_or_name_is_named(stage: Stage, changes: dict[str, Any], field: str) -> None:
    document = problem_of(post(stage.program("plus"), CASES, an_incident(**changes)), 422, "malformed")
    assert any(field.endswith(name.removeprefix("body.body.").removeprefix("body.")) for name in document["fields"])


@pytest.mark.parametrize("name", ["kind", "case_class", "severity", "subject", "description"])
def test_a_missing_field_is_named(stage: Stage, name: str) -> None:
    body = an_incident()
    del body[name]
    document = problem_of(post(stage.program("plus"), CASES, body), 422, "malformed")
    assert [field.rsplit(".", 1)[-1] for field in document["fields"]] == [name]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "wish"}, "kind"),
        ({"case_class": "undecided"}, "case_class"),
        ({"severity": 0}, "severity"),
        ({"severity": 10**30}, "severity"),
        ({"subject": " \n"}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"description": "x" * 20_001}, "description"),
        ({"uploads": [f"0190a1b2-0000-7000-8000-0000000000{n}" for n in range(10, 31)]}, "files"),
    ],
)
def test_an_answer_out_of_bounds_is_named(stage: Stage, changes: dict[str, Any], field: str) -> None:
    document = problem_of(post(stage.program("plus"), CASES, an_incident(**changes)), 422, "request_incomplete")
    assert list(document["fields"]) == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"claim": "FX"}, "claim"),
        ({"product": ""}, "product"),
        ({"engine": "x" * 41}, "engine"),
        ({"database_version": ""}, "database_version"),
        ({"claim": "FP"}, "detection_name"),
        ({"detection_name": "x" * 201}, "detection_name"),
        ({"uploads": []}, "files"),
    ],
)
def test_a_report_names_what_it_lacks(stage: Stage, changes: dict[str, Any], field: str) -> None:
    upload = str(stage.cast.upload().id)
    document = problem_of(post(stage.program("plus"), CASES, a_report(upload, **changes)), 422, "request_incomplete")
    assert list(document["fields"]) == [field]


def test_text_that_no_database_can_keep_is_kept_without_what_it_cannot(stage: Stage) -> None:
    program = stage.program("plus")
    opened = post(program, CASES, an_incident(subject="a\x00b\ud800c", description="\x00d"))
    assert opened.status_code == 201
    assert program.get(f"{CASES}/{opened.json()['number']}").json()["subject"] == "ab\ufffdc"


@pytest.mark.parametrize("number", ["1", "40710105", "%00", "..", "4071%200105", "x" * 5000, "٤٠٧١٠١٠٥"])
def test_a_number_that_is_none_is_not_found(stage: Stage, number: str) -> None:
    answer = stage.program("plus").get(f"{CASES}/{number}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == PROBLEM


def test_a_json_body_has_a_limit_and_a_file_another(stage: Stage) -> None:
    program = stage.program("plus")
    long = post(program, CASES, an_incident(description="x" * 3_000_000))
    assert "2 MB" in problem_of(long, 413, "body_too_large")["detail"]
    assert send(program, b"x" * LIMIT).status_code == 201
    assert "4 MB" in problem_of(send(program, b"x" * (LIMIT + 1)), 413, "file_too_large")["detail"]
    problem_of(send(program, b""), 422, "file_empty")


@pytest.mark.parametrize("method", ["delete", "put", "patch"])
def test_a_wrong_method_is_told_the_right_one(stage: Stage, method: str) -> None:
    answer = getattr(stage.program("plus"), method)(CASES)
    assert "GET" in problem_of(answer, 405, "wrong_method")["detail"]
    assert "POST" in answer.headers["Allow"]


def test_an_unknown_address_is_a_problem_document_too(stage: Stage) -> None:
    problem_of(stage.program("plus").get("/api/v1/nothing"), 404, "address_unknown")
    problem_of(Client().get("/api/v1/cases", headers={"Host": "evil.example"}), 400, "bad_request")


def test_a_fault_of_ours_tells_nothing_of_the_inside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("guardia.doors.api.cases.case_summaries", fault)
    answer = stage.program("plus").get(CASES)
    problem_of(answer, 500, "server_error")
    assert b"secret detail" not in answer.content


def test_problems_speak_the_callers_language(stage: Stage) -> None:
    program = stage.program("plus")
    spanish = {"Accept_Language": "es-ES,es;q=0.9"}
    refused = post(program, CASES, an_incident(subject=""), **spanish)
    assert problem_of(refused, 422, "request_incomplete")["fields"]["subject"] == "Indicar en una línea qué falla."
    missing = program.get(f"{CASES}/40710105", headers={"Accept-Language": "es"})
    assert problem_of(missing, 404, "case_unknown")["detail"].startswith("No existe")
    nowhere = program.get("/api/v1/nothing", headers={"Accept-Language": "es"})
    assert problem_of(nowhere, 404, "address_unknown")["detail"].startswith("No hay nada")


def test_an_upload_is_its_senders_own_and_used_once(stage: Stage) -> None:
    upload = send(stage.program("plus")).json()["id"]
    for other in ("standard", "plus_second"):
        refused = post(stage.program(other), CASES, an_incident(case_class="standard", uploads=[upload]))
        problem_of(refused, 409, "upload_unknown")
    assert post(stage.program("plus"), CASES, an_incident(uploads=[upload])).status_code == 201
    problem_of(post(stage.program("plus"), CASES, an_incident(uploads=[upload])), 409, "upload_unknown")


def test_a_file_waits_seven_days_for_its_case(stage: Stage) -> None:
    program = stage.program("plus")
    upload = send(program).json()["id"]
    with clock.frozen_at(stage.cast.now + timedelta(days=7, minutes=1)):
        problem_of(post(program, CASES, an_incident(uploads=[upload])), 409, "upload_unknown")
    with clock.frozen_at(stage.cast.now + timedelta(days=6)):
        assert post(program, CASES, an_incident(uploads=[upload])).status_code == 201


def test_a_contract_that_is_over_opens_nothing_and_keeps_the_files(stage: Stage) -> None:
    program = stage.program("plus")
    with clock.frozen_at(stage.cast.now + timedelta(days=3 * 365)):
        person = stage.cast.people["plus"]
        ApiToken.objects.across_companies("the test's own").update(expires_at=clock.now() + timedelta(days=1))
        upload = send(program).json()["id"]
        refused = problem_of(post(program, CASES, an_incident(uploads=[upload])), 409, "contract_over")
        assert "The support contract is over since" in refused["detail"]
        assert "7 days" in refused["detail"]
        kept = Upload.objects.across_companies("the test's own").get(id=upload)
        assert (kept.used_at, str(kept.uploaded_by_id)) == (None, str(person.id))


def test_with_no_premium_incident_left_it_is_standard_only_after_consent(stage: Stage) -> None:
    program = stage.program("plus")
    for _ in range(12):
        stage.cast.open("plus")
    refused = problem_of(post(program, CASES, an_incident()), 409, "no_premium_left")
    assert "case_class" in refused["fields"]
    opened = post(program, CASES, an_incident(consent_standard=True))
    assert (opened.status_code, opened.json()["case_class"]) == (201, "standard")


def test_a_contact_who_is_not_named_spends_no_premium_incident(stage: Stage) -> None:
    problem_of(post(stage.program("plus_admin"), CASES, an_incident()), 409, "not_a_named_contact")
    problem_of(post(stage.program("standard"), CASES, an_incident()), 409, "plan_without_premium")


def test_a_message_to_a_closed_case_is_refused_until_it_is_opened_again(stage: Stage) -> None:
    program, number = stage.program("plus"), stage.incident
    stage.browser("plus").post(
        f"/cases/{number}/close/", {"form_token": "t", "how": "withdrawn", "reason": "Not needed"}
    )
    refused = problem_of(post(program, f"{CASES}/{number}/messages", {"text": "Still?"}), 409, "not_open")
    assert "Reopen" in refused["detail"]


@pytest.mark.parametrize("text", ["", "  ", "\x00", "x" * 20_001])
def test_a_message_without_text_or_with_too_much_is_refused(stage: Stage, text: str) -> None:
    answer = post(stage.program("plus"), f"{CASES}/{stage.incident}/messages", {"text": text})
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["text"]


def test_a_zip_bomb_is_kept_as_the_bytes_it_is(stage: Stage) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(16):
            archive.writestr(f"{index}.bin", bytes(8 * 1024 * 1024))
    bomb = packed.getvalue()
    assert len(bomb) < 256 * 1024
    sent = send(stage.program("plus"), bomb, X_Filename="bomb.zip").json()
    assert (sent["size"], sent["sha256"]) == (len(bomb), hashlib.sha256(bomb).hexdigest())
    opened = post(stage.program("plus"), CASES, a_report(sent["id"]))
    case = queries.get_case_for(stage.cast.plus, opened.json()["number"])
    assert [file.size for file in queries.files_of(case)] == [len(bomb)]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C:%5CWindows%5Csystem32%5Cevil.dll", "evil.dll"),
        ("a%00b.exe", "ab.exe"),
        ("a%0D%0ASet-Cookie:%20x=1", "aSet-Cookie: x=1"),
        ("invoice%E2%80%AEgnp.exe", "invoicegnp.exe"),
        ("%E2%80%A8line.txt", "line.txt"),
        ("..", "unnamed"),
        ("%2F", "unnamed"),
        ("", "unnamed"),
        ("%FF%FE", "\ufffd\ufffd"),
        ("x" * 300 + ".exe", "x" * 251 + ".exe"),
        ("%F0%9F%98%80.bin", "😀.bin"),
    ],
)
def test_a_file_name_is_only_ever_shown(stage: Stage, sent: str, kept: str) -> None:
    assert send(stage.program("plus"), X_Filename=sent).json()["filename"] == kept
