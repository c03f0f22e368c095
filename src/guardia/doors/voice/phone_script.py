"""What a test phone does once the call stands: keys, waits and spoken files, one after the other.

A script is written with commas: `q,2,w1.5,4071#,say:trouble.wav,hang`.

- digits, star and hash are pressed one by one;
- `w3` waits three seconds (`w1.5` one and a half);
- `q` waits until the line has said something since the last key and has then been silent for one second (`q0.5`: half
  a second); where it says nothing at all, for five seconds;
- `say:FILE` plays a WAV file into the call, to its end;
- `hold` holds the line, `back` comes back to it (both by re-INVITE);
- `hang` hangs up. Without it the phone stays until the other side hangs up or its time is over.
"""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Press:
    """Press keys, one by one."""

    keys: str


@dataclass(frozen=True)
class Wait:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class UntilQuiet:
    """Wait until the line has spoken and is silent for so long."""

    seconds: float


@dataclass(frozen=True)
class PlayFile:
    """Play a WAV file into the call."""

    path: Path


@dataclass(frozen=True)
class Turn:
    """Give our audio another direction: `sendonly` holds the line, `sendrecv` comes back."""

    direction: str


@dataclass(frozen=True)
class HangUp:
    """Hang up."""


Step = Press | Wait | UntilQuiet | PlayFile | Turn | HangUp

_TURNS = {"hold": Turn("sendonly"), "back": Turn("sendrecv")}
_KEYS = re.compile(r"[0-9*#]+")
_TIMED = re.compile(r"([wq])(\d+(?:\.\d+)?)?")


def parse_script(text: str) -> tuple[Step, ...]:
    """Return the steps of a script. Raises ValueError, with a sentence for the person who wrote it."""
    return tuple(_step(word.strip()) for word in text.split(",") if word.strip())


def _step(word: str) -> Step:
    if word == "hang":
        return HangUp()
    if word in _TURNS:
        return _TURNS[word]
    if word.startswith("say:") and len(word) > len("say:"):
        return PlayFile(Path(word.removeprefix("say:")))
    if _KEYS.fullmatch(word):
        return Press(word)
    timed = _TIMED.fullmatch(word)
    if timed:
        seconds = float(timed[2] or 1)
        return Wait(seconds) if timed[1] == "w" else UntilQuiet(seconds)
    raise ValueError(f"--keys: expected digits, * or #, w3, q, say:FILE, hold, back or hang, got {word!r}")
