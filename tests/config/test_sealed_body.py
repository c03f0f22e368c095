"""A request's body is encrypted where it waits, bounded, and gone when its request is."""

import asyncio
import io
import json
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import RequestAborted
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.config import sealed_body
from guardia.config.sealed_body import BodyTooLarge, SealedBodyHandler, SealedSpool, longest_body
from guardia.kernel.environment import Settings

CLEAR = b"HARMLESS BUT NOT TO BE LEFT ABOUT IN THE CLEAR. "
CHUNKS = st.lists(st.binary(max_size=70), max_size=30)
MOVES = st.lists(st.tuples(st.integers(0, 2200), st.integers(0, 300)), max_size=20)


def on_disk(spool: SealedSpool) -> bytes:
    """Return what lies in the spool's file."""
    kept: Any = spool._file
    kept.rollover()
    place = kept.tell()
    kept.seek(0)
    content: bytes = kept.read()
    kept.seek(place)
    return content


@given(chunks=CHUNKS, moves=MOVES)
@settings(deadline=None)
def test_what_is_written_is_read_from_any_place(chunks: list[bytes], moves: list[tuple[int, int]]) -> None:
    with SealedSpool() as spool:
        clear = b"".join(chunks)
        for chunk in chunks:
            assert spool.write(chunk) == len(chunk)
        assert spool.size == len(clear)
        spool.seek(0)
        assert spool.read() == clear
        for place, length in moves:
            assert spool.seek(place) == place
            assert spool.read(length) == clear[place : place + length]
            assert spool.tell() == min(place + length, max(place, len(clear)))
        assert spool.seek(0, io.SEEK_END) == len(clear)


@given(chunks=CHUNKS, sizes=st.lists(st.integers(1, 100), min_size=1, max_size=10))
@settings(deadline=None)
def test_a_buffered_reader_in_front_of_it_reads_the_same(chunks: list[bytes], sizes: list[int]) -> None:
    spool = SealedSpool()
    for chunk in chunks:
        spool.write(chunk)
    spool.seek(0)
    with io.BufferedReader(spool, buffer_size=64) as reader:
        read = b"".join(reader.read(sizes[index % len(sizes)]) for index in range(2200))
    assert read == b"".join(chunks)


@given(st.binary(min_size=24, max_size=400))
@settings(deadline=None)
def test_what_lies_on_disk_never_holds_the_clear_bytes(clear: bytes) -> None:
    with SealedSpool() as spool:
        spool.write(clear)
        kept = on_disk(spool)
        assert len(kept) == len(clear)
        assert kept != clear
        assert not any(clear[start : start + 12] in kept for start in range(len(clear) - 12))


def test_the_same_bytes_look_different_every_time() -> None:
    with SealedSpool() as one, SealedSpool() as other:
        for spool in (one, other):
            spool.write(CLEAR)
        assert on_disk(one) != on_disk(other)
        assert one._key != other._key


def test_a_counter_that_runs_over_goes_on_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardia.config.sealed_body.os.urandom", lambda length: b"\xff" * length)
    with SealedSpool() as spool:
        spool.write(CLEAR * 5)
        for place in (0, 15, 16, 17, 100):
            spool.seek(place)
            assert spool.read() == (CLEAR * 5)[place:]


def test_a_large_body_lies_in_a_file_without_a_name_and_not_in_memory() -> None:
    with SealedSpool() as spool:
        for _ in range(40):
            spool.write(bytes(16 * 1024))
        assert spool._file._rolled  # type: ignore[attr-defined]
    assert spool._file.closed


# ---- the handler ----

KNOWN: dict[str, Any] = {"headers": [(b"cookie", b"sessionid=x")]}
STRANGER: dict[str, Any] = {"headers": [(b"content-type", b"application/octet-stream")]}


def test_a_stranger_may_send_fields_and_no_files(small_limit: int) -> None:
    assert longest_body(STRANGER) == sealed_body.ROOM_FOR_FIELDS < small_limit
    assert longest_body({"headers": [(b"authorization", b"Bearer gt_x")]}) == small_limit


def received(*pieces: bytes, ends: bool = True) -> Any:
    """Return an ASGI `receive` that brings these pieces, and then the end or a hang-up."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages += [{"type": "http.request", "body": b"", "more_body": False} if ends else {"type": "http.disconnect"}]
    left: Iterator[dict[str, Any]] = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


@pytest.fixture
def small_limit(settings: Any) -> Iterator[int]:
    """A server that takes files of at most 1 KiB."""
    own: Settings = settings.GUARDIA
    small = type(own)(**{**own.__dict__, "upload_limit": 1024})
    with override_settings(GUARDIA=small):
        yield longest_body(KNOWN)


def read_body(receive: Any) -> Any:
    """Let the handler read a body of somebody who says who they are."""
    token = sealed_body._limit.set(longest_body(KNOWN))
    try:
        return asyncio.run(SealedBodyHandler().read_body(receive))
    finally:
        sealed_body._limit.reset(token)


def kept_in_hand(monkeypatch: pytest.MonkeyPatch) -> list[SealedSpool]:
    """Return the list of spools that the handler will make."""
    spools: list[SealedSpool] = []

    def make() -> SealedSpool:
        spools.append(SealedSpool())
        return spools[-1]

    monkeypatch.setattr(sealed_body, "SealedSpool", make)
    return spools


def test_a_body_of_exactly_the_limit_is_read_whole(small_limit: int) -> None:
    half = small_limit // 2
    with read_body(received(b"a" * half, b"b" * (small_limit - half))) as body:
        assert body.read() == b"a" * half + b"b" * (small_limit - half)


def test_one_byte_more_is_too_much_and_the_rest_is_not_waited_for(
    small_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = kept_in_hand(monkeypatch)
    with pytest.raises(BodyTooLarge):
        read_body(received(b"a" * small_limit, b"b", b"never asked for", ends=False))
    assert all(spool.closed and spool._file.closed for spool in spools)


def test_a_hang_up_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    spools = kept_in_hand(monkeypatch)
    with pytest.raises(RequestAborted):
        read_body(received(CLEAR, ends=False))
    assert all(spool.closed and spool._file.closed for spool in spools)


def test_too_much_is_answered_with_a_problem_document(small_limit: int) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/uploads/", "headers": [], "query_string": b""}
    receive = received(*[b"x" * 4096] * (small_limit // 4096 + 1), ends=False)
    asyncio.run(SealedBodyHandler().handle(scope, receive, send))
    start, body = sent
    headers = dict(start["headers"])
    assert start["status"] == 413
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"
    problem = json.loads(body["body"])
    assert (problem["status"], problem["type"]) == (413, "urn:guardia:problem:body_too_large")
    assert len(body["body"]) == int(headers[b"content-length"])


def test_python_spools_as_this_relies_on() -> None:
    with tempfile.SpooledTemporaryFile(max_size=4) as file:
        file.write(b"12345")
        assert file._rolled  # type: ignore[attr-defined]
