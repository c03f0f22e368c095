"""What attackers and accidents send to the forms of the portal and the console, and what becomes of it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.doors.stage import Stage, body_of, page_of, what_runs, with_token
from tests.support.lab_bench import gates_passed

from guardia.features.cases import queries
from guardia.features.lab.models import Upload
from guardia.features.lab.queries import approvals_of
from guardia.journeys.move_case import close_case
from guardia.journeys.run_gates import request_gates
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
LIMIT = 4 * 1024 * 1024
SIGN_IN = "/sign-in/"
PASSWORD = "guardia-development-only"


def a_file(content: bytes = b"harmless", name: str = "a.bin") -> SimpleUploadedFile:
    """A file of a form."""
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


def a_form(**changes: Any) -> dict[str, Any]:
    """The form of a new case, filled in."""
    facts = {"kind": "incident", "case_class": "premium", "severity": "1", "subject": "Scans freeze"}
    return with_token(**{**facts, "description": "Since 09:30.", **changes})


def a_report(**changes: Any) -> dict[str, Any]:
    """The form of a report with a sample."""
    facts = {"claim": "FN", "product": "Atalaya 8.2", "engine": "ClamAV", "database_version": "1"}
    return a_form(**{"kind": "signature_change", "files": a_file(), **facts, **changes})


def number_of(answer: Any) -> str:
    """Return the number of the case that a form has opened."""
    assert answer.status_code == 303, page_of(answer)[-2000:]
    found = re.fullmatch(r"/cases/(\d{8})/", answer.headers["Location"])
    assert found
    return found.group(1)


def multipart(fields: dict[str, Any], name: str, content: bytes = b"harmless") -> bytes:
    """Return a form as an attacker writes it, with the file's name as it is."""
    parts = [f'name="{field}"\r\n\r\n{value}'.encode() for field, value in fields.items() if field != "files"]
    parts.append(f'name="files"; filename="{name}"\r\n\r\n'.encode() + content)
    return b"".join(b"--edge\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts) + b"--edge--\r\n"


def uploads() -> Any:
    """Every upload."""
    return Upload.objects.across_companies("the test's own")


# ---- files ----


def test_an_empty_file_is_said_by_its_name_and_nothing_is_sent(stage: Stage) -> None:
    answer = stage.browser("plus").post("/cases/new/", a_report(files=a_file(b"", "registro.log")))
    assert answer.status_code == 422
    assert "registro.log is empty" in page_of(answer)
    assert queries.cases_for(stage.cast.plus).count() == 0


def test_a_file_over_the_limit_is_refused_and_the_others_stay_with_the_form(stage: Stage) -> None:
    form = a_report(files=[a_file(b"x" * (LIMIT + 1), "large.bin"), a_file(b"small", "small.bin")])
    answer = stage.browser("plus").post("/cases/new/", form)
    page = page_of(answer)
    assert answer.status_code == 422
    assert "large.bin is larger than 4 MB" in page
    assert "small.bin" in page
    assert [row.filename for row in uploads().filter(uploaded_by_id=stage.cast.plus.id)] == ["small.bin"]
    kept = uploads().get(uploaded_by_id=stage.cast.plus.id).id
    again = stage.browser("plus").post("/cases/new/", {**a_report(files=[]), "upload": str(kept)})
    case = queries.get_case_for(stage.cast.plus, number_of(again))
    assert [file.filename for file in queries.files_of(case)] == ["small.bin"]


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "..\\..\\evil.exe", "a\x00b", "a\tb\x07.exe", "x" * 500, "\u202egnp.exe"]
)
def test_a_file_name_never_leads_anywhere(stage: Stage, name: str) -> None:
    browser = stage.browser("plus")
    answer = browser.post("/cases/new/", multipart(a_report(), name), content_type="multipart/form-data; boundary=edge")
    number = number_of(answer)
    file = queries.files_of(queries.get_case_for(stage.cast.plus, number))[0]
    assert not set(file.filename) & set("/\\\x00\r\n\u202e")
    assert 0 < len(file.filename) <= 255
    handed = browser.get(f"/cases/{number}/files/{file.id}/")
    header = handed.headers["Content-Disposition"]
    assert header == f'attachment; filename="{file.sha256[:16]}.zip"'
    assert b"harmless" not in body_of(handed)
    assert handed.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_form_that_asks_for_no_file_takes_none(stage: Stage) -> None:
    answer = stage.browser("plus").post(
        f"/cases/{stage.incident}/close/", with_token(how="withdrawn", reason="x", files=a_file())
    )
    assert answer.status_code == 403
    assert uploads().filter(uploaded_by_id=stage.cast.plus.id).count() == 0


def test_the_drop_zone_tells_programs_what_was_wrong(stage: Stage) -> None:
    for content, status, code in ((b"", 422, "file_empty"), (b"x" * (LIMIT + 1), 413, "file_too_large")):
        answer = stage.browser("plus").post("/uploads/", content, content_type="application/octet-stream")
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == f"urn:guardia:problem:{code}"
        assert answer.json()["detail"]


@pytest.mark.parametrize("field", ["no uuid", "0190a1b2-0000-7000-8000-000000000001", "' OR 1=1 --"])
def test_a_file_that_a_form_only_claims_is_not_attached(stage: Stage, field: str) -> None:
    answer = stage.browser("plus").post("/cases/new/", a_form(upload=field))
    assert answer.status_code in {303, 409}
    theirs = stage.cast.upload("standard")
    refused = stage.browser("plus").post(
        "/cases/new/", a_form(upload=str(theirs.id), **{f"upload-{theirs.id}": "[" * 100_000})
    )
    assert refused.status_code == 409


# ---- who may, and when ----


def test_a_contract_that_is_over_is_said_clearly_and_keeps_the_files(stage: Stage) -> None:
    browser = stage.browser("plus")
    with clock.frozen_at(stage.cast.now + timedelta(days=3 * 365)):
        answer = browser.post("/cases/new/", a_report())
    page = page_of(answer)
    assert answer.status_code == 409
    assert "is over since" in page
    assert uploads().filter(uploaded_by_id=stage.cast.plus.id, used_at=None).count() == 1


def test_without_premium_incidents_it_goes_as_standard_after_a_tick(stage: Stage) -> None:
    browser = stage.browser("plus")
    for _ in range(12):
        stage.cast.open("plus")
    refused = browser.post("/cases/new/", a_form())
    assert refused.status_code == 409
    assert "No premium incidents are left" in page_of(refused)
    assert "consent_standard" in page_of(refused)
    number = number_of(browser.post("/cases/new/", a_form(consent_standard="on")))
    assert queries.get_case_for(stage.cast.plus, number).case_class == "standard"


def test_nobody_reaches_a_strangers_file_by_way_of_an_own_case(stage: Stage) -> None:
    theirs = number_of(stage.browser("standard").post("/cases/new/", a_report(case_class="standard")))
    file_id = stage.file_of(theirs)
    assert stage.browser("plus").get(f"/cases/{stage.incident}/files/{file_id}/").status_code == 404
    assert stage.browser("plus").get(f"/cases/{theirs}/files/{file_id}/").status_code == 404


def test_an_internal_note_and_its_file_stay_inside(stage: Stage) -> None:
    number = stage.incident
    note = with_token(text="Between us", is_internal="on", files=a_file(name="note.bin"))
    assert stage.browser("engineer").post(f"/console/cases/{number}/messages/", note).status_code == 303
    case = queries.get_case_for(stage.cast.engineer, number)
    file_id = queries.files_of(case, "internal")[0].id
    customer = stage.browser("plus")
    page = page_of(customer.get(f"/cases/{number}/"))
    assert "Between us" not in page
    assert "note.bin" not in page
    assert customer.get(f"/cases/{number}/files/{file_id}/").status_code == 404
    assert stage.browser("engineer").get(f"/console/cases/{number}/files/{file_id}/").status_code == 200
    assert customer.post(f"/cases/{number}/messages/", with_token(text="x", is_internal="on")).status_code == 303
    assert "Between us" not in page_of(customer.get(f"/cases/{number}/"))


def test_a_message_to_a_closed_case_is_refused_on_its_page(stage: Stage) -> None:
    close_case(stage.cast.engineer, stage.cast.now, stage.incident, how="solved", reason="Done")
    for part, address in (("plus", "/cases/{}/messages/"), ("engineer", "/console/cases/{}/messages/")):
        answer = stage.browser(part).post(address.format(stage.incident), with_token(text="Still?"))
        assert answer.status_code == 409
        assert "closed" in page_of(answer)
        assert "Still?" not in str(
            [event.payload for event in queries.events_of(queries.get_case_for(stage.cast.plus, stage.incident))]
        )


def test_nobody_takes_two_of_the_three_roles(stage: Stage) -> None:
    reviewer = stage.cast.people["reviewer"]
    reviewer.roles = ["analyst", "reviewer", "releaser"]
    reviewer.save()
    number = stage.bench.reported()
    stage.bench.propose(number)
    paula = stage.browser("reviewer")
    base = f"/console/lab/{number}/drafts/"
    assert paula.post(base, with_token(proposal="0", title="t", reason="r")).status_code == 303
    stage.bench.hand_in(stage.bench.lease("gates"), gates_passed())
    draft = stage.bench.draft(number, 1)
    form = {"build_digest": draft.build_digest, "confirm": draft.build_label}
    own = paula.post(f"{base}1/review/", with_token(**form))
    assert own.status_code == 409
    assert "You wrote this draft" in page_of(own)
    assert paula.post(f"{base}1/approve/", with_token(**form)).status_code == 409
    assert {row.role for row in approvals_of(stage.bench.draft(number, 1))} == {"author"}


def test_a_reviewer_does_not_release_and_another_build_is_not_approved(stage: Stage) -> None:
    for part in ("reviewer", "releaser"):
        person = stage.cast.people[part]
        person.roles = ["reviewer", "releaser"]
        person.save()
    number = stage.bench.reported()
    draft = stage.bench.gated(number)
    base = f"/console/lab/{number}/drafts/1/"
    form = {"build_digest": draft.build_digest, "confirm": draft.build_label}
    paula, jon = stage.browser("reviewer"), stage.browser("releaser")
    assert paula.post(f"{base}review/", with_token(build_digest="0" * 64)).status_code == 409
    assert paula.post(f"{base}review/", with_token(**form)).status_code == 303
    assert "You reviewed this draft" in page_of(paula.post(f"{base}approve/", with_token(**form)))
    assert jon.post(f"{base}approve/", with_token(**{**form, "confirm": "yes"})).status_code == 422
    assert jon.post(f"{base}approve/", with_token(**form)).status_code == 303


def test_gates_that_run_are_not_started_twice(stage: Stage) -> None:
    draft = stage.bench.drafted(stage.bench.reported())
    answer = stage.browser("analyst").post(f"/console/lab/{draft.case_number}/drafts/1/gates/", with_token())
    assert answer.status_code == 409
    with pytest.raises(Exception, match="running or have passed"):
        request_gates(stage.cast.analyst, stage.cast.now, draft.case_number, 1)


RULE = 'rule Lab_X\n{\n  strings:\n    $a = "LAB-HARMLESS" ascii\n  condition:\n    $a\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        "rule",
        'include "/etc/passwd"\n' + RULE,
        RULE + RULE,
        "\x00",
        RULE.replace("$a\n}", "$b\n}"),
        'import "nothing"\n' + RULE,
        "rule Lab_X { condition: " + "(" * 5000 + "true" + ")" * 5000 + " }",
    ],
    ids=["no-rule", "include", "two-rules", "nul", "undefined", "import", "deep"],
)
def test_a_rule_that_does_not_hold_is_refused_at_its_text_or_at_its_gate(stage: Stage, text: str) -> None:
    number = stage.bench.reported()
    stage.bench.drafted(number)
    answer = stage.browser("analyst").post(
        f"/console/lab/{number}/drafts/", with_token(from_draft="1", title="t", reason="r", **{"text-0": text})
    )
    assert answer.status_code in {303, 409, 422}
    if answer.status_code == 303:  # it reads as a rule: the lint and load gates judge it in the lab
        assert stage.bench.draft(number, 2).state == "gating"
    else:
        assert "g-err" in page_of(answer) or 'role="alert"' in page_of(answer)


@pytest.mark.parametrize(
    "fields",
    [
        {"proposal": "9" * 5000},
        {"proposal": "999999999"},
        {"proposal": "-1"},
        {"proposal": "x"},
        {},
        {"from_draft": "9" * 40},
        {"from_draft": "999999999"},
        {"from_draft": "1", "text-9999": "x"},
        {"from_draft": "1", "text-0": ""},
        {"from_draft": "1", "title": "\x00" * 3, "text-0": "\ud7ff"},
    ],
)
def test_a_draft_form_that_names_nothing_real_is_refused(stage: Stage, fields: dict[str, str]) -> None:
    number = stage.bench.reported()
    stage.bench.drafted(number)
    answer = stage.browser("analyst").post(f"/console/lab/{number}/drafts/", with_token(**fields))
    assert answer.status_code in {404, 409, 422}


# ---- forms ----


@pytest.mark.parametrize("address", ["/cases/new/", "/cases/{}/messages/", "/cases/{}/close/", "/tokens/new/"])
def test_a_form_without_its_csrf_token_is_refused(stage: Stage, address: str) -> None:
    browser = stage.browser("plus", enforce_csrf_checks=True)
    answer = browser.post(address.format(stage.incident), a_report())
    assert answer.status_code == 403
    assert uploads().filter(uploaded_by_id=stage.cast.plus.id).count() == 0


def test_the_csrf_token_of_a_page_is_taken_also_with_files(stage: Stage) -> None:
    browser = stage.browser("plus", enforce_csrf_checks=True)
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page_of(browser.get("/cases/new/")))
    assert found
    number_of(browser.post("/cases/new/", a_report(csrfmiddlewaretoken=found.group(1))))


@pytest.mark.parametrize(
    ("part", "address", "fields"),
    [
        ("plus", "/cases/new/", {"kind": "incident", "subject": "x"}),
        ("plus", "/cases/{}/messages/", {"text": "x"}),
        ("plus", "/tokens/new/", {"name": "x"}),
        ("plus_admin", "/machines/codes/", {"name": "x"}),
        ("engineer", "/console/cases/{}/take/", {}),
        ("engineer", "/console/cases/{}/messages/", {"text": "x"}),
    ],
)
def test_a_form_without_its_form_token_is_refused(
    stage: Stage, part: str, address: str, fields: dict[str, Any]
) -> None:
    number = stage.incident
    before = queries.cases_for(stage.cast.plus).count()
    for token in ("", " ", "\x00"):
        answer = stage.browser(part).post(address.format(number), {**fields, "form_token": token})
        assert answer.status_code == 422
        assert "Load the page again" in page_of(answer)
    assert queries.cases_for(stage.cast.plus).count() == before


def test_a_form_that_is_sent_twice_is_done_once(stage: Stage) -> None:
    browser, form = stage.browser("plus"), a_form()
    assert number_of(browser.post("/cases/new/", form)) == number_of(browser.post("/cases/new/", form))
    number = stage.incident
    said = with_token(text="Only once, please")
    for _ in range(2):
        assert browser.post(f"/cases/{number}/messages/", said).status_code == 303
    page = page_of(browser.get(f"/cases/{number}/"))
    assert page.count("Only once, please") == 1


def test_a_form_token_for_another_text_is_refused(stage: Stage) -> None:
    browser, said = stage.browser("plus"), with_token(text="One")
    browser.post(f"/cases/{stage.incident}/messages/", said)
    assert browser.post(f"/cases/{stage.incident}/messages/", {**said, "text": "Two"}).status_code == 409


@pytest.mark.parametrize("value", ["0", "5", "x", "", "9" * 5000, "\u0661"])
def test_a_severity_that_is_none_is_asked_for_again(stage: Stage, value: str) -> None:
    answer = stage.browser("plus").post("/cases/new/", a_form(severity=value, subject="Typed before"))
    assert answer.status_code == 422
    assert "Typed before" in page_of(answer)


def test_text_that_no_database_can_keep_is_no_fault(stage: Stage) -> None:
    number = number_of(stage.browser("plus").post("/cases/new/", a_form(subject="a\x00b")))
    assert queries.get_case_for(stage.cast.plus, number).subject == "ab"
    for address in ("/cases/%00/", "/console/queue/?search=%00", "/console/cases/%00/", "/console/lab/%00/"):
        part = "plus" if address.startswith("/cases") else "analyst"
        assert stage.browser(part).get(address).status_code in {200, 404}
    assert stage.browser("plus").post("/tokens/new/", with_token(name="a\x00b")).status_code == 200
    taken = stage.browser("engineer").post(f"/console/cases/{number}/take/", with_token(reason="a\x00" * 400))
    assert taken.status_code == 303


# ---- what is shown ----


def test_script_in_what_customers_write_is_text_on_every_page(stage: Stage) -> None:
    browser, staff = stage.browser("plus"), stage.browser("analyst")
    report = a_report(
        claim="FP",
        **dict.fromkeys(("engine", "database_version"), EVIL[:40]),
        **dict.fromkeys(("subject", "description", "product", "detection_name"), EVIL),
        files=a_file(name="<img src=x onerror=alert(1)>.exe"),
    )
    number = number_of(browser.post("/cases/new/", report))
    stage.bench.confirm("FP")
    stage.bench.propose(number)
    assert browser.post(f"/cases/{number}/messages/", with_token(text=EVIL)).status_code == 303
    assert staff.post(f"/console/cases/{number}/take/", with_token(reason=EVIL)).status_code == 303
    for name, fields in (("wait", {"reason": EVIL}), ("resume", {"reason": EVIL}), ("solution", {"text": EVIL})):
        assert staff.post(f"/console/cases/{number}/{name}/", with_token(**fields)).status_code == 303
    determined = with_token(verdict="fp_confirmed", text=EVIL)
    assert staff.post(f"/console/lab/{number}/determination/", determined).status_code == 303
    drafted = with_token(proposal="0", title=EVIL, reason=EVIL)
    assert staff.post(f"/console/lab/{number}/drafts/", drafted).status_code == 303
    browser.post("/tokens/new/", with_token(name=EVIL[:80]))
    stage.browser("plus_admin").post("/machines/codes/", with_token(name=EVIL[:80]))
    pages = {
        browser: ["/cases/", "/cases/?view=all", f"/cases/{number}/", "/machines/", "/tokens/", "/contract/"],
        staff: [
            "/console/queue/",
            "/console/queue/?search=%3Cscript%3Ealert%28%29",
            f"/console/cases/{number}/",
            "/console/lab/",
            f"/console/lab/{number}/",
            f"/console/lab/{number}/drafts/1/",
            "/console/releases/",
        ],
    }
    for client, addresses in pages.items():
        for address in addresses:
            shown = page_of(client.get(address))
            assert what_runs(shown) == [], address
            assert "onerror=alert(1)&gt;49" not in shown
    assert "&lt;script&gt;" in page_of(browser.get(f"/cases/{number}/"))
    assert what_runs(page_of(browser.post(f"/cases/{number}/close/", with_token(how="no", reason=EVIL)))) == []


def test_a_refused_form_shows_script_as_text(stage: Stage) -> None:
    shown = page_of(stage.browser("plus").post("/cases/new/", a_form(subject=EVIL, severity="", description=EVIL)))
    assert what_runs(shown) == []
    assert "&lt;script&gt;" in shown


# ---- ways out ----

ELSEWHERE = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "\thttps://evil"]


@pytest.mark.parametrize("there", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in_or_switching(stage: Stage, there: str) -> None:
    person = {"login": "lucia.ferrer@astilleros.example", "password": PASSWORD}
    for address, fields in ((SIGN_IN, person), ("/language/", {"language": "es"}), ("/theme/", {"theme": "dark"})):
        answer = Client().post(f"{address}?next={there}", {**fields, "next": there})
        assert answer.status_code in {302, 303}
        assert "evil" not in answer.headers["Location"]
        assert not answer.headers["Location"].startswith("javascript")


def test_a_page_that_needs_a_sign_in_is_where_one_arrives_after_it(stage: Stage) -> None:
    client = Client()
    sent = client.get(f"/cases/{stage.incident}/").headers["Location"]
    assert sent == f"{SIGN_IN}?next=/cases/{stage.incident}/"
    arrived = client.post(sent, {"login": "lucia.ferrer@astilleros.example", "password": PASSWORD})
    assert arrived.headers["Location"] == f"/cases/{stage.incident}/"


def test_headers_cannot_be_injected_by_an_address_or_a_choice(stage: Stage) -> None:
    for address in ("/cases/%0d%0aX-Evil:%201/", "/console/releases/1%0d%0aX/evidence/"):
        answer = stage.browser("plus").get(address)
        assert "X-Evil" not in answer.headers
        assert answer.status_code == 404
    chosen = Client().post("/theme/", {"theme": "dark\r\nX: 1"})
    assert chosen.status_code == 400


def test_evidence_leaves_as_an_attachment_of_json(stage: Stage) -> None:
    for part, address in (("plus", f"/cases/{stage.released}/evidence/"), ("analyst", "/console/releases/2/evidence/")):
        answer = stage.browser(part).get(address)
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="guardia-')
        assert answer.headers["Content-Type"] == "application/json"
        assert json.loads(answer.content)
