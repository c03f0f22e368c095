"""One case from several channels is one case: the earliest arrival stays, nobody pays twice, and it can be undone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.cast import Cast

from guardia.features.cases import operations
from guardia.features.cases import queries as cases
from guardia.features.contracts import queries as contracts
from guardia.features.contracts.models import QuotaEntry
from guardia.features.mail.models import OutboundMail
from guardia.features.sla.queries import watches_of
from guardia.journeys import case_log
from guardia.journeys.adjust_quota import adjust_quota
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_class import change_class
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.fire_clocks import tick
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import close_case, wait_for_customer
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.take_case import take_case
from guardia.journeys.undo_merge import undo_merge
from guardia.journeys.write_message import write_message
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.ids import spoken
from guardia.kernel.transactions import journey
from guardia.reports.case_page import case_page

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KEPT_OF_A_PARTED = ("last_seq", "terms", "words")


def row(cast: Cast, number: str) -> Any:
    return cases.get_case_for(cast.engineer, number)


def facts(cast: Cast, number: str) -> dict[str, Any]:
    """Every column of a case but the number of its events."""
    case = row(cast, number)
    names = [field.attname for field in case._meta.concrete_fields if field.attname not in KEPT_OF_A_PARTED]
    return {name: getattr(case, name) for name in names}


def charges(cast: Cast, number: str) -> list[str]:
    case = row(cast, number)
    entries = QuotaEntry.objects.of_company(case.company_id).filter(case_id=case.id).order_by("recorded_at", "id")
    return list(entries.values_list("kind", flat=True))


def left(cast: Cast) -> int | None:
    contract = contracts.get_contract_for(cast.engineer, "MSA-4071")
    return contracts.balance(contract, contracts.contract_today(contract, cast.now))[0]


def rebuilds_as_it_is() -> bool:
    return not [columns for _number, columns in rebuild_projections(repair=False) if columns]


def later(cast: Cast, span: timedelta = HOUR) -> datetime:
    cast.now += span
    return cast.now


def two(cast: Cast, **changes: Any) -> tuple[str, str, datetime]:
    """A duplicate, the case that arrives an hour later and goes on, and the instant of the first arrival."""
    arrived = cast.now
    duplicate = cast.open(**changes).number
    later(cast)
    return duplicate, cast.open("plus_second").number, arrived


def waits_until(cast: Cast, number: str) -> datetime | None:
    """The end that the ticker waits for."""
    case = row(cast, number)
    watched = watches_of([case.id])[case.id].get("response")
    return watched.due_at if watched else None


class TestTheEarliestArrival:
    def test_moves_the_clock_and_the_place_in_the_queue(self, cast: Cast) -> None:
        duplicate, kept, arrived = two(cast)
        was_due = row(cast, duplicate).due_at
        assert was_due < row(cast, kept).due_at
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        case = row(cast, kept)
        assert (case.submitted_at, case.due_at, case.queue_due_at) == (arrived, was_due, was_due)
        assert waits_until(cast, kept) == was_due
        assert case_page(cast.engineer, cast.now, kept).submitted_at == arrived
        event = cases.find_event(case, "merged_from")
        assert event is not None
        assert event.schema_version == 2
        assert rebuilds_as_it_is()

    def test_of_the_case_that_goes_on_stays_where_it_is_the_earlier_one(self, cast: Cast) -> None:
        first, second, _arrived = two(cast)
        before = row(cast, first)
        merge_case(cast.engineer, cast.now, second, first, "The same outage")
        after = row(cast, first)
        assert (after.submitted_at, after.due_at) == (before.submitted_at, before.due_at)

    def test_counts_the_severity_that_was_asked_then_and_the_graver_one_from_when_it_was(self, cast: Cast) -> None:
        duplicate, kept, arrived = two(cast, severity=3)
        own_due = row(cast, kept).due_at
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        case = row(cast, kept)
        assert (case.severity, case.submitted_at) == (1, arrived)
        assert case.due_at == own_due  # four hours were promised when level 1 was stated, not before
        assert case.breached_at is None

    def test_of_a_standard_duplicate_starts_no_premium_promise(self, cast: Cast) -> None:
        duplicate, kept, arrived = two(cast, case_class="standard")
        own_due = row(cast, kept).due_at
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        case = row(cast, kept)
        assert (case.case_class, case.submitted_at, case.due_at) == ("premium", arrived, own_due)
        assert charges(cast, kept) == ["reserve"]

    def test_brings_a_breach_that_the_duplicate_had(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        now = later(cast, 3 * HOUR + MINUTE)
        due = row(cast, duplicate).due_at
        assert due < now
        merge_case(cast.engineer, now, duplicate, kept, "The same outage")
        assert (row(cast, kept).clock_state, row(cast, kept).breached_at) == ("breached", due)
        tick(now)
        assert "breached" in [event.type for event in cases.events_of(row(cast, kept))]

    def test_leaves_an_answer_where_it_is(self, cast: Cast) -> None:
        duplicate, kept, arrived = two(cast)
        take_case(cast.engineer, cast.now, kept)
        answer_case(cast.engineer, cast.now, kept, "The analysis", how="analysis")
        answered = cast.now
        merge_case(cast.engineer, later(cast, MINUTE), duplicate, kept, "The same outage")
        case = row(cast, kept)
        assert (case.answered_at, case.clock_state, case.submitted_at) == (answered, "met", arrived)
        assert case.answer_s == 3600

    def test_of_three_is_the_first_however_they_are_joined(self, cast: Cast) -> None:
        first, second, arrived = two(cast)
        due = row(cast, first).due_at
        later(cast)
        third = cast.open().number
        merge_case(cast.engineer, cast.now, first, second, "The same outage")
        merge_case(cast.engineer, cast.now, second, third, "The same outage")
        assert (row(cast, third).submitted_at, row(cast, third).due_at) == (arrived, due)
        assert rebuilds_as_it_is()
        with pytest.raises(Refused) as refused:
            undo_merge(cast.engineer, cast.now, first, "Another problem")
        assert refused.value.code == "merged_on"
        assert spoken(third) in refused.value.sentence
        undo_merge(cast.engineer, cast.now, second, "Another problem")
        undo_merge(cast.engineer, cast.now, first, "Another problem")
        assert row(cast, second).submitted_at == row(cast, third).submitted_at - HOUR

    def test_of_an_event_of_the_first_version_moves_nothing(self, cast: Cast) -> None:
        duplicate, kept, arrived = two(cast)
        before = facts(cast, kept)
        with journey():
            case = operations.lock_case(row(cast, kept))
            said = {"case": str(row(cast, duplicate).id), "number": duplicate, "reason": "The same"}
            case_log.add(case, "merged_from", cast.engineer, cast.now, said)
        assert facts(cast, kept) == before
        assert arrived < row(cast, kept).submitted_at
        assert rebuilds_as_it_is()


class TestACall:
    def test_about_the_duplicate_counts_for_the_case_that_goes_on(self, cast: Cast) -> None:
        cast.now = cast.now.replace(hour=19)  # 20:00 in Madrid: the office is closed
        duplicate, kept, _arrived = two(cast)
        confirm_call(cast.engineer, cast.now, duplicate, how="known", reason="Lucía, by her number")
        called, due = cast.now, row(cast, duplicate).due_at
        merge_case(cast.engineer, later(cast, MINUTE), duplicate, kept, "The same outage")
        assert (row(cast, kept).called_at, row(cast, kept).due_at) == (called, due)
        assert rebuilds_as_it_is()
        undo_merge(cast.engineer, later(cast, MINUTE), duplicate, "Another problem")
        assert row(cast, kept).called_at is None
        assert row(cast, duplicate).called_at == called


class TestClasses:
    """M-2 for each pair of classes: what joins, and what the ledger says then."""

    @pytest.mark.parametrize(
        ("duplicate_class", "kept_class", "code"),
        [
            ("premium", "premium", ""),
            ("premium", "undecided", "merge_downgrade"),
            ("premium", "standard", "merge_downgrade"),
            ("undecided", "premium", ""),
            ("undecided", "undecided", ""),
            ("undecided", "standard", "merge_decides"),
            ("standard", "premium", ""),
            ("standard", "undecided", ""),
            ("standard", "standard", ""),
        ],
    )
    def test_nothing_is_downgraded_decided_or_charged_twice(
        self, cast: Cast, duplicate_class: str, kept_class: str, code: str
    ) -> None:
        duplicate, kept = self.of_class(cast, duplicate_class), self.of_class(cast, kept_class)
        before = left(cast)
        if code:
            with pytest.raises(Refused) as refused:
                merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
            assert refused.value.code == code
            merge_case(cast.engineer, cast.now, kept, duplicate, "The same")
            assert left(cast) == before
            return
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
        gave_back = 1 if (duplicate_class, kept_class) == ("premium", "premium") else 0
        assert left(cast) == (before or 0) + gave_back
        assert row(cast, kept).case_class == kept_class
        undo_merge(cast.engineer, cast.now, duplicate, "Not the same")
        assert left(cast) == before
        assert row(cast, duplicate).case_class == duplicate_class
        assert rebuilds_as_it_is()

    def of_class(self, cast: Cast, case_class: str) -> str:
        if case_class != "undecided":
            return cast.open(case_class=case_class).number
        number = cast.open(case_class="standard").number
        with journey():
            case = operations.lock_case(row(cast, number))
            said = {"from": "standard", "class": "undecided", "starts": "submission", "reason": "Nobody could consent"}
            case_log.add(case, "class_changed", cast.engineer, cast.now, said)
        return number

    def test_an_undecided_duplicate_moves_the_clock_of_a_premium_case(self, cast: Cast) -> None:
        duplicate = self.of_class(cast, "undecided")
        arrived = cast.now
        later(cast)
        kept = cast.open().number
        was_due = row(cast, kept).due_at
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same")
        assert row(cast, kept).submitted_at == arrived
        assert row(cast, kept).due_at < was_due

    def test_one_that_was_joined_before_carries_the_charge_of_the_problem(self, cast: Cast) -> None:
        free = cast.open().number
        change_class(cast.engineer, cast.now, free, "standard", "Our own outage")
        paid, again = cast.open().number, cast.open().number
        change_class(cast.plus, cast.now, free, "premium", "It grew")
        assert charges(cast, free) == ["reserve", "refund", "reserve"]
        merge_case(cast.engineer, cast.now, paid, free, "The same")
        merge_case(cast.engineer, cast.now, again, free, "The same")
        assert charges(cast, paid) == charges(cast, again) == ["reserve", "refund"]


class TestParting:
    def test_brings_back_both_cases_as_if_they_had_never_been_joined(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        take_case(cast.engineer, cast.now, duplicate)
        wait_for_customer(cast.engineer, cast.now, duplicate, "Which build is it?")
        before = facts(cast, duplicate), facts(cast, kept), waits_until(cast, duplicate), waits_until(cast, kept)
        for _ in range(3):
            merge_case(cast.engineer, later(cast, MINUTE), duplicate, kept, "The same outage")
            assert row(cast, duplicate).state == "closed"
            undo_merge(cast.engineer, later(cast, MINUTE), duplicate, "Another problem after all")
            after = facts(cast, duplicate), facts(cast, kept), waits_until(cast, duplicate), waits_until(cast, kept)
            assert after == before
        assert charges(cast, duplicate) == ["reserve", "consume", *["refund", "reserve", "consume"] * 3]
        assert left(cast) == 10
        assert rebuilds_as_it_is()

    def test_counts_the_time_in_between_and_tells_a_target_that_was_missed(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        due = row(cast, duplicate).due_at
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        take_case(cast.engineer, cast.now, kept)
        answer_case(cast.engineer, cast.now, kept, "The analysis", how="analysis")
        now = later(cast, 5 * HOUR)
        undo_merge(cast.engineer, now, duplicate, "Another problem after all")
        assert (row(cast, duplicate).clock_state, row(cast, duplicate).breached_at) == ("breached", due)
        assert row(cast, kept).clock_state == "met"
        tick(now)
        assert "breached" in [event.type for event in cases.events_of(row(cast, duplicate))]
        assert rebuilds_as_it_is()

    def test_leaves_what_was_written_meanwhile(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        write_message(cast.plus, cast.now, kept, text="It also hits the mail server.", uploads=())
        undo_merge(cast.engineer, later(cast, MINUTE), duplicate, "Another problem after all")
        assert "message" in [event.type for event in cases.events_of(row(cast, kept))]
        assert "message" not in [event.type for event in cases.events_of(row(cast, duplicate))]

    def test_is_refused_where_the_contract_year_has_no_incident_left(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        spare = left(cast) or 0
        adjust_quota(cast.duty_manager, cast.now, "MSA-4071", -spare, "Moved to another contract")
        with pytest.raises(Refused) as refused:
            undo_merge(cast.engineer, cast.now, duplicate, "Another problem after all")
        assert refused.value.code == "no_premium_left"
        assert row(cast, duplicate).state == "closed"
        adjust_quota(cast.duty_manager, cast.now, "MSA-4071", 1, "One more")
        undo_merge(cast.engineer, cast.now, duplicate, "Another problem after all")
        assert left(cast) == 0

    def test_is_done_once_for_one_key_and_only_by_staff_for_a_joined_case(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        with pytest.raises(Refused, match="nothing to undo"):
            undo_merge(cast.engineer, cast.now, duplicate, "Never joined")
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        with pytest.raises(Forbidden):
            undo_merge(cast.plus, cast.now, duplicate, "Mine")
        for _ in range(3):
            undo_merge(cast.engineer, cast.now, duplicate, "Another problem", idempotency_key="once")
        assert charges(cast, duplicate) == ["reserve", "refund", "reserve"]
        with pytest.raises(Refused, match="nothing to undo"):
            undo_merge(cast.engineer, cast.now, duplicate, "Another problem")

    def test_of_a_case_that_was_closed_meanwhile_leaves_it_closed(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        close_case(cast.engineer, cast.now, kept, "solved", "Restarted")
        undo_merge(cast.engineer, later(cast, MINUTE), duplicate, "Another problem after all")
        assert (row(cast, kept).state, row(cast, duplicate).state) == ("closed", "submitted")
        assert rebuilds_as_it_is()

    def test_is_told_in_words_to_both_sides_and_by_mail(self, cast: Cast) -> None:
        duplicate, kept, _arrived = two(cast)
        merge_case(cast.engineer, cast.now, duplicate, kept, "The same outage")
        undo_merge(cast.engineer, cast.now, duplicate, "Another problem after all")
        told = [entry.title for entry in case_page(cast.plus, cast.now, duplicate).timeline]
        assert f"Parted from case {spoken(kept)} again: it goes on as if it had never been joined" in told
        told = [entry.title for entry in case_page(cast.plus, cast.now, kept).timeline]
        assert f"Case {spoken(duplicate)} was parted from this one again" in told
        mails = OutboundMail.objects.filter(case_id=row(cast, duplicate).id, topic="merge_undone")
        assert mails.count() >= 1
