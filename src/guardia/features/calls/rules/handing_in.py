"""What a call's journal says once the call is over: its picture, and what is still to be done of what was wanted.

Rules:
1. What the desk did during the call is done: the line noted it (`consumed`, `confirmed`, …), and it is not done again.
2. What the desk could not be asked was noted for later (`later`), with who said to be calling (`identify_later`): it is
   done in its order, at the instant of its note.
3. Nothing that was said is lost: a description or message in which somebody was heard, and that neither came of, is
   done at its own instant. A message is one for the case that the call was about. A description opens the case that was
   wanted, with the severity that was keyed before it (`wanted`; it may have been opened right before the line was
   killed), and is a message for none where no severity was. A take that was too short, and after which the caller was
   asked again, is lost where another one came: it is the same words twice.
4. A PIN or a code is only in `Identity.secret`: no picture, log or repr has it.
5. A line that was killed ends the call at the last instant that the journal knows of: `interrupted`.
6. A number that was only typed is no proof: `case` is one that the desk granted to this caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, cast
from uuid import UUID

LEAST_VOICED_S: Final = 0.5
"""In a take with no more of a voice nobody was heard."""
TOO_SHORT_S: Final = 1.0
"""After a take with less of a voice the caller is asked to say it again."""
MOST_LOG: Final = 500
LONGEST_WORD: Final = 24
INTERRUPTED: Final = "interrupted"
ENDED: Final = "ended"
SPOKEN_TO_US: Final = frozenset({"description", "message"})
_NOT_LOGGED: Final = frozenset({"identify_later", "consumed", "outcome", "step", "told"})
_NEVER_LOGGED: Final = frozenset({"pin", "code", "contract", "person", "company"})
_GRANTS: Final = frozenset({"confirmed", "opened", "heard", "message", "consumed"})
"""Notes whose number the desk had granted."""
_WAITING_ENDS: Final = frozenset({"connected", "nobody", "recording", "hung_up", "outcome"})
Do = Literal["open", "confirm", "message"]


class Note(Protocol):
    """One thing that happened, as the line noted it."""

    @property
    def at(self) -> datetime: ...
    @property
    def what(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class Sound(Protocol):
    """A recording of the call."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def seconds(self) -> float: ...
    @property
    def voiced_s(self) -> float: ...


@dataclass(frozen=True)
class Identity:
    """Who said to be calling while nobody could be asked: a contract's digits and a PIN, or a case and its code."""

    at: datetime
    by: Literal["pin", "code"]
    what: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Known:
    """Who the desk found during the call. `person_id` is None and `case` set where a case's code was given."""

    by: str
    company_id: UUID
    person_id: UUID | None
    name: str
    case: str


@dataclass(frozen=True)
class Act:
    """What is to be done for the caller, as of `at`. `recording` is 0 where it needs none."""

    at: datetime
    do: Do
    number: str = ""
    severity: int = 0
    recording: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Picture:
    """How the call went; the names are the columns of a call."""

    outcome: str
    ended_at: datetime
    answered_at: datetime | None
    language: str
    connected_name: str
    waited_s: int | None
    log: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class HandIn:
    """What a journal comes to. `consumed`: which case has which recording already."""

    picture: Picture
    known: Known | None
    identities: Sequence[Identity]
    consumed: Mapping[int, str]
    acts: Sequence[Act]
    case: str


def hand_in_of(notes: Sequence[Note], sounds: Sequence[Sound], ended_at: datetime | None, last_at: datetime) -> HandIn:
    """Return what a journal comes to; `ended_at` is None where the line was killed, `last_at` what it knows of last."""
    consumed = {_whole(one.data, "recording"): _text(one.data, "number") for one in notes if one.what == "consumed"}
    later = [act for one in notes if one.what == "later" and (act := _act(one)).recording not in consumed]
    known = _known(notes)
    granted = [_text(one.data, "number") for one in notes if one.what in _GRANTS]
    return HandIn(
        picture=_picture(notes, ended_at, last_at),
        known=known,
        identities=[_identity(one) for one in notes if one.what == "identify_later"],
        consumed=consumed,
        acts=[*later, *_forgotten(notes, sounds, {*consumed, *(act.recording for act in later)})],
        case=next((number for number in reversed(granted) if number), known.case if known else ""),
    )


def _act(note: Note) -> Act:
    data = note.data
    do = cast("Do", _text(data, "do"))
    seconds = float(data.get("seconds") or 0)
    return Act(note.at, do, _text(data, "number"), _whole(data, "severity"), _whole(data, "recording"), seconds)


def _identity(note: Note) -> Identity:
    if "pin" in note.data:
        return Identity(note.at, "pin", _text(note.data, "contract"), _text(note.data, "pin"))
    return Identity(note.at, "code", _text(note.data, "number"), _text(note.data, "code"))


def _known(notes: Sequence[Note]) -> Known | None:
    told = next((one.data for one in reversed(notes) if one.what == "identified" and one.data.get("company")), None)
    if told is None:
        return None
    person = _text(told, "person")
    return Known(
        by=_text(told, "by"),
        company_id=UUID(_text(told, "company")),
        person_id=UUID(person) if person else None,
        name=_text(told, "name"),
        case=_text(told, "case"),
    )


def _forgotten(notes: Sequence[Note], sounds: Sequence[Sound], dealt_with: set[int]) -> list[Act]:
    """Return what was said and came to nothing, as messages (rule 3)."""
    about = {_whole(one.data, "number"): _text(one.data, "case") for one in notes if one.what == "recording"}
    spoken = [one for one in sounds if one.kind in SPOKEN_TO_US and one.voiced_s > LEAST_VOICED_S]
    acts = []
    for one in spoken:
        if one.number in dealt_with or _was_said_again(one, spoken):
            continue
        severity = _severity_before(one, notes) if one.kind == "description" else 0
        number = "" if one.kind == "description" else about.get(one.number, "")
        acts.append(Act(one.started_at, "open" if severity else "message", number, severity, one.number, one.seconds))
    return acts


def _was_said_again(one: Sound, spoken: Sequence[Sound]) -> bool:
    return one.voiced_s < TOO_SHORT_S and any(other.kind == one.kind and other.number > one.number for other in spoken)


def _severity_before(description: Sound, notes: Sequence[Note]) -> int:
    """Return the severity that was keyed for a description, 0 where none was."""
    keyed = [one for one in notes if one.what == "wanted" and one.at <= description.started_at]
    return _whole(keyed[-1].data, "severity") if keyed else 0


# ---- the picture ----


def _picture(notes: Sequence[Note], ended_at: datetime | None, last_at: datetime) -> Picture:
    said = {one.what: one for one in notes}  # the last of each
    answered, language, connected, outcome = (
        said.get(what) for what in ("answered", "language", "connected", "outcome")
    )
    word = _text(outcome.data, "outcome") if outcome else ""
    return Picture(
        outcome=(word or (ENDED if ended_at else INTERRUPTED))[:LONGEST_WORD],
        ended_at=ended_at or last_at,
        answered_at=answered.at if answered else None,
        language=_text(language.data, "language")[:5] if language else "",
        connected_name=_text(connected.data, "name")[:120] if connected else "",
        waited_s=_waited_s(notes, ended_at or last_at),
        log=[_logged(one) for one in notes if is_logged(one.what)][:MOST_LOG],
    )


def is_logged(what: str) -> bool:
    """Whether a note stands in the call's log; what begins with an underscore never does."""
    return not what.startswith("_") and what not in _NOT_LOGGED


def _logged(note: Note) -> Mapping[str, Any]:
    kept = {name: value for name, value in note.data.items() if name not in _NEVER_LOGGED}
    return {**kept, "at": note.at.isoformat(), "what": note.what}


def _waited_s(notes: Sequence[Note], ended_at: datetime) -> int | None:
    """Return how long the caller stood in the queue, None where the caller never did."""
    since: datetime | None = None
    waited: float | None = None
    for one in notes:
        if one.what == "queued" and since is None:
            since = one.at
        elif one.what in _WAITING_ENDS and since is not None:
            waited = (waited or 0.0) + (one.at - since).total_seconds()
            since = None
    if since is not None:
        waited = (waited or 0.0) + (ended_at - since).total_seconds()
    return None if waited is None else max(0, round(waited))


def _text(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "")


def _whole(data: Mapping[str, Any], name: str) -> int:
    return int(data.get(name) or 0)
