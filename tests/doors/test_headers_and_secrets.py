"""What every answer carries, and what no answer, log or repr ever does."""

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from tests.doors.stage import Stage, bearer, lab_worker, page_of, what_runs, with_token

from guardia.features.accounts.models import Person
from guardia.kernel.outside import outside

pytestmark = pytest.mark.django_db
PASSWORD = "guardia-development-only"
EMAIL = "lucia.ferrer@astilleros.example"


def every_kind_of_answer(stage: Stage) -> list[tuple[str, Any]]:
    """One answer of each kind: pages, refusals, redirects, files, JSON, problems, streams."""
    plus, staff, admin = stage.browser("plus"), stage.browser("analyst"), stage.browser("plus_admin")
    number, file_id = stage.released, stage.file_of(stage.released)
    wanted: list[tuple[Client, list[str]]] = [
        (Client(), ["/", "/sign-in/", "/password/reset/", "/password/reset/sent/", "/password/reset/done/"]),
        (Client(), ["/password/reset/key/1-x/", "/cases/", "/healthz", "/nothing", "/api/v1/cases", "/lab/v1/lease"]),
        (Client(), ["/api/v1/openapi.json", f"/cases/{number}/live"]),
        (plus, ["/cases/", "/cases/new/", f"/cases/{number}/", "/machines/", "/tokens/", "/contract/", "/sign-out/"]),
        (plus, [f"/cases/{number}/evidence/", f"/cases/{number}/files/{file_id}/", "/cases/40710105/", "/console/"]),
        (plus, [f"/cases/{number}/live", "/cases/new/?subject=x"]),
        (admin, ["/machines/"]),
        (staff, ["/console/queue/", f"/console/cases/{number}/", "/console/lab/", f"/console/lab/{number}/"]),
        (staff, [f"/console/lab/{number}/drafts/1/", "/console/releases/", "/console/releases/2/evidence/"]),
        (staff, ["/console/cases/40710105/", f"/console/lab/{number}/live"]),
        (stage.program("plus"), ["/api/v1/cases", f"/api/v1/cases/{number}", "/api/v1/cases/1", "/api/v1/nothing"]),
        (stage.agent(), ["/api/v1/agents/me"]),
        (lab_worker(), ["/lab/v1/lease"]),
    ]
    return [(address, client.get(address)) for client, addresses in wanted for address in addresses]


def test_every_answer_forbids_what_it_does_not_need(stage: Stage) -> None:
    for address, answer in every_kind_of_answer(stage):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, address
        assert "unsafe" not in policy, address
        assert "http" not in policy, address
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address
        assert answer.headers["Referrer-Policy"] == "same-origin", address
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", address
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", address
        assert "camera=()" in answer.headers["Permissions-Policy"], address
        assert "Access-Control-Allow-Origin" not in answer.headers, address
        assert "X-Powered-By" not in answer.headers, address
        if "text/html" in answer.headers["Content-Type"] and answer.content:
            assert "frame-ancestors 'none'" in policy, address
            assert answer.headers["X-Frame-Options"] == "DENY", address
            assert what_runs(page_of(answer)) == [], address
            assert '<html lang="' in page_of(answer), address


def test_a_fault_shows_a_page_without_its_cause(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> Any:
        raise RuntimeError("the inside of the house")

    monkeypatch.setattr("guardia.doors.portal.cases.customer_cases", fault)
    client = stage.browser("plus", raise_request_exception=False)
    answer = client.get("/cases/")
    assert answer.status_code == 500
    assert "inside of the house" not in page_of(answer)
    assert what_runs(page_of(answer)) == []
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_private_pages_are_kept_by_nobody_on_the_way(stage: Stage) -> None:
    for part, address in (("plus", f"/cases/{stage.released}/"), ("analyst", "/console/queue/")):
        answer = stage.browser(part).get(address)
        assert "Cookie" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_cookies_are_kept_from_script_and_from_other_sites(stage: Stage) -> None:
    client = Client()
    client.get("/sign-in/")
    client.post("/sign-in/", {"login": EMAIL, "password": PASSWORD})
    client.post("/theme/", {"theme": "dark"})
    assert {"sessionid", "csrftoken", "django_language", "guardia_theme"} <= client.cookies.keys()
    for name, cookie in client.cookies.items():
        assert cookie["samesite"] == "Lax", name
        assert bool(cookie["httponly"]) == (name != "csrftoken"), name
        assert cookie["path"] == "/", name
        assert not cookie["domain"], name
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        client = Client()
        client.get("/sign-in/", secure=True)
        client.post("/sign-in/", {"login": EMAIL, "password": PASSWORD}, secure=True)
        assert all(cookie["secure"] for cookie in client.cookies.values())


def test_a_sign_in_changes_the_session_and_a_sign_out_ends_it(stage: Stage) -> None:
    client = Client()
    client.get("/sign-in/")
    client.post("/sign-in/", {"login": EMAIL, "password": PASSWORD})
    taken = client.cookies["sessionid"].value
    assert client.get("/cases/").status_code == 200
    assert client.get("/sign-out/").status_code == 200  # a link never signs anybody out
    assert client.get("/cases/").status_code == 200
    client.post("/sign-out/")
    thief = Client()
    thief.cookies["sessionid"] = taken
    assert thief.get("/cases/").status_code == 302


def test_a_person_whose_account_is_closed_is_out_at_once(stage: Stage) -> None:
    browser = stage.browser("plus")
    assert browser.get("/cases/").status_code == 200
    Person.objects.filter(email=EMAIL).update(is_active=False)
    assert browser.get("/cases/").status_code == 302


def test_guessing_passwords_is_stopped_and_tells_nothing(stage: Stage) -> None:
    known = [Client().post("/sign-in/", {"login": EMAIL, "password": f"guess {n}"}) for n in range(7)]
    unknown = Client().post("/sign-in/", {"login": "nobody@astilleros.example", "password": "guess"})
    assert {answer.status_code for answer in known} <= {200, 429}
    assert "Too many" in page_of(known[-1])
    right = Client().post("/sign-in/", {"login": EMAIL, "password": PASSWORD})
    assert right.status_code != 302
    assert EMAIL not in page_of(unknown)


def test_a_password_reset_says_the_same_to_everybody(stage: Stage) -> None:
    told = [Client().post("/password/reset/", {"email": email}) for email in (EMAIL, "nobody@nowhere.example")]
    assert [(answer.status_code, answer.headers["Location"]) for answer in told] == [
        (302, "/password/reset/sent/"),
        (302, "/password/reset/sent/"),
    ]


def secrets_of(stage: Stage) -> list[str]:
    """Everything that must be told to nobody."""
    own = settings.GUARDIA
    lab_key = json.loads((own.private / "keys" / "lab.json").read_text())["keys"]
    return [
        own.secret_key.reveal(),
        own.signing_passphrase.reveal(),
        own.lab_token.reveal(),
        stage.token("plus"),
        stage.machine().token,
        PASSWORD,
        *lab_key.values(),
    ]


def test_no_secret_stands_in_any_answer(stage: Stage) -> None:
    secrets = secrets_of(stage)
    for address, answer in every_kind_of_answer(stage):
        told = str(answer.headers) + ("" if answer.streaming else page_of(answer))
        assert not [secret for secret in secrets if secret in told], address


def test_no_secret_stands_in_any_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    secrets = secrets_of(stage)
    caplog.set_level(logging.DEBUG)
    every_kind_of_answer(stage)
    Client().post("/sign-in/", {"login": EMAIL, "password": PASSWORD})
    Client().post("/sign-in/", {"login": EMAIL, "password": "wrong " + PASSWORD})
    bearer(stage.token("standard") + "x").get("/api/v1/cases")
    stage.browser("plus").post("/tokens/new/", with_token(name="script"))
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    assert not [secret for secret in secrets if secret in said]


def test_no_secret_stands_in_a_repr(stage: Stage) -> None:
    told = repr(settings.GUARDIA) + str(settings.GUARDIA) + repr(outside()) + repr(vars(settings.GUARDIA))
    assert not [secret for secret in secrets_of(stage) if secret in told]
