"""Search: in both languages, with or without accents, exactly by number, never another company's words."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.cast import Cast
from tests.support.many_cases import ids, many_like, plain_case

from guardia.features.cases import queries, search
from guardia.features.cases.models import Case
from guardia.features.cases.operations import word_vector
from guardia.features.cases.queries import Narrowing
from guardia.features.cases.search import search_for
from guardia.journeys.answer_case import answer_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.take_case import take_case
from guardia.journeys.write_message import write_message
from guardia.kernel.vocabulary import Actor

pytestmark = pytest.mark.django_db


def found(actor: Actor, text: str) -> list[str]:
    return [case.number for case in search_for(actor, text).rows]


@pytest.fixture
def number(cast: Cast) -> str:
    """A case of Astilleros with words of both languages."""
    return cast.open(
        subject="Detecciones equivocadas en la nómina",
        description="El antivirus bloquea nomina.exe desde la actualización; the printers were not scanned.",
    ).number


@pytest.mark.parametrize(
    "text",
    [
        "detección equivocada",
        "deteccion",
        "DETECCIONES",
        "actualizaciones",
        "actualizacion",
        "nómina",
        "nomina.exe",
        "printer scanning",
        "el antivirus de la nómina",
        '"antivirus bloquea"',
        "Astilleros",
        "antivirus -correo",
    ],
)
def test_words_are_found_in_other_forms_with_or_without_accents(cast: Cast, number: str, text: str) -> None:
    assert found(cast.engineer, text) == [number]
    assert found(cast.plus, text) == [number]


@pytest.mark.parametrize(
    "text", ["correo", '"bloquea antivirus"', "antivirus -nómina", "antivirus correo", "de la", ""]
)
def test_what_does_not_match_is_not_found(cast: Cast, number: str, text: str) -> None:
    assert number not in found(cast.engineer, text)


def test_a_case_is_found_exactly_by_its_number_and_by_half_of_it(cast: Cast, number: str) -> None:
    other = cast.open(subject=f"As in {number}").number
    assert found(cast.engineer, number) == found(cast.engineer, f"{number[:4]} {number[4:]}") == [number]
    assert set(found(cast.engineer, number[4:])) == {number}
    assert other != number


def test_messages_answers_and_reports_are_found_and_internal_notes_never(cast: Cast) -> None:
    number = cast.open_report("plus", "FP", detection_name="Lab.Trojan.Maqueta.0007").number
    take_case(cast.engineer, cast.now, number)
    write_message(cast.plus, cast.now, number, "Ocurre también en Zaragoza")
    write_message(cast.engineer, cast.now, number, "El cliente exagera: paparruchas", is_internal=True)
    answer_case(cast.engineer, cast.now, number, "Excluya la carpeta contable", "analysis")
    for text in ("zaragoza", "carpetas contables", "Lab.Trojan.Maqueta.0007", "maqueta", "Atalaya"):
        assert found(cast.plus_second, text) == [number], text
    assert found(cast.engineer, "paparruchas") == found(cast.plus, "paparruchas") == []


def test_another_companys_words_are_never_found(cast: Cast, number: str) -> None:
    own = cast.open("standard", subject="Otra cosa", description="El antivirus de Duero").number
    assert found(cast.standard, "antivirus") == [own]
    for text in (
        "nómina",
        "nomina.exe",
        number,
        f"{number[:4]} {number[4:]}",
        "Astilleros",
        "detección",
        '"antivirus bloquea"',
    ):
        assert found(cast.standard, text) == [], text
    assert set(found(cast.engineer, "antivirus")) == {own, number}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_no_search_fails(cast: Cast, text: str) -> None:
    search_for(cast.engineer, text)
    search_for(cast.standard, text)


@pytest.mark.parametrize(
    "text", ["' | !", "a & & b", ":*", "<->", "\\", "(((", '"', "-", "--", "%s %(x)s", "\x00", "x" * 5_000]
)
def test_characters_of_the_query_language_are_only_characters(cast: Cast, number: str, text: str) -> None:
    assert found(cast.engineer, text) == []


# ---- many matches ----


@pytest.fixture
def forty(cast: Cast) -> list[Case]:
    """Forty cases, the newest last; every second one speaks of proxies, every fifth of a glacier."""
    facts = [{"submitted_at": cast.now + timedelta(minutes=n)} for n in range(40)]
    rows = many_like(plain_case(cast), facts)
    for n, case in enumerate(rows):
        words = " ".join(["equipo", *["proxy"][n % 2 :], *["glaciar"][: n % 5 == 0]])
        Case.objects.across_companies("a test says").filter(id=case.id).update(words=word_vector(words))
    return rows


@pytest.mark.parametrize(
    ("near", "most", "far"), [(2_000, 5_000, 50_000), (1, 5_000, 50_000), (1, 3, 50_000), (1, 3, 6)]
)
@pytest.mark.parametrize(("text", "step"), [("proxy", 2), ("glaciar", 5), ("proxy glaciar", 10), ("equipo -proxy", -2)])
def test_whichever_way_it_looks_all_matches_are_found_newest_first_and_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, forty: list[Case], near: int, most: int, far: int, text: str, step: int
) -> None:
    for name, value in {"_NEAR": near, "MOST_FOUND": most, "_FAR": far, "PAGE_SIZE": 4}.items():
        monkeypatch.setattr(search, name, value)
    monkeypatch.setattr(queries, "PAGE_SIZE", 4)
    wanted = [case for n, case in enumerate(forty) if (n % 2 if step < 0 else n % step == 0)][::-1]
    page = search_for(cast.engineer, text)
    pages = [page]
    while page.after:
        page = search_for(cast.engineer, text, start=page.after)
        pages.append(page)
    assert ids([case for page in pages for case in page.rows]) == ids(wanted)
    last = [page for page in pages if page.rows][-1]
    if last.before:
        back = search_for(cast.engineer, text, start=last.before, backwards=True)
        before_last = wanted[: len(wanted) - len(last.rows)]
        assert ids(back.rows) == ids(before_last)[len(before_last) - len(back.rows) :]
        assert back.rows or back.before


def test_few_matches_are_counted_and_more_than_the_limit_are_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, forty: list[Case]
) -> None:
    assert search_for(cast.engineer, "glaciar").found == 8
    monkeypatch.setattr(search, "_NEAR", 1)
    assert search_for(cast.engineer, "glaciar").found == 8
    monkeypatch.setattr(search, "MOST_FOUND", 3)
    assert search_for(cast.engineer, "glaciar").found is None


def test_a_search_is_narrowed_like_every_list(cast: Cast, forty: list[Case]) -> None:
    Case.objects.across_companies("a test arranges").filter(id=forty[5].id).update(severity=4, closed_at=cast.now)
    assert ids(search_for(cast.engineer, "glaciar", Narrowing("all", severity=4)).rows) == [forty[5].id]
    assert len(search_for(cast.engineer, "glaciar", Narrowing("open")).rows) == 7
    assert ids(search_for(cast.engineer, "glaciar", Narrowing("closed")).rows) == [forty[5].id]


# ---- kept in step ----


def test_words_that_are_missing_come_back_with_the_rebuild(cast: Cast, number: str) -> None:
    Case.objects.across_companies("a test breaks it").filter(number=number).update(words=None)
    assert found(cast.engineer, "nómina") == []
    assert [columns for _number, columns in rebuild_projections(repair=True)] == [["words"]]
    assert found(cast.engineer, "nómina") == [number]
    assert [columns for _number, columns in rebuild_projections(repair=False)] == [[]]


def test_a_case_with_more_text_than_a_vector_holds_is_still_found(cast: Cast, number: str) -> None:
    long = " ".join(f"palabra{n}" for n in range(2_000))
    for n in range(12):
        write_message(cast.plus, cast.now, number, f"{long[:19_000]} mensaje{n}")
    assert found(cast.plus, "nómina") == found(cast.plus, "mensaje11") == [number]


def test_lists_never_load_the_words(cast: Cast, number: str) -> None:
    for case in (queries.get_case_for(cast.engineer, number), search_for(cast.engineer, "nómina").rows[0]):
        assert "words" in case.get_deferred_fields()
