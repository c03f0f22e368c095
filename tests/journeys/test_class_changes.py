"""Changes of class: who may, what they cost, and from when the promise counts."""

from typing import Any

import pytest
from tests.journeys.promise_story import at, audited, demand_rebuilt_alike, mails_to, row
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import EMAILS, Cast

from guardia.features.cases.models import Case
from guardia.features.contracts.models import QuotaEntry
from guardia.features.contracts.queries import balance, contract_today, get_contract_of_case
from guardia.journeys import case_log
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_class import change_class
from guardia.journeys.confirm_call import confirm_call
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM

pytestmark = pytest.mark.django_db
NOON = at("2026-11-23 12:00")


def left(cast: Cast, number: str) -> int | None:
    contract = get_contract_of_case(row(cast, number).contract_id)
    return balance(contract, contract_today(contract, cast.now))[0]


def movements(cast: Cast, number: str) -> list[str]:
    rows = QuotaEntry.objects.across_companies("a test").filter(case_id=row(cast, number).id)
    return list(rows.order_by("recorded_at", "id").values_list("kind", flat=True))


def undecided(cast: Cast) -> str:
    """A case as a mail will bring it: nobody could consent at once."""
    number = cast.open(case_class="standard").number
    with journey():
        case = row(cast, number)
        case_log.add(
            case, "class_changed", SYSTEM, cast.now, {"from": "standard", "class": "undecided", "starts": "same"}
        )
    return number


def test_the_vendor_gives_the_incident_back_and_keeps_the_promise(cast: Cast) -> None:
    number = cast.open().number
    assert left(cast, number) == 11
    change_class(cast.engineer, NOON, number, "standard", "It was our own outage.")
    case = row(cast, number)
    assert (case.case_class, left(cast, number)) == ("standard", 12)
    assert (case.due_at, case.clock_state) == (at("2026-11-23 14:00"), "running")
    assert movements(cast, number) == ["reserve", "refund"]
    assert "It was our own outage." in mails_to(EMAILS["plus"])[-1]
    assert audited("class_changed") == [{"from": "premium", "to": "standard", "reason": "It was our own outage."}]
    demand_rebuilt_alike()


def test_a_named_contact_spends_one_incident_and_the_clock_starts_then(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    assert row(cast, number).due_at is None
    change_class(cast.plus, NOON, number, "premium", "It cannot wait.")
    case = row(cast, number)
    assert (case.case_class, case.due_at, left(cast, number)) == ("premium", at("2026-11-23 16:00"), 11)
    assert movements(cast, number) == ["reserve"]
    demand_rebuilt_alike()


def test_a_call_before_the_change_counts_from_it(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    confirm_call(cast.engineer, at("2026-11-23 18:00"), number, "known", reason="Known by voice.")
    change_class(cast.plus, at("2026-11-23 18:30"), number, "premium", "It cannot wait.")
    assert row(cast, number).due_at == at("2026-11-23 22:30")


def test_a_case_that_was_accepted_spends_the_incident_at_once(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    take_case(cast.engineer, NOON, number)
    change_class(cast.plus, NOON, number, "premium", "It cannot wait.")
    assert movements(cast, number) == ["reserve", "consume"]


def test_premium_and_back_and_forth_never_starts_the_clock_anew(cast: Cast) -> None:
    number = cast.open().number
    change_class(cast.engineer, NOON, number, "standard", "Taken for standard.")
    change_class(cast.plus, at("2026-11-23 13:00"), number, "premium", "It is not.")
    assert row(cast, number).due_at == at("2026-11-23 14:00")
    assert movements(cast, number) == ["reserve", "refund", "reserve"]
    assert left(cast, number) == 11
    demand_rebuilt_alike()


def test_an_answered_case_does_not_become_premium(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    take_case(cast.engineer, NOON, number)
    answer_case(cast.engineer, NOON, number, "It is the proxy.", "analysis")
    with pytest.raises(Refused, match="premium would change nothing"):
        change_class(cast.plus, NOON, number, "premium", "Now.")
    assert movements(cast, number) == []


def test_only_a_named_contact_decides_for_premium(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    with pytest.raises(Refused) as refused:
        change_class(cast.plus_admin, NOON, number, "premium", "I may not.")
    assert list(refused.value.fields) == ["case_class"]
    with pytest.raises(Forbidden):
        change_class(cast.engineer, NOON, number, "premium", "For them.")


def test_a_customer_does_not_take_premium_back(cast: Cast) -> None:
    number = cast.open().number
    with pytest.raises(Forbidden):
        change_class(cast.plus, NOON, number, "standard", "Refund, please.")


def test_with_none_left_it_stays_standard(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    for _ in range(12):
        cast.open()
    with pytest.raises(Refused, match="No premium incidents are left"):
        change_class(cast.plus, NOON, number, "premium", "It cannot wait.")
    assert row(cast, number).case_class == "standard"


@pytest.mark.parametrize(("to", "due_at"), [("premium", "2026-11-23 14:00"), ("standard", None)])
def test_an_undecided_case_is_decided_by_the_customer_and_counts_from_its_submission(
    cast: Cast, to: str, due_at: str | None
) -> None:
    number = undecided(cast)
    assert row(cast, number).case_class == "undecided"
    with pytest.raises(Forbidden):
        change_class(cast.engineer, NOON, number, "standard", "Silently.")
    change_class(cast.plus, NOON, number, to, "As agreed.")
    assert row(cast, number).due_at == (at(due_at) if due_at else None)
    assert movements(cast, number) == (["reserve"] if to == "premium" else [])


def test_the_same_class_and_no_class_are_refused(cast: Cast) -> None:
    number = cast.open().number
    with pytest.raises(Refused, match="has this class already"):
        change_class(cast.plus, NOON, number, "premium", "Again.")
    with pytest.raises(Invalid):
        change_class(cast.plus, NOON, number, "gold", "Better.")


@pytest.mark.django_db(transaction=True)
def test_two_contacts_who_change_it_at_once_spend_one_incident(cast: Cast) -> None:
    number = cast.open(case_class="standard").number
    acts: list[Any] = [
        lambda who=who: change_class(who, NOON, number, "premium", "Now.") for who in (cast.plus, cast.plus_second)
    ]
    answers = at_once(acts)
    assert (len(returned(answers)), [type(error) for error in raised(answers)]) == (1, [Refused])
    assert movements(cast, number) == ["reserve"]
    assert Case.objects.across_companies("a test").get(number=number).case_class == "premium"
