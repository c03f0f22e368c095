"""The priority phone line: callers' calls, engineers' phones, and pages, in one process.

Threads: the signalling thread runs everything here but what says otherwise; the media thread is the engine's; a few
threads ask our records, so that a database that hangs delays an answer and no sound. What the records cannot be told
now waits: calls in their journals, pages in their leases.

Rules:
- A caller is answered at once, whatever else fails. Calls beyond the limit hear busy (the control sees to it).
- An engineer who is rung hears case, company and severity, and takes the call by a key. Who takes it has acknowledged.
- A page that is over, since somebody acknowledged it elsewhere or the case was answered, rings no longer.
- While a caller of a case waits or talks, no page of the case is made: the ringing phones are the page.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from guardia.doors.voice import questions, script
from guardia.doors.voice.control import Arrival, Leg
from guardia.doors.voice.conversation import Conversation
from guardia.doors.voice.desk import DeskUnreachable
from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.engineer_dialogue import Offer, PageFacts
from guardia.doors.voice.engineers import OfferCall, PageCall, Phone
from guardia.doors.voice.switchboard import Join, Nobody, Order, Place, Ring, Switchboard, Withdraw
from guardia.doors.voice.talk import Means
from guardia.doors.voice.unwritten import UnwrittenJournal
from guardia.journeys.draw_call import CallPicture
from guardia.kernel import clock
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import CallFacts, CallJournal, CallJournals

_log = logging.getLogger("guardia.line")
T = TypeVar("T")
ASKERS: Final = 6
SPEAKERS: Final = 2
ROSTER_EVERY_S: Final = 15.0
ROSTER_WITHIN_S: Final = 4.0
"""How long a caller waits for the roster: then whoever was on it before is rung."""
PAGES_EVERY_S: Final = 2.0
MOST_PAGES: Final = 10
TURN_S: Final = 1.0
REPORT_AGAIN_S: Final = 5.0
MOST_REPORTS: Final = 720
PARTING_S: Final = 20.0
"""How long after a case was confirmed a page of it waits: its caller may want to be connected."""


class OurRecords(Protocol):
    """What is asked of our records (`records.Records`); every method may wait, and may raise DeskUnreachable."""

    def answer(self, call_id: UUID, caller: str, language: str, question: questions.Question) -> questions.Answer: ...
    def engineers(self) -> Any: ...
    def accept(self, person_id: UUID, number: str, call_id: UUID) -> None: ...
    def claim(self, limit: int) -> Any: ...
    def release(self, page_id: UUID) -> None: ...
    def over(self, page_ids: Collection[UUID]) -> Collection[UUID]: ...
    def end(self, page_id: UUID, person_id: UUID, outcome: str, at: datetime) -> None: ...


class Artist(Protocol):
    """Who shows living calls."""

    def draw(self, picture: CallPicture) -> None: ...


@dataclass
class Counts:
    """What the line has done since its start, for the health page."""

    calls: int = 0
    answered_late: int = 0
    desk_away: int = 0
    bridged: int = 0
    pages: int = 0
    failures: int = 0


@dataclass
class Line:
    """The line of one process."""

    means: Means
    records: OurRecords
    journals: CallJournals
    artist: Artist
    ring_s: float
    counts: Counts = field(default_factory=Counts)
    board: Switchboard = field(default_factory=Switchboard)
    calls: dict[UUID, Conversation] = field(default_factory=dict)
    offers: dict[tuple[UUID, UUID], OfferCall] = field(default_factory=dict)
    pages: dict[UUID, PageCall] = field(default_factory=dict)
    phones: dict[UUID, Phone] = field(default_factory=dict)
    wishes: dict[UUID, script.Connect] = field(default_factory=dict)
    joined: dict[UUID, OfferCall | PageCall] = field(default_factory=dict)
    askers: Executor = field(default_factory=lambda: ThreadPoolExecutor(ASKERS, "desk"))
    speakers: Executor = field(default_factory=lambda: ThreadPoolExecutor(SPEAKERS, "speech"))
    _roster_at: float = -ROSTER_EVERY_S
    _is_asking_roster: bool = False
    _roster_waits: list[Callable[[], None]] = field(default_factory=list)
    _pages_at: float = 0.0
    _is_claiming: bool = False
    _confirmed_at: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Look regularly at what is due; in the signalling thread."""
        self._turn()

    # -- callers --

    def arrived(self, leg: Leg, arrival: Arrival) -> None:
        """Take an incoming call."""
        facts = CallFacts(uuid7(), "in", clock.now(), arrival.caller)
        journal: CallJournal
        try:
            journal = self.journals.open(facts)
        except OSError as error:
            _log.error("a call has no journal: %s", error)
            self.counts.failures += 1
            journal = UnwrittenJournal(facts.id, error)
        try:
            call = Conversation(self.means, self, arrival, journal, caller_dialogue())
        except OSError as error:
            _log.error("a call cannot be taken: %s", error)
            with suppress(OSError):  # its file would stay open, and its call never be over
                journal.finish(clock.now())
            self.counts.failures += 1
            leg.refuse(503, "Service Unavailable")
            return
        self.counts.calls += 1
        self.calls[call.id] = call
        call.leg = leg
        leg.listen(call)
        leg.ring()
        leg.answer(call.channel.port)
        call.note("arrived", {"caller": arrival.caller})

    def ask(
        self, call: Conversation, question: questions.Question, told: Callable[[questions.Answer | None], None]
    ) -> None:
        """Ask the desk for a call; answers come in the signalling thread, None where the records are away."""
        if isinstance(question, questions.ConfirmCase):
            self._confirmed_at.setdefault(question.number, monotonic())  # again and again puts off no page
        picture = call.picture

        def ask() -> questions.Answer:
            return self.records.answer(call.id, picture.caller, picture.language or "es", question)

        def failed() -> None:
            self.counts.desk_away += 1
            told(None)

        self.in_thread(ask, told, failed)

    def wait(self, call: Conversation, wish: script.Connect) -> None:
        """Put a call before the engineers."""
        self.wishes[call.id] = wish

        def known() -> None:
            if call.id in self.wishes:  # else the caller has gone meanwhile
                self._obey(self.board.wait(call.id, wish.tier, wish.severity, monotonic()))

        self._ask_roster(known)

    def leave(self, call: Conversation) -> None:
        """Take a call out of the queue, and part it from its engineer."""
        self.wishes.pop(call.id, None)
        self._obey(self.board.leave(call.id, monotonic()))
        engineer = self.joined.pop(call.id, None)
        if engineer is not None:
            call.channel.bridge(None)
            engineer.forget()
            engineer.hang_up()
            self._obey(self.board.freed(engineer.phone.person_id, monotonic()))

    def draw(self, picture: CallPicture) -> None:
        """Show a living call."""
        self.artist.draw(picture)

    def over(self, call: Conversation) -> None:
        """A call has ended."""
        self.calls.pop(call.id, None)

    # -- the switchboard --

    def _obey(self, orders: list[Order]) -> None:
        for order in orders:
            match order:
                case Ring(caller, engineer):
                    self._ring(_uuid(caller), _uuid(engineer))
                case Withdraw(caller, engineer):
                    offer = self.offers.pop((_uuid(caller), _uuid(engineer)), None)
                    if offer is not None:
                        offer.forget()
                        offer.hang_up()
                case Place(caller, place):
                    call = self.calls[_uuid(caller)]
                    call.note("queued", {"place": place})
                    call.feed(script.Queued(place))
                case Nobody(caller):
                    call = self.calls[_uuid(caller)]
                    self.wishes.pop(call.id, None)
                    call.nobody_there()
                case Join(caller, engineer):
                    self._join(_uuid(caller), _uuid(engineer))

    def _ring(self, call_id: UUID, person_id: UUID) -> None:
        call, wish, phone = self.calls[call_id], self.wishes[call_id], self.phones[person_id]
        call.show(step="ringing", step_detail=phone.name)
        call.note("ringing", {"name": phone.name})
        language: script.Language = "es" if phone.language == "es" else "en"
        facts = Offer(language, wish.case, wish.severity, wish.who, is_known=bool(wish.who))
        offer = OfferCall(
            self.means, phone, facts, self.ring_s, lambda one, outcome: self._offered(call_id, one, outcome)
        )
        offer.picked_up = lambda: self.board.picked_up(call_id, person_id)
        self.offers[call_id, person_id] = offer
        self._speak_first(language, facts.company, lambda: self._dial(call_id, offer))

    def _dial(self, call_id: UUID, offer: OfferCall) -> None:
        if self.offers.get((call_id, offer.phone.person_id)) is offer:  # else it was withdrawn meanwhile
            offer.dial()

    def _speak_first(self, language: script.Language, name: str, then: Callable[[], None]) -> None:
        """Have a name spoken and kept in a thread, so that the signalling thread need not wait for its first time."""
        if not name:
            then()
            return
        self.in_thread(
            lambda: self.means.voice.render([script.Text(name)], language), lambda _: then(), then, self.speakers
        )

    def _offered(self, call_id: UUID, offer: OfferCall, outcome: str) -> None:
        """An engineer's phone rang: it was taken, or not."""
        person_id = offer.phone.person_id
        if outcome == "accepted" and self.board.is_waiting(call_id):
            self._obey(self.board.accepted(call_id, person_id, monotonic()))
            return
        self.offers.pop((call_id, person_id), None)
        call = self.calls.get(call_id)
        if call is not None and outcome != "accepted":
            call.show(step="waiting", step_detail="")
            call.note(outcome, {"name": offer.phone.name})
        offer.hang_up()
        self._obey(self.board.failed(call_id, person_id, monotonic()))

    def _join(self, call_id: UUID, person_id: UUID) -> None:
        call = self.calls[call_id]
        engineer: OfferCall | PageCall | None = self.offers.pop((call_id, person_id), None)
        if engineer is None:
            engineer = next((page for page in self.pages.values() if page.phone.person_id == person_id), None)
        if engineer is None or engineer.channel is None:
            _log.error("call %s: the engineer's leg is gone", call_id)
            call.feed(script.BridgeEnded())
            return
        self.wishes.pop(call_id, None)
        self.joined[call_id] = engineer
        engineer.joined = lambda: self._engineer_gone(call_id)
        self.counts.bridged += 1
        call.joined(engineer.phone.name)
        call.channel.bridge(engineer.channel)
        number = call.case
        self._report(lambda: self.records.accept(person_id, number, call_id))

    def _engineer_gone(self, call_id: UUID) -> None:
        engineer = self.joined.pop(call_id, None)
        call = self.calls.get(call_id)
        if call is not None:
            call.parted()
        if engineer is not None:
            self._obey(self.board.freed(engineer.phone.person_id, monotonic()))

    def _ask_roster(self, then: Callable[[], None]) -> None:
        """Do something once it is known whom to ring; what was known before counts while the records are away.

        Records that hang are asked once at a time, and waited for no longer than records that are away.
        """
        if monotonic() - self._roster_at < ROSTER_EVERY_S:
            then()
            return

        def go_on() -> None:
            if go_on in self._roster_waits:
                self._roster_waits.remove(go_on)
                then()

        self._roster_waits.append(go_on)
        self.means.control.later(ROSTER_WITHIN_S, go_on)
        if self._is_asking_roster:
            return
        self._is_asking_roster = True

        def known(engineers: Any) -> None:
            self._roster_at = monotonic()
            self.phones |= {one.person_id: Phone(one.person_id, one.name, one.phone, one.language) for one in engineers}
            rung = [one.person_id for one in engineers if one.phone]
            self._obey(self.board.set_engineers(rung, monotonic()))
            answered()

        def answered() -> None:
            self._is_asking_roster = False
            for go_on in list(self._roster_waits):
                go_on()

        self.in_thread(self.records.engineers, known, answered)

    # -- pages --

    def _claim_pages(self) -> None:
        room = MOST_PAGES - len(self.pages)
        if self._is_claiming or room <= 0:
            return
        self._is_claiming = True

        def claimed(pages: Any) -> None:
            self._is_claiming = False
            for page in pages:
                self._make_page(page)

        def failed() -> None:
            self._is_claiming = False

        self.in_thread(lambda: self.records.claim(room), claimed, failed)

    def _withdraw_pages(self) -> None:
        def over(page_ids: Collection[UUID]) -> None:
            for made in [self.pages[page_id] for page_id in page_ids if page_id in self.pages]:
                made.withdraw()

        if ringing := [page_id for page_id, made in self.pages.items() if made.picture.answered_at is None]:
            self.in_thread(lambda: self.records.over(ringing), over)

    def _make_page(self, page: Any) -> None:
        if self._has_caller(page.number) or self.board.is_engaged(page.person_id) or page.page_id in self.pages:
            self.in_thread(lambda: self.records.release(page.page_id))
            return
        self.counts.pages += 1
        language: script.Language = "es" if page.language == "es" else "en"
        facts = PageFacts(language, page.number, page.severity, page.company, page.clock, page.mark)
        phone = Phone(page.person_id, page.name, page.phone, page.language)
        self.board.busy(page.person_id)
        made = PageCall(self.means, self.journals, self.draw, phone, facts, self.ring_s, self._paged)
        made.page_id = page.page_id
        self.pages[page.page_id] = made
        self._speak_first(language, page.company, made.dial)

    def _paged(self, made: PageCall, outcome: str) -> None:
        """An attempt of a page ended; acknowledged, it may go on as the call of somebody who waits."""
        at, page_id, person_id = clock.now(), made.page_id, made.phone.person_id
        self._report(lambda: self.records.end(page_id, person_id, outcome, at))
        waiting = [call_id for call_id, wish in self.wishes.items() if wish.case == made.facts.number]
        if outcome == "acknowledged" and made.channel is not None and waiting and self.board.is_waiting(waiting[0]):
            self._obey(self.board.accepted(waiting[0], person_id, monotonic()))
            self.pages.pop(page_id, None)
            return
        self.pages.pop(page_id, None)
        made.part()
        self._obey(self.board.freed(person_id, monotonic()))

    def _has_caller(self, number: str) -> bool:
        """Whether somebody who called about a case waits, talks, or may yet ask to be connected."""
        confirmed = self._confirmed_at.get(number, -PARTING_S)
        for call in self.calls.values():
            if call.case == number and (call.id in self.wishes or call.bridged or monotonic() - confirmed < PARTING_S):
                return True
        return False

    # -- time, threads --

    def _turn(self) -> None:
        try:
            for call in [call for call in self.calls.values() if call.is_too_long()]:
                call.note("too_long")
                call.drop("ours")
            if self.board.count():
                self._ask_roster(lambda: self._obey(self.board.turn(monotonic())))
            if monotonic() - self._pages_at >= PAGES_EVERY_S:
                self._pages_at = monotonic()
                self._confirmed_at = {
                    number: at for number, at in self._confirmed_at.items() if monotonic() - at < PARTING_S
                }
                self._claim_pages()
                self._withdraw_pages()
        except Exception:  # noqa: BLE001  whatever it is, the next turn comes
            _log.exception("the line's turn failed")
            self.counts.failures += 1
        self.means.control.later(TURN_S, self._turn)

    def in_thread(
        self,
        ask: Callable[[], T],
        told: Callable[[T], None] | None = None,
        failed: Callable[[], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Ask our records in a thread; what follows is done in the signalling thread."""

        def done(future: "Future[T]") -> None:
            error = future.exception()
            if error is None:
                if told is not None:
                    result = future.result()
                    self.means.control.call_soon(lambda: told(result))
                return
            if not isinstance(error, DeskUnreachable):
                _log.error("the line could not ask our records", exc_info=error)
                self.counts.failures += 1
            if failed is not None:
                self.means.control.call_soon(failed)

        (executor or self.askers).submit(ask).add_done_callback(done)

    def _report(self, tell: Callable[[], None], tries: int = MOST_REPORTS) -> None:
        """Tell our records what an engineer did; again while they are away, for an acknowledgement must not be lost."""

        def again() -> None:
            if tries > 1:
                self.means.control.later(REPORT_AGAIN_S, lambda: self._report(tell, tries - 1))

        self.in_thread(tell, None, again)

    def figures(self) -> Mapping[str, Any]:
        """Return what the health page shows."""
        return {**vars(self.counts), "live": len(self.calls), "waiting": self.board.count(), "paging": len(self.pages)}


def _uuid(one: object) -> UUID:
    assert isinstance(one, UUID)  # noqa: S101  the switchboard gives back what it was given
    return one
