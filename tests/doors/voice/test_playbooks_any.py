"""Whatever happens in whatever order: a dialogue never fails, never says what it was not told, and always ends."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.call_playbooks import ANA, BY_CODE, CASE, CONFIRMED, MAIL, OTHER

from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.engineer_dialogue import Offer, offer
from guardia.doors.voice.questions import (
    CaseConfirmed,
    CaseOpened,
    CasesFound,
    Identified,
    MailSettled,
    MailsFound,
    MessageKept,
    NoSuchCase,
    NotIdentified,
    Refused,
)
from guardia.doors.voice.script import (
    Ask,
    BridgeEnded,
    Command,
    Connected,
    DeskAway,
    Dialogue,
    Digits,
    Event,
    HungUp,
    Key,
    NobodyThere,
    Note,
    Played,
    Prompt,
    Queued,
    Quiet,
    Record,
    Recorded,
    Say,
    Text,
    Told,
)

WORDS = {
    *("confirmed", "opened", "heard", "proved", "message", "connected"),
    *("unidentified", "refused", "away", "silent", "ended", "hung_up"),
}
NUMBERS = {CASE.number, OTHER.number}
ANSWERS: list[Any] = [
    *(Identified(ANA), Identified(BY_CODE), Identified(replace(ANA, may_phone=False, refusal="not_named"))),
    *(NotIdentified(), NotIdentified(is_closed=True), CasesFound([CASE, OTHER, CONFIRMED]), CasesFound([])),
    *(CASE, OTHER, NoSuchCase(), CaseConfirmed(CONFIRMED, is_first=True, opens_clock=True)),
    *(CaseOpened(OTHER, fell_to_standard=True), MessageKept(""), MessageKept(CASE.number)),
    *(MailsFound([MAIL]), MailSettled(), Refused("settled"), Refused("anything")),
]
RECORDED = st.builds(
    Recorded,
    st.integers(0, 5),
    st.floats(0, 180),
    st.floats(0, 180),
    st.sampled_from(["key", "silence", "limit", "full"]),
)
KEYS = st.sampled_from("0123456789*#").map(Key)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    KEYS,
    KEYS,
    st.just(Played()),
    st.just(Quiet()),
    st.sampled_from(ANSWERS).map(Told),
    st.just(DeskAway()),
    RECORDED,
    st.integers(1, 2000).map(Queued),
    st.just(Connected("Ana")),
    st.just(NobodyThere()),
    st.just(BridgeEnded()),
)


def _play(dialogue: Dialogue, events: list[Event]) -> tuple[list[Command], str]:
    commands = list(next(dialogue))
    try:
        for event in events:
            commands += dialogue.send(event)
        for _ in range(3):
            last = dialogue.send(HungUp())
            assert all(isinstance(command, Note) for command in last)
            commands += last
    except StopIteration as end:
        return commands, str(end.value)
    raise AssertionError("the dialogue goes on although the caller has gone")


def _notice_comes_first(commands: list[Command]) -> bool:
    said = False
    for command in commands:
        if isinstance(command, Say):
            said = Prompt("record.notice") in command.pieces
        elif isinstance(command, Record) and not said:
            return False
    return True


def _check(commands: list[Command], word: str) -> None:
    assert word in WORDS
    assert _notice_comes_first(commands)
    pieces = [piece for command in commands if isinstance(command, Say) for piece in command.pieces]
    assert {piece.text for piece in pieces if isinstance(piece, Text)} <= {"Madrid"}
    assert {piece.text for piece in pieces if isinstance(piece, Digits)} <= NUMBERS


@given(st.lists(EVENTS, max_size=120))
@settings(max_examples=400, deadline=None)
def test_any_events_in_any_order_are_lived_through(events: list[Event]) -> None:
    commands, word = _play(caller_dialogue(), events)
    _check(commands, word)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_call_that_a_line_could_have_is_lived_through(data: st.DataObject) -> None:
    """As above, but what is asked is answered, so that it goes deeper."""
    dialogue = caller_dialogue()
    commands = list(next(dialogue))
    given_answers: list[Any] = []
    last = commands
    try:
        for _ in range(data.draw(st.integers(0, 120))):
            event = data.draw(_next_event(last))
            if isinstance(event, Told):
                given_answers.append(event.answer)
            last = list(dialogue.send(event))
            commands += last
        for _ in range(3):
            commands += dialogue.send(HungUp())
    except StopIteration as end:
        _check(commands, str(end.value))
        if not given_answers:
            assert not [p for c in commands if isinstance(c, Say) for p in c.pieces if isinstance(p, Digits | Text)]
        return
    raise AssertionError("the dialogue goes on although the caller has gone")


def _next_event(commands: list[Command]) -> st.SearchStrategy[Event]:
    if any(isinstance(command, Ask) for command in commands):
        return st.one_of(st.sampled_from(ANSWERS).map(Told), st.just(DeskAway()))
    if any(isinstance(command, Record) for command in commands):
        return RECORDED
    return EVENTS


@given(st.lists(EVENTS, max_size=60))
@settings(max_examples=200, deadline=None)
def test_an_engineer_may_press_what_they_like(events: list[Event]) -> None:
    _commands, word = _play(offer(Offer("es", CASE.number, 1, "Astilleros", is_known=True)), events)
    assert word in {"accepted", "declined", "silent", "hung_up"}
    if word == "accepted":
        assert Key("1") in events
