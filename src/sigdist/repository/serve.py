"""Serves the release tree over HTTP: a small ASGI application for development and small sites.

Rules:
1. /standard/... is public. /accelerated/TOKEN/... only with a token whose file lies in the tokens folder
   (`<sha256 of the token>.json`, `{"not_after": instant or null}`) and is not over. /root/LANE.json is public.
2. A path is matched against the names that a tree can hold; anything else, a wrong token and a missing file are all
   the same 404, so nothing can be listed, climbed out of, or probed.
3. Files that carry their hash or version in the name never change and may be cached for a year; the others never.
4. The token is in the path, so requests are not logged.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import uvicorn

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Clock = Callable[[], datetime]

_CHUNK = 262_144
_METADATA = r"metadata/(?:[0-9]{1,12}\.)?[a-z]{1,32}\.json"
_OBJECT = r"targets/(?:[a-z0-9]{1,32}/)?[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_STANDARD = re.compile(rf"/standard/({_METADATA}|{_OBJECT})")
_ACCELERATED = re.compile(rf"/accelerated/([A-Za-z0-9_-]{{16,256}})/({_METADATA}|{_OBJECT})")
_ROOT = re.compile(r"/root/(accelerated|standard)\.json")
_FOREVER = re.compile(r"(?:[0-9]+|[0-9a-f]{64})\..+")


def wall_clock() -> datetime:
    """The only look at the clock here; tests pass their own."""
    return datetime.now(UTC)  # noqa: TID251 - the server's own clock function


def app(tree: Path, tokens_folder: Path, clock: Clock = wall_clock) -> Application:
    """The ASGI application that serves `tree` to those whom `tokens_folder` lets in."""

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is served here, not {scope['type']}")
        if scope["method"] not in {"GET", "HEAD"}:
            await _problem(send, 405, "Method not allowed", "only GET and HEAD are answered here")
            return
        if scope["path"] == "/healthz":
            await _answer(send, 200, b'{"ok":true}', [(b"content-type", b"application/json")])
            return
        file = await asyncio.to_thread(_find, tree, tokens_folder, scope["path"], clock)
        if file is None:
            await _problem(send, 404, "Not found", "there is no such file, or this token does not open it")
            return
        await _send_file(send, file, body=scope["method"] == "GET")

    return application


def _find(tree: Path, tokens_folder: Path, path: str, clock: Clock) -> Path | None:
    if match := _STANDARD.fullmatch(path):
        file = tree / "standard" / match[1]
    elif match := _ROOT.fullmatch(path):
        file = tree / match[1] / "metadata" / "root.json"
    elif match := _ACCELERATED.fullmatch(path):
        if not _admitted(tokens_folder, match[1], clock()):
            return None
        file = tree / "accelerated" / match[2]
    else:
        return None
    inside = tree.resolve() in file.resolve().parents
    return file if inside and file.is_file() else None


def _admitted(tokens_folder: Path, token: str, now: datetime) -> bool:
    grant = tokens_folder / f"{hashlib.sha256(token.encode()).hexdigest()}.json"
    try:
        not_after = json.loads(grant.read_bytes())["not_after"]
        return not_after is None or now <= datetime.fromisoformat(not_after)
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as wrong:
        # A grant that cannot be read lets nobody in; whoever runs the server has to know.
        print(f"serve: token file {grant.name} is not usable ({wrong}); write it again", file=sys.stderr)  # noqa: T201
        return False


async def _send_file(send: Send, path: Path, *, body: bool) -> None:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        kind = b"application/json" if path.suffix == ".json" else b"application/octet-stream"
        forever = _FOREVER.fullmatch(path.name) is not None
        headers = [
            (b"content-type", kind),
            (b"content-length", str(os.fstat(file.fileno()).st_size).encode()),
            (b"cache-control", b"public, max-age=31536000, immutable" if forever else b"no-cache"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while body and (chunk := await asyncio.to_thread(file.read, _CHUNK)):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _problem(send: Send, status: int, title: str, detail: str) -> None:
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    await _answer(send, status, json.dumps(document).encode(), headers)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. 0: stopped when told; 1: cannot serve; 2: misuse."""
    options = _options(arguments)
    if not options.tree.is_dir():
        return _failed(f"there is no release tree {options.tree}; hold the key ceremony first")
    options.tokens.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        listening = _listen(options.host, options.port)
    except OSError as taken:
        return _failed(f"cannot listen on {options.host} port {options.port}: {taken.strerror}; choose another --port")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    config = uvicorn.Config(
        app(options.tree, options.tokens),
        access_log=False,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listening])
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sigdist.repository.serve", description="Serve the release tree.")
    parser.add_argument("--tree", type=Path, required=True, help="folder with standard/ and accelerated/")
    parser.add_argument("--tokens", type=Path, required=True, help="folder with one file for each token")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    return parser.parse_args(arguments)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as wrong:
        listening.close()
        raise wrong if isinstance(wrong, OSError) else OSError(0, str(wrong)) from wrong
    return listening


def _stop(_signal: int, _frame: object) -> NoReturn:
    # uvicorn finishes open answers, then raises the signal again; this turns it into a clean end.
    raise SystemExit(0)


def _failed(sentence: str) -> int:
    print(f"serve: {sentence}", file=sys.stderr)  # noqa: T201 - a command speaks to its user
    return 1


if __name__ == "__main__":
    sys.exit(main())
