"""Waiting for a person, and leaving a message where none comes.

The conversation itself is not recorded. Whoever leaves the queue, or finds nobody there, may leave a message; it goes
with the case that the call is about, where there is one.

What is said first (that a call is confirmed, and until when) is heard to its end: the place comes after it, since the
music that follows a place would be cut off by the next one, and all that still stands before it.
"""

from collections.abc import Sequence
from typing import Final

from guardia.doors.voice.hearing import Course, Over, Part, ask, one_key, recorded_voice, say, turn
from guardia.doors.voice.questions import LeaveMessage, MessageKept
from guardia.doors.voice.script import (
    BridgeEnded,
    Connect,
    Connected,
    DeskAway,
    Digits,
    Event,
    Hush,
    Key,
    LeaveQueue,
    NobodyThere,
    Number,
    Pause,
    Piece,
    Played,
    Prompt,
    Queued,
    Say,
)

STAY_S: Final = 3.0
"""Whoever stays on the line for so long wants to be connected."""
LEAST_SEVERITY: Final = 4
MOST_PLACE: Final = 999


def person(course: Course, lead: Sequence[Piece] = ()) -> Part[None]:
    """Wait for a person and speak with them, hearing `lead` meanwhile, to its end. Raises Over at the end."""
    yield from wait_for_person(course, lead=lead)
    raise Over


def offer_person(course: Course) -> Part[None]:
    """Connect whoever stays on the line; return where the caller presses a star. Raises Over after the connection."""
    key = yield from one_key(course, [course.words(Prompt("connect.stay"))], STAY_S)
    if key == "*":
        course.typed.clear()
        return
    yield from person(course)


def wait_for_person(course: Course, severity: int = LEAST_SEVERITY, lead: Sequence[Piece] = ()) -> Part[None]:
    """Stand in the queue until somebody takes the call, nobody does, or the caller leaves it with a star."""
    course.enter("waiting")
    course.typed.clear()
    case, caller = course.case, course.caller
    wish = Connect(
        tier=caller.tier if caller else 0,
        severity=case.severity if case else severity,
        case=case.number if case else caller.case if caller else "",
        who=caller.company if caller else "",
    )
    first = [course.words(*lead, can_interrupt=False)] if lead else []
    place, told, is_led = 0, 0, bool(lead)
    event = yield from turn(course, *first, wish)
    while not isinstance(event, Connected):
        says: list[Say] = []
        if isinstance(event, NobodyThere | DeskAway):
            yield from _nobody(course)
            return
        if event == Key("*"):
            course.pending.append(LeaveQueue())
            yield from leave_message(course)
            return
        if isinstance(event, Queued):
            place = event.place
            course.enter("waiting", str(place))
        is_led = is_led and event != Played()
        if place != told and not is_led:
            says, told = _place(course, place, is_first=not told), place
        event = yield from turn(course, *says)
    yield from _talk(course, event)


def _place(course: Course, place: int, *, is_first: bool) -> list[Say]:
    star = [Prompt("queue.star")] if is_first else []
    said = course.words(Prompt("queue.place"), Number(min(place, MOST_PLACE)), *star, can_interrupt=False)
    music = course.words(Prompt("tone.waiting"), Pause(3500), can_interrupt=False, is_looped=True)
    return [said, music]


def _talk(course: Course, connected: Connected) -> Part[None]:
    course.outcome = "connected"
    course.enter("talking", connected.name)
    event: Event = yield from turn(course, Hush())
    while not isinstance(event, BridgeEnded):
        event = yield from turn(course)


def _nobody(course: Course) -> Part[None]:
    yield from say(course, Prompt("queue.nobody"))
    yield from leave_message(course)


def leave_message(course: Course) -> Part[None]:
    """Record a message and hand it to the desk. Raises Away."""
    recorded = yield from recorded_voice(course, "message", Prompt("message.speak"))
    if recorded is None:
        yield from say(course, Prompt("record.nothing"))
        return
    number = course.case.number if course.case else course.caller.case if course.caller else ""
    question = LeaveMessage(course.caller, number, recorded.number, recorded.seconds)
    answer = yield from ask(course, question, course.later("message", number, recorded=recorded))
    kept_with = answer.number if isinstance(answer, MessageKept) else ""
    if not isinstance(answer, MessageKept):
        course.note("later", **course.later("message", recorded=recorded))  # not with that case, so for staff
    course.outcome = "message"
    course.note("message", number=kept_with)
    if kept_with:
        yield from say(course, Prompt("message.kept_with"), Digits(kept_with))
    else:
        yield from say(course, Prompt("message.kept"))


def farewell(course: Course) -> Part[None]:
    """End the call of somebody who presses no key any more: whoever pressed one and got nowhere gets a person."""
    if course.was_keyed and not course.outcome and course.otherwise != "refused":
        yield from say(course, Prompt("silent.person"))
        yield from wait_for_person(course)
        return
    course.otherwise = course.otherwise or "silent"
