"""The catalogue: complete in both languages, nothing unused, nothing missing; numbers and moments as pieces."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from tests.support.call_playbooks import PLAYBOOKS
from tests.support.playbook import Player

from guardia.doors.voice import prompts, questions, spoken
from guardia.doors.voice.dialogue import caller_dialogue
from guardia.doors.voice.prompts import CATALOGUE, TONES
from guardia.doors.voice.script import LANGUAGES, Language, Prompt, Text
from guardia.kernel.vocabulary import CaseState, Clock, Severity

VOICE = Path(prompts.__file__).parent
SPEAKING = ("waiting", "knowing", "purposes", "dialogue", "engineer_dialogue", "hearing", "spoken")
SHAPE = re.compile(r"[a-z]+\.[a-z0-9_]+")


def _keys_in_code() -> set[str]:
    """Every text in the dialogues that looks like a key."""
    texts: set[str] = set()
    for name in SPEAKING:
        for node in ast.walk(ast.parse((VOICE / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return {text for text in texts if SHAPE.fullmatch(text)}


def _composed() -> Iterator[str]:
    """The keys that are put together when they are said."""
    yield from (f"digit.{n}" for n in range(10))
    for language in LANGUAGES:
        for value in range(1000):
            yield from spoken.number(value, language)
    yield from (f"weekday.{n}" for n in range(1, 8))
    yield from (f"hour.{n}" for n in range(1, 13))
    yield from (f"minute.{n}" for n in range(1, 60))
    yield from (f"daypart.{part}" for part in ("early", "morning", "afternoon", "night"))
    yield from (f"state.{state.value}" for state in CaseState)
    yield from (f"severity.{severity.value}" for severity in Severity)
    yield from (f"clock.{clock.value}" for clock in Clock)
    yield from (f"mark.{mark}" for mark in ("50", "75", "90", "breach", "called", "unassigned"))
    refusals = get_args(questions.Caller.__annotations__["refusal"])
    yield from (f"refusal.{refusal}" for refusal in refusals if refusal)
    yield from (f"refused.{code}" for code in ("closed", "settled", "not_entitled", "no_premium_left", "other"))


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_prompt_has_words_in_both_languages(key: str) -> None:
    assert set(CATALOGUE[key]) == set(LANGUAGES)
    assert all(text.strip() for text in CATALOGUE[key].values())


def test_no_sentence_is_the_same_in_both_languages() -> None:
    assert not [key for key, text in CATALOGUE.items() if text["es"] == text["en"]]


def test_every_key_that_is_said_is_in_the_catalogue() -> None:
    known = set(CATALOGUE) | set(TONES)
    assert {*_keys_in_code(), *_composed()} - known == set()


def test_every_key_of_the_catalogue_is_said() -> None:
    assert (set(CATALOGUE) | set(TONES)) - {*_keys_in_code(), *_composed()} == set()


def test_the_playbooks_say_only_what_is_in_the_catalogue() -> None:
    heard = {
        key
        for book in PLAYBOOKS.values()
        for key in Player(caller_dialogue(), book.desk).run(["1", *book.script]).heard
    }
    assert heard <= set(CATALOGUE) | set(TONES)
    assert len(heard) > 80


def test_no_dialogue_names_a_company_but_the_engineers() -> None:
    for book in PLAYBOOKS.values():
        play = Player(caller_dialogue(), book.desk).run(["1", *book.script])
        assert set(play.texts) <= {"Madrid"}


def _said(value: int, language: Language) -> str:
    return " ".join(CATALOGUE[key][language] for key in spoken.number(value, language))


@pytest.mark.parametrize(
    ("value", "es", "en"),
    [
        (0, "cero", "zero"),
        (1, "uno", "one"),
        (16, "dieciséis", "sixteen"),
        (22, "veintidós", "twenty-two"),
        (31, "treinta y uno", "thirty one"),
        (40, "cuarenta", "forty"),
        (100, "cien", "one hundred"),
        (101, "ciento uno", "one hundred and one"),
        (235, "doscientos treinta y cinco", "two hundred and thirty five"),
        (500, "quinientos", "five hundred"),
        (999, "novecientos noventa y nueve", "nine hundred and ninety nine"),
        (5000, "novecientos noventa y nueve", "nine hundred and ninety nine"),
    ],
)
def test_a_number_is_said_as_people_say_it(value: int, es: str, en: str) -> None:
    assert (_said(value, "es"), _said(value, "en")) == (es, en.replace("-", " "))


def _moment(at: datetime, zone: str, language: Language) -> str:
    return " ".join(
        CATALOGUE[piece.key][language] if isinstance(piece, Prompt) else piece.text
        for piece in spoken.moment(at, zone)
        if isinstance(piece, Prompt | Text)
    )


@pytest.mark.parametrize(
    ("at", "zone", "es", "en"),
    [
        (
            datetime(2026, 11, 29, 2, 30, tzinfo=UTC),
            "Europe/Madrid",
            "domingo a las tres y treinta de la madrugada hora de Madrid",
            "Sunday at three thirty a.m. by the time in Madrid",
        ),
        (
            datetime(2026, 11, 28, 12, 5, tzinfo=UTC),
            "Europe/Madrid",
            "sábado a la una y cinco de la tarde hora de Madrid",
            "Saturday at one oh five p.m. by the time in Madrid",
        ),
        (
            datetime(2026, 7, 1, 1, 0, tzinfo=UTC),
            "America/New_York",
            "martes a las nueve de la noche hora de New York",
            "Tuesday at nine p.m. by the time in New York",
        ),
        (
            datetime(2026, 7, 1, 0, 0, tzinfo=UTC),
            "Nowhere/At_All",
            "miércoles a las doce de la madrugada hora de UTC",
            "Wednesday at twelve a.m. by the time in UTC",
        ),
    ],
)
def test_a_moment_is_said_in_its_zone(at: datetime, zone: str, es: str, en: str) -> None:
    assert (_moment(at, zone, "es"), _moment(at, zone, "en")) == (es, en)
