"""Bodies at a real server, over a real socket: what lies on disk and in memory while they arrive."""

import re
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from django.conf import settings
from tests.support.cast import Cast, make_cast
from tests.support.web_process import WebProcess

from guardia.features.accounts.operations import issue_token
from guardia.kernel.transactions import journey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CLEAR = b"HARMLESS BUT NOT TO BE LEFT ABOUT IN THE CLEAR. "
MEGABYTE = 1024 * 1024
LIMIT_MB = 48


@pytest.fixture
def live_cast(transactional_db: None, keys: None) -> Cast:
    """The cast in the present: a server of its own reads the real clock."""
    return make_cast(datetime.now(UTC))  # noqa: TID251  the server process has no frozen clock


@pytest.fixture
def web(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebProcess]:
    """A server that takes files of up to 48 MB."""
    monkeypatch.setenv("GUARDIA_UPLOAD_LIMIT_MB", str(LIMIT_MB))
    process = WebProcess()
    process.start()
    yield process
    process.kill()


def token_of(cast: Cast) -> str:
    """Return a contact's token."""
    with journey():
        return issue_token(UUID(cast.plus.id), UUID(str(cast.plus.company_id)), "test", cast.now)[1]


def process_folder(web: WebProcess) -> Path:
    """Return what the kernel tells of the server."""
    assert web.process
    return Path(f"/proc/{web.process.pid}")


def open_files(web: WebProcess) -> dict[str, bytes]:
    """Return the content of every file that the server has open for its own use."""
    found = {}
    for link in (process_folder(web) / "fd").iterdir():
        try:
            target = str(link.readlink())
            is_ours = target.startswith((tempfile.gettempdir(), str(settings.GUARDIA.private)))
            if is_ours and link.stat().st_size:
                found[target] = link.read_bytes()
        except OSError:
            continue  # closed since
    return found


def memory_kb(web: WebProcess, line: str = "VmRSS") -> int:
    """Return the server's memory."""
    status = (process_folder(web) / "status").read_text()
    return int(re.search(rf"{line}:\s+(\d+)", status).group(1))  # type: ignore[union-attr]


def begin(web: WebProcess, length: int, token: str) -> socket.socket:
    """Begin to send a file, and send nothing of it yet."""
    wire = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    head = f"POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    wire.sendall(f"{head}X-Filename: a.bin\r\nContent-Length: {length}\r\n\r\n".encode())
    return wire


def quarantined() -> set[str]:
    """Return every file of the quarantine."""
    return {str(path) for path in (settings.GUARDIA.private / "quarantine").rglob("*") if path.is_file()}


def test_nothing_clear_lies_on_disk_while_a_file_arrives_and_nothing_at_all_after_a_hang_up(
    web: WebProcess, live_cast: Cast
) -> None:
    body = CLEAR * (3 * MEGABYTE // len(CLEAR))
    before = quarantined()
    wire = begin(web, len(body) + 1, token_of(live_cast))
    wire.sendall(body)
    deadline = time.monotonic() + 20
    while sum(len(content) for content in open_files(web).values()) < 2 * MEGABYTE:
        assert time.monotonic() < deadline, f"the body lies nowhere: {list(open_files(web))}"
        time.sleep(0.05)
    for place, content in open_files(web).items():
        assert CLEAR[:16] not in content, place
    wire.close()
    while any(len(content) > MEGABYTE for content in open_files(web).values()):
        assert time.monotonic() < deadline, "the spool outlived its request"
        time.sleep(0.05)
    assert quarantined() == before


def pieces(megabytes: int) -> Iterator[bytes]:
    """Yield a body piece by piece, each different."""
    for number in range(megabytes):
        yield number.to_bytes(8, "big") * (MEGABYTE // 8)


def test_memory_does_not_grow_with_a_file_and_a_larger_one_leaves_nothing(web: WebProcess, live_cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {token_of(live_cast)}"}
    url = f"{web.url}/api/v1/uploads"
    assert httpx.post(url, content=b"warm", headers=headers, timeout=60).status_code == 201
    at_rest = memory_kb(web, "VmHWM")
    whole = httpx.post(url, content=pieces(LIMIT_MB), headers=headers, timeout=120)
    assert whole.status_code == 201
    assert whole.json()["size"] == LIMIT_MB * MEGABYTE
    assert memory_kb(web, "VmHWM") - at_rest < 16 * 1024
    before = quarantined()
    over = httpx.post(url, content=pieces(LIMIT_MB + 1), headers=headers, timeout=120)
    assert over.status_code == 413
    assert over.json()["type"].endswith("file_too_large")
    assert quarantined() == before
    assert memory_kb(web, "VmHWM") - at_rest < 16 * 1024


def test_a_body_without_end_is_cut_off_whoever_sends_it(web: WebProcess) -> None:
    at_rest = memory_kb(web, "VmHWM")
    sent = 0
    wire = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    wire.sendall(b"POST /cases/new/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"100000\r\n" + bytes(MEGABYTE) + b"\r\n"
    try:
        for _ in range(LIMIT_MB * 8):
            wire.sendall(piece)
            sent += 1
    except (BrokenPipeError, ConnectionResetError):
        pass  # cut off, as it must be
    assert sent <= LIMIT_MB * 4 + 2 + 16, f"{sent} MB were taken"
    assert memory_kb(web, "VmHWM") - at_rest < 16 * 1024
    assert not any(len(content) > MEGABYTE for content in open_files(web).values())
    assert httpx.get(f"{web.url}/api/v1/openapi.json", timeout=30).status_code == 200  # it still answers
    wire.close()
