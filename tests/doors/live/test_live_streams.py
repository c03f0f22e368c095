"""Live streams say that something changed, never what; and only to those who may see the page."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from tests.doors.stage import Stage

from guardia.doors.live import streams
from guardia.journeys.write_message import write_message
from guardia.reports.duty_board import board_version

pytestmark = pytest.mark.django_db


def test_a_stream_has_its_content_type_and_is_never_kept(stage: Stage) -> None:
    answer = stage.browser("plus").get(f"/cases/{stage.incident}/live")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_only_a_get_opens_a_stream(stage: Stage) -> None:
    assert stage.browser("plus").post(f"/cases/{stage.incident}/live").status_code == 405


@pytest.mark.parametrize("number", ["40710105", "%00", "x"])
def test_a_stream_of_no_case_is_not_found(stage: Stage, number: str) -> None:
    for part in ("plus", "analyst"):
        assert stage.browser(part).get(f"/cases/{number}/live").status_code == 404


def test_a_message_is_told_as_a_change_without_its_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "EVERY_S", 0.01)
    monkeypatch.setattr(streams, "range", lambda *_: iter(range(1, 400)), raising=False)
    number = stage.incident
    client = AsyncClient()
    client.force_login(stage.cast.people["plus"])

    async def listen() -> list[str]:
        answer = cast("StreamingHttpResponse", await client.get(f"/cases/{number}/live"))
        events = cast("AsyncIterator[bytes]", aiter(cast("Any", answer)))
        heard = [(await anext(events)).decode()]
        await sync_to_async(write_message)(stage.cast.engineer, stage.cast.now, number, "The secret words")
        async with asyncio.timeout(10):
            while "event: changed" not in heard[-1]:
                heard.append((await anext(events)).decode())
        return heard

    heard = async_to_sync(listen)()
    assert heard[0].startswith("retry: 2000\nevent: version\n")
    assert heard[-1].startswith("event: changed\ndata: ")
    assert "secret" not in "".join(heard)


def test_the_duty_board_is_told_of_every_case_and_of_every_minute(stage: Stage) -> None:
    now, number = stage.cast.now, stage.incident
    before = board_version(now)
    assert board_version(now + timedelta(seconds=20)) == before
    assert board_version(now + timedelta(minutes=1)) != before
    write_message(stage.cast.engineer, now, number, "Words")
    assert board_version(now) != before
