"""The sealed format, attacked."""

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.wire import sealed
from labkit.wire.sealed import CHUNK_BYTES, SealBroken, Sealer, open_sealed, sealed_size

KEY = bytes(range(32))
FRAME = CHUNK_BYTES + 16
HEADER = 16


def seal(content: bytes, key: bytes = KEY, pieces: int = 1) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, key)
    step = max(1, -(-len(content) // pieces))
    for at in range(0, len(content), step):
        sealer.write(content[at : at + step])
    sealer.finish()
    return target.getvalue()


def unseal(blob: bytes, key: bytes = KEY) -> bytes:
    return b"".join(open_sealed(io.BytesIO(blob), key))


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=3000), pieces=st.integers(1, 20))
def test_what_was_sealed_comes_out_again(content: bytes, pieces: int) -> None:
    assert unseal(seal(content, pieces=pieces)) == content


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 5]
)
def test_sizes_at_the_edges_of_a_chunk_come_out_again(size: int) -> None:
    content = os.urandom(size)
    blob = seal(content, pieces=7)
    assert (unseal(blob), len(blob)) == (content, sealed_size(size))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), content=st.binary(max_size=500))
def test_any_flipped_bit_is_refused(data: st.DataObject, content: bytes) -> None:
    blob = bytearray(seal(content))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        unseal(bytes(blob))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), content=st.binary(max_size=500))
def test_a_cut_object_is_refused(data: st.DataObject, content: bytes) -> None:
    blob = seal(content)
    with pytest.raises(SealBroken):
        unseal(blob[: data.draw(st.integers(0, len(blob) - 1))])


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=500), more=st.binary(min_size=1, max_size=100))
def test_an_extended_object_is_refused(content: bytes, more: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal(seal(content) + more)


@pytest.mark.parametrize(
    "order",
    ["h12", "h3", "h213", "h1123", "h1233", "h13", "hx23", "H123", "h123x"],
    ids=["cut", "only the end", "swapped", "doubled", "doubled end", "dropped", "foreign", "foreign head", "extended"],
)
def test_chunk_surgery_is_refused(order: str) -> None:
    blob, other = seal(os.urandom(3 * CHUNK_BYTES)), seal(os.urandom(3 * CHUNK_BYTES))
    parts = {"h": blob[:HEADER], "H": other[:HEADER], "x": other[HEADER:][:FRAME]}
    parts |= {str(at + 1): blob[HEADER + at * FRAME :][:FRAME] for at in range(3)}
    attacked = b"".join(parts[part] for part in order)
    with pytest.raises(SealBroken):
        unseal(attacked)


def test_an_empty_file_in_place_of_an_object_is_refused() -> None:
    for blob in (b"", b"GRDSEAL1", b"GRDSEAL2" + bytes(24), b"plain text that was never sealed"):
        with pytest.raises(SealBroken):
            unseal(blob)


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(SealBroken):
        unseal(seal(b"content"), key=bytes(32))


def test_a_key_of_another_length_is_misuse() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(io.BytesIO(), b"short")


def test_two_seals_of_one_content_differ() -> None:
    assert seal(b"same") != seal(b"same")


def test_nothing_can_be_added_after_the_end() -> None:
    sealer = Sealer(io.BytesIO(), KEY)
    sealer.finish()
    with pytest.raises(ValueError, match="finished"):
        sealer.write(b"more")
    with pytest.raises(ValueError, match="finished"):
        sealer.finish()


def test_the_sealer_holds_one_chunk_and_not_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "CHUNK_BYTES", 1024)
    target = io.BytesIO()
    sealer = Sealer(target, KEY)
    for _ in range(100):
        sealer.write(bytes(1000))
        assert len(sealer._buffer) <= 1024
    assert len(target.getvalue()) > 95_000


def test_a_source_that_gives_little_at_a_time_is_read_whole() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(777, size or 0))

    content = os.urandom(CHUNK_BYTES + 100)
    assert b"".join(open_sealed(Dripping(seal(content)), KEY)) == content
