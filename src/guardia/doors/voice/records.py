"""What the line asks of our records, each call of which may wait for the database: never in the signalling thread.

`DeskUnreachable` says that the database is away; the line goes on without it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from guardia.doors.voice.desk import Desk, DeskUnreachable
from guardia.doors.voice.questions import Answer, Question
from guardia.journeys.accept_call import accept_call
from guardia.journeys.draw_call import CallPicture, beat, draw_call
from guardia.journeys.hand_in_call import hand_in_waiting
from guardia.journeys.page_by_phone import PageToMake, claim_pages, end_attempt, pages_over, release_page
from guardia.journeys.whom_to_ring import DutyPhone, whom_to_ring
from guardia.kernel import clock

P = ParamSpec("P")
T = TypeVar("T")
LEASE = timedelta(minutes=3)
"""Longer than a page's call may last."""


def _reached(ask: Callable[P, T]) -> Callable[P, T]:
    """Return the same, with DeskUnreachable for a database that is away and no connection that outlives its server."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        if not connection.in_atomic_block:
            close_old_connections()
        try:
            return ask(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise DeskUnreachable(str(error).splitlines()[0] if str(error) else type(error).__name__) from error

    return asked


class Records:
    """Our records, by journeys and reports."""

    @_reached
    def answer(self, call_id: UUID, caller: str, language: str, question: Question, at: datetime) -> Answer:
        """Answer a dialogue's question, asked at an instant: what it does was done then."""
        return Desk(call_id, caller, language).answer(question, at)

    @_reached
    def engineers(self) -> Sequence[DutyPhone]:
        """Return whom to ring, in their order."""
        return whom_to_ring(clock.now())

    @_reached
    def accept(self, person_id: UUID, number: str, call_id: UUID, at: datetime) -> None:
        """An engineer took a caller's call at an instant."""
        accept_call(person_id, number, at, call_id)

    @_reached
    def claim(self, limit: int) -> Sequence[PageToMake]:
        """Return pages that are to be made now, and hold them."""
        return claim_pages(clock.now(), limit, LEASE)

    @_reached
    def release(self, page_id: UUID) -> None:
        """Let a page be made later."""
        release_page(page_id, clock.now())

    @_reached
    def over(self, page_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these pages are over."""
        return pages_over(page_ids)

    @_reached
    def end(self, page_id: UUID, person_id: UUID, outcome: str, at: datetime) -> None:
        """Say how an attempt ended."""
        end_attempt(page_id, person_id, outcome, at)

    @_reached
    def draw(self, picture: CallPicture) -> None:
        """Show a living call."""
        draw_call(picture, clock.now())

    @_reached
    def beat(self, name: str, started_at: datetime, calls: int, trunk: str, facts: Mapping[str, Any]) -> None:
        """Say that the line lives."""
        beat(name, started_at, clock.now(), calls, trunk, facts)

    @_reached
    def hand_in(self) -> int:
        """Hand in calls that are over."""
        return hand_in_waiting(clock.now())
