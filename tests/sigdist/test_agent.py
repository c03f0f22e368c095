"""The agent through its command, against a server that speaks the agent's API, with real engines and real kills."""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.sigdist.stage import FAMILY, NOW, StandIn, ndb, release

from engines import ENGINE_NAMES, open_engine
from sigdist.client import cli
from sigdist.client.refusals import AgentRefused, UpdateRefused
from sigdist.client.store import Store
from sigdist.client.update import update
from sigdist.records import canonical_bytes, sha256_hex
from sigdist.repository import KeyRing, publish

BAD = b"some clean bytes " + FAMILY + b" more clean bytes"
CLEAN = b"nothing to see in this file at all"


@pytest.fixture
def served(stand_in: StandIn, keys: KeyRing) -> StandIn:
    publish(stand_in.tree, "accelerated", release(1), keys, NOW)
    return stand_in


@pytest.fixture
def agent(served: StandIn, store: Store) -> Store:
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-1", "--name", "lab-1") == 0
    return store


def _run(store: Store, command: str, *words: object) -> int:
    return cli.main([command, "--home", str(store.home), *map(str, words)])


def _answer(capsys: pytest.CaptureFixture[str], store: Store, command: str, *words: object) -> tuple[int, Any]:
    capsys.readouterr()
    code = _run(store, command, "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def _file(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / "files" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def _sample(data: bytes, claim: str) -> dict[str, str]:
    return {"sha256": sha256_hex(data), "claim": claim}


def test_enrolling_pins_a_root_and_says_which(
    served: StandIn, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-1") == 0
    shown = capsys.readouterr().out
    assert f"root from the server, SHA-256 {hashlib.sha256(served.root()).hexdigest()}" in shown
    assert "Compare that SHA-256" in shown
    assert store.pinned_root("accelerated") == served.root()
    assert stat.S_IMODE(store.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.home / "enrolment.json").stat().st_mode) == 0o600
    assert "token-1" not in repr(store.enrolment())
    assert store.enrolment().private_key not in repr(store.enrolment())


def test_a_root_that_the_user_brings_is_the_one_that_counts(served: StandIn, store: Store, tmp_path: Path) -> None:
    root = _file(tmp_path, "root.json", served.root("standard"))
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-1", "--root", root) == 1
    root.write_bytes(served.root())
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-2", "--root", root) == 0


def test_a_code_is_good_once_and_the_old_enrolment_stays(
    served: StandIn, agent: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = agent.enrolment()
    assert _run(agent, "enrol", "--server", served.url, "--code", "CODE-1") == 1
    assert "Code not valid: it was used already or never given" in capsys.readouterr().err
    assert agent.enrolment() == before


def test_a_repeated_enrolment_after_a_kill_uses_the_same_key(served: StandIn, store: Store) -> None:
    served.api_fault = 503
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-1") == 1
    key = store.pending_key().public_key().public_bytes_raw()
    served.api_fault = None
    assert _run(store, "enrol", "--server", served.url, "--code", "CODE-1") == 0
    assert served.public_key == key
    assert not (store.home / "pending.key").exists()


def test_an_update_installs_what_both_engines_load(agent: Store, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = _answer(capsys, agent, "update")
    assert (code, told["release"], told["changed"], told["warnings"]) == (0, 1, True, [])
    assert (agent.home / "current").is_symlink()
    assert (agent.home / "current").readlink() == Path("releases/1")
    for name, data in release(1).files.items():
        assert (agent.home / "current" / name).read_bytes() == data
    code, told = _answer(capsys, agent, "update")
    assert (code, told["changed"]) == (0, False)


def test_three_releases_are_kept(served: StandIn, agent: Store, keys: KeyRing) -> None:
    for number in range(2, 7):
        update(agent)
        publish(served.tree, "accelerated", release(number), keys, NOW)
    update(agent)
    assert sorted(path.name for path in (agent.home / "releases").iterdir()) == ["4", "5", "6"]
    assert not (agent.home / "incoming").exists()


def test_without_the_server_the_stored_addresses_serve(
    served: StandIn, agent: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    served.api_fault = 503
    code, told = _answer(capsys, agent, "update")
    assert (code, told["release"]) == (0, 1)
    assert "stored addresses" in told["warnings"][0]
    served.api_fault = 401
    code, told = _answer(capsys, agent, "update")
    assert (code, told["error"]["kind"]) == (1, "server_refused")


def test_with_nothing_reachable_it_says_so_and_keeps_the_database(served: StandIn, agent: Store) -> None:
    update(agent)
    enrolment = agent.home / "enrolment.json"
    enrolment.write_text(enrolment.read_text().replace(served.url, "http://127.0.0.1:9"))
    with pytest.raises(UpdateRefused, match="installed release 1 stays") as refusal:
        update(agent)
    assert refusal.value.kind == "unreachable"
    assert "Connection refused" in str(refusal.value)


def test_the_token_in_an_address_is_never_shown(
    served: StandIn, agent: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolment = agent.home / "enrolment.json"
    hidden = enrolment.read_text().replace("/accelerated/", "/accelerated/s3cret-t0ken/")
    served.api_fault = 503
    for address in (served.url, "http://127.0.0.1:9", "http://no-such-host.invalid"):
        enrolment.write_text(hidden.replace(served.url, address))
        assert _run(agent, "update", "--json") == 1
        shown = capsys.readouterr()
        assert "s3cret" not in shown.out + shown.err


def test_a_changed_lane_is_not_followed_without_a_new_enrolment(
    served: StandIn, agent: Store, keys: KeyRing, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(served.tree, "standard", release(1), keys, NOW)
    served.lane = "standard"
    code, told = _answer(capsys, agent, "update")
    assert (code, told["error"]["kind"]) == (1, "wrong_lane")
    assert "guardia-agent enrol" in told["error"]["sentence"]
    assert _run(agent, "enrol", "--server", served.url, "--code", "CODE-2") == 0
    code, told = _answer(capsys, agent, "update")
    assert (code, told["release"]) == (0, 1)


def test_a_damaged_release_is_mended(agent: Store) -> None:
    update(agent)
    rules = agent.home / "current/yara/guardia.yar"
    rules.write_bytes(b"rule x { condition: true }")
    (agent.home / "current/yara/stranger.yar").write_bytes(b"rule y { condition: true }")
    assert update(agent).changed
    assert rules.read_bytes() == release(1).files["yara/guardia.yar"]
    assert not update(agent).changed


def test_two_updates_at_once_do_not_meet(agent: Store) -> None:
    with agent.lock(), pytest.raises(AgentRefused, match="another guardia-agent"):
        update(agent)


def test_scanning_gives_every_engines_verdict_and_the_exit_code(
    agent: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(agent)
    _file(tmp_path, "bad.bin", BAD)
    clean = _file(tmp_path, "clean.bin", CLEAN)
    assert _run(agent, "scan", clean) == 0
    code, told = _answer(capsys, agent, "scan", tmp_path / "files")
    assert (code, told["ok"], told["clean"], told["release"]) == (1, False, False, 1)
    names = {Path(file["path"]).name: file for file in told["files"]}
    assert names["clean.bin"]["clean"]
    assert names["bad.bin"]["verdicts"]["yara-x"]["names"] == ["Lab_Family"]
    assert names["bad.bin"]["verdicts"]["clamav"]["names"] == ["Lab.Family"]
    assert _run(agent, "scan", tmp_path / "nowhere") == 1
    assert "there is no file" in capsys.readouterr().err


def test_a_proof_says_what_the_machine_finds_and_closes_the_case(
    served: StandIn, agent: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(agent)
    served.samples = [_sample(BAD, "FN"), _sample(CLEAN, "FP")]
    files = [_file(tmp_path, "bad.bin", BAD), _file(tmp_path, "clean.bin", CLEAN)]
    code, told = _answer(capsys, agent, "verify", "1017", *files)
    assert (code, told["accepted"], told["case_state"]) == (0, True, "closed")
    said = json.loads(served.proofs[0])
    assert served.proofs[0] == canonical_bytes(said)
    assert (said["case"], said["agent_id"], said["lane"], said["release"]) == ("1017", "agent-1", "accelerated", 1)
    assert said["state_root"] == release(1).state_root
    assert set(said["samples"][0]["verdicts"]) == set(ENGINE_NAMES)


def test_a_verdict_against_the_claim_is_sent_as_it_is(
    served: StandIn, agent: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(agent)
    served.samples = [_sample(BAD, "FP")]
    assert _run(agent, "verify", "1017", _file(tmp_path, "bad.bin", BAD)) == 1
    assert "Proof not accepted: the verdicts do not satisfy the claim" in capsys.readouterr().out
    assert len(served.proofs) == 1


def test_files_that_are_not_the_cases_samples_are_refused_before_anything_is_sent(
    served: StandIn, agent: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    update(agent)
    served.samples = [_sample(BAD, "FN"), _sample(b"second", "FN")]
    assert _run(agent, "verify", "1017", _file(tmp_path, "other.bin", CLEAN)) == 1
    assert "no sample of case 1017 has this content" in capsys.readouterr().err
    assert _run(agent, "verify", "1017", _file(tmp_path, "bad.bin", BAD)) == 1
    assert "also has the sample" in capsys.readouterr().err
    assert served.proofs == []


def test_status_says_what_this_machine_is_and_has(agent: Store, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = _answer(capsys, agent, "status")
    assert (code, told["release"], told["lane"]) == (0, None, "accelerated")
    update(agent)
    code, told = _answer(capsys, agent, "status")
    assert (told["release"], told["label"], told["state_root"]) == (1, "20261122.1", release(1).state_root)
    assert all(told["engines"].values())
    assert 0 <= told["age_s"] < 60


def test_a_machine_that_is_not_enrolled_or_has_no_database_says_what_to_do(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(store, "update") == 1
    assert "guardia-agent enrol --server URL --code CODE" in capsys.readouterr().err
    assert _run(store, "scan", _file(tmp_path, "clean.bin", CLEAN)) == 1
    assert "run: guardia-agent update" in capsys.readouterr().err
    assert _run(store, "enrol", "--server", "ftp://x", "--code", "c") == 1
    assert "is no server address" in capsys.readouterr().err
    with pytest.raises(SystemExit) as misuse:
        cli.main(["enrol"])
    assert misuse.value.code == 2


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letters").mkdir(mode=0o755)
    (tmp_path / "letters/one.txt").write_text("dear all")
    assert cli.main(["status", "--home", str(tmp_path / "letters")]) == 1
    assert "choose an empty folder with --home" in capsys.readouterr().err
    assert stat.S_IMODE((tmp_path / "letters").stat().st_mode) == 0o755


def test_words_of_a_server_cannot_steer_the_terminal(
    served: StandIn, store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "api", lambda *_: (403, {"title": "No\x1b[2J", "detail": "a\nb"}))
    assert _run(store, "enrol", "--server", served.url, "--code", "x") == 1
    shown = capsys.readouterr().err
    assert "\x1b" not in shown
    assert shown.count("\n") == 1


KILLED_UPDATE = """
import itertools, os, signal, sys
from pathlib import Path
from sigdist.client.store import Store
from sigdist.client.update import update
steps = itertools.count()
def checkpoint(name):
    if next(steps) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
update(Store(Path(sys.argv[1])), checkpoint=checkpoint)
"""


@pytest.mark.slow
def test_killed_at_any_step_an_update_leaves_a_database_that_loads(
    served: StandIn, agent: Store, keys: KeyRing
) -> None:
    update(agent)
    publish(served.tree, "accelerated", release(2, ndb("Lab.Second", b"SECOND-LITERAL")), keys, NOW)
    wholes = {1: release(1).files, 2: release(2, ndb("Lab.Second", b"SECOND-LITERAL")).files}
    seen = []
    for step in range(20):
        command = [sys.executable, "-c", KILLED_UPDATE, str(agent.home), str(step)]
        done = subprocess.run(command, check=False, env=_environment(), timeout=60)
        installed = agent.need_installed()
        seen.append(installed.number)
        found = {
            str(path.relative_to(installed.folder)): path.read_bytes()
            for path in installed.folder.rglob("*")
            if path.is_file()
        }
        assert found == wholes[installed.number]
        for engine in ENGINE_NAMES:
            open_engine(engine).load(agent.home / "current")
        if done.returncode == 0:
            break
        assert done.returncode == -9
    assert seen[0] == 1
    assert seen[-1] == 2
    assert not update(agent).changed


def _environment() -> dict[str, str]:
    source = Path(cli.__file__).parents[2]
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(source)}
