"""What automatic steps and the lab worker keep in English, told in the reader's language."""

import pytest
from django.utils import translation

from guardia.reports.kept_sentences import FORMS, is_foreign, told

HITS = "las entradas cambiadas detectan %d de 9 archivos limpios"


@pytest.mark.parametrize(
    ("kept", "spanish"),
    [
        ("Data asked for.", "Datos solicitados."),
        (
            "yara-x: the changed records hit 8 of 9 clean files; clamav: the changed records hit 0 of 9 clean files",
            f"YARA-X: {HITS % 8}; ClamAV: {HITS % 0}",
        ),
        ("yara-x hits a clean file (Rule_1)", "YARA-X detecta un archivo limpio (Rule_1)"),
        (
            "2 complaint(s); the first: R: lacks the metadata `case`",
            "Reparos: 2; el primero: R: falta el metadato `case`",
        ),
        (
            "clamav: 24 known sample(s) would change: a.bin (00), b.bin (01) and 22 more is no longer detected",
            "ClamAV: cambiarían muestras conocidas (24), que dejan de detectarse: a.bin (00), b.bin (01) y 22 más",
        ),
    ],
)
def test_a_kept_sentence_is_told_in_spanish_with_its_parts(kept: str, spanish: str) -> None:
    with translation.override("es"):
        assert told(kept) == spanish
        assert not is_foreign(kept)


@pytest.mark.parametrize("typed", ["", "El botón no aparece.", "100 % of it; and %(more)s", "a\nb"])
def test_what_people_typed_stays_as_it_is(typed: str) -> None:
    with translation.override("es"):
        assert told(typed) == typed


def test_a_sentence_without_a_form_is_marked_as_english_for_other_readers_only() -> None:
    with translation.override("es"):
        assert is_foreign("The frobnicator broke")
    with translation.override("en"):
        assert not is_foreign("The frobnicator broke")


def test_every_form_is_found_again_by_its_own_pattern() -> None:
    with translation.override("en"):
        for form in FORMS:
            filled = form.replace("%(", "").replace(")s", "")
            assert told(filled) or "%" not in filled
