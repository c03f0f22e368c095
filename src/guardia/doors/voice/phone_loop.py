"""A test phone's one loop: packets in, keys typed in, 20 ms of audio out, the next step of the script."""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from guardia.doors.voice.phone_audio import Ear, Mouth, read_wav
from guardia.doors.voice.phone_messages import Description, parse, uri_of
from guardia.doors.voice.phone_script import HangUp, PlayFile, Press, Step, Turn, UntilQuiet, Wait
from guardia.doors.voice.phone_signals import News, SipCall
from guardia.kernel.sound import FRAME_S

Say = Callable[[str], None]

_SETTLES_S = 0.3
_NOTHING_SAID_S = 5.0
_INFO_GAP_S = 0.15
_LARGEST = 65_535
_HANG_UP = "h\x03\x04"
_KEYS = "0123456789*#"


@dataclass
class Outcome:
    """How one call went. `ended` is `we`, `they`, or why it never stood; `heard` is µ-law."""

    was_answered: bool = False
    ended: str = ""
    caller: str = ""
    sent: str = field(default="", repr=False)
    keys_heard: str = field(default="", repr=False)
    seconds: float = 0.0
    heard: bytes = field(default=b"", repr=False)
    changes: list[str] = field(default_factory=list)


class Phone:
    """One call on two sockets."""

    def __init__(
        self,
        sip: socket.socket,
        rtp: socket.socket,
        steps: Sequence[Step],
        talk: bytes,
        codecs: tuple[int, ...],
        say: Say,
        *,
        by_info: bool,
    ) -> None:
        self.keyboard: int | None = None
        self.answer_at: float | None = None
        self.outcome = Outcome()
        self._sip, self._rtp, self._say, self._by_info = sip, rtp, say, by_info
        self._peer: tuple[str, int] | None = None
        host, port = sip.getsockname()
        description = Description(host, rtp.getsockname()[1], codecs)
        self.signals = SipCall((host, port), description, self._send)
        self._mouth, self._ear = Mouth(talk), Ear()
        self._steps = list(steps)
        self._info_keys: list[str] = []
        self._answered_at = self._next_frame = self._settled_at = self._step_since = 0.0

    @property
    def now(self) -> float:
        """Seconds of a clock that only goes on."""
        return time.monotonic()

    def reach(self, peer: tuple[str, int]) -> None:
        """Send everything there."""
        self._peer = peer

    def _send(self, packet: bytes) -> None:
        if self._peer is not None:
            with contextlib.suppress(OSError):  # nobody listens there: the call runs out of patience instead
                self._sip.sendto(packet, self._peer)

    # ---- waiting for a call ----

    def wait_for_call(self, wait_s: float) -> bool:
        """Return whether a call came in time; Ctrl-C ends the waiting."""
        until = self.now + wait_s
        with contextlib.suppress(KeyboardInterrupt):
            while self.signals.state == "idle" and (left := until - self.now) > 0:
                if select.select([self._sip], [], [], left)[0]:
                    self._take(*self._sip.recvfrom(_LARGEST))
        return self.signals.state != "idle"

    def _take(self, data: bytes, peer: tuple[str, int]) -> None:
        self._peer = peer
        message = parse(data)
        if message is None or message.method != "INVITE":
            self.signals.receive(data, self.now)
            return
        self.signals.offered(message, self.now)
        self.outcome.caller = self.signals.caller
        self._say(f"a call from {uri_of(message.get('from'))}")

    # ---- the loop ----

    def run(self, longest_s: float) -> Outcome:
        """Run the call to its end, or hang up when the time is over."""
        over_at = self.now + longest_s
        while not self.signals.is_over:
            self._read()
            now = self.now
            self.signals.tick(now)
            if self.answer_at is not None and now >= self.answer_at:
                self.answer_at = None
                self.signals.answer()
            self._tell()
            if self.signals.state == "standing":
                self._talk(now)
                self._go_on(now)
            if now >= over_at:
                over_at = float("inf")
                self._say("time is over")
                self.signals.hang_up()
        self._tell()
        self.outcome.heard, self.outcome.keys_heard = bytes(self._ear.recording), self._ear.keys
        return self.outcome

    def _read(self) -> None:
        """Wait until something comes in or the next audio is due; Ctrl-C hangs up."""
        wait = min(max(self._next_frame - self.now, 0.0), FRAME_S) if self.signals.state == "standing" else FRAME_S
        sources = [self._sip.fileno(), self._rtp.fileno()] + ([] if self.keyboard is None else [self.keyboard])
        try:
            ready = select.select(sources, [], [], wait)[0]
        except KeyboardInterrupt:
            self.signals.hang_up()
            return
        if self._sip.fileno() in ready:
            self.signals.receive(self._sip.recv(_LARGEST), self.now)
        if self._rtp.fileno() in ready:
            self._ear.hear(self._rtp.recv(_LARGEST), self.signals.digits_heard, self.now)
        if self.keyboard is not None and self.keyboard in ready:
            self._typed(os.read(self.keyboard, 64).decode("ascii", "replace"))

    def _typed(self, typed: str) -> None:
        """Press what was typed; `h`, Ctrl-C, Ctrl-D or the end of the input hang up."""
        for key in typed:
            if key in _KEYS and self.signals.state == "standing":
                self._press(key)
        if not typed or any(key in _HANG_UP for key in typed):
            self.keyboard = None
            self.signals.hang_up()

    def _tell(self) -> None:
        news, self.signals.news = self.signals.news, []
        for one in news:
            self._told(one)

    def _told(self, news: News) -> None:
        if news.what == "ringing":
            self._say("ringing" if news.text == "180" else f"on its way ({news.text})")
        elif news.what == "answered":
            self.outcome.was_answered = True
            self._answered_at = self._settled_at = self._step_since = self._next_frame = self.now
            self._say("answered")
        elif news.what == "media":
            self.outcome.changes.append(news.text)
            self._say(f"the far end's audio is now {news.text}")
        elif news.what == "key":
            self._ear.keys += news.text
        elif news.what == "accepted":
            self._settled_at = self.now + _INFO_GAP_S
            self._info_keys.pop(0)
            self._next_info()
            if news.text:
                self._say(f"INFO was refused: {news.text}")
        else:
            self._ended(news.text)

    def _ended(self, how: str) -> None:
        self.outcome.ended = how
        if not self.outcome.was_answered:
            self._say(f"not answered: {'given up' if how == 'we' else 'cancelled' if how == 'they' else how}")
            return
        self.outcome.seconds = self.now - self._answered_at
        self._say(f"{'we' if how == 'we' else 'they'} hung up after {self.outcome.seconds:.1f} s")

    def _talk(self, now: float) -> None:
        """Send the audio that is due; after a long halt, no more than a few packets at once."""
        media = self.signals.media
        if media is None:
            return
        self._next_frame = max(self._next_frame, now - 5 * FRAME_S)
        while self._next_frame <= now:
            self._next_frame += FRAME_S
            packet = self._mouth.packet(media)
            if media.port and media.direction in {"sendrecv", "recvonly"}:
                with contextlib.suppress(OSError):  # the far end's port is shut already: its BYE is on the way
                    self._rtp.sendto(packet, (media.host, media.port))

    # ---- the script ----

    def _go_on(self, now: float) -> None:
        """Take the next step, once the last one is done."""
        if not self._mouth.is_idle or self._info_keys:
            self._settled_at = self._step_since = now
            return
        if not self._steps or not self._is_time(self._steps[0], now):
            return
        step = self._steps.pop(0)
        self._step_since = now
        if isinstance(step, Press):
            for key in step.keys:
                self._press(key)
        elif isinstance(step, PlayFile):
            self._say(f"saying {step.path.name}")
            self._mouth.say(read_wav(step.path))
        elif isinstance(step, Turn):
            self.signals.turn(step.direction)
        elif isinstance(step, HangUp):
            self.signals.hang_up()

    def _is_time(self, step: Step, now: float) -> bool:
        if isinstance(step, Wait):
            return now - self._step_since >= step.seconds
        if isinstance(step, UntilQuiet):
            has_spoken = self._ear.voice_at > self._settled_at + _SETTLES_S
            return now - (self._ear.voice_at if has_spoken else self._settled_at) >= (
                step.seconds if has_spoken else _NOTHING_SAID_S
            )
        return True

    def _press(self, key: str) -> None:
        self._say(f"key {key}")
        self.outcome.sent += key
        if self._by_info:
            self._info_keys.append(key)
            if len(self._info_keys) == 1:
                self._next_info()
        else:
            self._mouth.press(key)

    def _next_info(self) -> None:
        if self._info_keys:
            self.signals.press(self._info_keys[0])
