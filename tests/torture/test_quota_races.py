"""Premium incidents are like money: whoever presses at once, none is spent twice and none for nothing."""

from functools import partial
from uuid import UUID, uuid4

import pytest
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.cases.models import Case
from guardia.features.contracts.models import QuotaEntry
from guardia.features.contracts.queries import balance, find_contract
from guardia.journeys.move_case import close_case, reject_case, reopen_case
from guardia.journeys.open_case import OpenedCase, open_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)
SPENDERS = 100


def left(cast: Cast) -> int | None:
    contract = find_contract(cast.people["plus"].company_id, cast.now)
    assert contract is not None
    return balance(contract, cast.now.date())[0]


def ledger(kind: str) -> int:
    return QuotaEntry.objects.across_companies("a test counts").filter(kind=kind).count()


def cases() -> int:
    return Case.objects.across_companies("a test counts").count()


def test_of_a_hundred_who_spend_the_last_one_exactly_one_gets_premium(cast: Cast) -> None:
    for _ in range(11):
        cast.open()
    assert left(cast) == 1
    parts = ["plus", "plus_second"]
    answers = at_once([partial(cast.open, parts[index % 2]) for index in range(SPENDERS)])
    opened = returned(answers)
    assert [case.case_class for case in opened] == ["premium"]
    refusals = raised(answers)
    assert len(refusals) == SPENDERS - 1
    assert {getattr(error, "code", repr(error)) for error in refusals} == {"no_premium_left"}
    assert left(cast) == 0
    assert (ledger("grant"), ledger("reserve"), cases()) == (1, 12, 12)


def test_of_a_hundred_who_consent_one_gets_premium_and_all_are_served(cast: Cast) -> None:
    for _ in range(11):
        cast.open()
    answers = at_once([lambda: cast.open(consent_standard=True)] * 40)
    assert not raised(answers)
    classes = [case.case_class for case in returned(answers)]
    assert (classes.count("premium"), classes.count("standard")) == (1, 39)
    assert len({case.number for case in returned(answers)}) == 40
    assert left(cast) == 0


def test_the_first_movements_of_a_year_grant_it_once(cast: Cast) -> None:
    answers = at_once([cast.open] * 12)
    assert not raised(answers)
    assert (ledger("grant"), ledger("reserve"), left(cast)) == (1, 12, 0)


def test_a_hundred_retries_with_the_same_key_open_one_case_and_charge_once(cast: Cast) -> None:
    request = cast.request()
    answers = at_once([lambda: open_case(cast.plus, cast.now, request, "the-same-key")] * SPENDERS)
    assert not raised(answers)
    assert len({case.number for case in returned(answers)}) == 1
    assert (ledger("reserve"), cases(), left(cast)) == (1, 1, 11)


def test_of_two_requests_with_one_key_the_first_is_done_and_the_other_refused(cast: Cast) -> None:
    requests = [cast.request(subject=f"Subject {index}") for index in range(20)]
    answers = at_once([partial(open_case, cast.plus, cast.now, request, "one-key") for request in requests])
    assert len(returned(answers)) == 1
    assert {getattr(error, "code", repr(error)) for error in raised(answers)} == {"idempotency_key_reused"}
    assert (ledger("reserve"), cases()) == (1, 1)


def test_the_same_key_of_two_people_is_two_keys(cast: Cast) -> None:
    request = cast.request()
    answers = at_once([partial(open_case, who, cast.now, request, "key") for who in (cast.plus, cast.plus_second)])
    assert not raised(answers)
    assert cases() == 2


def test_one_upload_joins_one_case_however_many_want_it(cast: Cast) -> None:
    upload = cast.upload()
    answers = at_once([lambda: open_case(cast.plus, cast.now, cast.report((upload.id,)), str(uuid4()))] * 12)
    assert len(returned(answers)) == 1
    assert {getattr(error, "code", repr(error)) for error in raised(answers)} == {"upload_unknown"}
    assert (ledger("reserve"), left(cast)) == (1, 11)


def moved(opened: OpenedCase) -> list[tuple[str, int]]:
    rows = (
        QuotaEntry.objects.across_companies("a test reads")
        .filter(case_id=UUID(opened.id))
        .order_by("recorded_at", "id")
    )
    return list(rows.values_list("kind", "amount"))


def test_many_who_reject_at_once_give_one_incident_back(cast: Cast) -> None:
    opened = cast.open()
    assert left(cast) == 11
    answers = at_once([lambda: reject_case(cast.engineer, cast.now, opened.number, "Not our product.")] * 20)
    assert len(returned(answers)) == 1
    assert all(isinstance(error, Refused) for error in raised(answers))
    assert moved(opened) == [("reserve", -1), ("refund", 1)]
    assert left(cast) == 12


def test_taking_closing_and_reopening_charge_nothing_more(cast: Cast) -> None:
    opened = cast.open()
    at_once([lambda: take_case(cast.engineer, cast.now, opened.number)] * 10)
    for _ in range(3):
        close_case(cast.plus, cast.now, opened.number, "customer_confirmed", "It works again.")
        reopen_case(cast.plus, cast.now, opened.number, "It is back.")
        take_case(cast.engineer, cast.now, opened.number)
    assert moved(opened) == [("reserve", -1), ("consume", 0)]
    assert left(cast) == 11


def test_rejecting_with_the_same_key_again_gives_nothing_more(cast: Cast) -> None:
    opened = cast.open()
    for _ in range(3):
        reject_case(cast.engineer, cast.now, opened.number, "Not ours.", idempotency_key="once")
    assert moved(opened) == [("reserve", -1), ("refund", 1)]


def test_a_refused_request_leaves_no_trace_of_a_charge(cast: Cast) -> None:
    with pytest.raises(Refused, match="unknown, already used"):
        open_case(cast.plus, cast.now, cast.report((uuid4(),)), "key")
    assert (ledger("reserve"), cases(), left(cast)) == (0, 0, 12)
    assert open_case(cast.plus, cast.now, cast.request(), "key").case_class == "premium"
