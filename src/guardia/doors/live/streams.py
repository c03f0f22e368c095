"""Server-sent events: `changed` whenever a page's version moves, a comment every 15 s, an end after ten minutes.

The version is read once a second in a short transaction; the browser comes back by itself after the end. A stream
carries no content, so that what a person may see is decided by the page alone; it is access-checked all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, StreamingHttpResponse

from guardia.features.accounts.queries import actor_of
from guardia.kernel import clock
from guardia.kernel.errors import GuardiaError, NotFound
from guardia.kernel.vocabulary import Actor
from guardia.reports.alerts_page import alerts_version
from guardia.reports.calendar_pages import move_version
from guardia.reports.case_page import case_version
from guardia.reports.duty_board import board_version
from guardia.reports.lab_pages import live_version
from guardia.reports.release_page import release_version

EVERY_S, LONGEST_S, COMMENT_EVERY_S = 1, 600, 15


async def _events(read: Callable[[], str], first: str) -> AsyncIterator[str]:
    yield f"retry: 2000\nevent: version\ndata: {first}\n\n"
    seen = first
    for second in range(0, LONGEST_S, EVERY_S):
        await asyncio.sleep(EVERY_S)
        version = await sync_to_async(read)()
        if version != seen:
            seen = version
            yield f"event: changed\ndata: {version}\n\n"
        elif second % COMMENT_EVERY_S == 0:
            yield ": still here\n\n"


async def _stream(request: HttpRequest, read: Callable[[Actor], str]) -> HttpResponseBase:
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse("Sign in first.", status=401, content_type="text/plain")
    actor = actor_of(user)
    try:
        first = await sync_to_async(read)(actor)
    except GuardiaError as error:
        return HttpResponse(error.sentence, status=error.status, content_type="text/plain")
    response = StreamingHttpResponse(_events(lambda: read(actor), first), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def case(request: HttpRequest, number: str) -> HttpResponseBase:
    """Tell when a case's page changes."""
    return await _stream(request, lambda actor: case_version(actor, number))


async def console_case(request: HttpRequest, number: str) -> HttpResponseBase:
    """Tell when a case's page in the console changes; staff only."""

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return case_version(actor, number)

    return await _stream(request, read)


async def lab(request: HttpRequest, number: str, n: int | None = None) -> HttpResponseBase:
    """Tell when a case's lab pages, or a draft's, change; staff only."""

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return live_version(actor, number, n)

    return await _stream(request, read)


async def calendar_move(request: HttpRequest, move_id: UUID) -> HttpResponseBase:
    """Tell how a move of open cases goes on; staff only."""

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return move_version(move_id)

    return await _stream(request, read)


async def alerts(request: HttpRequest) -> HttpResponseBase:
    """Tell when the alerts of a view change; staff only."""
    view = request.GET.get("view", "mine")

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return alerts_version(actor, view)

    return await _stream(request, read)


async def releases(request: HttpRequest) -> HttpResponseBase:
    """Tell when the releases page changes; staff only."""

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return release_version()

    return await _stream(request, read)


async def duty(request: HttpRequest) -> HttpResponseBase:
    """Tell when the duty board changes, at the latest after a minute; staff only."""

    def read(actor: Actor) -> str:
        _demand_staff(actor)
        return board_version(clock.now())

    return await _stream(request, read)


def _demand_staff(actor: Actor) -> None:
    if not actor.is_staff:
        raise NotFound("page_unknown", "There is no such page.")
