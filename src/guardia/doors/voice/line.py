"""The priority phone line: callers' calls, engineers' phones, and pages, in one process.

Threads: the signalling thread runs everything here but what says otherwise; the media thread is the engine's; a few
threads ask our records, so that a database that hangs delays an answer and no sound. What the records cannot be told
now waits: calls in their journals, pages in their leases.

Rules:
- A caller is answered at once, whatever else fails. Calls beyond the limit hear busy (the control sees to it).
- An engineer who is rung hears case, company and severity, and takes the call by a key. Who takes it has acknowledged.
- A page that is over, since somebody acknowledged it elsewhere or the case was answered, rings no longer.
- While a caller waits or talks about a case, no page of the case is made: the ringing phones are the page. What the
  call was about before counts no more.
- A page whose engineer talks was tried and found `busy`, so that the next is called; one whose phone rings for a
  caller with a matter as grave, or for another page, waits for as long as it rings (`switchboard.py`).
- What is done for a caller or an engineer bears the instant at which they wanted it. What nobody waits for any more
  when its turn comes is not begun: the journal has it.
- A question to our records that hangs holds back the next of its kind for a minute (`one_at_a_time.py`).
- A page that the end of the process cuts off was no attempt.
"""

import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import UUID

from guardia.doors.voice import questions, script
from guardia.doors.voice.control import Arrival, Leg
from guardia.doors.voice.conversation import ANSWER_WITHIN_S, Conversation
from guardia.doors.voice.desk import DeskUnreachable
from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.engineer_dialogue import Offer, PageFacts
from guardia.doors.voice.engineers import OfferCall, PageCall, Phone
from guardia.doors.voice.needs import Artist, OurRecords
from guardia.doors.voice.one_at_a_time import OneAtATime
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
    about: dict[UUID, str] = field(default_factory=dict)
    """The case that a caller and an engineer talk about, or nothing."""
    is_stopping: bool = False
    askers: Executor = field(default_factory=lambda: ThreadPoolExecutor(ASKERS, "desk"))
    speakers: Executor = field(default_factory=lambda: ThreadPoolExecutor(SPEAKERS, "speech"))
    _orders: deque[Order] = field(default_factory=deque)
    _is_obeying: bool = False
    _roster_at: float = -ROSTER_EVERY_S
    _roster: OneAtATime = field(default_factory=OneAtATime)
    _roster_waits: list[Callable[[], None]] = field(default_factory=list)
    _pages_at: float = 0.0
    _claim: OneAtATime = field(default_factory=OneAtATime)
    _over: OneAtATime = field(default_factory=OneAtATime)
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
        picture, asked_at, until = call.picture, clock.now(), monotonic() + ANSWER_WITHIN_S

        def ask() -> questions.Answer:
            if monotonic() >= until:
                raise DeskUnreachable("nobody waits for the answer any more")
            return self.records.answer(call.id, picture.caller, picture.language or "es", question, asked_at)

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
        self.about.pop(call.id, None)
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
        """Carry out orders in their turn: what follows from one comes after all the others, and none fails another."""
        self._orders.extend(orders)
        if self._is_obeying:
            return
        self._is_obeying = True
        try:
            while self._orders:
                self._carry_out(self._orders.popleft())
        finally:
            self._is_obeying = False

    def _carry_out(self, order: Order) -> None:
        call = self.calls.get(_uuid(order.caller))
        try:
            if isinstance(order, Withdraw):
                self._withdraw(_uuid(order.caller), _uuid(order.engineer))
            elif call is not None:  # else the caller has left while the orders before this one were carried out
                self._do(order, call)
        except Exception:  # noqa: BLE001  whatever it is, the others' phones ring
            _log.exception("an order of the switchboard failed")
            self.counts.failures += 1
            if isinstance(order, Ring):
                self._orders.extend(self.board.failed(order.caller, order.engineer, monotonic()))

    def _withdraw(self, call_id: UUID, person_id: UUID) -> None:
        if (offer := self.offers.pop((call_id, person_id), None)) is not None:
            offer.forget()
            offer.hang_up()
        if call_id in self.calls and self.board.is_waiting(call_id):
            self.calls[call_id].show(step="waiting", step_detail="")

    def _do(self, order: Order, call: Conversation) -> None:
        match order:
            case Ring(_, engineer):
                self._ring(call.id, _uuid(engineer))
            case Place(_, place):
                call.queued(place)
            case Nobody(_):
                self.wishes.pop(call.id, None)
                call.nobody_there()
            case Join(_, engineer):
                self._join(call.id, _uuid(engineer))

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
        is_wanted = self.offers.get((call_id, offer.phone.person_id)) is offer  # else it was withdrawn meanwhile
        if is_wanted and not self.is_stopping:  # else it would ring for a line that is no more
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
        call, number, at = self.calls[call_id], self.wishes.pop(call_id).case, clock.now()
        engineer: OfferCall | PageCall | None = self.offers.pop((call_id, person_id), None)
        if engineer is None:
            engineer = next((page for page in self.pages.values() if page.phone.person_id == person_id), None)
        if engineer is None or engineer.channel is None:
            _log.error("call %s: the engineer's leg is gone", call_id)
            call.nobody_there()
            self._obey(self.board.freed(person_id, monotonic()))
            return
        self.joined[call_id], self.about[call_id] = engineer, number
        engineer.joined = lambda: self._engineer_gone(call_id)
        self.counts.bridged += 1
        call.joined(engineer.phone.name)
        call.channel.bridge(engineer.channel)
        self._report(lambda: self.records.accept(person_id, number, call_id, at))

    def _engineer_gone(self, call_id: UUID) -> None:
        engineer = self.joined.pop(call_id, None)
        self.about.pop(call_id, None)
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
        if not self._roster.is_free(monotonic()):
            return
        asked = self._roster.begin(monotonic())

        def known(engineers: Any) -> None:
            self._roster_at = monotonic()
            self.phones |= {one.person_id: Phone(one.person_id, one.name, one.phone, one.language) for one in engineers}
            rung = [one.person_id for one in engineers if one.phone]
            self._obey(self.board.set_engineers(rung, monotonic()))
            answered()

        def answered() -> None:
            self._roster.end(asked)
            for go_on in list(self._roster_waits):
                go_on()

        self.in_thread(self.records.engineers, known, answered)

    # -- pages --

    def _claim_pages(self) -> None:
        room = MOST_PAGES - len(self.pages)
        if not self._claim.is_free(monotonic()) or room <= 0 or self.is_stopping:
            return
        asked = self._claim.begin(monotonic())

        def claimed(pages: Any) -> None:
            is_in_time = self._claim.is_latest(asked)
            self._claim.end(asked)
            for page in pages:
                if is_in_time:
                    self._make_page(page)
                elif page.page_id not in self.pages:  # it may have been held too long ago to be ours still
                    self._release(page.page_id)

        self.in_thread(lambda: self.records.claim(room), claimed, lambda: self._claim.end(asked))

    def _withdraw_pages(self) -> None:
        ringing = [page_id for page_id, made in self.pages.items() if made.picture.answered_at is None]
        if not ringing or not self._over.is_free(monotonic()):
            return
        asked = self._over.begin(monotonic())

        def over(page_ids: Collection[UUID]) -> None:
            self._over.end(asked)
            for made in [self.pages[page_id] for page_id in page_ids if page_id in self.pages]:
                made.withdraw()

        self.in_thread(lambda: self.records.over(ringing), over, lambda: self._over.end(asked))

    def _release(self, page_id: UUID) -> None:
        self.in_thread(lambda: self.records.release(page_id))

    def _make_page(self, page: Any) -> None:
        is_rung = any(
            made.phone.person_id == page.person_id and made.picture.answered_at is None for made in self.pages.values()
        )
        if is_rung or self._has_caller(page.number) or page.page_id in self.pages or self.is_stopping:
            self._release(page.page_id)
            return
        taken, at = self.board.page(page.person_id, page.severity, monotonic()), clock.now()
        if taken == "kept":
            self._release(page.page_id)
            return
        if taken == "busy":
            self._report(lambda: self.records.end(page.page_id, page.person_id, "busy", at))
            return
        self.counts.pages += 1
        language: script.Language = "es" if page.language == "es" else "en"
        facts = PageFacts(language, page.number, page.severity, page.company, page.clock, page.mark)
        phone = Phone(page.person_id, page.name, page.phone, page.language)
        made = PageCall(self.means, self.journals, self.draw, phone, facts, self.ring_s, self._paged)
        made.page_id = page.page_id
        self.pages[page.page_id] = made
        self._obey(taken)
        self._speak_first(language, page.company, made.dial)

    def _paged(self, made: PageCall, outcome: str) -> None:
        """An attempt of a page ended; acknowledged, it may go on as the call of somebody who waits."""
        at, page_id, person_id = clock.now(), made.page_id, made.phone.person_id
        if self.is_stopping and outcome != "acknowledged":
            self._release(page_id)
        else:
            self._report(lambda: self.records.end(page_id, person_id, outcome, at))
        of_the_case = (call_id for call_id, wish in self.wishes.items() if wish.case == made.facts.number)
        waiting = next((call_id for call_id in of_the_case if self.board.is_waiting(call_id)), None)
        if outcome == "acknowledged" and made.channel is not None and waiting is not None:
            self._obey(self.board.accepted(waiting, person_id, monotonic()))
            self.pages.pop(page_id, None)
            return
        self.pages.pop(page_id, None)
        made.part()
        self._obey(self.board.freed(person_id, monotonic()))

    def _has_caller(self, number: str) -> bool:
        """Whether somebody who called about a case waits, talks, or may yet ask to be connected."""
        has_confirmed = monotonic() - self._confirmed_at.get(number, -PARTING_S) < PARTING_S
        for call in self.calls.values():
            if call.id in self.wishes:
                about = self.wishes[call.id].case
            else:
                about = self.about.get(call.id, call.case if has_confirmed else "")
            if about == number:
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
