"""Joining duplicates and splitting cases: nobody pays twice for one problem, and no promise is lost on the way."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from tests.support.at_once import at_once, returned
from tests.support.cast import Cast

from guardia.features.cases import queries as cases
from guardia.features.contracts import queries
from guardia.features.contracts.models import QuotaEntry
from guardia.journeys.answer_case import answer_case
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import close_case, reject_case, reopen_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.split_case import split_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.reports.case_page import case_page


def left(cast: Cast) -> int | None:
    contract = queries.get_contract_for(cast.engineer, "MSA-4071")
    return queries.balance(contract, queries.contract_today(contract, cast.now))[0]


def charges(number: str, cast: Cast) -> list[tuple[str, int]]:
    case = cases.get_case_for(cast.engineer, number)
    rows = QuotaEntry.objects.of_company(case.company_id).filter(case_id=case.id).order_by("recorded_at", "id")
    return list(rows.values_list("kind", "amount"))


@pytest.mark.django_db
class TestMerging:
    def test_a_duplicate_closes_as_joined_and_its_incident_comes_back(self, cast: Cast) -> None:
        kept, duplicate = cast.open().number, cast.open("plus_second").number
        assert left(cast) == 10
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        assert left(cast) == 11
        row = cases.get_case_for(cast.plus, duplicate)
        assert (row.state, row.closed_how) == ("closed", "merged")
        assert row.merged_into_id == cases.get_case_for(cast.plus, kept).id
        assert charges(duplicate, cast) == [("reserve", -1), ("refund", 1)]
        told = [entry.title for entry in case_page(cast.plus, cast.now, kept).timeline]
        assert f"Case {duplicate[:4]} {duplicate[4:]} was joined with this one" in told
        assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]

    def test_a_duplicate_of_a_case_that_is_not_charged_keeps_its_charge(self, cast: Cast) -> None:
        whole = cast.open().number
        part = split_case(cast.engineer, cast.now, whole, "The other problem", "Apart.", "Two problems")
        merge_case(cast.engineer, cast.now, whole, part, "One problem after all")
        assert charges(whole, cast) == [("reserve", -1)]
        assert left(cast) == 11

    def test_joining_twice_with_one_key_gives_one_incident_back(self, cast: Cast) -> None:
        kept, duplicate = cast.open().number, cast.open().number
        for _ in range(3):
            merge_case(cast.engineer, cast.now, duplicate, kept, "The same", idempotency_key="once")
        assert charges(duplicate, cast) == [("reserve", -1), ("refund", 1)]

    def test_a_case_is_not_joined_with_itself_a_strangers_or_a_closed_one(self, cast: Cast) -> None:
        one, other, closed = cast.open().number, cast.open("standard").number, cast.open().number
        close_case(cast.engineer, cast.now, closed, "solved", "Done")
        for number, into, code in (
            (one, one, "merge_itself"),
            (one, other, "merge_companies"),
            (one, closed, "merge_into_closed"),
            (closed, one, "merge_closed"),
        ):
            with pytest.raises(Refused) as refused:
                merge_case(cast.engineer, cast.now, number, into, "Why not")
            assert (refused.value.code, list(refused.value.fields)) == (code, ["into"])
        with pytest.raises(NotFound):
            merge_case(cast.engineer, cast.now, one, "00000000", "Why not")

    def test_no_case_is_joined_with_one_that_was_joined_itself(self, cast: Cast) -> None:
        one, two, three = (cast.open().number for _ in range(3))
        merge_case(cast.engineer, cast.now, two, one, "The same")
        with pytest.raises(Refused, match="The other case is closed"):
            merge_case(cast.engineer, cast.now, three, two, "The same")
        with pytest.raises(Refused, match="closed already"):
            merge_case(cast.engineer, cast.now, two, three, "The same")

    def test_a_premium_case_is_not_joined_with_a_standard_one(self, cast: Cast) -> None:
        premium, standard = cast.open().number, cast.open(case_class="standard").number
        with pytest.raises(Refused, match="premium and the other one is not"):
            merge_case(cast.engineer, cast.now, premium, standard, "The same")
        merge_case(cast.engineer, cast.now, standard, premium, "The same")

    def test_a_running_clock_is_not_escaped_by_joining_a_case_that_is_due_later(self, cast: Cast) -> None:
        first, calm = cast.open().number, cast.open(severity=3).number
        with pytest.raises(Refused, match="due before the other one"):
            merge_case(cast.engineer, cast.now, first, calm, "The same")
        later = cast.now + timedelta(hours=1)
        cast.now = later
        second = cast.open().number
        take_case(cast.engineer, later, first)
        answer_case(cast.engineer, later, first, "The analysis", how="analysis")
        with pytest.raises(Refused, match="has its qualified answer, and the other one has none"):
            merge_case(cast.engineer, later, first, second, "The same")
        merge_case(cast.engineer, later, second, first, "The same")

    def test_a_joined_case_stays_closed_and_only_staff_join(self, cast: Cast) -> None:
        kept, duplicate = cast.open().number, cast.open().number
        with pytest.raises(Forbidden):
            merge_case(cast.plus, cast.now, duplicate, kept, "The same")
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
        with pytest.raises(Refused, match="goes on there"):
            reopen_case(cast.plus, cast.now, duplicate, "Not the same")


@pytest.mark.django_db
class TestSplitting:
    def test_the_part_has_the_class_severity_and_terms_of_the_whole_and_spends_nothing(self, cast: Cast) -> None:
        whole = cast.open(product_code="endpoint-8.2").number
        later = cast.now + timedelta(hours=2)
        part = split_case(
            cast.engineer, later, whole, "The second problem", "It was told within.", "Two problems",
            idempotency_key="once",
        )  # fmt: skip
        again = split_case(
            cast.engineer, later, whole, "The second problem", "It was told within.", "Two problems",
            idempotency_key="once",
        )  # fmt: skip
        assert part == again
        old, new = cases.get_case_for(cast.plus, whole), cases.get_case_for(cast.plus, part)
        assert (new.case_class, new.severity, new.terms) == (old.case_class, old.severity, old.terms)
        assert (new.submitted_at, new.due_at) == (later, later + timedelta(hours=4))
        assert (new.opened_by_id, new.product_code) == (old.opened_by_id, "endpoint-8.2")
        assert (charges(part, cast), left(cast)) == ([], 11)
        assert [event.type for event in cases.events_of(new)] == ["submitted", "split_from"]
        assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]

    def test_a_part_is_never_charged_nor_given_back(self, cast: Cast) -> None:
        part = split_case(cast.engineer, cast.now, cast.open().number, "Second", "Apart.", "Two problems")
        take_case(cast.engineer, cast.now, part)
        close_case(cast.engineer, cast.now, part, "solved", "Done")
        reopen_case(cast.plus, cast.now, part, "Again")
        other = split_case(cast.engineer, cast.now, part, "Third", "Apart.", "Three problems")
        reject_case(cast.engineer, cast.now, other, "Not ours")
        assert (charges(part, cast), charges(other, cast), left(cast)) == ([], [], 11)

    def test_what_is_split_off_a_signature_change_is_an_incident(self, cast: Cast) -> None:
        part = split_case(cast.engineer, cast.now, cast.open_report().number, "Slow too", "Apart.", "Two problems")
        assert cases.get_case_for(cast.plus, part).kind == "incident"

    def test_a_split_needs_staff_an_open_case_a_subject_a_text_and_a_reason(self, cast: Cast) -> None:
        number = cast.open().number
        with pytest.raises(Forbidden):
            split_case(cast.plus, cast.now, number, "Second", "Apart.", "Two problems")
        for subject, text, reason, field in (
            (" ", "Apart.", "Two", "subject"),
            ("x" * 201, "Apart.", "Two", "subject"),
            ("Second", "", "Two", "text"),
            ("Second", "Apart.", " ", "reason"),
        ):
            with pytest.raises(Invalid) as refused:
                split_case(cast.engineer, cast.now, number, subject, text, reason)
            assert list(refused.value.fields) == [field]
        close_case(cast.engineer, cast.now, number, "solved", "Done")
        with pytest.raises(Refused):
            split_case(cast.engineer, cast.now, number, "Second", "Apart.", "Two problems")


@pytest.mark.django_db(transaction=True)
def test_many_who_join_the_same_two_either_way_close_one_of_them_and_give_one_back(cast: Cast) -> None:
    one, two = cast.open().number, cast.open().number
    acts = [
        partial(merge_case, cast.engineer, cast.now, *((one, two) if index % 2 else (two, one)), "The same")
        for index in range(20)
    ]
    assert len(returned(at_once(acts))) == 1
    ids = [UUID(str(cases.get_case_for(cast.plus, number).id)) for number in (one, two)]
    refunds = QuotaEntry.objects.across_companies("test").filter(case_id__in=ids, kind="refund")
    assert refunds.count() == 1
    assert left(cast) == 11
