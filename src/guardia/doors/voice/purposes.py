"""What a known caller may do: confirm a case, open one, hear one, stand up for a mail, leave a message.

Rules:
- Nothing is said of a case but what the desk answered to this caller.
- A case's code lets the caller confirm and hear that one case, leave a message for it, or speak to a person.
- A confirmed call about a case of severity 1 or 2 rings the engineers' phones while the caller hears of it; after one
  that was opened, and after other confirmed calls, whoever stays on the line is connected.
- Where our records are away, what the caller wants is noted for later with its true time.
"""

from collections.abc import Callable, Mapping, Sequence
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
    recorded_voice,
    say,
)
from guardia.doors.voice.knowing import CASE_DIGITS, refuse
from guardia.doors.voice.questions import (
    Answer,
    Caller,
    CaseConfirmed,
    CaseOpened,
    CasesFound,
    CaseSpoken,
    ConfirmCase,
    FindCase,
    ListCases,
    ListMail,
    MailSettled,
    MailsFound,
    OpenByVoice,
    Refused,
    SettleMail,
)
from guardia.doors.voice.script import Digits, Number, Pause, Piece, Prompt
from guardia.doors.voice.spoken import moment
from guardia.doors.voice.waiting import leave_message, offer_person, person, wait_for_person

MOST_READ: Final = 3
MOST_URGENT: Final = 2
"""Severities up to this one are connected after they were opened."""
_TOLD_REFUSALS: Final = frozenset({"closed", "settled", "not_entitled", "no_premium_left"})


def serve(course: Course, caller: Caller) -> Part[None]:
    """Do what the caller chooses, again and again. Raises Over, Silent, Away."""
    if not caller.may_phone:
        yield from refuse(course, caller.refusal)
    if caller.case:
        yield from _serve_case(course, caller)
    while True:
        course.enter("choosing")
        try:
            choice = yield from menu(course, [Prompt("purposes.menu")], "".join(_PURPOSES))
            yield from _PURPOSES[choice](course, caller)
        except Back:
            continue


def _serve_case(course: Course, caller: Caller) -> Part[None]:
    course.enter("choosing")
    try:
        answer = yield from ask(course, FindCase(caller, caller.case))
    except Away:
        course.note("later", **course.later("confirm", caller.case))  # it is what a code is given for
        raise Away(is_kept=True) from None
    if not isinstance(answer, CaseSpoken):
        yield from say(course, Prompt("case.none_such"))
        yield from person(course)
        return
    course.case = answer
    while True:
        course.enter("choosing")
        try:
            choice = yield from menu(course, [*named(answer), Pause(300), Prompt("code.menu")], "1230")
            match choice:
                case "1":
                    yield from _confirm(course, caller, answer)
                case "2":
                    yield from _tell(course, answer)
                case "3":
                    yield from leave_message(course)
                case _:
                    yield from person(course)
        except Back:
            continue


def named(case: CaseSpoken) -> list[Piece]:
    """Return what a case is called: its number and severity."""
    return [Prompt("case.number"), Digits(case.number), Pause(200), Prompt(f"severity.{case.severity}")]


# ---- choosing a case ----


def _choose(course: Course, caller: Caller, cases: Sequence[CaseSpoken]) -> Part[CaseSpoken]:
    """Read up to three cases and return the one chosen, or one whose number was typed."""
    read = cases[:MOST_READ]
    pieces: list[Piece] = []
    for place, case in enumerate(read, 1):
        pieces += [*named(case), Prompt("choose.press"), Number(place), Pause(400)]
    other = str(len(read) + 1)
    pieces += [Prompt("choose.other"), Number(len(read) + 1)]
    key = yield from menu(course, pieces, "".join(str(place) for place in range(1, len(read) + 1)) + other)
    if key == other:
        return (yield from _typed_case(course, caller))
    return read[int(key) - 1]


def _typed_case(course: Course, caller: Caller) -> Part[CaseSpoken]:
    lead: list[Piece] = []
    for _ in range(3):
        number = yield from digits(course, [*lead, Prompt("case.type_number")], CASE_DIGITS)
        answer = yield from ask(course, FindCase(caller, number))
        if isinstance(answer, CaseSpoken):
            return answer
        course.typed.clear()
        lead = [Prompt("case.none_such")]
    yield from say(course, *lead)
    raise Back


def _open_cases(course: Course, caller: Caller) -> Part[Sequence[CaseSpoken]]:
    answer = yield from ask(course, ListCases(caller))
    return answer.cases if isinstance(answer, CasesFound) else ()


# ---- confirming ----


def confirm(course: Course, caller: Caller) -> Part[None]:
    """Choose a case that waits for a call and register the call."""
    try:
        case = yield from _choose_waiting(course, caller)
    except Away:
        yield from _confirm_later(course)
        return
    yield from _confirm(course, caller, case)


def _choose_waiting(course: Course, caller: Caller) -> Part[CaseSpoken]:
    cases = yield from _open_cases(course, caller)
    waiting = [case for case in cases if case.needs_call]
    if len(waiting) > 1:
        return (yield from _choose(course, caller, waiting))
    if waiting:
        key = yield from menu(course, [*named(waiting[0]), Prompt("confirm.one")], "12")
        if key == "1":
            return waiting[0]
    else:
        yield from say(course, Prompt("confirm.none_waits"))
    case = yield from _typed_case(course, caller)
    yield from menu(course, [*named(case), Prompt("confirm.this")], "1")
    return case


def _confirm_later(course: Course) -> Part[None]:
    """Take the number of the case that is to be confirmed while nothing can be looked up. Raises Away."""
    yield from say(course, Prompt("away.sorry"))
    try:
        number = yield from digits(course, [Prompt("case.type_number")], CASE_DIGITS)
    except (Back, Silent):
        raise Away(is_kept=False) from None
    course.note("later", **course.later("confirm", number))
    raise Away(is_kept=True)


def _confirm(course: Course, caller: Caller, case: CaseSpoken) -> Part[None]:
    answer = yield from ask(course, ConfirmCase(caller, case.number), course.later("confirm", case.number))
    if not isinstance(answer, CaseConfirmed):
        yield from _say_refused(course, answer)
        return
    course.case, course.outcome = answer.case, "confirmed"
    course.note("confirmed", number=answer.case.number, is_first=answer.is_first)
    said = "confirm.already" if not answer.is_first else "confirm.opened" if answer.opens_clock else "confirm.done"
    told = [Prompt(said), *_clock(answer.case)]
    if answer.case.severity <= MOST_URGENT:
        yield from person(course, [*told, Prompt("connect.now")])
    yield from say(course, *told, *([Prompt("confirm.paged")] if answer.is_first else []))
    yield from offer_person(course)


def _clock(case: CaseSpoken) -> list[Piece]:
    if case.due_at is None:
        return [Prompt("clock.none")]
    return [Prompt("clock.until"), *moment(case.due_at, case.zone)]


def _say_refused(course: Course, answer: Answer) -> Part[None]:
    course.typed.clear()
    if isinstance(answer, Refused):
        code = answer.code if answer.code in _TOLD_REFUSALS else "other"
        yield from say(course, Prompt(f"refused.{code}"))
    else:
        yield from say(course, Prompt("case.none_such"))


# ---- opening ----


def open_case(course: Course, caller: Caller) -> Part[None]:
    """Open a case: severity by a key, the description by voice."""
    severity = int((yield from menu(course, [Prompt("open.severity")], "1234")))
    course.note("wanted", severity=severity)  # whoever is cut off while speaking has still said how urgent it is
    recorded = yield from recorded_voice(course, "description", Prompt("open.describe"))
    if recorded is None:
        yield from say(course, Prompt("open.nothing_heard"))
        course.case = None
        yield from wait_for_person(course, severity)
        raise Over
    question = OpenByVoice(caller, severity, recorded.number, recorded.seconds)
    later = course.later("open", severity=severity, recorded=recorded)
    answer = yield from ask(course, question, later)
    if isinstance(answer, CaseOpened):
        yield from _say_opened(course, answer)
        return
    course.note("later", **course.later("message", recorded=recorded))  # what was said is not lost for the refusal
    course.outcome = "message"
    yield from _say_refused(course, answer)
    yield from say(course, Prompt("message.kept"))


def _say_opened(course: Course, opened: CaseOpened) -> Part[None]:
    case = opened.case
    course.case, course.outcome = case, "opened"
    course.note("opened", number=case.number)
    twice: list[Piece] = [
        Prompt("open.number"),
        Digits(case.number),
        Pause(500),
        Prompt("open.again"),
        Digits(case.number),
    ]
    fell = [Prompt("open.fell_to_standard")] if opened.fell_to_standard else []
    clock = _clock(case) if case.severity == 1 else []
    yield from say(course, *twice, Prompt("open.mailed"), *fell, *clock)
    if case.severity <= MOST_URGENT:
        yield from offer_person(course)


# ---- hearing ----


def hear(course: Course, caller: Caller) -> Part[None]:
    """Say where a case stands."""
    cases = yield from _open_cases(course, caller)
    if len(cases) == 1:
        case = cases[0]
    elif cases:
        case = yield from _choose(course, caller, cases)
    else:
        yield from say(course, Prompt("case.none_open"))
        case = yield from _typed_case(course, caller)
    yield from _tell(course, case)


def _tell(course: Course, case: CaseSpoken) -> Part[None]:
    course.case, course.outcome = case, "heard"
    course.note("heard", number=case.number)
    told: list[Piece] = [
        Prompt(f"state.{case.state}"),
        Prompt("state.held" if case.is_held else "state.not_held"),
        Prompt("state.answered" if case.answered else "state.not_answered"),
    ]
    waits = [Prompt("state.needs_call")] if case.needs_call else []
    yield from say(course, *named(case), *told, *_clock(case), *waits)


# ---- mail ----


def prove_mail(course: Course, caller: Caller) -> Part[None]:
    """Let the caller say of each message that waits whether it was theirs."""
    answer = yield from ask(course, ListMail(caller))
    mails = answer.mails if isinstance(answer, MailsFound) else ()
    if not mails:
        yield from say(course, Prompt("mail.none"))
    for mail in mails:
        arrived = moment(mail.arrived_at, mail.zone)
        key = yield from menu(course, [Prompt("mail.waits"), *arrived, Prompt("mail.menu")], "12")
        settled = yield from ask(course, SettleMail(caller, mail.mail_id, key == "1"))
        if isinstance(settled, MailSettled):
            course.outcome = "proved"
            course.note("mail_settled", is_own=key == "1")
            yield from say(course, Prompt("mail.own" if key == "1" else "mail.not_own"))
        else:
            yield from _say_refused(course, settled)


def _message(course: Course, caller: Caller) -> Part[None]:
    del caller
    yield from leave_message(course)


def _person(course: Course, caller: Caller) -> Part[None]:
    del caller
    yield from person(course)


_PURPOSES: Final[Mapping[str, Callable[[Course, Caller], Part[None]]]] = {
    "1": confirm,
    "2": open_case,
    "3": hear,
    "4": prove_mail,
    "5": _message,
    "0": _person,
}
