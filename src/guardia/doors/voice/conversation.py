"""A caller's call: the dialogue on its leg, the desk's answers, recordings, the journal and the picture of it.

Rules:
- What happened stands in the journal before the caller is told of it; the picture for the console is drawn from it, and
  what the database could not be told is handed in from it later.
- A question that is not answered in time is answered by `DeskAway`. What is asked only once (a PIN) is kept in the
  sealed journal then, and checked later.
- A recording begins when everything said is through. When the caller hangs up it ends first, then the dialogue hears.
- A journal that cannot be written (a full disk) ends no call: what can still be done by voice is done; it is logged.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from guardia.doors.voice import questions, script
from guardia.doors.voice.control import Arrival, Ended, Timer
from guardia.doors.voice.talk import Means, Talk
from guardia.journeys.draw_call import CallPicture
from guardia.kernel import clock
from guardia.kernel.outside import CallJournal

_log = logging.getLogger("guardia.line")
ANSWER_WITHIN_S: Final = 6.0
LONGEST_S: Final = 1800.0
"""How long somebody may walk through menus."""
LAST_PIECE_S: Final = 0.15
"""How long the last piece of a recording may be on its way from the media thread."""
MOST_LOG: Final = 200
"""Notes in the picture of a call; the journal has them all."""
Stopped = Literal["key", "silence", "limit", "full"]


class Exchange(Protocol):
    """What a call needs of the line."""

    def ask(
        self, call: "Conversation", question: questions.Question, told: Callable[[questions.Answer | None], None]
    ) -> None:
        """Answer in the signalling thread; None where the records cannot be reached."""

    def wait(self, call: "Conversation", wish: script.Connect) -> None: ...
    def leave(self, call: "Conversation") -> None: ...
    def draw(self, picture: CallPicture) -> None: ...
    def over(self, call: "Conversation") -> None: ...


class Conversation(Talk):
    """One incoming call."""

    def __init__(
        self, means: Means, exchange: Exchange, arrival: Arrival, journal: CallJournal, dialogue: script.Dialogue
    ) -> None:
        super().__init__(means, dialogue, self._ended)
        self.exchange, self.journal = exchange, journal
        self.case, self.bridged, self._is_leaving = "", False, False
        self.picture = CallPicture(
            id=journal.id, direction="in", caller=arrival.caller, started_at=clock.now(), step="greeting"
        )
        self._began = monotonic()
        self._question: tuple[int, questions.Question] | None = None
        self._asked = 0
        self._wait: Timer | None = None
        self._wish: script.Record | None = None
        self._recording: _Recording | None = None
        self._waits_since: datetime | None = None
        self._has_place = False

    @property
    def id(self) -> UUID:
        """The call's id, which is its journal's."""
        return self.journal.id

    # -- what the dialogue wants --

    def carry_out(self, command: script.Command) -> None:
        """Do what only a caller's dialogue may want, too."""
        match command:
            case script.Ask(question=question):
                self._ask(question)
            case script.Record():
                self._wish = command
                if not self._is_saying:
                    self._begin_recording()
            case script.Connect():
                self._waits_since, self._has_place = clock.now(), False
                self.case = command.case or self.case
                self.exchange.wait(self, command)
            case script.LeaveQueue():
                self._waited()
                self.exchange.leave(self)
            case script.Note(what=what, data=data):
                self._noted(what, data)
            case _:
                super().carry_out(command)

    def _noted(self, what: str, data: Mapping[str, Any]) -> None:
        if what == "identified":
            return  # the line wrote it, with the ids, when the desk answered
        if what == "step":
            if data.get("step") == "waiting" and self.picture.step == "ringing":
                return  # whose phone rings tells more
            self.show(step=str(data.get("step", "")), step_detail=str(data.get("detail", "")))
            return
        if what == "language":
            self.show(language=str(data.get("language", "")))
        self.note(what, data)

    def note(self, what: str, data: Mapping[str, Any] | None = None, *, is_shown: bool = True) -> None:
        """Write into the journal, and into the picture where it may be shown."""
        now, data = clock.now(), dict(data or {})
        try:
            self.journal.note(what, now, data)
        except OSError as error:
            _log.error("call %s: the journal takes nothing: %s", self.id, error)
        if is_shown:
            entry = {"at": now.isoformat(), "what": what, **data}
            self.show(log=(*self.picture.log, entry)[:MOST_LOG], case=self.case)

    def show(self, **facts: Any) -> None:
        """Draw the picture anew."""
        self.picture = replace(self.picture, **facts)
        self.exchange.draw(self.picture)

    # -- the desk --

    def _ask(self, question: questions.Question) -> None:
        self._asked += 1
        asked = self._asked
        self._question = (asked, question)
        self._wait = self.means.control.later(ANSWER_WITHIN_S, lambda: self._told(asked, None))
        self.exchange.ask(self, question, lambda answer: self._told(asked, answer))

    def _told(self, asked: int, answer: questions.Answer | None) -> None:
        if self._question is None or self._question[0] != asked:
            return  # it comes too late: the dialogue went on without it
        question = self._question[1]
        self._question = None
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None
        if answer is None:
            self._keep_for_later(question)
            self.feed(script.DeskAway())
        else:
            self._learn(question, answer)
            self.feed(script.Told(answer))

    def _keep_for_later(self, question: questions.Question) -> None:
        match question:
            case questions.IdentifyByPin(contract=contract, pin=pin):
                self.note("identify_later", {"contract": contract, "pin": pin}, is_shown=False)
            case questions.IdentifyByCode(number=number, code=code):
                self.note("identify_later", {"number": number, "code": code}, is_shown=False)
            case _:
                pass  # the dialogue notes what is to be done later

    def _learn(self, question: questions.Question, answer: questions.Answer) -> None:
        match answer:
            case questions.Identified(caller=caller):
                by = "pin" if isinstance(question, questions.IdentifyByPin) else "code"
                self.case = caller.case or self.case
                self.show(
                    company_id=caller.company_id, person_id=caller.person_id, person_name=caller.name, known_by=by
                )
                facts = {
                    "by": by,
                    "person": str(caller.person_id or ""),
                    "company": str(caller.company_id),
                    "name": caller.name,
                    "case": caller.case,
                }
                self.note("identified", facts)
            case questions.CaseOpened(case=case) if isinstance(question, questions.OpenByVoice):
                self.case = case.number
                self.note("consumed", {"recording": question.recording, "number": case.number}, is_shown=False)
            case questions.MessageKept(number=number) if isinstance(question, questions.LeaveMessage) and number:
                self.case = number
                self.note("consumed", {"recording": question.recording, "number": number}, is_shown=False)
            case questions.CaseConfirmed(case=case):
                self.case = case.number
            case questions.CaseSpoken(number=number):
                self.case = number  # a number that was only typed is nobody's case
            case _:
                pass

    # -- recording --

    def played(self) -> None:
        if self._wish is not None and not self._is_over:
            self._is_saying = False
            self._begin_recording()
        super().played()

    def pressed(self, key: str) -> None:
        if self._recording is not None:
            self._end_recording("key")
        elif self._wish is None:  # else the notice is being spoken: it is heard to its end
            super().pressed(key)

    def _begin_recording(self) -> None:
        wish, self._wish = self._wish, None
        if wish is None:
            return
        try:
            number = self.journal.begin_sound(wish.kind, clock.now())
        except OSError as error:
            _log.error("call %s: nothing can be recorded: %s", self.id, error)
            self.feed(script.Recorded(0, 0.0, 0.0, "full"))
            return
        self.note("recording", {"number": number, "kind": wish.kind, "case": self.case})
        self._recording = _Recording(number, wish)
        self.channel.record(self._hear)

    def _hear(self, audio: bytes, voiced_s: float) -> None:
        one = self._recording
        if one is None:
            return
        try:
            self.journal.sound(one.number, audio, voiced_s, clock.now())
        except OSError as error:
            _log.error("call %s: the recording cannot be kept: %s", self.id, error)
            self._end_recording("full")
            return
        why = one.hear(len(audio) / 8000, voiced_s)
        if why is not None:
            self._end_recording(why)

    def _end_recording(self, why: Stopped) -> None:
        one = self._recording
        if one is None or one.is_ending:
            return
        one.is_ending = True
        self.channel.record(None)
        self.means.control.later(LAST_PIECE_S, lambda: self._has_recorded(one, why))

    def _has_recorded(self, one: "_Recording", why: Stopped) -> None:
        self._recording = None
        self.note("recorded", {"number": one.number, "seconds": round(one.seconds, 1)})
        self.feed(script.Recorded(one.number, one.seconds, one.voiced_s, why))

    # -- the queue --

    def queued(self, place: int) -> None:
        """Tell the place. The journal keeps the first one: it writes through, and a queue moves often."""
        if not self._has_place:
            self._has_place = True
            self.note("queued", {"place": place})
        self.feed(script.Queued(place))

    def joined(self, name: str) -> None:
        """An engineer speaks with the caller now."""
        self.channel.hush()
        self._waited()
        self.bridged = True
        self.show(step="talking", step_detail=name, connected_name=name)
        self.note("connected", {"name": name})
        self.feed(script.Connected(name))

    def nobody_there(self) -> None:
        """Nobody takes the call; the caller waits no more."""
        self._waited()
        self.note("nobody")
        self.feed(script.NobodyThere())

    def parted(self) -> None:
        """The engineer has gone."""
        if self.bridged:
            self.bridged = False
            self.channel.bridge(None)
            self.note("bridge_ended")
            self.feed(script.BridgeEnded())

    def _waited(self) -> None:
        if self._waits_since is not None:
            waited = round((clock.now() - self._waits_since).total_seconds())
            self.show(waited_s=(self.picture.waited_s or 0) + waited)
            self._waits_since = None

    # -- the end --

    def is_too_long(self) -> bool:
        """Whether the call goes on although nobody talks with an engineer, or waits for one, any more."""
        return not self.bridged and self._waits_since is None and monotonic() - self._began > LONGEST_S

    def gone(self, how: Ended) -> None:
        self._wish = None
        if self._is_gone or self._is_leaving:
            return
        self.note("hung_up", {"how": how.why})
        self.exchange.leave(self)
        if self._recording is None:
            super().gone(how)
        else:
            self._is_leaving = True
            self._end_recording("key")
            self.means.control.later(2 * LAST_PIECE_S, lambda: super(Conversation, self).gone(how))

    def _ended(self, word: str) -> None:
        self._waited()
        self._question = None  # an answer that comes now has nobody to hear it, and no journal
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None
        now = clock.now()
        self.note("outcome", {"outcome": word}, is_shown=False)
        try:
            self.journal.finish(now)
        except OSError as error:
            _log.error("call %s: the journal cannot be finished: %s", self.id, error)
        self.show(ended_at=now, outcome=word, step="", step_detail="", case=self.case)
        self.exchange.leave(self)
        self.exchange.over(self)


class _Recording:
    """How far a recording is."""

    def __init__(self, number: int, wish: script.Record) -> None:
        self.number, self.wish = number, wish
        self.seconds = self.voiced_s = self.silent_s = 0.0
        self.is_ending = False

    def hear(self, seconds: float, voiced_s: float) -> Stopped | None:
        """Count a piece; return why the recording is to end now, if it is."""
        self.seconds += seconds
        self.voiced_s += voiced_s
        self.silent_s = 0.0 if voiced_s > 0 else self.silent_s + seconds
        if self.seconds >= self.wish.limit_s:
            return "limit"
        return "silence" if self.silent_s >= self.wish.silence_s else None
