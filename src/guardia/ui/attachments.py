"""Answers that a browser saves as a file: streamed in pieces, never whole in memory, never shown on our own address."""

from collections.abc import AsyncIterator
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

PIECE = 256 * 1024
NOTHING_RUNS = "default-src 'none'; sandbox"


async def pieces(content: BinaryIO) -> AsyncIterator[bytes]:
    """Yield an open file piece by piece and close it; an asynchronous server holds no more than one at a time."""
    read, close = sync_to_async(content.read), sync_to_async(content.close)
    try:
        while piece := await read(PIECE):
            yield piece
    finally:
        await close()


def attachment_header(filename: str) -> str:
    """Return the header that makes a browser save the answer under `filename`."""
    return content_disposition_header(as_attachment=True, filename=filename) or "attachment"


def file_answer(content: BinaryIO, filename: str, size: int, content_type: str) -> StreamingHttpResponse:
    """Return `content`, an open file that this answer closes, as an attachment of `size` bytes."""
    response = StreamingHttpResponse(pieces(content), content_type=content_type)
    response.headers["Content-Disposition"] = attachment_header(filename)
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Security-Policy"] = NOTHING_RUNS
    return response
