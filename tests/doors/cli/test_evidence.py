"""`guardia evidence verify`: what is signed, what is derived again, and every way in which it may not hold."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.sigdist.stage import NOW, PASSPHRASE, release

from guardia.doors.cli import main as guardia
from guardia.features.lab.rules.gates import GATES
from sigdist.records import Build
from sigdist.repository import EVIDENCE_KEY, KeyRing, ceremony, sign_evidence, statement

BUILD = release(7)


def predicate(build: Build = BUILD) -> dict[str, Any]:
    """What the server says of an earned release."""
    people = [("author", "1"), ("reviewer", "2"), ("releaser", "3")]
    return {
        "release": {
            "number": build.number,
            "label": build.label,
            "state_root": build.state_root,
            "build_digest": build.digest,
        },
        "case": "40710014",
        "gates": [
            {"gate": gate, "state": "passed", "done": 2, "total": 2, "counts": {"files": 2}, "failures": []}
            for gate in GATES
        ],
        "engines": {"yara-x": "1.23.0", "clamav": "1.4.6"},
        "corpus": {"digest": "0" * 64, "files": 2},
        "approvals": [
            {"role": role, "person": person, "name": f"Person {person}", "at": "2026-11-22T10:00:00+00:00"}
            for role, person in people
        ],
    }


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    folder = tmp_path_factory.mktemp("evidence")
    return ceremony(folder / "keys", folder / "tree", NOW, passphrase=PASSPHRASE, development=True)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(keys: KeyRing, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def verify(said: dict[str, Any] | None = None, *more: str, key: Path | None = None) -> tuple[int, str, str]:
        envelope = sign_evidence(said or statement(BUILD, predicate()), keys)
        file = tmp_path / "evidence.json"
        file.write_text(json.dumps(envelope), encoding="utf-8")
        words = ["evidence", "verify", str(file), "--key", str(key or keys.folder / "keys.json"), *more]
        code = guardia.main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return verify


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    for name, content in BUILD.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_earned_evidence_holds_and_is_told(run: Run, installed: Path) -> None:
    code, out, err = run(None, "--database", str(installed))
    assert (code, err) == (0, "")
    for told in (BUILD.label, BUILD.digest, "4071 0014", "clean_corpus", "2 of 2", "Person 3", "The evidence holds."):
        assert told in out


def test_a_link_to_the_installed_folder_is_followed(run: Run, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(installed)
    assert run(None, "--database", str(tmp_path / "current"))[0] == 0


def test_the_key_may_be_a_pem_file(run: Run, keys: KeyRing, tmp_path: Path) -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys.public_key(EVIDENCE_KEY).keyval["public"]))
    pem = tmp_path / "evidence.pem"
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run(key=pem)[0] == 0


def test_json_holds_the_statement_and_the_verdict(run: Run) -> None:
    code, out, _err = run(None, "--json")
    answer = json.loads(out)
    assert (code, answer["ok"], answer["wrong"]) == (0, True, [])
    assert answer["statement"]["predicate"]["release"]["number"] == BUILD.number


def test_a_changed_byte_of_the_database_is_told(run: Run, installed: Path) -> None:
    (installed / "clamav" / "guardia.ndb").write_bytes(b"tampered\n")
    code, out, err = run(None, "--database", str(installed))
    assert code == 1
    assert "clamav/guardia.ndb" in err
    assert "does not hold" in out


def test_a_smuggled_file_of_the_database_is_told(run: Run, installed: Path) -> None:
    (installed / "clamav" / "more.ign2").write_text("Lab.Family\n", encoding="ascii")
    code, _out, err = run(None, "--database", str(installed))
    assert code == 1
    assert "clamav/more.ign2" in err


def test_a_missing_file_of_the_database_is_told(run: Run, installed: Path) -> None:
    shutil.rmtree(installed / "yara")
    code, _out, err = run(None, "--database", str(installed))
    assert code == 1
    assert "yara/guardia.yar" in err


def test_another_signer_is_refused(run: Run, tmp_path: Path) -> None:
    pem = tmp_path / "other.pem"
    other = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    code, out, err = run(key=pem)
    assert (code, out) == (1, "")
    assert "not signed by key" in err


def test_a_changed_payload_is_refused(keys: KeyRing, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    envelope = sign_evidence(statement(BUILD, predicate()), keys)
    other = sign_evidence(statement(release(8), predicate(release(8))), keys)
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps({**envelope, "payload": other["payload"]}), encoding="utf-8")
    assert guardia.main(["evidence", "verify", str(file), "--key", str(keys.folder / "keys.json")]) == 1
    assert "not signed by key" in capsys.readouterr().err


def _changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    said = predicate()
    change(said)
    return statement(BUILD, said)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda p: p["gates"].pop(), "gate load: did not run", id="a_gate_that_did_not_run"),
        pytest.param(lambda p: p["gates"][1].update(state="failed"), "clean_corpus: failed", id="a_failed_gate"),
        pytest.param(lambda p: p["gates"][1].update(done=1), "clean_corpus: 1 of 2", id="a_gate_that_stopped_half_way"),
        pytest.param(lambda p: p["gates"][0].update(failures=[{}]), "1 failures", id="a_passed_gate_with_failures"),
        pytest.param(lambda p: p["engines"].pop("clamav"), "clamav took no part", id="an_engine_that_took_no_part"),
        pytest.param(lambda p: p["corpus"].update(files=0), "corpus is empty", id="an_empty_corpus"),
        pytest.param(lambda p: p["approvals"].pop(), "three different people", id="two_people"),
        pytest.param(
            lambda p: p["approvals"][2].update(person="1"), "three different people", id="one_person_in_two_roles"
        ),
        pytest.param(lambda p: p["release"].update(build_digest="0" * 64), "give the digest", id="another_digest"),
        pytest.param(lambda p: p.pop("approvals"), "is not a release's evidence", id="a_statement_without_people"),
    ],
)
def test_signed_evidence_of_an_unearned_release_does_not_hold(
    run: Run, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    code, _out, err = run(_changed(change))
    assert code == 1
    assert told in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["evidence", "verify", "missing.json", "--key", "keys.json"], "cannot read missing.json"),
        (["evidence", "verify", "empty.json", "--key", "missing.pem"], "cannot read the key missing.pem"),
        (["evidence", "verify", "empty.json", "--key", "key.pem"], "is not a PEM public key"),
    ],
)
def test_what_cannot_be_read_is_misuse(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").write_text("{}", encoding="ascii")
    (tmp_path / "key.pem").write_text("-----BEGIN PUBLIC KEY-----\nnothing\n", encoding="ascii")
    assert guardia.main(words) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_is_no_json_is_misuse(keys: KeyRing, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evidence.json"
    file.write_bytes(b"\x00")
    assert guardia.main(["evidence", "verify", str(file), "--key", str(keys.folder / "keys.json")]) == 2
    assert "is not JSON" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_misuse(run: Run, tmp_path: Path) -> None:
    code, _out, err = run(None, "--database", str(tmp_path / "nowhere"))
    assert code == 2
    assert "there is no folder" in err
