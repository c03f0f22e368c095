"""What the tests of sigdist share: records of a harmless family, a stock python-tuf client, a stand-in server."""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from sigdist.client.cli import wall_clock
from sigdist.records import Build, ProofRefused, Record, State, build, parse_and_verify

FAMILY = b"LAB-HARMLESS-FAMILY-0001"
NOW = wall_clock()
DAY = timedelta(days=1)
PASSPHRASE = "correct horse"


def ndb(name: str, literal: bytes = FAMILY, case: str | None = "1017") -> Record:
    return Record.make("clamav_line", name, case, database="ndb", line=f"{name}:0:*:{literal.hex()}")


def yara(name: str, literal: bytes = FAMILY, case: str | None = "1017") -> Record:
    text = literal.decode("ascii")
    source = f'rule {name} {{ meta: case = "{case}" strings: $a = "{text}" condition: $a }}'
    return Record.make("yara_rule", name, case, source=source)


def release(number: int, *extra: Record) -> Build:
    """Release `number`: the harmless family in both engines, one rule that is new in it, and `extra`."""
    fresh = [yara(f"Fresh_{number}", f"FRESH-LITERAL-{number:04}".encode())]
    return build(State.of([ndb("Lab.Family"), yara("Lab_Family"), *fresh, *extra]), number, f"20261122.{number}")


class FolderFetcher(FetcherInterface):
    """Lets stock python-tuf read a tree on disk: the URL is the path."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url.removeprefix("file://"))
        if not path.is_file():
            raise DownloadHTTPError(f"{path} is not there", 404)
        return iter([path.read_bytes()])


def stock_fetch(tree: Path, lane: str, cache: Path, root: bytes) -> dict[str, bytes]:
    """Every target of the lane's head, as stock python-tuf verifies and downloads it from disk."""
    base = f"file://{tree}/{lane}"
    return stock_fetch_from(f"{base}/metadata", f"{base}/targets", cache, root, FolderFetcher())


def stock_fetch_from(
    metadata_url: str, targets_url: str, cache: Path, root: bytes, fetcher: FetcherInterface | None = None
) -> dict[str, bytes]:
    cache.mkdir(parents=True, exist_ok=True)
    updater = Updater(str(cache), metadata_url, str(cache), targets_url, fetcher=fetcher, bootstrap=root)
    described = _stock_download(updater, "release.json")
    files = {"release.json": described}
    for name in json.loads(described)["files"]:
        files[name] = _stock_download(updater, name)
    return files


def _stock_download(updater: Updater, name: str) -> bytes:
    target = updater.get_targetinfo(name)
    assert target is not None, name
    return Path(updater.download_target(target)).read_bytes()


class StandIn:
    """A server with the agent's API and the release tree, honest unless told otherwise.

    `replies` maps a path to bytes that are served instead; `endless` and `dripping` hold paths that never end.
    """

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.lane = "accelerated"
        self.replies: dict[str, bytes] = {}
        self.endless: set[str] = set()
        self.dripping: set[str] = set()
        self.api_fault: int | None = None
        self.codes = {"CODE-1", "CODE-2", "CODE-3"}
        self.public_key = b""
        self.nonce = ""
        self.samples: list[dict[str, str]] = []
        self.proofs: list[bytes] = []
        self.url = ""

    def root(self, lane: str | None = None) -> bytes:
        return (self.tree / (lane or self.lane) / "metadata" / "1.root.json").read_bytes()

    def where(self) -> dict[str, Any]:
        return {
            "agent_id": "agent-1",
            "lane": self.lane,
            "metadata_url": f"{self.url}/{self.lane}/metadata/",
            "targets_url": f"{self.url}/{self.lane}/targets/",
            "poll_after_s": 15,
        }

    def api(self, path: str, asked: dict[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        if self.api_fault is not None:
            return self.api_fault, {"title": "Out of order", "detail": "the stand-in was told to fail"}
        if path == "/api/v1/agents/enrol":
            return self._enrol(asked)
        if token != "Bearer token-1":
            return 401, {"title": "Not signed in", "detail": "the token is unknown"}
        doors = {"me": self._me, "challenges": self._challenge, "proofs": self._prove}
        return doors[path.rpartition("/")[2]](asked)

    def _me(self, _asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, self.where()

    def _challenge(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.nonce = secrets.token_hex(16)
        return 201, {"nonce": self.nonce, "case": asked["case"], "samples": self.samples, "expires_at": "soon"}

    def _enrol(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if asked["code"] not in self.codes:
            return 403, {"title": "Code not valid", "detail": "it was used already or never given"}
        self.codes.remove(asked["code"])
        self.public_key = base64.b64decode(asked["public_key"])
        return 201, {**self.where(), "token": "token-1", "root": json.loads(self.root())}

    def _prove(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        statement = base64.b64decode(asked["statement"])
        try:
            proof = parse_and_verify(statement, base64.b64decode(asked["signature"]), self.public_key)
        except ProofRefused as refusal:
            return 422, {"title": "Proof refused", "detail": refusal.reason}
        self.proofs.append(statement)
        claims = {sample["sha256"]: sample["claim"] for sample in self.samples}
        good = proof.nonce == self.nonce and all(
            sample.satisfies(claims[sample.sha256], ("yara-x", "clamav")) for sample in proof.samples
        )
        reason = None if good else "the verdicts do not satisfy the claim"
        return 200, {"accepted": good, "reason": reason, "case_state": "closed" if good else "still_failing"}


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve `stand_in` on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": stand_in}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def log_message(self, *_words: object) -> None:
        """The tests read answers, not logs."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._json(*self.stand_in.api(self.path, asked, self.headers.get("Authorization", "")))

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self._json(*self.stand_in.api(self.path, {}, self.headers.get("Authorization", "")))
        elif self.path in self.stand_in.endless:
            self._pour(lambda: b"x" * 65536)
        elif self.path in self.stand_in.dripping:
            self._pour(self._drop)
        else:
            self._file()

    def _drop(self) -> bytes:
        time.sleep(0.05)
        return b" "

    def _pour(self, more: Callable[[], bytes]) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(more())
        except OSError:
            # The client hung up, which is what these tests are about.
            self.close_connection = True

    def _file(self) -> None:
        path = self.stand_in.tree / self.path.lstrip("/")
        data = self.stand_in.replies.get(self.path)
        if data is None and path.is_file():
            data = path.read_bytes()
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def _json(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def at(days: float) -> datetime:
    """The instant `days` from when the tests started."""
    return NOW + days * DAY
