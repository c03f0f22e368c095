"""The worker as a process of its own, against a small real server, with its child killed and its server away."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.labkit.conftest import BASE_FILES, LITERAL, RECORDS, noise
from tests.labkit.lab_server import TOKEN, LabServer

from labkit.wire.messages import Json, parse_job
from labkit.worker.child import Child, Limits
from labkit.worker.scratch import Scratch, ScratchTaken

pytestmark = pytest.mark.engines
WAIT_S = 60.0
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def lab() -> Iterator[LabServer]:
    with LabServer() as server:
        yield server


@pytest.fixture
def start(lab: LabServer, tmp_path: Path, corpus_folder: Path) -> Iterator[Start]:
    """Starts workers; ends those that a test leaves."""
    started: list[subprocess.Popen[str]] = []
    token = tmp_path / "token"

    def run(*more: str, server: str | None = None, word: str = TOKEN) -> "subprocess.Popen[str]":
        token.write_text(word + "\n")
        command = [sys.executable, "-m", "labkit.worker", "--server", server or lab.url, "--token-file", str(token)]
        command += ["--corpus", str(corpus_folder), "--scratch", str(tmp_path / "scratch"), "--name", "w1", *more]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, said = process.communicate(timeout=WAIT_S)
    return process.returncode, said


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def precheck(lab: LabServer, content: bytes, claim: str = "FN", **changes: Any) -> None:
    sample = lab.sample(content) | changes
    build = lab.build(1, BASE_FILES)
    payload = {
        "claim": claim,
        "detection": None,
        "samples": [sample],
        "lane": build,
        "newest": lab.build(2, BASE_FILES),
    }
    lab.job("precheck", payload)


def slow_job(lab: LabServer) -> None:
    """Gates whose base rules take a while over a large sample, so that a test can step in."""
    rules = "\n".join(
        f"rule S{at} {{ condition: for all i in (0..filesize - 1) : (uint8(i) != {at + 300}) }}" for at in range(200)
    )
    build = lab.build(1, {"yara/guardia.yar": rules})
    sample = lab.sample(noise("slow", 300_000))
    lab.job("precheck", {"claim": "FN", "detection": None, "samples": [sample], "lane": build, "newest": build})


def left(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "scratch").iterdir() if path.name != ".worker.lock"]


@pytest.mark.parametrize(
    ("content", "claim", "outcome"),
    [
        (b"never seen", "FN", "confirmed"),
        (b"x" + LITERAL, "FN", "fixed_in"),
        (b"x" + LITERAL, "FP", "confirmed"),
        (b"never seen", "FP", "not_reproducible"),
        (b"", "FN", "confirmed"),
        (b"PK\x03\x04 not really", "FN", "not_scanned"),
    ],
)
def test_a_precheck_says_what_the_lane_says(
    lab: LabServer, start: Start, tmp_path: Path, content: bytes, claim: str, outcome: str
) -> None:
    precheck(lab, content, claim)
    assert ended(start("--once"))[0] == 0
    (result,) = lab.results
    assert result["ok"], result
    assert result["result"]["outcome"] == outcome
    assert list(result["result"]["by_sample"].values()) == [outcome]
    assert {scan["build"] for scan in result["result"]["scans"]} == {1, 2}
    assert all(set(scan["verdicts"]) == {"yara-x", "clamav"} for scan in result["result"]["scans"])
    assert lab.leases[0]["worker"] == "w1"
    assert set(lab.leases[0]["engines"]) == {"yara-x", "clamav"}
    assert left(tmp_path) == []


def test_the_whole_job_of_a_case_goes_through_the_wire(lab: LabServer, start: Start, tmp_path: Path) -> None:
    sample = lab.sample(noise("fn", 900) + b"LAB-HARMLESS-FAMILY-0042", name="fn.bin")
    base = lab.build(1, BASE_FILES)
    draft = {"claim": "FN", "case": "1000017", "author": "Ana", "date": "2026-11-22", "samples": [sample], "base": base}
    lab.job("draft", draft | {"records": RECORDS, "malware": [], "memory": []})
    assert ended(start("--once"))[0] == 0
    proposal = lab.results[0]["result"]["proposals"][0]
    source, signature = (operation["record"] for operation in proposal["operations"])
    changed = {"yara/guardia.yar": source["source"], "clamav/guardia.ndb": signature["line"] + "\n"}
    build = {name: BASE_FILES[name] + changed[name] for name in changed}
    gates = {"claim": "FN", "case": "1000017", "samples": [sample], "build": lab.build(2, build), "base": base}
    gates |= {"changed": lab.build(2, changed), "operations": proposal["operations"]}
    lab.job("gates", gates | {"records_changed": [source, signature], "budgets": {"load_s": 60, "load_mb": 1024}})
    assert ended(start("--once"))[0] == 0
    assert [gate["state"] for gate in lab.results[1]["result"]["gates"]] == ["passed"] * 6
    assert any(step.get("gate") == "clean_corpus" for steps in lab.progress for step in steps)
    assert left(tmp_path) == []


def test_a_wrong_key_fails_the_job_and_leaves_nothing(lab: LabServer, start: Start, tmp_path: Path) -> None:
    other = lab.sample(b"other")["key"]
    precheck(lab, b"content", key=other)
    code, said = ended(start("--once"))
    assert code == 0
    assert not lab.results[0]["ok"]
    assert "not of this key" in lab.results[0]["error"]
    assert other not in said
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"size": 3}, "larger than the 3 bytes"),
        ({"size": 999}, "does not have the content"),
        ({"sha256": "0" * 64}, "no longer"),
    ],
    ids=["larger than said", "smaller than said", "gone from the quarantine"],
)
def test_a_sample_that_is_not_what_the_job_says_fails_the_job(
    lab: LabServer, start: Start, changes: Json, complaint: str
) -> None:
    precheck(lab, b"content", **changes)
    ended(start("--once"))
    assert complaint in lab.results[0]["error"]


def test_a_database_that_does_not_load_fails_the_job_with_the_place(lab: LabServer, start: Start) -> None:
    build = lab.build(1, {"yara/guardia.yar": "rule broken {"})
    payload = {"claim": "FN", "detection": None, "samples": [lab.sample(b"x")], "lane": build, "newest": build}
    lab.job("precheck", payload)
    ended(start("--once"))
    assert "yara/guardia.yar" in lab.results[0]["error"]


def test_a_server_that_is_away_is_waited_for(lab: LabServer, start: Start) -> None:
    lab.answers = {"lease": [503, 502], "progress": [503], "result": [500, 503]}
    precheck(lab, b"content")
    code, said = ended(start("--once"))
    assert (code, len(lab.results)) == (0, 1)
    assert "trying again" in said
    assert "the server is back" in said


def test_a_lost_lease_drops_the_job_and_the_worker_goes_on(lab: LabServer, start: Start, tmp_path: Path) -> None:
    lab.answers = {"progress": [409]}
    slow_job(lab)
    process = start()
    until(lambda: not lab.answers["progress"], "the refused progress")
    precheck(lab, b"content")
    until(lambda: lab.results, "the second job's result")
    process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert (code, len(lab.results)) == (0, 1)
    assert "the lease is lost" in said
    assert left(tmp_path) == []


def test_sigterm_ends_a_busy_worker_cleanly(lab: LabServer, start: Start, tmp_path: Path) -> None:
    slow_job(lab)
    process = start()
    assert lab.progressed.wait(WAIT_S)
    assert left(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0
    assert (left(tmp_path), lab.results) == ([], [])


def test_sigterm_ends_an_idle_worker_cleanly(lab: LabServer, start: Start) -> None:
    process = start()
    until(lambda: lab.leases, "a first lease")
    process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert (code, "stopped" in said) == (0, True)


def test_a_killed_child_is_a_failed_job_and_not_a_dead_worker(lab: LabServer, start: Start, tmp_path: Path) -> None:
    slow_job(lab)
    process = start()
    assert lab.progressed.wait(WAIT_S)
    until(lambda: _children(process.pid), "the job's child")
    for child in _children(process.pid):
        os.kill(child, signal.SIGKILL)
    until(lambda: lab.results, "the failed job's result")
    assert "SIGKILL" in lab.results[0]["error"]
    precheck(lab, b"content")
    until(lambda: len(lab.results) == 2, "the next job's result")
    assert lab.results[1]["ok"]
    assert left(tmp_path) == []


def test_what_a_killed_worker_left_is_wiped_at_the_next_start(lab: LabServer, start: Start, tmp_path: Path) -> None:
    slow_job(lab)
    process = start()
    assert lab.progressed.wait(WAIT_S)
    until(lambda: _children(process.pid), "the job's child")
    children = _children(process.pid)
    process.kill()
    ended(process)
    assert left(tmp_path)
    precheck(lab, b"content")
    assert ended(start("--once"))[0] == 0
    assert left(tmp_path) == []
    until(lambda: not any(Path(f"/proc/{child}/cmdline").is_file() and _alive(child) for child in children), "its end")


def test_opened_samples_are_private(lab: LabServer, start: Start, tmp_path: Path) -> None:
    slow_job(lab)
    start()
    assert lab.progressed.wait(WAIT_S)
    (job,) = (tmp_path / "scratch").glob("job-*")
    (sample,) = (job / "samples").iterdir()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "scratch", job, job / "samples", sample)]
    assert modes == [0o700, 0o700, 0o700, 0o600]


def test_a_wrong_token_is_refused_in_one_line(lab: LabServer, start: Start) -> None:
    code, said = ended(start(word="stolen-or-old"))
    assert code == 1
    assert "check the token file" in said
    assert "stolen-or-old" not in said


def test_misuse_is_told_apart(start: Start, tmp_path: Path) -> None:
    assert ended(start(server="ftp://nowhere"))[0] == 2
    assert ended(start(word=""))[0] == 1


def test_two_workers_never_share_a_scratch_folder(tmp_path: Path) -> None:
    first = Scratch(tmp_path / "s")
    with pytest.raises(ScratchTaken, match="give each worker its own"):
        Scratch(tmp_path / "s")
    first.close()
    Scratch(tmp_path / "s").close()


def test_a_job_that_takes_too_long_is_stopped(lab: LabServer, tmp_path: Path, corpus_folder: Path) -> None:
    slow_job(lab)
    job = parse_job(lab.jobs[0])
    for name in ("lane", "newest"):
        folder = tmp_path / "builds" / name / "yara"
        folder.mkdir(parents=True)
        (folder / "guardia.yar").write_text("rule Slow { condition: for all i in (0..90000000000) : (i >= 0) }")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / lab.jobs[0]["payload"]["samples"][0]["sha256"]).write_bytes(b"x")
    with Child(job, tmp_path, corpus_folder, Limits(wall_s=1.0)) as child:
        kind, content = list(child.events(0.1))[-1]
        pid = child.pid
    assert (kind, content["ok"]) == ("result", False)
    assert "longer than 1 s" in content["error"]
    assert pid is not None
    assert not _alive(pid)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.is_file() else []


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
