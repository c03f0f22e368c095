"""The words of a case and of a search are brought to one form, and no input is an error."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from guardia.features.cases.rules.projection import EventFact
from guardia.features.cases.rules.words import (
    MOST_TERMS,
    MOST_TEXT,
    Term,
    asked,
    asked_number,
    normal,
    text_of,
    without_accents,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)


def event(seq: int, kind: str, text: str, **payload: object) -> EventFact:
    return EventFact(seq, kind, {}, AT, {"text": text, **payload})


def test_words_are_small_without_punctuation_and_without_those_that_mean_nothing() -> None:
    assert normal("El Servidor de la CONSOLA: nomina.exe, v8_2!") == "servidor consola nomina exe v8 2"
    assert normal("the server of our office") == "server office"


def test_accents_are_taken_off_letters_and_nothing_else_changes() -> None:
    assert without_accents("actualización año Ünïcode") == "actualizacion ano Unicode"
    assert Term("detección").plain == "deteccion"


def test_a_search_has_words_phrases_and_exclusions() -> None:
    assert asked('proxy "falso positivo" -correo') == (
        Term("proxy"),
        Term("falso positivo"),
        Term("correo", is_excluded=True),
    )
    assert asked('"an open quotation') == (Term("open quotation"),)


def test_a_search_for_nothing_or_for_exclusions_only_asks_for_nothing() -> None:
    for text in ("", "   ", "de la que", "the of", "-proxy", '""', "!!! ((&|", "' OR 1=1 --", ":*", "a & | !"):
        found = asked(text)
        assert found == () or all(term.text.replace(" ", "").isalnum() for term in found), text
    assert asked("-proxy") == ()


@given(st.text(max_size=300))
def test_no_search_is_an_error_and_what_is_asked_is_letters_and_digits(text: str) -> None:
    terms = asked(text)
    assert len(terms) <= MOST_TERMS
    assert all(part.isalnum() for term in terms for part in term.text.split())
    assert "\x00" not in "".join(term.plain for term in terms)


def test_a_case_number_is_one_however_it_is_spaced() -> None:
    assert asked_number("4071 8823") == asked_number("#4071-8823") == asked_number("40718823") == "40718823"
    assert asked_number("4071 8823 proxy") == ""


def test_internal_notes_and_events_without_words_of_the_customers_are_left_out() -> None:
    events = [
        event(1, "submitted", "La impresora falla", files=[{"filename": "nomina.exe", "sha256": "ab12", "size": 1}]),
        event(2, "message", "Secreto entre nosotros", internal=True),
        event(3, "message", "Reiniciada"),
        event(4, "escalated", "Nobody reads this"),
    ]
    text = text_of(["Asunto", "Cerámicas Duero"], events)
    assert text.split() == ["asunto", "cerámicas", "duero", "impresora", "falla", "nomina", "exe", "ab12", "reiniciada"]


def test_of_too_much_text_the_newest_is_kept() -> None:
    events = [event(1, "submitted", "principio " * MOST_TEXT)]
    events += [event(n, "message", f"mensaje{n} " + "relleno " * 2_000) for n in range(2, 12)]
    text = text_of(["Asunto"], events)
    assert len(text) <= MOST_TEXT
    assert "mensaje11" in text
    assert "mensaje2 " not in text
