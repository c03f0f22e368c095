"""A level-1 case out of office hours is also phoned in: what is told, the one-time code, the confirmed call."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.journeys.promise_story import at, demand_rebuilt_alike, mails_to, row, types
from tests.support.at_once import at_once, returned
from tests.support.cast import EMAILS, Cast

from guardia.features.cases.rules.phone_code import spoken_code
from guardia.journeys.change_severity import change_severity
from guardia.journeys.confirm_call import case_code, confirm_call
from guardia.journeys.move_case import close_case
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.reports.case_page import case_page
from guardia.reports.clock_view import clock_of_row
from guardia.reports.promise import must_phone

pytestmark = pytest.mark.django_db
EVENING = at("2026-11-23 21:30")


def opened_at_night(cast: Cast, **changes: Any) -> str:
    return replace(cast, now=EVENING).open(**changes).number


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_page_and_mail_tell_at_once_that_it_must_be_phoned_in(cast: Cast) -> None:
    number = opened_at_night(cast)
    call = case_page(cast.plus, EVENING, number).promise.call
    assert (call.is_awaited, call.opens_at) == (True, at("2026-11-24 09:00"))
    assert len(call.code) == 6
    mail = mails_to(EMAILS["plus"])[-1]
    assert spoken_code(call.code) in mail
    assert call.phone in mail
    assert "9:00" in mail
    assert must_phone(row(cast, number), EVENING)


def test_staff_are_not_shown_the_code_that_a_caller_must_know(cast: Cast) -> None:
    number = opened_at_night(cast)
    assert case_page(cast.engineer, EVENING, number).promise.call.code == ""


def test_in_office_hours_nothing_must_be_phoned_in(cast: Cast) -> None:
    number = cast.open().number
    call = case_page(cast.plus, cast.now, number).promise.call
    assert (call.is_awaited, call.opens_at) == (False, None)
    assert "oficina está cerrada" not in mails_to(EMAILS["plus"])[-1].lower()


def test_the_call_opens_the_clock_around_the_clock(cast: Cast) -> None:
    """RC-3: what was consumed before stays consumed, from the call on every instant counts."""
    number = opened_at_night(cast)
    assert row(cast, number).due_at == at("2026-11-24 13:00")
    told = confirm_call(cast.engineer, at("2026-11-23 22:00"), number, "code", case_code(row(cast, number)))
    assert (told.is_first, told.due_at) == (True, at("2026-11-24 02:00"))
    assert (row(cast, number).due_at, row(cast, number).called_at) == (told.due_at, at("2026-11-23 22:00"))
    assert not must_phone(row(cast, number), EVENING)
    assert "Llamada confirmada" in mails_to(EMAILS["plus"])[-1]
    demand_rebuilt_alike()


def test_a_second_call_is_told_when_the_first_was_confirmed(cast: Cast) -> None:
    number = opened_at_night(cast)
    confirm_call(cast.engineer, at("2026-11-23 22:00"), number, "known", reason="Known by voice.")
    again = confirm_call(cast.engineer, at("2026-11-23 22:30"), number, "known", reason="Called again.")
    assert (again.is_first, again.confirmed_at) == (False, at("2026-11-23 22:00"))
    assert types(cast, number).count("phone_confirmed") == 1


def test_a_call_is_recorded_for_any_severity_and_counts_after_a_raise(cast: Cast) -> None:
    number = opened_at_night(cast, severity=3)
    confirm_call(cast.engineer, at("2026-11-23 22:00"), number, "known", reason="Known by voice.")
    assert row(cast, number).due_at is None
    change_severity(cast.engineer, at("2026-11-23 23:00"), number, 1, "It got worse.")
    assert row(cast, number).due_at == at("2026-11-24 03:00")


def test_a_call_that_is_entered_afterwards_keeps_both_instants(cast: Cast) -> None:
    number = opened_at_night(cast)
    confirm_call(cast.engineer, at("2026-11-24 01:00"), number, "known", "", at("2026-11-23 22:00"), "Called me.")
    told = case_page(cast.plus, at("2026-11-24 01:00"), number).timeline
    event = next(event for event in told if event.recorded_at)
    assert (event.at, event.recorded_at) == (at("2026-11-23 22:00"), at("2026-11-24 01:00"))
    assert row(cast, number).due_at == at("2026-11-24 02:00")


def test_a_row_of_a_list_counts_every_hour_after_the_call(cast: Cast) -> None:
    number = opened_at_night(cast)
    assert clock_of_row(row(cast, number), EVENING).remaining_s == 4 * 3600
    confirm_call(cast.engineer, at("2026-11-23 22:00"), number, "code", case_code(row(cast, number)))
    clock = clock_of_row(row(cast, number), at("2026-11-24 00:00"))
    assert (clock.target_s, clock.remaining_s, clock.share) == (4 * 3600, 2 * 3600, 50)


def test_the_code_is_the_case_s_own_and_blanks_do_not_matter(cast: Cast) -> None:
    first, second = opened_at_night(cast), opened_at_night(cast)
    code = case_code(row(cast, first))
    assert code != case_code(row(cast, second))
    assert confirm_call(cast.engineer, EVENING, first, "code", f" {code[:3]} {code[3:]} ").is_first


def test_a_guessed_code_is_refused_kept_and_soon_no_longer_taken(cast: Cast) -> None:
    number = opened_at_night(cast)
    code = case_code(row(cast, number))
    for _ in range(5):
        with pytest.raises(Refused, match="not the code of this request"):
            confirm_call(cast.engineer, EVENING, number, "code", wrong(code))
    assert types(cast, number).count("phone_code_refused") == 5
    with pytest.raises(Refused, match="Too many wrong codes"):
        confirm_call(cast.engineer, EVENING + timedelta(minutes=59), number, "code", code)
    assert row(cast, number).called_at is None
    assert confirm_call(cast.engineer, EVENING + timedelta(minutes=61), number, "code", code).is_first


def test_wrong_tries_are_not_shown_to_the_customer(cast: Cast) -> None:
    number = opened_at_night(cast)
    with pytest.raises(Refused):
        confirm_call(cast.engineer, EVENING, number, "code", wrong(case_code(row(cast, number))))
    icons = [entry.icon for entry in case_page(cast.plus, EVENING, number).timeline]
    assert "phone-off" not in icons
    assert "phone-off" in [entry.icon for entry in case_page(cast.engineer, EVENING, number).timeline]


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_instant_are_counted_one_by_one(cast: Cast) -> None:
    number = opened_at_night(cast)
    guess = wrong(case_code(row(cast, number)))
    at_once([lambda: confirm_call(cast.engineer, EVENING, number, "code", guess)] * 12)
    assert types(cast, number).count("phone_code_refused") == 5


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_once_register_one(cast: Cast) -> None:
    number = opened_at_night(cast)
    code = case_code(row(cast, number))
    told = returned(at_once([lambda: confirm_call(cast.engineer, EVENING, number, "code", code)] * 6))
    assert sorted(call.is_first for call in told) == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("how", "code", "reason", "field"),
    [("guess", "", "", "how"), ("code", " ", "", "code"), ("known", "", " ", "reason")],
)
def test_what_does_not_say_who_calls_is_refused_at_its_field(
    cast: Cast, how: str, code: str, reason: str, field: str
) -> None:
    number = opened_at_night(cast)
    with pytest.raises(Invalid) as refused:
        confirm_call(cast.engineer, EVENING, number, how, code, None, reason)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize("when", ["2026-11-23 21:29", "2026-11-23 22:01"])
def test_a_call_before_the_submission_or_in_the_future_is_refused(cast: Cast, when: str) -> None:
    number = opened_at_night(cast)
    with pytest.raises(Invalid) as refused:
        confirm_call(cast.engineer, at("2026-11-23 22:00"), number, "known", "", at(when), "Called me.")
    assert list(refused.value.fields) == ["occurred_at"]


def test_only_staff_confirm_and_only_open_cases_are_phoned_about(cast: Cast) -> None:
    number = opened_at_night(cast)
    with pytest.raises(Forbidden):
        confirm_call(cast.plus, EVENING, number, "code", case_code(row(cast, number)))
    close_case(cast.plus, EVENING, number, "withdrawn", "Never mind.")
    with pytest.raises(Refused, match="closed"):
        confirm_call(cast.engineer, EVENING, number, "known", reason="Known.")
