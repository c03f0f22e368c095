"""A small real lab gate for the worker's tests: a thread with an HTTP server on 127.0.0.1 that speaks the wire."""

import base64
import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from labkit.wire.sealed import Sealer

TOKEN = "lab-token-of-the-tests"


@dataclass
class LabServer:
    """Holds samples sealed, files plain, and jobs to lease once each."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    sealed: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    progress: list[list[dict[str, Any]]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    leases: list[dict[str, Any]] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)
    progressed: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, list[int]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"server_side": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def sample(
        self, content: bytes, *, role: str = "claim", expect: str = "detected", name: str = "sample.bin"
    ) -> dict[str, Any]:
        key = os.urandom(32)
        target = io.BytesIO()
        sealer = Sealer(target, key)
        sealer.write(content)
        sealer.finish()
        sha256 = hashlib.sha256(content).hexdigest()
        self.sealed[sha256] = target.getvalue()
        encoded = base64.b64encode(key).decode()
        return {
            "sha256": sha256,
            "size": len(content),
            "key": encoded,
            "role": role,
            "expect": expect,
            "case": None if role == "malware" else "1000017",
            "name": name,
        }

    def build(self, number: int, files: Mapping[str, str]) -> dict[str, Any]:
        listed = []
        for name, text in files.items():
            content = text.encode()
            sha256 = hashlib.sha256(content).hexdigest()
            self.files[sha256] = content
            listed.append({"name": name, "sha256": sha256, "size": len(content)})
        return {"number": number, "label": f"20261122.{number}", "state_root": "0", "digest": "0", "files": listed}

    def job(self, kind: str, payload: dict[str, Any]) -> None:
        self.jobs.append({"id": f"job{len(self.jobs)}", "kind": kind, "lease": "L1", "lease_s": 30, "payload": payload})


class _Handler(BaseHTTPRequestHandler):
    server_side: LabServer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._route(self.path.rpartition("/")[2], body)

    def do_GET(self) -> None:
        kind, _, name = self.path.rpartition("/")
        held = self.server_side.sealed if kind.endswith("/samples") else self.server_side.files
        content = held.get(name)
        if self.headers["Authorization"] != f"Bearer {TOKEN}" or self.headers["X-Lease"] != "L1" or content is None:
            self._answer(404)
        else:
            self._answer(200, content)

    def _route(self, act: str, body: dict[str, Any]) -> None:
        lab = self.server_side
        forced = lab.answers.get(act)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401)
        elif forced:
            self._answer(forced.pop(0))
        else:
            acts: dict[str, Callable[[dict[str, Any]], None]] = {
                "lease": self._lease,
                "progress": self._progress,
                "result": self._result,
            }
            acts[act](body)

    def _lease(self, body: dict[str, Any]) -> None:
        lab = self.server_side
        lab.leases.append(body)
        if lab.jobs:
            self._answer(200, json.dumps(lab.jobs.pop(0)).encode())
        else:
            self._answer(204)

    def _progress(self, body: dict[str, Any]) -> None:
        self.server_side.progress.append(body["steps"])
        self.server_side.progressed.set()
        self._answer(204)

    def _result(self, body: dict[str, Any]) -> None:
        self.server_side.results.append(body)
        self.server_side.finished.set()
        self._answer(204)

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
