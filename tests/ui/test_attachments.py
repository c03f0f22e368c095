import asyncio
import io
from typing import Any

from guardia.ui.attachments import file_answer


def test_a_file_is_streamed_in_pieces_and_closed_at_the_end() -> None:
    content = io.BytesIO(b"x" * 600_000)
    response = file_answer(content, "9f2c.zip", 600_000, "application/zip")

    async def read() -> list[bytes]:
        body: Any = response.streaming_content
        return [piece async for piece in body]

    pieces = asyncio.run(read())
    assert [len(piece) for piece in pieces] == [262144, 262144, 75712]
    assert content.closed


def test_a_file_is_saved_never_shown_and_its_name_cannot_break_the_header() -> None:
    response = file_answer(io.BytesIO(b""), 'a"\r\nSet-Cookie: x=1.zip', 0, "application/zip")
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "\n" not in response.headers["Content-Disposition"]
    assert "sandbox" in response.headers["Content-Security-Policy"]
