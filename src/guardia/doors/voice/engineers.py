"""Calls that the line makes to engineers: a waiting caller offered, an alarm read out. Each tells once how it ended.

Outcomes of an offer: `accepted`, `declined`, `silent`, `no_answer`, `busy`, `failed`. Of a page: `acknowledged` for
accepted, and `withdrawn` where it was over while the phone still rang. A phone that hangs up before a key has declined.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from guardia.doors.voice import script
from guardia.doors.voice.control import Ended, RemoteMedia
from guardia.doors.voice.engineer_dialogue import Offer, PageFacts, offer, page
from guardia.doors.voice.media.channel import Channel
from guardia.doors.voice.talk import LONGEST_FAREWELL_S, Means, Talk
from guardia.journeys.draw_call import CallPicture
from guardia.kernel import clock
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import CallFacts, CallJournal, CallJournals

_log = logging.getLogger("guardia.line")
TAKEN: Final = ("accepted", "acknowledged")
_OUTCOME_OF_END: Final = {"no_answer": "no_answer", "busy": "busy", "refused": "declined"}


@dataclass(frozen=True)
class Phone:
    """Whose phone rings, and where."""

    person_id: UUID
    name: str
    address: str
    language: str


class EngineerTalk(Talk):
    """The leg to an engineer. Once taken it stays, for as long as its caller does, or until it is parted."""

    def __init__(self, means: Means, dialogue: script.Dialogue, told: Callable[[str], None]) -> None:
        super().__init__(means, dialogue, self._word)
        self._told = told
        self.was_told = self.is_parting = False
        self.left: Callable[[], None] = lambda: None
        self.picked_up: Callable[[], None] = lambda: None

    def tell(self, outcome: str) -> None:
        """Tell how it ended, once."""
        if not self.was_told:
            self.was_told = True
            self._told(outcome)

    def carry_out(self, command: script.Command) -> None:
        if not isinstance(command, script.Note):  # an engineer's dialogue has nothing to note
            super().carry_out(command)

    def answered(self, media: RemoteMedia) -> None:
        self.picked_up()
        super().answered(media)

    def closing(self, word: str) -> None:
        if word not in TAKEN:
            super().closing(word)

    def played(self) -> None:
        if not self._is_over or self.is_parting:
            super().played()

    def part(self) -> None:
        """Hang up once everything said is through."""
        self.is_parting = True
        if not self._is_saying:
            self.hang_up()
        else:
            self.means.control.later(LONGEST_FAREWELL_S, self.hang_up)

    def _word(self, word: str) -> None:
        self.tell("declined" if word == "hung_up" else word)

    def gone(self, how: Ended) -> None:
        was_gone = self._is_gone
        if not self._has_begun:
            self.tell(_OUTCOME_OF_END.get(how.why, "failed"))
        super().gone(how)
        if not was_gone:
            self.left()


def _nobody(outcome: str) -> None:
    """Whom a forgotten call tells how it ended."""
    _log.debug("a call that was forgotten ended: %s", outcome)


class _EngineerCall:
    """What offers and pages share."""

    def __init__(
        self, means: Means, phone: Phone, ring_s: float, dialogue: script.Dialogue, told: Callable[[str], None]
    ) -> None:
        self.means, self.phone, self.ring_s = means, phone, ring_s
        self._dialogue, self._told = dialogue, told
        self.talk: EngineerTalk | None = None
        self.picked_up: Callable[[], None] = lambda: None
        self.joined: Callable[[], None] = lambda: None
        """Called when the engineer's leg ends after it was joined with a caller's."""

    @property
    def channel(self) -> Channel | None:
        """The leg's sound, while it lives."""
        return self.talk.channel if self.talk is not None and not self.talk._is_gone else None  # noqa: SLF001  ours

    def dial(self) -> None:
        """Let the phone ring."""
        try:
            talk = EngineerTalk(self.means, self._dialogue, self._told)
        except OSError as error:
            _log.error("%s cannot be called: %s", self.phone.name, error)
            self.means.control.call_soon(lambda: self._told("failed"))
            return
        talk.picked_up = self._is_picked_up
        talk.left = self._is_gone
        self.talk = talk
        try:
            talk.leg = self.means.control.dial(self.phone.address, talk.channel.port, talk, self.ring_s)
        except ValueError as error:
            _log.error("%s cannot be called: %s", self.phone.name, error)
            talk.channel.close()
            self.means.control.call_soon(lambda: talk.tell("failed"))

    def hang_up(self) -> None:
        """End the leg."""
        if self.talk is not None:
            self.talk.hang_up()

    def forget(self) -> None:
        """The line ends it itself: nobody is told how."""
        self._told = _nobody
        if self.talk is not None:
            self.talk.was_told = True

    def _is_picked_up(self) -> None:
        self.picked_up()

    def _is_gone(self) -> None:
        self.joined()


class OfferCall(_EngineerCall):
    """A waiting caller is offered to an engineer."""

    def __init__(
        self,
        means: Means,
        phone: Phone,
        facts: Offer,
        ring_s: float,
        over: Callable[["OfferCall", str], None],
    ) -> None:
        super().__init__(means, phone, ring_s, offer(facts), lambda outcome: over(self, outcome))


class PageCall(_EngineerCall):
    """An alarm is read to an engineer; a call with a journal and a picture of its own."""

    page_id: UUID

    def __init__(
        self,
        means: Means,
        journals: CallJournals,
        draw: Callable[[CallPicture], None],
        phone: Phone,
        facts: PageFacts,
        ring_s: float,
        over: Callable[["PageCall", str], None],
    ) -> None:
        super().__init__(means, phone, ring_s, page(facts), self._ended)
        self.facts, self._draw, self._over = facts, draw, over
        now = clock.now()
        self._journal: CallJournal | None = None
        self.picture = CallPicture(
            id=uuid7(),
            direction="page",
            caller="",
            started_at=now,
            language=phone.language,
            person_id=phone.person_id,
            person_name=phone.name,
            case=facts.number,
            step="paging",
            step_detail=phone.name,
        )
        try:
            self._journal = journals.open(CallFacts(self.picture.id, "page", now))
        except OSError as error:
            _log.error("the page of %s has no journal: %s", facts.number, error)
        facts_of_page = {"name": phone.name, "person": str(phone.person_id), "number": facts.number}
        self._note("paging", facts_of_page)

    def _ended(self, outcome: str) -> None:
        self._note(outcome, {"name": self.phone.name})
        self._over(self, outcome)
        self._end(outcome)

    def part(self) -> None:
        """Hang up once everything said is through."""
        if self.talk is not None:
            self.talk.part()

    def withdraw(self) -> None:
        """Ring no longer; whoever has picked up hears it to its end."""
        if self.talk is not None and self.picture.answered_at is None:
            self.talk.tell("withdrawn")

    def _is_picked_up(self) -> None:
        self.picture = replace(self.picture, answered_at=clock.now())
        self._note("answered", {"name": self.phone.name})
        super()._is_picked_up()

    def _note(self, what: str, data: dict[str, Any]) -> None:
        now = clock.now()
        if self._journal is not None:
            try:
                self._journal.note(what, now, data)
            except OSError as error:
                _log.error("the page of %s: the journal takes nothing: %s", self.facts.number, error)
        self.picture = replace(self.picture, log=(*self.picture.log, {"at": now.isoformat(), "what": what, **data}))
        self._draw(self.picture)

    def _end(self, outcome: str) -> None:
        now = clock.now()
        if self._journal is not None:
            try:
                self._journal.note("outcome", now, {"outcome": outcome})
                self._journal.finish(now)
            except OSError as error:
                _log.error("the page of %s: the journal cannot be finished: %s", self.facts.number, error)
        self.picture = replace(self.picture, ended_at=now, outcome=outcome, step="", step_detail="")
        self._draw(self.picture)
