"""What a mail states is read from plain words and lines, and what is unclear, denied or asked states nothing."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.arrived import Stated
from guardia.features.mail.rules.stated import read_stated

SAID = tomllib.loads(Path(__file__).with_name("said.toml").read_text(encoding="utf-8"))
ROWS = [pytest.param(row, id=f"{table}: {row.get('subject') or row['text']}") for table in SAID for row in SAID[table]]
WORDS = st.lists(
    st.sampled_from(
        [
            "nivel",
            "level",
            "severidad:",
            "gravedad",
            "1",
            "2",
            "3",
            "alta",
            "crítico",
            "incidente",
            "premium",
            "no",
            "contraseña:",
            "es",
            "«",
            "»",
            "infected",
            "ransomware\ntodos",
            "los",
            "servidores",
            "caídos",
            "falso",
            "positivo",
            ",",
            ".",
            "?",
            "¿",
            "y",
        ]
    ),
    max_size=60,
).map(" ".join)


def expected(row: Mapping[str, Any]) -> Stated:
    return Stated(
        severity=row.get("severity"),
        case_class=row.get("case_class"),
        kind=row.get("kind"),
        fields=(("claim", row["claim"]),) if "claim" in row else (),
        sounds_critical=row.get("critical", False),
        passwords=tuple(row.get("passwords", ())),
    )


@pytest.mark.parametrize("row", ROWS)
def test_a_sentence_states_what_is_clear_of_it(row: Mapping[str, Any]) -> None:
    assert read_stated(row.get("subject", ""), row["text"]) == expected(row)


def test_the_table_speaks_both_languages_often_enough() -> None:
    assert len(ROWS) >= 120


def test_lines_state_the_facts_of_a_signature_change() -> None:
    text = (
        "Hola:\n\nTipo: FN\nContrato: MSA-2026-0042\nEmpresa: Astilleros del Norte\n• Producto = Guardia Endpoint 8\n"
        "Motor: ClamAV 1.0.7\nVersión de la base: 20261121.7\nDetección: Win.Trojan.Agent-42\n\nSaludos"
    )
    assert dict(read_stated("", text).fields) == {
        "claim": "FN",
        "contract": "MSA-2026-0042",
        "company": "Astilleros del Norte",
        "product": "Guardia Endpoint 8",
        "engine": "ClamAV 1.0.7",
        "database_version": "20261121.7",
        "detection_name": "Win.Trojan.Agent-42",
    }


def test_lines_in_english_state_the_same() -> None:
    text = (
        "**Product:** Endpoint\n- Database version: 20261121.7\nDetected as: Eicar-Test\nEngine=yara-x\nContract no.: 7"
    )
    assert dict(read_stated("", text).fields) == {
        "product": "Endpoint",
        "database_version": "20261121.7",
        "detection_name": "Eicar-Test",
        "engine": "yara-x",
        "contract": "7",
    }


def test_a_fact_that_two_lines_say_differently_is_left_out() -> None:
    assert read_stated("", "Producto: uno\nMotor: a\nProduct: dos").fields == (("engine", "a"),)


def test_a_case_number_in_the_subject_is_no_level() -> None:
    assert read_stated("Re: [1234 5678] level", "1").severity is None


@given(st.text(), st.text() | WORDS)
def test_no_text_is_an_error_and_what_is_stated_is_of_the_contracts_words(subject: str, text: str) -> None:
    stated = read_stated(subject, text)
    assert stated.severity in {None, 1, 2, 3, 4}
    assert stated.case_class in {None, "premium", "standard"}
    assert stated.kind in {None, "signature_change", "service_request"}
    assert all(0 < len(password) <= 100 and "\n" not in password for password in stated.passwords)


@given(WORDS)
def test_stating_it_twice_changes_nothing(text: str) -> None:
    once, twice = read_stated("", text), read_stated("", f"{text}\n\n{text}")
    assert (once.case_class, once.kind, once.passwords) == (twice.case_class, twice.kind, twice.passwords)
