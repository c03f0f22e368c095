"""Each path through the caller's dialogue, in both languages: what is pressed and answered, and what is heard."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.support.call_playbooks import CODE, KNOWN, PIN, PLAYBOOKS, SPOKEN, WITH_CODE
from tests.support.playbook import Player

from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.questions import (
    ConfirmCase,
    FindCase,
    IdentifyByPin,
    LeaveMessage,
    MessageKept,
    OpenByVoice,
)
from guardia.doors.voice.script import (
    BridgeEnded,
    Connect,
    Connected,
    Event,
    HungUp,
    Key,
    Language,
    LeaveQueue,
    Number,
    Queued,
    Record,
    Say,
)

LANGUAGE_KEYS: Mapping[Language, str] = {"es": "1", "en": "2"}


def _in_order(wanted: Sequence[str], heard: Sequence[str]) -> bool:
    rest = iter(heard)
    return all(key in rest for key in wanted)


@pytest.mark.parametrize("language", LANGUAGE_KEYS)
@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_call_goes_as_its_playbook_says(name: str, language: Language) -> None:
    book = PLAYBOOKS[name]
    play = Player(caller_dialogue(), book.desk).run([LANGUAGE_KEYS[language], *book.script])
    assert play.outcome == book.outcome
    assert _in_order(book.hears, play.heard), play.heard
    assert not set(book.never) & set(play.heard), play.heard
    for what, facts in book.notes.items():
        assert any(facts.items() <= note.items() for note in play.notes(what)), (what, play.notes(what))
    assert {say.language for say in play.says if "greeting.welcome" not in repr(say.pieces)} <= {language}
    assert "123456" not in repr(play.notes("identified") + play.notes("not_identified") + play.notes("later"))


def test_silence_at_the_greeting_is_spanish() -> None:
    play = Player(caller_dialogue()).run(["-"])
    assert play.notes("language") == [{"language": "es"}]
    assert [say.language for say in play.says] == ["es", "en", "es"]


def test_whoever_presses_nothing_at_all_is_reminded_and_wished_a_good_day() -> None:
    play = Player(caller_dialogue()).run(["-", "---"])
    assert play.outcome == "silent"
    assert play.heard[-5:] == ["menu.reminder", "identify.menu", "menu.reminder", "identify.menu", "call.goodbye"]


def test_a_stuck_key_in_the_greeting_ends_in_a_person() -> None:
    play = Player(caller_dialogue()).run(["333", "333", Queued(1)])
    assert "silent.person" in play.heard


def test_the_number_of_a_new_case_is_said_twice_and_nothing_else() -> None:
    book = PLAYBOOKS["open a level 3 by voice"]
    assert Player(caller_dialogue(), book.desk).run(["1", *book.script]).digits == ["40718832"] * 2


def test_a_caller_waits_with_what_the_engineer_must_know() -> None:
    book = PLAYBOOKS["confirm the only case that waits, and stay"]
    wishes = [
        c for c in Player(caller_dialogue(), book.desk).run(["1", *book.script]).commands if isinstance(c, Connect)
    ]
    assert wishes == [Connect(tier=2, severity=1, case="40718831", who="Astilleros del Norte")]


def test_somebody_unknown_waits_last_and_without_a_name() -> None:
    play = Player(caller_dialogue()).run(["1", "0", Queued(1)])
    assert [c for c in play.commands if isinstance(c, Connect)] == [Connect(tier=0, severity=4)]


def test_a_person_is_waited_for_with_the_severity_that_was_chosen() -> None:
    book = PLAYBOOKS["a mute description leads to a person"]
    wishes = [
        c for c in Player(caller_dialogue(), book.desk).run(["1", *book.script]).commands if isinstance(c, Connect)
    ]
    assert [wish.severity for wish in wishes] == [2]


def test_no_conversation_is_recorded() -> None:
    for book in PLAYBOOKS.values():
        play = Player(caller_dialogue(), book.desk).run(["1", *book.script])
        assert not [c for c in play.commands if isinstance(c, Connect) and c.is_recorded]
        assert not [c for c in play.commands if isinstance(c, Record) and c.kind == "conversation"]


def test_a_place_is_said_once_until_it_changes() -> None:
    play = Player(caller_dialogue()).run(["1", "0", Queued(3), Queued(3), Queued(2), Queued(2)])
    assert [piece.value for piece in play.pieces if isinstance(piece, Number)] == [3, 2]
    assert [say.is_looped for say in play.says[-2:]] == [False, True]


def test_a_key_that_means_nothing_leaves_the_music_on() -> None:
    play = Player(caller_dialogue()).run(["1", "0", Queued(1), "5"])
    assert not any(say.can_interrupt for say in play.says[-2:])
    assert not [c for c in play.commands if isinstance(c, LeaveQueue)]


def test_the_queue_is_left_before_a_message_is_recorded() -> None:
    player = Player(caller_dialogue(), {LeaveMessage: MessageKept("")})
    kinds = [type(command) for command in player.run(["1", "0", Queued(1), "*", SPOKEN]).commands]
    assert kinds.index(LeaveQueue) < kinds.index(Record)


def test_the_board_sees_each_step() -> None:
    book = PLAYBOOKS["open a level 1 by voice"]
    play = Player(caller_dialogue(), book.desk).run(["1", *book.script, Connected("Ana"), BridgeEnded()])
    steps = ["greeting", "identifying", "choosing", "recording", "waiting", "waiting", "talking"]
    assert play.steps == steps
    assert [note["detail"] for note in play.notes("step")][-3:] == ["", "1", "Ana"]


@pytest.mark.parametrize("question", [OpenByVoice, LeaveMessage, ConfirmCase])
def test_a_hang_up_before_the_desk_answered_is_kept_for_later(question: Any) -> None:
    """The desk may have been away: only the journal knows then what was asked."""
    scripts: Mapping[Any, Sequence[str | Event]] = {
        OpenByVoice: ["21", SPOKEN],
        LeaveMessage: ["5", SPOKEN],
        ConfirmCase: ["11"],
    }
    player = _SlowDesk(caller_dialogue(), {**KNOWN, question: None})
    player.slow = question
    play = player.run(["1", PIN, *scripts[question], HungUp()])
    assert [note["do"] for note in play.notes("later")] == [
        {OpenByVoice: "open", LeaveMessage: "message", ConfirmCase: "confirm"}[question]
    ]


class _SlowDesk(Player):
    """A desk that does not answer one kind of question before the caller hangs up."""

    slow: type = type(None)

    def _answer(self, question: Any) -> Event:
        return HungUp() if isinstance(question, self.slow) else super()._answer(question)

    def send(self, event: Event) -> None:
        if not self.is_over:
            super().send(event)


def test_a_looked_up_case_alone_is_no_confirmation() -> None:
    player = _SlowDesk(caller_dialogue(), WITH_CODE)
    player.slow = FindCase
    assert not player.run(["1", CODE, HungUp()]).notes("later")


def test_a_star_in_mid_entry_begins_it_anew() -> None:
    play = Player(caller_dialogue(), KNOWN).run(["1", "1", "99*4071#", "123456"])
    assert play.asked == [IdentifyByPin("4071", "123456")]


def test_nine_says_a_menu_again_as_often_as_one_likes() -> None:
    play = Player(caller_dialogue()).run(["1", "9999"])
    assert play.heard.count("identify.menu") == 5


def test_keys_during_the_notice_do_not_reach_the_next_menu() -> None:
    player = Player(caller_dialogue(), {**KNOWN, LeaveMessage: MessageKept("")})
    play = player.run(["1", PIN, "5", Key("5"), Key("0"), SPOKEN])
    assert len([c for c in play.commands if isinstance(c, Record)]) == 1
    assert not [c for c in play.commands if isinstance(c, Connect)]


def test_each_notice_is_heard_to_its_end() -> None:
    for book in PLAYBOOKS.values():
        play = Player(caller_dialogue(), book.desk).run(["1", *book.script])
        notices = [c for c in play.commands if isinstance(c, Say) and "record.notice" in repr(c.pieces)]
        assert not any(notice.can_interrupt for notice in notices)
