"""A line without sockets, threads or a database: legs, sound, records and time are the test's own.

Time stands still until `Stage.run(seconds)`. Whatever is said lasts as long as it would; who is rung does what the test
says. What really signals, sounds and knows is tested elsewhere: here it is the line between them.
"""

import heapq
import itertools
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from guardia.adapters.call_journal import MemoryJournals
from guardia.doors.voice import conversation, line, questions, script
from guardia.doors.voice.control import Arrival, Ended, LegListener, RemoteMedia
from guardia.doors.voice.desk import DeskUnreachable
from guardia.doors.voice.media.channel import Channel, ChannelListener
from guardia.doors.voice.talk import Means
from guardia.journeys.draw_call import CallPicture
from guardia.journeys.page_by_phone import PageToMake
from guardia.journeys.whom_to_ring import DutyPhone

MEDIA = RemoteMedia("127.0.0.1", 40000, "PCMU", 101)
PIECE_S = 0.5
"""How long each piece of what is said lasts here."""


def spoken(number: str, severity: int = 1) -> questions.CaseSpoken:
    """Return a case as the desk tells of it: premium, unanswered, to be phoned in."""
    return questions.CaseSpoken(
        number,
        severity,
        "new",
        needs_call=True,
        is_premium=True,
        is_held=False,
        is_confirmed=False,
        answered=False,
        due_at=None,
        zone="UTC",
    )


class Direct(Executor):
    """An executor that does at once what it is given."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  as an executor does
            future.set_exception(error)
        return future


class Pool(Executor):
    """Threads that hang until the test says `go`."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        assert not args
        assert not kwargs
        future: Future[Any] = Future()
        self.waiting.append((future, fn))
        return future

    def go(self) -> None:
        """Let everything that waits be done now."""
        waiting, self.waiting = self.waiting, []
        for future, fn in waiting:
            try:
                future.set_result(fn())
            except Exception as error:  # noqa: BLE001  as an executor does
                future.set_exception(error)


@dataclass
class FakeTimer:
    act: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class FakeLeg:
    """One leg; `listener` is whom the line put there."""

    id: str
    target: str = ""
    listener: LegListener | None = None
    is_answered: bool = False
    refused: int = 0
    is_over: bool = False
    hung_up_by_line: bool = False

    def listen(self, listener: LegListener) -> None:
        self.listener = listener

    def ring(self) -> None:
        pass

    def answer(self, port: int) -> None:
        assert port
        self.is_answered = True

    def refuse(self, code: int, reason: str) -> None:
        assert reason
        self.refused, self.is_over = code, True

    def hang_up(self) -> None:
        if not self.is_over:
            self.hung_up_by_line = True
            self.end(Ended("ours"))

    # what the far end does

    def pick_up(self) -> None:
        assert self.listener
        self.is_answered = True
        self.listener.answered(MEDIA)

    def end(self, how: Ended) -> None:
        if not self.is_over:
            self.is_over = True
            assert self.listener
            self.listener.ended(how)


class FakeControl:
    """Time and legs."""

    def __init__(self) -> None:
        self.now, self._count = 0.0, itertools.count()
        self._due: list[tuple[float, int, FakeTimer]] = []
        self.dialled: list[FakeLeg] = []

    def later(self, seconds: float, act: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(act)
        heapq.heappush(self._due, (self.now + seconds, next(self._count), timer))
        return timer

    def call_soon(self, act: Callable[[], None]) -> None:
        self.later(0.0, act)

    def dial(self, target: str, port: int, listener: LegListener, ring_s: float) -> FakeLeg:
        if not target.startswith("sip:"):
            raise ValueError(target)
        assert port
        leg = FakeLeg(f"out-{len(self.dialled)}", target, listener)
        self.dialled.append(leg)
        self.later(ring_s, lambda: None if leg.is_answered else leg.end(Ended("no_answer")))
        return leg

    def serve(self, arrived: Callable[..., None]) -> None:
        raise NotImplementedError(arrived)

    def stop(self) -> None:
        raise NotImplementedError

    def count(self) -> int:
        return 0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            at, _, timer = heapq.heappop(self._due)
            self.now = max(self.now, at)
            if not timer.is_cancelled:
                timer.act()
        self.now = until


class FakeChannel:
    """Sound that lasts as long as it would. `cut_s`: how much of what was said, music apart, was never heard."""

    def __init__(self, control: FakeControl, listener: ChannelListener, port: int) -> None:
        self.control, self.listener, self.port = control, listener, port
        self.peer: FakeChannel | None = None
        self.sink: Callable[[bytes, float], None] | None = None
        self.is_closed, self._is_looped, self._queued_until, self._generation = False, False, 0.0, 0
        self._said_until = self.cut_s = 0.0

    def connect(self, media: RemoteMedia) -> None:
        assert not self.is_closed
        assert media.port

    def play(self, audio: bytes, *, is_looped: bool = False) -> None:
        """What follows a loop drops it, and all that still stands before it, as `media/speech.py` does."""
        if self._is_looped:
            self.hush()
        self._is_looped = is_looped
        self._queued_until = max(self._queued_until, self.control.now) + len(audio) / 8000
        self._generation += 1
        if not is_looped:
            self._said_until = self._queued_until
            self.control.later(self._queued_until - self.control.now, self._through(self._generation))

    def _through(self, generation: int) -> Callable[[], None]:
        def through() -> None:
            if generation == self._generation and not self.is_closed:
                self.listener.played()

        return through

    def hush(self) -> None:
        self._generation, self._is_looped = self._generation + 1, False
        self.cut_s += max(0.0, self._said_until - self.control.now)
        self._queued_until = self._said_until = self.control.now

    def record(self, sink: Callable[[bytes, float], None] | None) -> None:
        self.sink = sink

    def hear(self, seconds: float, voiced_s: float) -> None:
        """Let the caller be heard."""
        if self.sink is not None:
            self.sink(b"\xff" * round(seconds * 8000), voiced_s)

    def bridge(self, other: "Channel | None") -> None:
        if other is None:
            if self.peer is not None:
                self.peer.peer = None
            self.peer = None
        else:
            assert isinstance(other, FakeChannel)
            self.peer, other.peer = other, self

    def close(self) -> None:
        self.is_closed = True
        self.bridge(None)


@dataclass
class FakeEngine:
    control: FakeControl
    most: int = 1000
    channels: list[FakeChannel] = field(default_factory=list)

    def open(self, listener: ChannelListener) -> FakeChannel:
        if self.count() >= self.most:
            raise OSError("no port is free")
        self.channels.append(FakeChannel(self.control, listener, 20000 + 2 * len(self.channels)))
        return self.channels[-1]

    def count(self) -> int:
        return sum(not channel.is_closed for channel in self.channels)

    def stop(self) -> None:
        raise NotImplementedError


@dataclass
class FakeVoice:
    """Remembers what was said."""

    control: FakeControl
    said: list[tuple[float, Sequence[script.Piece], script.Language]] = field(default_factory=list)

    def render(self, pieces: Sequence[script.Piece], language: script.Language) -> bytes:
        self.said.append((self.control.now, tuple(pieces), language))
        return b"\xff" * round(len(pieces) * PIECE_S * 8000)

    def prompts(self) -> list[str]:
        """Return the keys of the prompts that were said, in order."""
        return [piece.key for _, pieces, _ in self.said for piece in pieces if isinstance(piece, script.Prompt)]

    def texts(self) -> list[str]:
        """Return the free words that were said."""
        return [piece.text for _, pieces, _ in self.said for piece in pieces if isinstance(piece, script.Text)]


@dataclass
class FakeRecords:
    """Our records: `answers` by the question's type; None where they are away."""

    answers: dict[type, Any] = field(default_factory=dict)
    duty: list[DutyPhone] = field(default_factory=list)
    pages: list[PageToMake] = field(default_factory=list)
    is_away: bool = False
    asked: list[questions.Question] = field(default_factory=list)
    asked_at: list[datetime] = field(default_factory=list)
    accepted: list[tuple[UUID, str]] = field(default_factory=list)
    accepted_at: list[datetime] = field(default_factory=list)
    ended: list[tuple[UUID, UUID, str]] = field(default_factory=list)
    released: list[UUID] = field(default_factory=list)
    pages_over: set[UUID] = field(default_factory=set)

    def _reach(self) -> None:
        if self.is_away:
            raise DeskUnreachable("away")

    def answer(
        self, call_id: UUID, caller: str, language: str, question: questions.Question, at: datetime
    ) -> questions.Answer:
        self._reach()
        self.asked.append(question)
        self.asked_at.append(at)
        made = self.answers[type(question)]
        answer: questions.Answer = made(question) if callable(made) else made
        return answer

    def engineers(self) -> list[DutyPhone]:
        self._reach()
        return self.duty

    def accept(self, person_id: UUID, number: str, call_id: UUID, at: datetime) -> None:
        self._reach()
        self.accepted.append((person_id, number))
        self.accepted_at.append(at)

    def claim(self, limit: int) -> list[PageToMake]:
        self._reach()
        taken, self.pages = self.pages[:limit], self.pages[limit:]
        return taken

    def release(self, page_id: UUID) -> None:
        self._reach()
        self.released.append(page_id)

    def over(self, page_ids: Collection[UUID]) -> set[UUID]:
        self._reach()
        return self.pages_over & set(page_ids)

    def end(self, page_id: UUID, person_id: UUID, outcome: str, at: datetime) -> None:
        self._reach()
        self.ended.append((page_id, person_id, outcome))


@dataclass
class FakeArtist:
    pictures: dict[UUID, CallPicture] = field(default_factory=dict)

    def draw(self, picture: CallPicture) -> None:
        self.pictures[picture.id] = picture


@dataclass
class Caller:
    """One caller of the stage."""

    stage: "Stage"
    leg: FakeLeg
    call: conversation.Conversation

    @property
    def channel(self) -> FakeChannel:
        channel = self.call.channel
        assert isinstance(channel, FakeChannel)
        return channel

    def press(self, keys: str, pause_s: float = 0.2) -> None:
        for key in keys:
            self.channel.listener.key(key)
            self.stage.run(pause_s)

    def speak(self, seconds: float) -> None:
        """Speak, in pieces of half a second."""
        for _ in range(round(seconds / 0.5)):
            self.channel.hear(0.5, 0.5)
            self.stage.run(0.5)

    def hang_up(self) -> None:
        self.leg.end(Ended("hung_up"))

    def picture(self) -> CallPicture:
        return self.stage.artist.pictures[self.call.id]

    def whats(self) -> list[str]:
        """Return what stands in the call's log."""
        return [str(entry["what"]) for entry in self.picture().log]


class Stage:
    """A line with everything of it in the test's hands."""

    def __init__(self) -> None:
        self.control = FakeControl()
        self.engine, self.voice = FakeEngine(self.control), FakeVoice(self.control)
        self.records, self.artist, self.journals = FakeRecords(), FakeArtist(), MemoryJournals()
        self.line = line.Line(
            Means(self.control, self.engine, self.voice),
            self.records,
            self.journals,
            self.artist,
            ring_s=20.0,
            askers=Direct(),
            speakers=Direct(),
        )

    def run(self, seconds: float) -> None:
        self.control.run(seconds)

    def call(self, number: str = "600000000") -> Caller:
        """Let somebody call, and be answered."""
        leg = FakeLeg(f"in-{uuid4()}")
        self.line.arrived(leg, Arrival(number, "line", "127.0.0.1", MEDIA))
        assert isinstance(leg.listener, conversation.Conversation)
        leg.listener.answered(MEDIA)
        return Caller(self, leg, leg.listener)

    def until_it_rings(self) -> FakeLeg:
        """Let time pass until an engineer's phone rings, and return its leg."""
        for _ in range(200):
            if ringing := self.ringing():
                return ringing[0]
            self.run(0.5)
        raise AssertionError("no phone rings")

    def ringing(self) -> list[FakeLeg]:
        """Return the engineers' phones that ring or are picked up."""
        return [leg for leg in self.control.dialled if not leg.is_over]

    def engineer_presses(self, leg: FakeLeg, keys: str) -> None:
        listener: Any = leg.listener
        for key in keys:
            listener.key(key)
            self.run(0.2)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage whose line knows the stage's time."""
    made = Stage()
    monkeypatch.setattr(line, "monotonic", lambda: made.control.now + 1000.0)
    made.line.begin()
    return made


def engineer(name: str, phone: str = "sip:one@127.0.0.1:5070", language: str = "en") -> DutyPhone:
    """Return somebody to ring."""
    return DutyPhone(person_id=uuid4(), name=name, phone=phone, language=language, duty="on_duty")


def page_of(one: DutyPhone, number: str) -> PageToMake:
    """Return a call to make: the alarm of a case, for one engineer."""
    return PageToMake(
        page_id=uuid4(),
        company_id=uuid4(),
        company="Astilleros del Norte",
        case_id=uuid4(),
        number=number,
        severity=1,
        clock="response",
        mark="called",
        person_id=one.person_id,
        name=one.name,
        phone=one.phone,
        language=one.language,
    )
