"""Reading in a process of its own, which may be killed: what hangs or falls there costs one letter its details.

- I-1 A message is read within two seconds or not at all; the process that did not manage is killed and replaced.
- I-2 Whatever becomes of that process, `read` returns a letter: at worst the bare one, with the message as a file.
- I-3 The process gets the message and our addresses, nothing else: no environment, no database, no key.
"""

import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Final, Self

from guardia.doors.mail.reading import faults, wire
from guardia.doors.mail.reading.child import READY
from guardia.doors.mail.reading.message import bare_letter
from guardia.features.mail.rules.arrived import Letter

WITHIN_S: Final = 2.0
START_WITHIN_S: Final = 20.0
MOST_READ: Final = 20_000
"""Messages that one process reads before another takes its place, so that no leak grows old."""
_PIPE: Final = 1 << 20
_KEPT_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "TZ")


class _Lost(Exception):
    """The process has ended, or did not answer as it should."""


class _TooSlow(_Lost):
    """The process did not answer in time."""


class IsolatedReader:
    """Reads messages in a child process; one at a time, from any thread."""

    def __init__(self, own_addresses: Collection[str] = (), within_s: float = WITHIN_S) -> None:
        self._own = list(own_addresses)
        self._within_s = within_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._count = 0

    def read(self, raw: bytes, envelope_sender: str | None = None) -> Letter:
        """Return the letter, whatever happens (I-1, I-2)."""
        fault = faults.NOT_READ
        with self._lock:
            for _ in range(2):  # a process that has just died may have died of something else
                try:
                    return self._asked(raw, envelope_sender)
                except _TooSlow:
                    fault = faults.NOT_READ_IN_TIME
                    self._restart()
                    break
                except (_Lost, OSError, ValueError):
                    self._restart()  # the fault of the letter tells that it was not read
        return bare_letter(raw, fault, envelope_sender, self._own)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that reads now."""
        return self._child.pid if self._child else None

    # -- one message --

    def _asked(self, raw: bytes, envelope_sender: str | None) -> Letter:
        if self._child is None or self._child.poll() is not None or self._count >= MOST_READ:
            self._replace()
        child = self._child
        if child is None:
            raise _Lost("no process")
        if not self._is_ready:
            _received(child, len(READY), time.monotonic() + START_WITHIN_S)
            self._is_ready = True
        self._count += 1
        deadline = time.monotonic() + self._within_s
        _send(child, wire.packed({"envelope_sender": envelope_sender, "own_addresses": self._own}, [raw]), deadline)
        text_length, length = wire.LENGTHS.unpack(_received(child, wire.LENGTHS.size, deadline))
        if text_length > wire.LONGEST_JSON or length > 10 * len(raw) + wire.LONGEST_JSON:
            raise _Lost("an answer of no possible size")
        text = _received(child, text_length, deadline)
        return wire.unpacked_letter(text, _received(child, length, deadline))

    # -- the process --

    def _restart(self) -> None:
        try:
            self._replace()
        except OSError:
            self._child = None  # no process is to be had now; the next message asks again

    def _replace(self) -> None:
        self._end()
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        child = subprocess.Popen(
            [sys.executable, "-m", "guardia.doors.mail.reading.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                _widen(pipe.fileno())
        self._child, self._is_ready, self._count = child, False, 0

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _widen(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except OSError:
        pass  # the system allows no more for this user: a narrow pipe is only slower


def _send(child: subprocess.Popen[bytes], pieces: Sequence[bytes], deadline: float) -> None:
    if child.stdin is None:
        raise _Lost("no way to ask")
    pipe = child.stdin.fileno()
    for piece in pieces:
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(pipe, left[:_PIPE]) :]
            except BlockingIOError:
                _wait(pipe, select.POLLOUT, deadline)


def _received(child: subprocess.Popen[bytes], length: int, deadline: float) -> bytes:
    if child.stdout is None:
        raise _Lost("no way to hear")
    pipe = child.stdout.fileno()
    content = bytearray()
    while len(content) < length:
        try:
            piece = os.read(pipe, min(_PIPE, length - len(content)))
        except BlockingIOError:
            _wait(pipe, select.POLLIN, deadline)
            continue
        if not piece:
            raise _Lost("the process has ended")
        content += piece
        if time.monotonic() > deadline:
            raise _TooSlow("no answer in time")
    return bytes(content)


def _wait(pipe: int, for_what: int, deadline: float) -> None:
    left = deadline - time.monotonic()
    poll = select.poll()
    poll.register(pipe, for_what)
    if left <= 0 or not poll.poll(left * 1_000):
        raise _TooSlow("no answer in time")
