"""The quarantine's sealed format: a sample encrypted in chunks, written and read with constant memory.

Layout: a header (magic with version, 8 random bytes), then chunks of AES-256-GCM over 1 MiB of content each; the
last one may be shorter, and is the only chunk if there is no content.

Rules:
- A data key seals one object. The nonce is the header's random bytes and the chunk's number, so no nonce repeats.
- Each chunk authenticates the header and whether it is the last, so that a cut, an extension, a swapped,
  doubled or foreign chunk and any flipped bit are refused.
- The reader hands out chunks as they prove true. Who reads must drop everything when SealBroken comes.
"""

import os
from collections.abc import Iterator
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC: Final = b"GRDSEAL1"
KEY_BYTES: Final = 32
CHUNK_BYTES: Final = 1024 * 1024
_PREFIX_BYTES: Final = 8
_COUNTER_BYTES: Final = 4
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = len(MAGIC) + _PREFIX_BYTES


class Readable(Protocol):
    """What gives bytes: a file, or an answer that is being received."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """What takes bytes."""

    def write(self, content: bytes, /) -> object: ...


class SealBroken(Exception):
    """The object is not what was sealed with this key: damaged, cut, extended, reordered, or another's."""


class Sealer:
    """Seals what is written to it into `target`. Call `finish`; without it the object can never be opened."""

    def __init__(self, target: Writable, key: bytes) -> None:
        self._target = target
        self._cipher = _cipher(key)
        self._header = MAGIC + os.urandom(_PREFIX_BYTES)
        self._buffer = bytearray()
        self._counter = 0
        self._finished = False
        target.write(self._header)

    def write(self, content: bytes) -> None:
        """Take more content. A full chunk is held back until more comes, as it may be the last."""
        if self._finished:
            raise ValueError("this sealer is finished: a sealed object cannot grow")
        view = memoryview(content)
        while view:
            if len(self._buffer) == CHUNK_BYTES:
                self._seal(last=False)
            room = CHUNK_BYTES - len(self._buffer)
            self._buffer += view[:room]
            view = view[room:]

    def finish(self) -> None:
        """Seal the last chunk. Does not close the target."""
        if self._finished:
            raise ValueError("this sealer is already finished")
        self._seal(last=True)
        self._finished = True

    def _seal(self, *, last: bool) -> None:
        nonce = _nonce(self._header, self._counter)
        self._target.write(self._cipher.encrypt(nonce, bytes(self._buffer), _bound(self._header, last=last)))
        self._counter += 1
        self._buffer.clear()


def open_sealed(source: Readable, key: bytes) -> Iterator[bytes]:
    """The content of a sealed object, chunk by chunk. Raises SealBroken, possibly after some chunks."""
    cipher = _cipher(key)
    header = _read(source, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(MAGIC):
        raise SealBroken("this is not a sealed object: its header is missing or of another version")
    counter = 0
    chunk = _read(source, CHUNK_BYTES + _TAG_BYTES)
    while True:
        following = _read(source, CHUNK_BYTES + _TAG_BYTES)
        last = not following
        try:
            content = cipher.decrypt(_nonce(header, counter), chunk, _bound(header, last=last))
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"the sealed object is damaged, cut, or not of this key (chunk {counter})") from error
        if content:
            yield content
        if last:
            return
        chunk = following
        counter += 1


def sealed_size(size: int) -> int:
    """How many bytes the sealed form of `size` bytes of content takes."""
    chunks = max(1, -(-size // CHUNK_BYTES))
    return _HEADER_BYTES + size + chunks * _TAG_BYTES


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a data key has {KEY_BYTES} bytes, this one has {len(key)}")
    return AESGCM(key)


def _nonce(header: bytes, counter: int) -> bytes:
    return header[len(MAGIC) :] + counter.to_bytes(_COUNTER_BYTES, "big")


def _bound(header: bytes, *, last: bool) -> bytes:
    return header + (b"\x01" if last else b"\x00")


def _read(source: Readable, size: int) -> bytes:
    """Exactly `size` bytes, or what there is before the end: a socket may give less at a time."""
    parts = []
    while size > 0:
        part = source.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
