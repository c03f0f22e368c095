"""Who holds a case and which group has it: assigned, put back, handed over, each with who and why in its log."""

from uuid import UUID, uuid4

import pytest
from tests.support.cast import Cast

from guardia.features.accounts import queries as accounts
from guardia.features.cases.queries import events_of, get_case_for
from guardia.features.contracts.queries import balance, contract_today, get_contract_of_case
from guardia.journeys.assign_case import assign_case, change_group, put_back
from guardia.journeys.move_case import close_case
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.saved_views import choose_languages
from guardia.journeys.take_case import take_case, take_next
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.kernel.vocabulary import Role

pytestmark = pytest.mark.django_db


def kinds(cast: Cast, number: str) -> list[str]:
    return [event.type for event in events_of(get_case_for(cast.engineer, number))]


def test_an_assigned_case_has_its_holder_and_is_accepted_once(cast: Cast) -> None:
    number = cast.open().number
    assign_case(cast.releaser, cast.now, number, UUID(cast.engineer.id), "Knows this customer")
    case = get_case_for(cast.engineer, number)
    assert (case.holder_name, case.state, case.group) == ("Marta Ibáñez", "in_progress", "first_line")
    contract = get_contract_of_case(case.contract_id)
    assert balance(contract, contract_today(contract, cast.now))[1] == 1
    put_back(cast.engineer, cast.now, number, "Ill")
    assign_case(cast.releaser, cast.now, number, UUID(cast.analyst.id), "Instead of Marta")
    assert kinds(cast, number).count("quota") == 2
    event = events_of(case).filter(type="assigned").last()
    assert event is not None
    assert (event.payload["holder_name"], event.payload["reason"]) == ("Tomás Vega", "Instead of Marta")
    assert [columns for _number, columns in rebuild_projections(repair=False)] == [[]]


def test_a_case_that_was_put_back_is_the_next_ones(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    assert take_next(cast.duty_manager, cast.now) is None
    put_back(cast.duty_manager, cast.now, number, "Marta is ill")
    assert get_case_for(cast.engineer, number).holder_id is None
    assert take_next(cast.duty_manager, cast.now) == number


def test_a_case_handed_to_another_group_leaves_a_holder_who_is_not_of_it(cast: Cast) -> None:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    change_group(cast.engineer, cast.now, number, "lab", "Needs an analyst")
    case = get_case_for(cast.engineer, number)
    assert (case.group, case.holder_id) == ("lab", None)
    take_case(cast.analyst, cast.now, number)
    change_group(cast.engineer, cast.now, number, "first_line", "After all not")
    case = get_case_for(cast.engineer, number)
    assert (case.group, case.holder_name) == ("first_line", "Tomás Vega"), "Tomás is of both groups"
    assert [columns for _number, columns in rebuild_projections(repair=False)] == [[]]


def test_the_next_case_is_of_ones_own_groups(cast: Cast) -> None:
    first, lab, release = (cast.open(severity=severity, consent_standard=True).number for severity in (1, 2, 3))
    change_group(cast.engineer, cast.now, lab, "lab", "For the lab")
    change_group(cast.engineer, cast.now, release, "release", "For a release")
    assert take_next(cast.reviewer, cast.now) == lab
    assert take_next(cast.reviewer, cast.now) is None
    assert take_next(cast.releaser, cast.now) == release
    assert take_next(cast.engineer, cast.now) == first


def test_the_next_case_is_in_a_language_that_one_answers_in(cast: Cast) -> None:
    first = cast.open(severity=1, consent_standard=True).number
    assert get_case_for(cast.engineer, first).language == cast.plus.language == "es"
    choose_languages(cast.engineer, ["en"])
    assert accounts.languages_of(UUID(cast.engineer.id)) == ("en",)
    assert take_next(cast.engineer, cast.now) is None
    choose_languages(cast.engineer, ["en", "es"])
    assert take_next(cast.engineer, cast.now) == first
    with pytest.raises(Invalid):
        choose_languages(cast.engineer, ["tlh"])


def test_pressing_take_next_twice_with_the_same_form_gives_the_same_case(cast: Cast) -> None:
    first, second = (cast.open(severity=severity).number for severity in (1, 2))
    token = str(uuid4())
    assert take_next(cast.engineer, cast.now, idempotency_key=token) == first
    assert take_next(cast.engineer, cast.now, idempotency_key=token) == first
    assert take_next(cast.engineer, cast.now, idempotency_key=str(uuid4())) == second


def test_who_belongs_to_no_group_takes_by_number_only(cast: Cast) -> None:
    number = cast.open().number
    manager = cast.account_manager
    assert manager.roles == {Role.ACCOUNT_MANAGER}
    with pytest.raises(Refused, match="no group"):
        take_next(manager, cast.now)
    take_case(manager, cast.now, number)


def test_bad_acts_are_refused_with_a_sentence_and_change_nothing(cast: Cast) -> None:
    number, marta = cast.open().number, UUID(cast.engineer.id)
    with pytest.raises(Invalid, match="reason"):
        assign_case(cast.engineer, cast.now, number, marta, "  ")
    with pytest.raises(Invalid, match="present staff"):
        assign_case(cast.engineer, cast.now, number, UUID(cast.plus.id), "A customer")
    with pytest.raises(Invalid, match="present staff"):
        assign_case(cast.engineer, cast.now, number, uuid4(), "Nobody")
    with pytest.raises(Refused, match="Nobody holds"):
        put_back(cast.engineer, cast.now, number, "Why not")
    with pytest.raises(Invalid, match="first line, lab or release"):
        change_group(cast.engineer, cast.now, number, "kitchen", "Why not")
    with pytest.raises(Refused, match="already"):
        change_group(cast.engineer, cast.now, number, "first_line", "Why not")
    with pytest.raises(NotFound):
        put_back(cast.engineer, cast.now, "40710000", "No such case")
    with pytest.raises(Forbidden):
        assign_case(cast.plus, cast.now, number, marta, "I want her")
    with pytest.raises(Forbidden):
        put_back(cast.plus, cast.now, number, "Mine")
    with pytest.raises(Forbidden):
        change_group(cast.plus, cast.now, number, "lab", "Quick")
    assign_case(cast.engineer, cast.now, number, marta, "Once")
    with pytest.raises(Refused, match="has this case already"):
        assign_case(cast.engineer, cast.now, number, marta, "Twice")
    close_case(cast.engineer, cast.now, number, how="solved", reason="Done")
    with pytest.raises(Refused, match="closed"):
        assign_case(cast.engineer, cast.now, number, UUID(cast.analyst.id), "Too late")
    assert kinds(cast, number).count("assigned") == 1


def test_an_act_repeated_with_its_key_is_done_once(cast: Cast) -> None:
    number, key = cast.open().number, str(uuid4())
    for _ in range(3):
        assign_case(cast.engineer, cast.now, number, UUID(cast.analyst.id), "Once", idempotency_key=key)
    assert kinds(cast, number).count("assigned") == 1
    with pytest.raises(Refused, match="another request"):
        assign_case(cast.engineer, cast.now, number, UUID(cast.reviewer.id), "Once", idempotency_key=key)
