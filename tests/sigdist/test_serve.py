"""The static server: who gets what, and what nobody gets."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from tests.sigdist.stage import NOW, at, release
from tests.support.ports import free_port

from sigdist.client import cli
from sigdist.records import sha256_hex
from sigdist.repository import KeyRing, publish
from sigdist.repository.serve import app

TOKEN = "t" * 40


@pytest.fixture
def site(tree: Path, keys: KeyRing, tmp_path: Path) -> tuple[Path, Path]:
    for lane in ("accelerated", "standard"):
        publish(tree, lane, release(1), keys, NOW)
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    _grant(tokens, TOKEN, at(1).isoformat())
    (tree / "secret.json").write_text("{}")
    return tree, tokens


def _grant(tokens: Path, token: str, not_after: str | None) -> None:
    (tokens / f"{sha256_hex(token.encode())}.json").write_text(json.dumps({"not_after": not_after}))


def _get(site: tuple[Path, Path], path: str, *, now: datetime = NOW, method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app(*site, clock=lambda: now))
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


def test_standard_is_for_everybody_and_accelerated_for_token_holders(site: tuple[Path, Path]) -> None:
    timestamp = site[0] / "accelerated/metadata/timestamp.json"
    assert _get(site, "/standard/metadata/timestamp.json").status_code == 200
    assert _get(site, f"/accelerated/{TOKEN}/metadata/timestamp.json").content == timestamp.read_bytes()
    assert _get(site, "/accelerated/metadata/timestamp.json").status_code == 404
    assert _get(site, f"/accelerated/{'u' * 40}/metadata/timestamp.json").status_code == 404


def test_a_token_that_is_over_opens_nothing(site: tuple[Path, Path]) -> None:
    path = f"/accelerated/{TOKEN}/metadata/timestamp.json"
    assert _get(site, path, now=at(0.9)).status_code == 200
    assert _get(site, path, now=at(1.1)).status_code == 404
    _grant(site[1], TOKEN, None)
    assert _get(site, path, now=at(1000)).status_code == 200


@pytest.mark.parametrize("grant", ["", "{}", '{"not_after": 5}', '{"not_after": "soon"}', "[]"])
def test_a_grant_that_cannot_be_read_lets_nobody_in(
    site: tuple[Path, Path], grant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (site[1] / f"{sha256_hex(TOKEN.encode())}.json").write_text(grant)
    assert _get(site, f"/accelerated/{TOKEN}/metadata/timestamp.json").status_code == 404
    assert TOKEN not in capsys.readouterr().err


def test_what_never_changes_may_be_cached_and_the_rest_may_not(site: tuple[Path, Path]) -> None:
    name = f"{sha256_hex(release(1).files['yara/guardia.yar'])}.guardia.yar"
    for path in (
        f"/standard/targets/yara/{name}",
        "/standard/metadata/1.root.json",
        "/standard/metadata/1.stable.json",
    ):
        assert "immutable" in _get(site, path).headers["cache-control"], path
    for path in ("/standard/metadata/timestamp.json", "/standard/metadata/root.json", "/root/accelerated.json"):
        answer = _get(site, path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache"), path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/standard",
        "/standard/",
        "/standard/metadata/",
        "/standard/targets/yara/",
        "/secret.json",
        "/standard/../secret.json",
        "/standard/metadata/../../secret.json",
        "/standard/metadata/%2e%2e/%2e%2e/secret.json",
        "/standard/metadata/..%2f..%2fsecret.json",
        "/standard//metadata/timestamp.json",
        "/standard/metadata/timestamp.json/",
        "/standard/metadata/timestamp.json%00",
        "/standard/metadata/.timestamp.json.tmp",
        "/standard/metadata/9.stable.json",
        "/root/other.json",
        "/root/standard.json/../../secret.json",
        "/.publish.lock",
        f"/accelerated/{TOKEN}/../../secret.json",
    ],
)
def test_nothing_else_is_served(site: tuple[Path, Path], path: str) -> None:
    answer = _get(site, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Not found"


def test_a_link_out_of_the_tree_is_not_followed(site: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    (site[0] / "standard/metadata/outside.json").symlink_to(tmp_path / "outside.json")
    assert _get(site, "/standard/metadata/outside.json").status_code == 404


def test_only_reading_is_answered(site: tuple[Path, Path]) -> None:
    assert _get(site, "/standard/metadata/timestamp.json", method="POST").status_code == 405
    answer = _get(site, "/standard/metadata/timestamp.json", method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert _get(site, "/healthz").json() == {"ok": True}


def _started(site: tuple[Path, Path], port: int) -> subprocess.Popen[str]:
    source = str(Path(cli.__file__).parents[2])
    words = ["--tree", str(site[0]), "--tokens", str(site[1]), "--port", str(port)]
    return subprocess.Popen(
        [sys.executable, "-m", "sigdist.repository.serve", *words],
        env={"PYTHONPATH": source},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_serves_until_it_is_told_to_stop_and_says_when_its_port_is_taken(site: tuple[Path, Path]) -> None:
    port = free_port()
    running = _started(site, port)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                time.sleep(0.05)
        second = _started(site, port)
        _out, complaint = second.communicate(timeout=20)
        assert second.returncode == 1
        assert complaint.startswith(f"serve: cannot listen on 127.0.0.1 port {port}: Address already in use; choose")
        assert complaint.count("\n") == 1
    finally:
        running.send_signal(signal.SIGTERM)
        _out, complaint = running.communicate(timeout=20)
    assert (running.returncode, complaint) == (0, "")
