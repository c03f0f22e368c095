"""The newcomer's phone: `guardia line call` walks the line, `guardia line answer` is an engineer's phone.

A small SIP user agent over plain UDP sockets, for one call at a time and for tests; it shares no signalling with the
line, so that it is also a second opinion about it. What it does in a call is a script (`phone_script`); at a terminal,
keys that are typed are pressed at once and `h` hangs up. Every line it prints begins with the seconds since it began.

Exit codes: 0 the call stood, 1 it was refused or failed, 2 the arguments make no sense.
"""

import contextlib
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from guardia.doors.voice.phone_audio import PCMA, PCMU, read_wav, write_wav
from guardia.doors.voice.phone_loop import Outcome, Phone, Say
from guardia.doors.voice.phone_script import PlayFile, Step, parse_script

Codec = Literal["PCMU", "PCMA"]
"""PCMU takes A-law too, where the far end wants that; PCMA is A-law and nothing else."""

_CODECS = {"PCMU": (PCMU, PCMA), "PCMA": (PCMA,)}
_REFUSALS = {"busy": (486, "Busy Here"), "decline": (603, "Decline")}


@dataclass(frozen=True)
class CallOptions:
    """What `guardia line call` was asked: `caller` is the number it shows, `talk` what it says all the time."""

    target: str = "sip:line@127.0.0.1:8003"
    caller: str = "100"
    keys: str = ""
    record: Path | None = None
    talk: Path | None = None
    by_info: bool = False
    longest_s: float = 600.0
    codec: Codec = "PCMU"


@dataclass(frozen=True)
class AnswerOptions:
    """What `guardia line answer` was asked. `after_s` None: it rings and is never answered. It waits for each of so
    many calls for `wait_s`, and each of them lasts for `longest_s` at most.
    """

    host: str = "127.0.0.1"
    port: int = 5070
    after_s: float | None = 1.0
    refusal: Literal["", "busy", "decline"] = ""
    keys: str = ""
    record: Path | None = None
    talk: Path | None = None
    by_info: bool = False
    times: int = 1
    wait_s: float = 3600.0
    longest_s: float = 600.0
    codec: Codec = "PCMU"


class Misuse(ValueError):
    """The arguments make no sense; the message says which."""


def run_call(options: CallOptions) -> int:
    """Call the line as told, printing what happens; return the exit code."""
    try:
        with _typed_keys() as keyboard:
            outcome = place_call(options, _Printer(), keyboard)
    except Misuse as error:
        return _complain(error)
    return 0 if outcome.was_answered else 1


def run_answer(options: AnswerOptions) -> int:
    """Answer (or refuse) calls as told, printing what happens; return the exit code."""
    try:
        with _typed_keys() as keyboard:
            outcomes = list(take_calls(options, _Printer(), keyboard))
    except Misuse as error:
        return _complain(error)
    return 0 if len(outcomes) == options.times else 1


def place_call(options: CallOptions, say: Say, keyboard: int | None = None) -> Outcome:
    """Make one call; keys are also read from the file descriptor `keyboard`. Raises Misuse."""
    address = _address(options.target)
    steps, talk = _prepared(options.keys, options.talk)
    with _sockets(_own_host(address), 0) as (sip, rtp):
        phone = Phone(sip, rtp, steps, talk, _CODECS[options.codec], say, by_info=options.by_info)
        phone.keyboard = keyboard
        phone.reach(address)
        phone.signals.dial(options.target, options.caller, phone.now)
        outcome = phone.run(options.longest_s)
    _keep(options.record, outcome)
    return outcome


def take_calls(options: AnswerOptions, say: Say, keyboard: int | None = None) -> Iterator[Outcome]:
    """Take calls one after the other, until the number or the time is up; `keyboard` as in `place_call`. Raises
    Misuse.
    """
    steps, talk = _prepared(options.keys, options.talk)
    for number in range(1, options.times + 1):
        with _sockets(options.host, options.port) as (sip, rtp):
            phone = Phone(sip, rtp, steps, talk, _CODECS[options.codec], say, by_info=options.by_info)
            phone.keyboard = keyboard
            say(f"waiting for a call at {options.host}:{sip.getsockname()[1]}")
            if not phone.wait_for_call(options.wait_s):
                say("nobody called")
                return
            if options.refusal:
                phone.signals.refuse(*_REFUSALS[options.refusal])
            phone.answer_at = None if options.after_s is None else phone.now + options.after_s
            outcome = phone.run(options.longest_s)
        _keep(_numbered(options.record, number), outcome)
        yield outcome


class _Printer:
    """Prints a line with the seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - self._began:7.2f}  {line}\n")
        sys.stdout.flush()


def _complain(error: Misuse) -> int:
    sys.stderr.write(f"guardia line: {error}\n")
    return 2


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.removeprefix("sip:").rpartition("@")[2].partition(";")[0].partition(":")
    if not target.startswith("sip:") or not host or (port and not port.isdigit()):
        raise Misuse(f"expected an address as sip:line@127.0.0.1:8003, got {target!r}")
    return host, int(port or 5060)


def _prepared(keys: str, talk: Path | None) -> tuple[tuple[Step, ...], bytes]:
    """Return the script and what is said all the time; every file is read once, so that none fails in mid-call."""
    try:
        steps = parse_script(keys)
        for step in steps:
            if isinstance(step, PlayFile):
                read_wav(step.path)
        return steps, read_wav(talk) if talk else b""
    except OSError as error:
        raise Misuse(f"cannot read {error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise Misuse(str(error)) from error


def _own_host(address: tuple[str, int]) -> str:
    """Return our address as the far end sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError as error:
            raise Misuse(f"cannot reach {address[0]}: {error.strerror or error}") from error
        return str(probe.getsockname()[0])


@contextlib.contextmanager
def _typed_keys() -> Iterator[int | None]:
    """Give the terminal, set to hand on each key at once; None where nobody sits at one."""
    if not sys.stdin.isatty():
        yield None
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _sockets(host: str, port: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
    ):
        try:
            sip.bind((host, port))
            rtp.bind((host, 0))
        except OSError as error:
            raise Misuse(f"cannot listen on {host}:{port}: {error.strerror}") from error
        yield sip, rtp


def _numbered(path: Path | None, number: int) -> Path | None:
    return path.with_stem(f"{path.stem}-{number}") if path is not None and number > 1 else path


def _keep(path: Path | None, outcome: Outcome) -> None:
    if path is not None:
        write_wav(path, outcome.heard)
