"""What dialogues are made of: say, hear a key or digits, ask the desk, record. Pure, as dialogues are.

Rules:
- A key that comes while something is said, or while the desk is asked, is not lost: it answers the next prompt, which
  is then not said. What failed forgets what was typed ahead.
- `*` goes back one step; with digits typed it begins the entry anew. `9` says a menu again. `#` ends an entry.
- Silence, a wrong key or too few digits are reminded of twice; the third time `Silent` is raised.
- What the desk was asked to do and cannot do, or did not confirm before the caller hung up, is noted for `later`.
- Notes wait for the next command, which follows in the same instant; the last ones are handed over after the hang-up.
"""

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from guardia.doors.voice.questions import Answer, Caller, CaseSpoken, Question
from guardia.doors.voice.script import (
    Ask,
    Command,
    DeskAway,
    Event,
    HungUp,
    Key,
    Language,
    Listen,
    Note,
    Piece,
    Played,
    Prompt,
    Quiet,
    Record,
    Recorded,
    RecordingKind,
    Say,
    Told,
)
from guardia.features.calls.rules.handing_in import TOO_SHORT_S

T = TypeVar("T")
Part = Generator[Sequence[Command], Event, T]
"""A part of a dialogue that gives its caller a value."""

KEY_S: Final = 6.0
"""How long a key is waited for after a prompt."""
NEXT_DIGIT_S: Final = 4.0
"""The pause that ends an entry."""
MOST_MISSES: Final = 3
MOST_DIGITS: Final = 12


class Gone(Exception):
    """The caller hung up."""


class Back(Exception):
    """The caller wants to go back one step."""


class Silent(Exception):
    """No key that fits, three times."""


class Away(Exception):
    """Our records cannot be reached. `is_kept`: what the caller wants was noted for later."""

    def __init__(self, *, is_kept: bool) -> None:
        super().__init__()
        self.is_kept = is_kept


class Over(Exception):
    """Everything was said: the call may end."""


@dataclass
class Course:
    """How far a dialogue is.

    `outcome` is the last thing achieved, `otherwise` what it is called where nothing was. `case` is the case that the
    call is about, as far as the desk told of one.
    """

    language: Language = "es"
    caller: Caller | None = None
    case: CaseSpoken | None = None
    outcome: str = ""
    otherwise: str = ""
    tries: int = 0
    was_keyed: bool = False
    typed: deque[str] = field(default_factory=deque)
    pending: list[Command] = field(default_factory=list)
    unsettled: Mapping[str, Any] | None = None
    step: tuple[str, str] = ("", "")

    def note(self, what: str, **data: Any) -> None:
        """Write into the call's log with the next command."""
        self.pending.append(Note(what, data))

    def enter(self, step: str, detail: str = "") -> None:
        """Show on the board what happens now."""
        if self.step != (step, detail):
            self.step = (step, detail)
            self.note("step", step=step, detail=detail)

    def words(self, *pieces: Piece, can_interrupt: bool = True, is_looped: bool = False) -> Say:
        """Return the command that says pieces in the caller's language."""
        return Say(pieces, self.language, can_interrupt, is_looped)

    def later(self, do: str, number: str = "", severity: int = 0, recorded: Recorded | None = None) -> dict[str, Any]:
        """Return what is to be done from the journal, once our records can be reached."""
        person = self.caller.person_id if self.caller else None
        return {
            "do": do,
            "number": number,
            "severity": severity,
            "recording": recorded.number if recorded else 0,
            "seconds": recorded.seconds if recorded else 0.0,
            "person": str(person or ""),
        }

    def last_notes(self) -> Sequence[Note]:
        """Return what is still to be noted after the caller has gone."""
        if self.unsettled is not None:
            self.note("later", **self.unsettled)
            self.unsettled = None
        notes = [command for command in self.pending if isinstance(command, Note)]
        self.pending = []
        return notes


def turn(course: Course, *commands: Command) -> Part[Event]:
    """Give commands and return the next event. Raises Gone."""
    pending, course.pending = course.pending, []
    event = yield [*pending, *commands]
    if isinstance(event, HungUp):
        raise Gone
    course.was_keyed = course.was_keyed or isinstance(event, Key)
    return event


def say(course: Course, *pieces: Piece) -> Part[None]:
    """Say pieces to their end, or until a key, which is kept for what comes next."""
    event = yield from turn(course, course.words(*pieces))
    while not isinstance(event, Played):
        if isinstance(event, Key):
            course.typed.append(event.key)
            return
        event = yield from turn(course)


def one_key(course: Course, says: Sequence[Say], seconds: float = KEY_S) -> Part[str]:
    """Return the key that comes during what is said or so long after it; empty where none does."""
    if course.typed:
        return course.typed.popleft()
    listen: list[Command] = [Listen(seconds)]
    event = yield from turn(course, *(says or listen))
    while not isinstance(event, Quiet):
        if isinstance(event, Key):
            return event.key
        event = yield from turn(course, *(listen if isinstance(event, Played) else []))
    return ""


def menu(course: Course, pieces: Sequence[Piece], keys: str) -> Part[str]:
    """Return one of the keys. Raises Back, Silent."""
    misses, lead = 0, list[Piece]()
    while True:
        key = yield from one_key(course, [course.words(*lead, *pieces)])
        if key and key in keys:
            return key
        if key == "*":
            raise Back
        lead = []
        if key not in {"9", "#"}:
            misses += 1
            course.typed.clear()
            if misses == MOST_MISSES:
                raise Silent
            lead = [Prompt("menu.no_such_key" if key else "menu.reminder")]


def digits(course: Course, pieces: Sequence[Piece], length: int = 0) -> Part[str]:
    """Return digits: `length` of them, or (0) as many as come before `#` or a pause. Raises Back, Silent."""
    misses, lead = 0, list[Piece]()
    while True:
        entered = yield from _entry(course, course.words(*lead, *pieces), length)
        lead = []
        if entered is None:
            continue
        if entered and len(entered) == (length or len(entered)):
            return entered
        misses += 1
        if misses == MOST_MISSES:
            raise Silent
        lead = [Prompt("digits.too_few" if entered else "digits.reminder")]


def _entry(course: Course, prompt: Say, length: int) -> Part[str | None]:
    """Return what was typed, or None where the caller began anew."""
    entered, key = "", "#"
    while key == "#":  # the end of an entry that was through without it
        key = yield from one_key(course, [prompt])
    while key not in {"", "#", "*"}:
        entered += key
        if len(entered) == (length or MOST_DIGITS):
            return entered
        key = yield from one_key(course, [], NEXT_DIGIT_S)
    if key == "*" and not entered:
        raise Back
    return None if key == "*" else entered


def ask(course: Course, question: Question, later: Mapping[str, Any] | None = None) -> Part[Answer]:
    """Ask the desk. `later` is what is to be done in its place where it does not answer. Raises Away."""
    course.unsettled = later
    event = yield from turn(course, Ask(question))
    while not isinstance(event, Told):
        if isinstance(event, DeskAway):
            course.note("away")
            if later is not None:
                course.note("later", **later)
            course.unsettled = None
            course.typed.clear()
            raise Away(is_kept=later is not None)
        if isinstance(event, Key):
            course.typed.append(event.key)
        event = yield from turn(course)
    course.unsettled = None
    return event.answer


def recorded_voice(course: Course, kind: RecordingKind, *pieces: Piece) -> Part[Recorded | None]:
    """Say the notice, record, and once again where too little was heard; None where nothing was heard at last."""
    course.enter("recording")
    for lead in ([], [Prompt("record.too_short")]):
        course.typed.clear()
        notice = course.words(
            *lead, Prompt("record.notice"), *pieces, Prompt("record.end"), Prompt("tone.record"), can_interrupt=False
        )
        event = yield from turn(course, notice, Record(kind))
        while not isinstance(event, Recorded):
            event = yield from turn(course)
        if event.voiced_s >= TOO_SHORT_S and event.number:
            return event
        if not event.number:
            break  # the line cannot record: asking again would only be tedious
    return None
