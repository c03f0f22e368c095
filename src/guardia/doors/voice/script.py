"""What a dialogue and the line say to each other: events in, commands out. Nothing here does anything.

A dialogue is a generator: it yields commands and is sent the next event. `next(dialogue)` gives its first commands;
where it returns, the call is hung up, and the returned value says how it ended.

Rules:
- A `Say` that may be interrupted falls silent at the first key, and no `Played` comes for it. A second `Say` before the
  first is through follows it. `Played` comes once, when everything said is through.
- `Listen(seconds)` starts one timer anew: `Quiet` comes when it runs out. Any key stops it.
- Each `Ask` is answered by one `Told`, or by `DeskAway` where our records cannot be reached in time.
- Each `Record` is answered by one `Recorded`, for whatever reason it ended; its number names it within the call.
- `Connect` puts the caller before the engineers: `Queued` at once and whenever the place changes, then `Connected` or
  `NobodyThere`; after `Connected`, `BridgeEnded` once the engineer has gone. `LeaveQueue` takes the caller out again.
- `HungUp` is the last event; nothing that a dialogue yields to it is carried out, except `Note`.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from guardia.doors.voice.questions import Answer, Question

Language = Literal["es", "en"]
LANGUAGES: tuple[Language, ...] = ("es", "en")


# ---- what is said ----


@dataclass(frozen=True)
class Prompt:
    """A prompt by its key in the catalogue."""

    key: str


@dataclass(frozen=True)
class Digits:
    """Digits read one by one, with a short pause after each group: a case number as 4 + 4, a code as 2 + 2 + 2."""

    text: str
    group: int = 4


@dataclass(frozen=True)
class Number:
    """A whole number from 0 to 999, read as a number."""

    value: int


@dataclass(frozen=True)
class Text:
    """Words that no prompt holds, spoken by the synthesiser: a company's name, an engineer's."""

    text: str


@dataclass(frozen=True)
class Pause:
    """Silence."""

    ms: int


Piece = Prompt | Digits | Number | Text | Pause


# ---- commands ----


@dataclass(frozen=True)
class Say:
    """Say pieces in a language. `is_looped`: again and again until the next command that is heard (waiting music)."""

    pieces: Sequence[Piece]
    language: Language
    can_interrupt: bool = True
    is_looped: bool = False


@dataclass(frozen=True)
class Hush:
    """Be silent at once."""


@dataclass(frozen=True)
class Listen:
    """Let `Quiet` come after so many seconds, unless a key does."""

    seconds: float


@dataclass(frozen=True)
class Ask:
    """Ask the desk, which knows our records."""

    question: Question


RecordingKind = Literal["description", "message", "conversation"]


@dataclass(frozen=True)
class Record:
    """Record the caller until a key, silence or the limit. Only after the notice was spoken."""

    kind: RecordingKind
    limit_s: float = 180.0
    silence_s: float = 6.0


@dataclass(frozen=True)
class Connect:
    """Let the caller wait for a person. `tier` and `severity` order the queue; `case` is a number or empty.

    `who` is what the engineer hears of the caller: the company's name, or nothing where nobody knows.
    """

    tier: int
    severity: int
    case: str = ""
    who: str = ""
    is_recorded: bool = False


@dataclass(frozen=True)
class LeaveQueue:
    """Wait for a person no more."""


@dataclass(frozen=True)
class Note:
    """Write into the call's log. `data` holds JSON values, never a PIN or a code."""

    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


Command = Say | Hush | Listen | Ask | Record | Connect | LeaveQueue | Note


# ---- events ----


@dataclass(frozen=True)
class Key:
    """A key was pressed: 0 to 9, star or hash."""

    key: str


@dataclass(frozen=True)
class Played:
    """Everything said is through."""


@dataclass(frozen=True)
class Quiet:
    """The timer ran out."""


@dataclass(frozen=True)
class Told:
    """The desk's answer to the last question."""

    answer: Answer


@dataclass(frozen=True)
class DeskAway:
    """Our records cannot be reached."""


@dataclass(frozen=True)
class Recorded:
    """A recording ended. `voiced_s`: how long somebody was heard in it; `why`: key, silence, limit, full."""

    number: int
    seconds: float
    voiced_s: float
    why: Literal["key", "silence", "limit", "full"]


@dataclass(frozen=True)
class Queued:
    """The caller's place, 1 being next."""

    place: int


@dataclass(frozen=True)
class Connected:
    """An engineer speaks with the caller."""

    name: str


@dataclass(frozen=True)
class NobodyThere:
    """Every engineer was tried, the duty manager too, and nobody took the call."""


@dataclass(frozen=True)
class BridgeEnded:
    """The engineer has gone; the caller is still there."""


@dataclass(frozen=True)
class HungUp:
    """The caller has gone."""


Event = Key | Played | Quiet | Told | DeskAway | Recorded | Queued | Connected | NobodyThere | BridgeEnded | HungUp

Dialogue = Generator[Sequence[Command], Event, str]
"""What runs a call: commands out, events in, and at the end a word for how it ended."""
