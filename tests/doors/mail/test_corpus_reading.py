"""Every message of the corpus is read as its index says: words, files, signals, reports and statements."""

from collections import Counter
from collections.abc import Callable

import pytest
from tests.doors.mail.corpus.big import BIG, SENDER, WITHOUT_ONE_SENDER, WITHOUT_WORDS_OF_ITS_OWN
from tests.doors.mail.corpus.messages import CORPUS, KEYS, Message, messages
from tests.support.growth import assert_linear

from guardia.doors.mail.reading import faults
from guardia.doors.mail.reading.message import read_letter
from guardia.features.mail.rules.arrived import Letter

OURS = ("soporte@guardia.example",)
ALL = tuple(messages())
OUTCOMES = {"case", "reply", "refused", "quarantined"}


def read(message: Message) -> Letter:
    return read_letter(message.raw(), message.envelope_sender, OURS)


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.id)
def test_a_message_is_read_as_its_index_says(message: Message) -> None:
    letter, expected = read(message), message.expected
    said = {
        "subject": letter.subject,
        "attachments": [file.name for file in letter.attachments],
        "signals": sorted(letter.signals),
        "reports": [f"{report.kind} {report.recipient} {report.status}" for report in letter.reports],
        "severity": letter.stated.severity,
        "case_class": letter.stated.case_class,
        "kind": letter.stated.kind,
        "critical": letter.stated.sounds_critical,
        "passwords": list(letter.stated.passwords),
    }
    wanted = {key: expected[key] for key in said if key in expected}
    if "signals" in wanted:
        wanted["signals"] = sorted(wanted["signals"])
    assert {key: said[key] for key in wanted} == wanted
    assert faults.NOT_READ not in letter.faults
    assert [words for words in expected.get("text_has", ()) if words not in letter.text] == []
    assert [words for words in expected.get("text_lacks", ()) if words in letter.text] == []
    assert [words for words in expected.get("html_lacks", ()) if words in letter.html.lower()] == []
    assert [name for name in expected.get("faults_has", ()) if getattr(faults, name) not in letter.faults] == []


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.id)
def test_whatever_is_read_can_be_stored_and_shown(message: Message) -> None:
    letter = read(message)
    for text in (letter.text, letter.quoted, letter.html, letter.subject, letter.sender_name, letter.message_id):
        assert "\0" not in text
        text.encode()
    for file in letter.attachments:
        assert file.name
        assert not {"/", "\\", "\0", "\r", "\n"} & set(file.name)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject


@pytest.mark.parametrize("make", BIG.values(), ids=BIG.keys())
def test_big_and_deep_messages_are_read_in_linear_time(make: Callable[[], bytes]) -> None:
    raw = make()
    letter = read_letter(raw, SENDER, OURS)
    assert_linear(lambda given: read_letter(given, SENDER, OURS), raw, raw[: len(raw) // 2])
    if make.__name__ in WITHOUT_WORDS_OF_ITS_OWN:
        assert letter.attachments
    else:
        assert "El servidor de planos no se actualiza." in letter.text
    assert (letter.sender == SENDER) is (make.__name__ not in WITHOUT_ONE_SENDER)


def test_the_corpus_is_complete_and_says_where_every_message_ends() -> None:
    files = {path.relative_to(CORPUS).with_suffix("").as_posix() for path in CORPUS.glob("*/*.eml")}
    assert {message.id for message in ALL} == files
    assert len(files) >= 220
    for message in ALL:
        assert message.expected.keys() <= KEYS
        assert message.expected["outcome"] in OUTCOMES
        assert message.expected["reason"]
    assert set(Counter(message.expected["outcome"] for message in ALL)) == OUTCOMES


def test_no_two_messages_are_the_same_bytes() -> None:
    assert len({message.raw() for message in ALL}) == len(ALL)
