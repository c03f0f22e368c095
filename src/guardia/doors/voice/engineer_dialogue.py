"""What an engineer hears who is rung: a caller who waits, or an alarm that somebody must acknowledge.

A company's name is spoken only here. Two readings without a key that fits are `silent`, so that an answering machine
takes no case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from guardia.doors.voice.hearing import Course, Gone, Part, one_key, say
from guardia.doors.voice.script import Dialogue, Digits, Language, Pause, Piece, Prompt, Text

READINGS = 2
MOST_KEYS = 10
"""Whoever presses more than so many keys that mean nothing is no engineer."""


@dataclass(frozen=True)
class Offer:
    """A caller who waits. `number` is a case's or empty, `company` empty where nobody knows who calls."""

    language: Language
    number: str
    severity: int
    company: str
    is_known: bool


@dataclass(frozen=True)
class PageFacts:
    """An alarm: the mark of a case's clock that has passed (`50`, `75`, `90`, `breach`, `unassigned`, `called`)."""

    language: Language
    number: str
    severity: int
    company: str
    clock: str
    mark: str


def offer(facts: Offer) -> Dialogue:
    """Ask an engineer to take a caller: `accepted`, `declined`, `silent` or `hung_up`."""
    who: list[Piece] = [Prompt("offer.known"), Text(facts.company)] if facts.is_known and facts.company else []
    if not who:
        who = [Prompt("offer.unknown")]
    pieces = [Prompt("offer.waits"), *_case(facts.number, facts.severity), *who, Pause(300), Prompt("offer.menu")]
    return _answer(Course(language=facts.language), pieces, "accepted", "offer.accepted")


def page(facts: PageFacts) -> Dialogue:
    """Read an alarm to an engineer: `acknowledged`, `declined`, `silent` or `hung_up`."""
    company: list[Piece] = [Prompt("offer.known"), Text(facts.company)] if facts.company else []
    pieces = [
        Prompt("page.alarm"),
        *_case(facts.number, facts.severity),
        *company,
        Pause(200),
        *_alarm(facts.clock, facts.mark),
        Pause(300),
        Prompt("page.menu"),
    ]
    return _answer(Course(language=facts.language), pieces, "acknowledged", "page.acknowledged")


def _case(number: str, severity: int) -> list[Piece]:
    if not number:
        return [Prompt("offer.no_case")]
    return [Prompt("case.number"), Digits(number), Pause(200), Prompt(f"severity.{severity}")]


def _alarm(clock: str, mark: str) -> list[Piece]:
    if mark in {"called", "unassigned"}:
        return [Prompt(f"mark.{mark}")]
    return [Prompt(f"clock.{clock}"), Prompt(f"mark.{mark}")]


def _answer(course: Course, pieces: Sequence[Piece], yes: str, thanks: str) -> Dialogue:
    try:
        return (yield from _decide(course, pieces, yes, thanks))
    except Gone:
        return "hung_up"


def _decide(course: Course, pieces: Sequence[Piece], yes: str, thanks: str) -> Part[str]:
    silences = 0
    for _ in range(MOST_KEYS):
        key = yield from one_key(course, [course.words(*pieces)])
        if key == "1":
            try:
                yield from say(course, Prompt(thanks))
            except Gone:
                if yes != "acknowledged":
                    raise  # who has gone cannot be connected; an alarm stays acknowledged
            return yes
        if key == "2":
            yield from say(course, Prompt("page.passed_on"))
            return "declined"
        silences += not key
        if silences == READINGS:
            break
    return "silent"
