"""What the line needs of others: to ask our records, and somebody who shows living calls."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from guardia.doors.voice import questions
from guardia.journeys.draw_call import CallPicture


class OurRecords(Protocol):
    """What is asked of our records (`records.Records`); every method may wait, and may raise DeskUnreachable."""

    def answer(
        self, call_id: UUID, caller: str, language: str, question: questions.Question, at: datetime
    ) -> questions.Answer: ...
    def engineers(self) -> Any: ...
    def accept(self, person_id: UUID, number: str, call_id: UUID, at: datetime) -> None: ...
    def claim(self, limit: int) -> Any: ...
    def release(self, page_id: UUID) -> None: ...
    def over(self, page_ids: Collection[UUID]) -> Collection[UUID]: ...
    def end(self, page_id: UUID, person_id: UUID, outcome: str, at: datetime) -> None: ...


class Artist(Protocol):
    """Who shows living calls."""

    def draw(self, picture: CallPicture) -> None: ...
