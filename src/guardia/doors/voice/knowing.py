"""Knowing who calls: language, contract number and PIN or a case's code, and what is told to whoever may not phone.

Rules:
- Three wrong tries together, of whatever kind, lead to a person; so does an identification that is closed.
- Who may not phone is told what is missing and what can be done, may leave a message, and hears nothing else.
- While our records are away nobody can be known: the caller goes on unknown, what is said is recorded, and who it was
  is checked later from the journal. Nothing that the caller typed is ever read back.
"""

from typing import Final

from guardia.doors.voice.hearing import (
    Away,
    Back,
    Course,
    Over,
    Part,
    Silent,
    ask,
    digits,
    menu,
    one_key,
    recorded_voice,
    say,
)
from guardia.doors.voice.questions import Identified, IdentifyByCode, IdentifyByPin, NotIdentified
from guardia.doors.voice.script import Language, Prompt, Say
from guardia.doors.voice.waiting import leave_message, person

MOST_TRIES: Final = 3
CASE_DIGITS: Final = 8
CODE_DIGITS: Final = 6
PIN_DIGITS: Final = 6
_LANGUAGE_OF_KEY: dict[str, Language] = {"1": "es", "2": "en"}


def greet(course: Course) -> Part[None]:
    """Greet in both languages and take one of them; silence leaves it as it is, Spanish at first."""
    course.enter("greeting")
    says = [
        Say([Prompt("greeting.welcome"), Prompt("greeting.language")], "es"),
        Say([Prompt("greeting.welcome"), Prompt("greeting.language")], "en"),
    ]
    for _ in range(MOST_TRIES):
        key = yield from one_key(course, says)
        if key in {"1", "2", ""}:
            break
    course.language = _LANGUAGE_OF_KEY.get(key, course.language)
    course.note("language", language=course.language)


def identify(course: Course) -> Part[None]:
    """Go on until the caller is known. Raises Over, Silent, Away."""
    while course.caller is None:
        course.enter("identifying")
        try:
            choice = yield from menu(course, [Prompt("identify.menu")], "120")
        except Back:
            yield from greet(course)
            continue
        try:
            if choice == "0":
                yield from person(course)
            yield from (_by_pin(course) if choice == "1" else _by_code(course))
        except Back:
            continue


def _by_pin(course: Course) -> Part[None]:
    while course.caller is None:
        contract = yield from digits(course, [Prompt("identify.contract")])
        try:
            pin = yield from digits(course, [Prompt("identify.pin")], PIN_DIGITS)
        except Back:
            continue
        try:
            yield from _try(course, IdentifyByPin(contract, pin), "pin")
        except Away:
            yield from _open_unknown(course)


def _by_code(course: Course) -> Part[None]:
    while course.caller is None:
        number = yield from digits(course, [Prompt("identify.number")], CASE_DIGITS)
        try:
            code = yield from digits(course, [Prompt("identify.code")], CODE_DIGITS)
        except Back:
            continue
        try:
            yield from _try(course, IdentifyByCode(number, code), "code")
        except Away:
            course.note("later", **course.later("confirm", number))
            raise Away(is_kept=True) from None


def _try(course: Course, question: IdentifyByPin | IdentifyByCode, by: str) -> Part[None]:
    answer = yield from ask(course, question)
    if isinstance(answer, Identified):
        course.caller = answer.caller
        course.note("identified", by=by)
        return
    course.tries += 1
    course.typed.clear()
    course.note("not_identified", by=by)
    is_closed = isinstance(answer, NotIdentified) and answer.is_closed
    if is_closed or course.tries >= MOST_TRIES:
        course.otherwise = "unidentified"
        yield from say(course, Prompt("identify.closed" if is_closed else "identify.too_many"))
        yield from person(course)
    yield from say(course, Prompt("identify.wrong"))


def _open_unknown(course: Course) -> Part[None]:
    """Record what somebody wants who cannot be known now. Raises Away."""
    yield from say(course, Prompt("away.sorry"))
    try:
        severity = int((yield from menu(course, [Prompt("open.severity")], "1234")))
    except (Back, Silent):
        raise Away(is_kept=False) from None
    course.note("wanted", severity=severity)
    recorded = yield from recorded_voice(course, "description", Prompt("open.describe"))
    if recorded is None:
        course.otherwise = "away"
        yield from say(course, Prompt("record.nothing"))
        raise Over
    course.note("later", **course.later("open", severity=severity, recorded=recorded))
    raise Away(is_kept=True)


def refuse(course: Course, refusal: str) -> Part[None]:
    """Say what is missing for the phone line and what can be done; take a message. Raises Over."""
    course.otherwise = "refused"
    pieces = [Prompt(f"refusal.{refusal or 'no_phone'}"), Prompt("refusal.menu")]
    try:
        yield from menu(course, pieces, "1")
        yield from leave_message(course)
    except (Back, Silent):
        pass  # whoever wants to leave no message is wished a good day
    raise Over
