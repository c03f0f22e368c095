"""Duplicates are proposed to staff with their reasons, never joined by themselves, and can be dismissed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.support.cast import Cast

from guardia.features.cases import queries as cases
from guardia.features.cases.rules.duplicates import likely
from guardia.features.cases.search import alike_cases
from guardia.journeys.dismiss_duplicate import dismiss_duplicate
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import close_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.vocabulary import Channel
from guardia.reports.duplicates import duplicates_of

pytestmark = pytest.mark.django_db
OTHER = {"subject": "Console shows no machines", "description": "Since this morning."}


def row(cast: Cast, number: str) -> Any:
    return cases.get_case_for(cast.engineer, number)


def why(cast: Cast, number: str) -> dict[str, tuple[str, ...]]:
    return {
        one.number: one.why for one in likely(alike_cases(row(cast, number), cast.now), row(cast, number).submitted_at)
    }


class TestLikelyDuplicates:
    def test_are_found_by_words_in_both_languages_and_by_person_and_channel(self, cast: Cast) -> None:
        first = cast.open(subject="El análisis del servidor se congela").number
        cast.now += timedelta(hours=1)
        second = cast.open(subject="Congelado el analisis de servidor", channel=Channel.API).number
        assert why(cast, second) == {first: ("similar_words", "same_sender", "other_channel")}
        assert why(cast, first) == {second: ("similar_words", "same_sender", "other_channel")}

    def test_are_found_by_the_same_sample_and_detection_name(self, cast: Cast) -> None:
        first = cast.open_report(claim="FP", content=b"the same bytes", subject="Payroll is detected").number
        second = cast.open_report("plus_second", "FP", b"the same bytes", subject="Clean file in quarantine").number
        third = cast.open_report("plus_second", "FP", subject="A tool was removed").number
        assert why(cast, second)[first] == ("same_file", "same_detection")
        assert why(cast, third)[first] == ("same_detection",)

    def test_are_of_the_same_company_open_or_closed_within_a_week_and_not_joined(self, cast: Cast) -> None:
        stranger, joined = cast.open("standard").number, cast.open().number
        open_one, closed = cast.open().number, cast.open().number
        close_case(cast.engineer, cast.now, closed, "solved", "Restarted")
        merge_case(cast.engineer, cast.now, joined, open_one, "The same")
        new = cast.open("plus_second").number
        assert set(why(cast, new)) == {open_one, closed}
        cast.now += timedelta(days=8)
        assert stranger not in why(cast, new)
        assert set(why(cast, new)) == {open_one}

    def test_are_found_by_one_query(self, cast: Cast) -> None:
        first, new = cast.open().number, row(cast, cast.open().number)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = likely(alike_cases(new, cast.now), new.submitted_at)
        assert [one.number for one in found] == [first]
        assert len(asked) == 1

    def test_are_none_for_words_that_mean_nothing(self, cast: Cast) -> None:
        cast.open(subject="?? --")
        assert why(cast, cast.open("plus_second", subject="-- ??").number) == {}


class TestThePage:
    def test_says_why_and_in_which_directions_the_two_can_be_joined(self, cast: Cast) -> None:
        first = cast.open(case_class="standard").number
        second = cast.open().number
        (found,) = duplicates_of(cast.engineer, cast.now, second).proposals
        assert (found.number, found.why) == (first, ("similar words", "opened by the same person within 72 hours"))
        assert found.joins_this == ""
        assert "premium and the other one is not" in found.joins_other

    def test_tells_customers_nothing(self, cast: Cast) -> None:
        cast.open()
        page = duplicates_of(cast.plus, cast.now, cast.open().number)
        assert (page.proposals, page.preview) == ((), None)

    def test_foretells_what_joining_does(self, cast: Cast) -> None:
        arrived, duplicate = cast.now, cast.open().number
        cast.now += timedelta(hours=1)
        kept = cast.open().number
        look = duplicates_of(cast.engineer, cast.now, duplicate, f" {kept[:4]} {kept[4:]}").preview
        assert look is not None
        due = row(cast, duplicate).due_at
        assert (look.arrived_at, look.moves_arrival, look.due_after, look.charge) == (arrived, True, due, "given_back")
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
        assert (row(cast, kept).submitted_at, row(cast, kept).due_at) == (look.arrived_at, look.due_after)
        assert duplicates_of(cast.engineer, cast.now, kept).joined == (duplicate,)

    def test_foretells_that_the_other_case_becomes_late(self, cast: Cast) -> None:
        duplicate = cast.open().number
        cast.now += timedelta(hours=1)
        kept = cast.open().number
        cast.now += timedelta(hours=3, minutes=1)
        look = duplicates_of(cast.engineer, cast.now, duplicate, kept).preview
        assert look is not None
        assert look.becomes_late
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
        assert row(cast, kept).breached_at == look.due_after

    def test_foretells_a_refusal(self, cast: Cast) -> None:
        number = cast.open().number
        for into in (number, "00000000", "nonsense", cast.open("standard").number):
            look = duplicates_of(cast.engineer, cast.now, number, into).preview
            assert look is not None
            assert look.refusal


class TestNotTheSame:
    def test_is_not_proposed_any_more_on_either_page_until_it_is_taken_back(self, cast: Cast) -> None:
        first, second = cast.open().number, cast.open().number

        for is_same in (False, True, False):
            cast.now += timedelta(minutes=1)
            dismiss_duplicate(cast.engineer, cast.now, second, first, is_same=is_same)
            for one, other in ((first, second), (second, first)):
                page = duplicates_of(cast.engineer, cast.now, one)
                assert [proposal.number for proposal in page.proposals] == ([other] if is_same else [])
                assert page.dismissed == (() if is_same else (other,))
        assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]

    def test_is_said_by_staff_about_two_cases_of_one_company(self, cast: Cast) -> None:
        one, stranger = cast.open().number, cast.open("standard").number
        with pytest.raises(Forbidden):
            dismiss_duplicate(cast.plus, cast.now, one, one, is_same=False)
        for other in (one, stranger):
            with pytest.raises(Refused):
                dismiss_duplicate(cast.engineer, cast.now, one, other, is_same=False)
