"""Request bodies on their way in: never clear on disk, never whole in memory, never without end.

Django's ASGI handler spools a body into a temporary file before a view sees it. A body may be a live sample, so here
the spool is encrypted (AES-256-CTR) with a key of its own that only this process's memory holds and that ends with
the request; integrity is the quarantine's matter. A body over the limit is answered with 413 while it still arrives.
"""

import io
import json
import os
import tempfile
from contextvars import ContextVar
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

IN_MEMORY_BYTES = 256 * 1024
FILES_IN_A_FORM = 4
"""So many files of the largest size may come in one form."""
ROOM_FOR_FIELDS = 2 * 1024 * 1024
BLOCK_BYTES = 16


_limit: ContextVar[int] = ContextVar("limit of this request's body", default=ROOM_FOR_FIELDS)


class BodyTooLarge(Exception):
    """More bytes came than any request may have."""


class SealedSpool(io.RawIOBase):
    """A file that is written once from its beginning, rewound, and read; what lies on disk is encrypted."""

    def __init__(self) -> None:
        super().__init__()
        self._key, self._nonce = os.urandom(32), os.urandom(BLOCK_BYTES)
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  closed by close
        self._cipher = self._stream_from(0)
        self.size = 0

    def _stream_from(self, position: int) -> CipherContext:
        block, inside = divmod(position, BLOCK_BYTES)
        counter = (int.from_bytes(self._nonce, "big") + block) % (1 << 128)
        stream = Cipher(algorithms.AES(self._key), modes.CTR(counter.to_bytes(BLOCK_BYTES, "big"))).encryptor()
        stream.update(bytes(inside))
        return stream

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        sealed = self._cipher.update(bytes(data))
        self._file.write(sealed)
        self.size += len(sealed)
        return len(sealed)

    def readinto(self, buffer: Any) -> int:
        sealed = self._file.read(len(buffer))
        clear = self._cipher.update(sealed)
        buffer[: len(clear)] = clear
        return len(clear)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = self._file.seek(offset, whence)
        self._cipher = self._stream_from(position)
        return position

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def longest_body(scope: Any) -> int:
    """Return how many bytes a request may have: files only from those who at least say who they are.

    Whether it is true is for the view to check; here it keeps strangers from filling the disk. The sign-in form and
    whatever else a stranger may send has fields, never files.
    """
    headers = {name for name, _value in scope.get("headers", [])}
    if b"authorization" in headers or b"cookie" in headers:
        return int(settings.GUARDIA.upload_limit) * FILES_IN_A_FORM + ROOM_FOR_FIELDS
    return ROOM_FOR_FIELDS


class SealedBodyHandler(ASGIHandler):
    """Django's handler with a sealed spool and a limit."""

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        limit = longest_body(scope)
        token = _limit.set(limit)
        try:
            await super().handle(scope, receive, send)
        except BodyTooLarge:
            await _answer_too_large(send, limit)
        finally:
            _limit.reset(token)

    async def read_body(self, receive: Any) -> Any:
        spool, limit = SealedSpool(), _limit.get()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                spool.close()
                raise RequestAborted
            spool.write(message.get("body", b""))
            if spool.size > limit:
                spool.close()
                raise BodyTooLarge
            if not message.get("more_body", False):
                break
        spool.seek(0)
        return io.BufferedReader(spool)


async def _answer_too_large(send: Any, limit: int) -> None:
    megabytes = limit // 1024 // 1024
    detail = f"One request may have at most {megabytes} MB. Send fewer files at a time."
    body = {"type": "urn:guardia:problem:body_too_large", "title": "Too large", "status": 413, "detail": detail}
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": content})
