"""One dialogue on one leg: what the dialogue yields is said and listened for, what is heard is sent to it.

Everything runs in the signalling thread. A dialogue that fails ends its own call, with a word in the log, and no other.
Nothing is waited for here: what the voice does not have at hand is left unsaid. Once the dialogue has ended, keys do
nothing, and the leg is hung up even where the end of what is being said is never told.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from guardia.doors.voice import script
from guardia.doors.voice.control import CallControl, Ended, Leg, RemoteMedia, Timer, Why
from guardia.doors.voice.media.channel import Channel, MediaEngine
from guardia.doors.voice.unwaiting import unwaiting

_log = logging.getLogger("guardia.line")
MOST_FAREWELLS: Final = 5
LONGEST_FAREWELL_S: Final = 30.0
LOST_AFTER_S: Final = 90.0
"""Without a packet for so long, and not on hold, the far end is taken to be gone."""


class Voice(Protocol):
    """Who turns pieces into sound."""

    def render(self, pieces: Sequence[script.Piece], language: script.Language) -> bytes: ...


@dataclass(frozen=True)
class Means:
    """What a call works with."""

    control: CallControl
    engine: MediaEngine
    voice: Voice


class Talk:
    """A leg with its channel and dialogue. `over` is called once, with the dialogue's last word."""

    def __init__(self, means: Means, dialogue: script.Dialogue, over: Callable[[str], None]) -> None:
        self.means = means
        self.channel: Channel = means.engine.open(self)
        self.leg: Leg | None = None
        self._dialogue, self._over = dialogue, over
        self._events: deque[script.Event | None] = deque()
        self._is_feeding = self._is_over = self._has_begun = self._is_gone = False
        self._timer: Timer | None = None
        self._can_interrupt = self._is_saying = False
        self._sends, self._farewells, self._way = True, 0, ""

    # -- the dialogue --

    def begin(self) -> None:
        """Let the dialogue speak first."""
        if not self._has_begun:
            self._has_begun = True
            self._feed(None)

    def feed(self, event: script.Event) -> None:
        """Tell the dialogue; what happens while it is being told waits its turn."""
        if self._has_begun:
            self._feed(event)

    def _feed(self, event: script.Event | None) -> None:
        if self._is_over:
            return
        self._events.append(event)
        if self._is_feeding:
            return
        self._is_feeding = True
        try:
            while self._events and not self._is_over:
                self._step(self._events.popleft())
        finally:
            self._is_feeding = False

    def _step(self, event: script.Event | None) -> None:
        try:
            commands = next(self._dialogue) if event is None else self._dialogue.send(event)
        except StopIteration as stop:
            self._end(str(stop.value or "ended"))
            return
        except Exception:  # noqa: BLE001  whatever it is, it ends this call and no other
            _log.exception("a dialogue failed")
            self._end("failed")
            return
        try:
            for command in commands:
                if not self._is_gone or isinstance(command, script.Note):
                    self.carry_out(command)
        except Exception:  # noqa: BLE001  a call that waited for what cannot be done would be mute for ever
            _log.exception("what a dialogue wants cannot be done")
            self._end("failed")
            return
        if isinstance(event, script.HungUp):
            self._farewells += 1
            if self._farewells < MOST_FAREWELLS:
                self._events.append(event)  # it may still have something to note before it returns
            else:
                _log.error("a dialogue does not end although the far end has gone")
                self._end("hung_up")

    def _end(self, word: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._stop_timer()
        self.closing(word)
        self._over(word)

    def closing(self, word: str) -> None:
        """The dialogue has ended: what is being said is said to its end, then the call is hung up."""
        del word
        if self._is_gone:
            self.channel.close()
        elif not self._is_saying:
            self.hang_up()
        else:
            self.means.control.later(LONGEST_FAREWELL_S, self.hang_up)

    def hang_up(self) -> None:
        """End the leg and give the port back."""
        self.channel.close()
        if self.leg is not None and not self._is_gone:
            self._is_gone = True
            self.leg.hang_up()

    def drop(self, why: Why) -> None:
        """End a call whose dialogue still goes on: it hears that the far end has gone."""
        leg = self.leg
        self.gone(Ended(why))
        if leg is not None:
            leg.hang_up()

    # -- what it wants --

    def carry_out(self, command: script.Command) -> None:
        """Do what a dialogue of any leg may want."""
        match command:
            case script.Say():
                self._say(command)
            case script.Hush():
                self._is_saying = False
                self.channel.hush()
            case script.Listen(seconds=seconds):
                self._stop_timer()
                self._timer = self.means.control.later(seconds, self._quiet)
            case _:
                _log.error("a dialogue wants what this leg cannot do: %s", type(command).__name__)

    def _say(self, command: script.Say) -> None:
        with unwaiting():
            audio = self.means.voice.render(command.pieces, command.language)
        self._can_interrupt = command.can_interrupt
        if audio:
            self._is_saying = not command.is_looped
            self.channel.play(audio, is_looped=command.is_looped)
        elif not self._is_saying and not command.is_looped:
            self.means.control.call_soon(self.played)  # nothing could be spoken: the dialogue goes on all the same

    def _quiet(self) -> None:
        self._timer = None
        self.feed(script.Quiet())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- what is heard: ChannelListener --

    def played(self) -> None:
        self._is_saying = False
        if self._is_over:
            self.hang_up()
        else:
            self.feed(script.Played())

    def key(self, key: str) -> None:
        self._press(key, "sound")

    def key_by_info(self, key: str) -> None:
        self._press(key, "info")

    def _press(self, key: str, way: str) -> None:
        """Take a key that came the way of the first one: a phone may send each press both ways."""
        self._way = self._way or way
        if way == self._way:
            self.pressed(key)

    def pressed(self, key: str) -> None:
        """A key was pressed."""
        if self._is_over:
            return
        self._stop_timer()
        if self._can_interrupt:
            self._is_saying = False
            self.channel.hush()
        self.feed(script.Key(key))

    def silent(self, seconds: float) -> None:
        if seconds >= LOST_AFTER_S and self._sends and not self._is_gone:
            _log.warning("a leg has sent nothing for %.0f s and is hung up", seconds)
            self.drop("lost")

    # -- what the leg says: LegListener --

    def ringing(self) -> None:
        """It rings; nobody need do anything."""

    def answered(self, media: RemoteMedia) -> None:
        self.media_changed(media)
        self.begin()

    def media_changed(self, media: RemoteMedia) -> None:
        self._sends = media.sends and media.hears  # whoever holds with `sendonly` plays music or, more often, nothing
        self.channel.connect(media)

    def ended(self, how: Ended) -> None:
        self.gone(how)

    def gone(self, how: Ended) -> None:
        """The far end has gone, for whatever reason."""
        del how
        if self._is_gone:
            return
        self._is_gone = True
        self._stop_timer()
        self.channel.hush()
        if self._has_begun and not self._is_over:
            self.feed(script.HungUp())
        elif not self._is_over:
            self._end("hung_up")
        self.channel.close()
