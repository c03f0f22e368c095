"""The media thread: one for all legs, 50 ticks a second by a schedule that does not drift.

Rules:
- At every tick each leg's packets are taken, then each leg hears and speaks 20 ms. Packets are taken one by one in
  turn, at most 32 of a leg and for at most 8 ms in all, so that a flood reaches nobody but the leg it is sent to; the
  system drops what its small buffer does not hold.
- A late tick is made up for, at most three at a time. Of a longer stop the rest is heard (as silence, where nothing
  came) but not said: what is said goes on where it was, and the time line shows the gap. After more than five seconds
  the schedule begins anew.
- Whatever goes wrong with a leg is logged once and hurts that leg alone. What goes wrong with a turn of the thread is
  counted, and logged once a minute at most; the next turn comes 20 ms later.
- The thread ends with `stop` only. Where 100 turns in a row went wrong (two seconds), or something ends the thread,
  every call is mute and nothing in the process can be trusted to mend that: it is told to `die`, as by SIP's watchdog.
"""

import errno
import logging
import math
import secrets
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from guardia.doors.voice.media.channel import ChannelListener
from guardia.doors.voice.media.figures import TICK_S
from guardia.doors.voice.media.socket_channel import Shared, SocketChannel

logger = logging.getLogger(__name__)

_ROUNDS, _RECEIVING_S = 32, 0.008
_MADE_UP, _HEARD_AT_MOST = 3, 250
_RECEIVE_BUFFER = 65_536
_SWITCH_S = _BREATH_S = 0.0005
_FAILED_AT_MOST, _LOGGED_EVERY_S = 100, 60.0

Tell = Callable[[Callable[[], None]], None]


class SoundEngine:
    """The `MediaEngine` with sockets. `tell` has a callable run in the signalling thread; `die` ends the process, to be
    started again.
    """

    def __init__(self, host: str, ports: range, tell: Tell, die: Callable[[], object]) -> None:
        self._host, self._ports, self._tell = host, [port for port in ports if port % 2 == 0], tell
        self._die, self._logged_at = die, -math.inf
        self._channels: dict[int, SocketChannel] = {}
        self._selector = selectors.DefaultSelector()
        self._shared = Shared(self._channels, self._forget)
        self._woken = threading.Event()
        self._is_stopped = self._tell_has_failed = False
        # Each packet gives the interpreter away and asks for it back; the usual 5 ms behind a busy neighbour would
        # make a tick of 20 legs take 100 ms.
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
        self._thread = threading.Thread(target=self._run, name="media", daemon=True)
        self._thread.start()

    def open(self, listener: ChannelListener) -> SocketChannel:
        """Bind a free even port of the range. Raises OSError where there is none."""
        bound = self._bind()
        with self._shared.lock:
            channel = SocketChannel(bound, listener, self._shared)
            if self._is_stopped:
                bound.close()
                raise OSError(errno.ESHUTDOWN, "the media engine has stopped")
            self._channels[channel.port] = channel
            self._selector.register(bound, selectors.EVENT_READ, channel)
        self._woken.set()
        return channel

    def _bind(self) -> socket.socket:
        first = secrets.randbelow(len(self._ports)) if self._ports else 0
        for port in self._ports[first:] + self._ports[:first]:
            if port in self._channels:
                continue
            bound = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET, socket.SOCK_DGRAM)
            try:
                bound.setblocking(False)
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
                bound.bind((self._host, port))
            except OSError as refused:
                bound.close()
                if refused.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
            else:
                return bound
        raise OSError(errno.EADDRINUSE, "no port is free for another call")

    def _forget(self, channel: SocketChannel) -> None:
        """Drive it no more; the lock is held."""
        self._selector.unregister(channel.socket)
        del self._channels[channel.port]

    def count(self) -> int:
        """Return how many channels are open."""
        return len(self._channels)

    def figures(self) -> dict[str, Any]:
        """Return what was counted since the start, as JSON values."""
        with self._shared.lock:
            return {"channels": len(self._channels), **self._shared.figures.table()}

    def stop(self) -> None:
        """Close every channel and end the thread; twice is no error."""
        with self._shared.lock:
            self._is_stopped = True
            left = list(self._channels.values())
        for channel in left:
            channel.close()
        self._woken.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._selector.close()

    # ---- the media thread ----

    def _run(self) -> None:
        try:
            self._drive()
        finally:
            if not self._is_stopped:
                self._give_up()

    def _give_up(self) -> None:
        try:
            logger.critical("The sound of all calls has ended: the phone line is ended, to be started again")
        finally:
            self._die()

    def _drive(self) -> None:
        due, failed = time.monotonic(), 0
        while not self._is_stopped and failed < _FAILED_AT_MOST:
            try:
                due = self._turn(due)
                failed = 0
            except Exception as error:  # noqa: BLE001  whatever it is, the next turn may go well
                failed += 1
                self._note_failure(error)
                due = time.monotonic() + TICK_S

    def _turn(self, due: float) -> float:
        """Wait for that moment and do what is due; return when the next tick is."""
        if not self._channels:
            self._woken.wait()
            self._woken.clear()
            return time.monotonic()
        # Also when late, so that whoever waits for the lock gets it.
        time.sleep(max(due - time.monotonic(), _BREATH_S))
        return due + TICK_S * self._ticks(due)

    def _note_failure(self, error: Exception) -> None:
        self._shared.figures.failed_turns += 1
        if not self._is_stopped and time.monotonic() - self._logged_at >= _LOGGED_EVERY_S:
            self._logged_at = time.monotonic()
            failed = self._shared.figures.failed_turns
            logger.error("Something went wrong with the sound of all calls, turns so far: %d", failed, exc_info=error)

    def _ticks(self, due: float) -> int:
        """Do what is due since that moment, and tell it; return how many ticks that were."""
        with self._shared.lock:
            now = time.monotonic()
            late_s = max(now - due, 0.0)
            behind = int(late_s / TICK_S)
            self._shared.figures.ticked(late_s)
            for missed in range(min(behind, _HEARD_AT_MOST), -1, -1):
                # A tick that is made up for hears what it would have heard in time, not all that waits by now.
                self._receive(now, 1 if missed else _ROUNDS)
                self._tick(is_said=missed < _MADE_UP)
            told, self._shared.told[:] = list(self._shared.told), []
        for act in told:
            self._post(act)
        return behind + 1

    def _receive(self, now: float, rounds: int) -> None:
        began = time.monotonic()
        for _ in range(rounds):
            ready = self._selector.select(0)
            for key, _events in ready:
                self._guarded(key.data, lambda channel: channel.receive(now))
            if not ready or time.monotonic() - began > _RECEIVING_S:
                return

    def _tick(self, *, is_said: bool) -> None:
        for channel in self._channels.values():
            self._guarded(channel, SocketChannel.hear)
        act = SocketChannel.speak if is_said else SocketChannel.skip
        for channel in self._channels.values():
            self._guarded(channel, act)

    def _guarded(self, channel: SocketChannel, act: Callable[[SocketChannel], None]) -> None:
        try:
            act(channel)
        except Exception:  # whatever it is, the other legs must go on
            self._shared.figures.dropped["failed"] += 1
            if not channel.has_failed:
                channel.has_failed = True
                logger.exception("Something went wrong with the sound of a call on port %d", channel.port)

    def _post(self, act: Callable[[], None]) -> None:
        try:
            self._tell(act)
        except Exception:  # the signalling thread ends before this one
            if not self._tell_has_failed:
                self._tell_has_failed = True
                logger.exception("The signalling thread cannot be told what is heard")
