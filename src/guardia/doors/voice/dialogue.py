"""The caller's dialogue: greeting, who calls, what for, and how it ends. A pure generator; its parts stand beside it.

It ends with a word: the last thing achieved (`confirmed`, `opened`, `heard`, `proved`, `message`, `connected`), else
`away` (our records could not be reached), `unidentified`, `refused`, `silent` or `hung_up`.
"""

from collections.abc import Sequence

from guardia.doors.voice.hearing import Away, Course, Gone, Over, Part, Silent, recorded_voice, say
from guardia.doors.voice.knowing import greet, identify
from guardia.doors.voice.purposes import serve
from guardia.doors.voice.script import Command, Dialogue, Prompt
from guardia.doors.voice.waiting import farewell


def caller_dialogue() -> Dialogue:
    """Return the dialogue of one incoming call."""
    course = Course()
    try:
        yield from _call(course)
        how = course.outcome or course.otherwise or "ended"
    except Gone:
        how = course.outcome or course.otherwise or "hung_up"
    notes: Sequence[Command] = course.last_notes()
    if notes:
        yield notes
    return how


def _call(course: Course) -> Part[None]:
    try:
        try:
            yield from greet(course)
            yield from identify(course)
            if course.caller is not None:
                yield from serve(course, course.caller)
        except Silent:
            yield from farewell(course)
    except Over:
        pass
    except Away as away:
        yield from _go_on_away(course, is_kept=away.is_kept)
    yield from say(course, Prompt("call.goodbye"))


def _go_on_away(course: Course, *, is_kept: bool) -> Part[None]:
    """Say that our records are away and that nothing is lost; record what was not noted yet."""
    course.outcome = "away"
    if not is_kept:
        yield from say(course, Prompt("away.sorry"))
        recorded = yield from recorded_voice(course, "message", Prompt("message.speak"))
        if recorded is None:
            yield from say(course, Prompt("record.nothing"))
            return
        number = course.case.number if course.case else course.caller.case if course.caller else ""
        course.note("later", **course.later("message", number, recorded=recorded))
    yield from say(course, Prompt("away.kept"))
