"""Who phones: wrong tries close the way, right ones do not open it again, and nobody learns what they did not know."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.utils import translation
from tests.journeys.promise_story import at, mails_to, row, types
from tests.support.at_once import at_once, raised, returned
from tests.support.callers import NUMBER, contract_of, pin_of
from tests.support.cast import EMAILS, Cast, make_cast

from guardia.features.accounts.models import Person, PhonePin, WrongPin
from guardia.features.contracts.models import Contract, NamedContact
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER, STANDARD_TIER
from guardia.journeys.confirm_call import case_code, confirm_call
from guardia.journeys.identify_caller import KnownCaller, UnknownCaller, identify_by_code, identify_by_pin
from guardia.journeys.move_case import close_case
from guardia.kernel.errors import Refused

CLOSED, UNKNOWN = UnknownCaller(is_closed=True), UnknownCaller()
HIDDEN = ("", "anonymous", "Anonymous", "unknown", "  ")
"""What callers show who show no number."""


def by_pin(part: str, now: datetime, pin: str = "", caller: str = "") -> KnownCaller | UnknownCaller:
    return identify_by_pin(now, contract_of(part), pin or pin_of(part), caller)


def known(found: KnownCaller | UnknownCaller) -> KnownCaller:
    assert isinstance(found, KnownCaller)
    return found


def told_managers() -> list[str]:
    return mails_to(EMAILS["duty_manager"])


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.django_db
def test_a_named_contact_is_known_by_contract_digits_and_pin(cast: Cast) -> None:
    caller = known(by_pin("plus", cast.now))
    assert (caller.name, caller.company, caller.case) == ("Lucía Ferrer", "Astilleros del Norte", "")
    assert (caller.person_id, caller.company_id) == (cast.people["plus"].id, cast.people["plus"].company_id)
    assert (caller.standing.contract, caller.standing.tier, caller.standing.refusal) == ("in_force", PREMIUM_TIER, "")


@pytest.mark.django_db
def test_the_pin_tells_the_people_of_a_company_apart(cast: Cast) -> None:
    assert known(by_pin("plus_second", cast.now)).person_id == cast.people["plus_second"].id
    assert by_pin("plus", cast.now, pin_of("standard")) == UNKNOWN
    assert by_pin("standard", cast.now, pin_of("plus")) == UNKNOWN


@pytest.mark.django_db
@pytest.mark.parametrize("digits", ["", "407", "40711", "*#", "4071" * 30, "٤٠٧١"])
def test_digits_that_are_no_contracts_name_nobody(cast: Cast, digits: str) -> None:
    assert identify_by_pin(cast.now, digits, pin_of("plus"), NUMBER) == UNKNOWN
    assert WrongPin.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("pin", ["", "40711", "4071188", "40711a", "٤٠٧١١٨"])
def test_digits_that_are_no_pin_name_nobody(cast: Cast, pin: str) -> None:
    assert identify_by_pin(cast.now, "4071", pin, NUMBER) == UNKNOWN


@pytest.mark.django_db
def test_who_may_not_phone_is_known_and_told_what_is_missing(cast: Cast) -> None:
    assert known(by_pin("plus_admin", cast.now)).standing.refusal == "not_named"
    standard = known(by_pin("standard", cast.now)).standing
    assert (standard.contract, standard.tier, standard.refusal) == ("in_force", STANDARD_TIER, "no_phone")
    person = cast.people["plus"]
    NamedContact.objects.of_company(person.company_id).filter(person_id=person.id).update(until=cast.now)
    assert known(by_pin("plus", cast.now)).standing.refusal == "not_named"


@pytest.mark.django_db
def test_a_contract_that_is_over_is_told_after_the_right_pin_only_and_on_its_own_local_day(cast: Cast) -> None:
    company = cast.people["plus"].company_id
    Contract.objects.of_company(company).update(ends_on=at("2026-11-23 00:00").date())
    before, after = at("2026-11-22 23:59"), at("2026-11-23 00:01")
    assert known(by_pin("plus", before)).standing.contract == "in_force"
    over = known(by_pin("plus", after)).standing
    assert (over.contract, over.tier, over.refusal) == ("expired", STANDARD_TIER, "expired")
    assert by_pin("plus", after, wrong(pin_of("plus"))) == UNKNOWN


@pytest.mark.django_db
def test_a_contract_that_has_not_begun_gives_no_right_to_phone(cast: Cast) -> None:
    Contract.objects.of_company(cast.people["plus"].company_id).update(starts_on=at("2026-12-01 00:00").date())
    standing = known(by_pin("plus", cast.now)).standing
    assert (standing.contract, standing.refusal) == ("none", "no_contract")


@pytest.mark.django_db
def test_five_wrong_pins_close_the_contract_for_the_right_one_too_and_for_an_hour(cast: Cast) -> None:
    for _ in range(5):
        assert by_pin("plus", cast.now, wrong(pin_of("plus"))) == UNKNOWN
    for pin in (pin_of("plus"), wrong(pin_of("plus")), pin_of("plus_second")):
        assert by_pin("plus", cast.now + timedelta(minutes=59), pin) == CLOSED
    assert WrongPin.objects.count() == 5
    known(by_pin("plus", cast.now + timedelta(minutes=61)))


@pytest.mark.django_db
def test_the_closed_contract_of_one_company_leaves_another_open(cast: Cast) -> None:
    for _ in range(5):
        by_pin("plus", cast.now, "000000")
    known(by_pin("standard", cast.now))


@pytest.mark.django_db
def test_a_contract_that_does_not_exist_closes_like_one_that_does(cast: Cast) -> None:
    real, made_up = ([identify_by_pin(cast.now, digits, "555019", "") for _ in range(7)] for digits in ("4071", "9999"))
    assert real == made_up
    assert real[4:6] == [UNKNOWN, CLOSED]


@pytest.mark.django_db
def test_a_person_without_a_pin_sounds_like_a_wrong_one(cast: Cast) -> None:
    PhonePin.objects.of_company(cast.people["plus"].company_id).delete()
    assert by_pin("plus", cast.now) == UNKNOWN
    assert WrongPin.objects.count() == 1


@pytest.mark.django_db
def test_ten_wrong_tries_close_the_shown_number_whatever_is_tried(cast: Cast) -> None:
    for contract in range(10):
        assert identify_by_pin(cast.now, f"99{contract}", "555019", NUMBER) == UNKNOWN
    assert by_pin("plus", cast.now, caller=NUMBER) == CLOSED
    known(by_pin("plus", cast.now, caller="+34600999888"))
    known(by_pin("plus", cast.now + timedelta(minutes=61), caller=NUMBER))


@pytest.mark.django_db
@pytest.mark.parametrize("shown", HIDDEN)
def test_a_few_wrong_tries_of_callers_who_show_no_number_do_not_close_the_line_for_one_another(
    cast: Cast, shown: str
) -> None:
    for contract in range(12):
        identify_by_pin(cast.now, f"99{contract}", "555019", shown)
    known(by_pin("plus", cast.now, caller=shown))


@pytest.mark.django_db
def test_who_hides_the_number_cannot_go_on_from_contract_to_contract_and_case_to_case(cast: Cast) -> None:
    number = cast.open().number
    code = case_code(row(cast, number))
    for guess in range(60):
        shown = HIDDEN[guess % len(HIDDEN)]
        if guess % 2:
            assert identify_by_pin(cast.now, f"99{guess}", "555019", shown) == UNKNOWN
        else:
            assert identify_by_code(cast.now, f"123456{guess:02}", "555019", shown) == UNKNOWN
    for shown in HIDDEN:
        assert by_pin("plus", cast.now, caller=shown) == CLOSED
        assert identify_by_code(cast.now, number, code, shown) == CLOSED
    known(by_pin("plus", cast.now, caller=NUMBER))
    known(identify_by_code(cast.now, number, code, NUMBER))
    assert WrongPin.objects.count() == 60
    known(by_pin("plus", cast.now + timedelta(minutes=61)))


@pytest.mark.django_db
def test_tries_of_shown_numbers_do_not_close_the_way_of_those_who_show_none(cast: Cast) -> None:
    for guess in range(70):
        assert identify_by_pin(cast.now, f"99{guess}", "555019", f"+346000000{guess:02}") == UNKNOWN
    known(by_pin("plus", cast.now))


# ---- what the duty managers are told ----


@pytest.mark.django_db
def test_the_duty_managers_are_told_which_contract_was_closed_once_an_hour(cast: Cast) -> None:
    for _ in range(4):
        by_pin("plus", cast.now, "555019", NUMBER)
    assert told_managers() == []
    for _ in range(3):
        by_pin("plus", cast.now, "555019", NUMBER)
    (mail,) = told_managers()
    with translation.override(cast.people["duty_manager"].language):
        assert mail.startswith(translation.gettext("Wrong PINs or codes on the phone line"))
    assert "4071" in mail
    assert "555019" not in mail
    assert mails_to(EMAILS["engineer"]) == []
    for minute in (61, 62, 63, 64, 65, 66):
        by_pin("plus", cast.now + timedelta(minutes=minute), "555019", NUMBER)
    assert len(told_managers()) == 2


@pytest.mark.django_db
def test_a_contract_that_does_not_exist_is_told_like_one_that_does(cast: Cast) -> None:
    for _ in range(5):
        identify_by_pin(cast.now, "9999", "555019", NUMBER)
    (mail,) = told_managers()
    assert "9999" in mail


@pytest.mark.django_db
def test_the_duty_managers_are_told_which_case_was_closed_also_where_staff_took_some_of_its_wrong_codes(
    cast: Cast,
) -> None:
    number = cast.open().number
    bad = wrong(case_code(row(cast, number)))
    with pytest.raises(Refused):
        confirm_call(cast.engineer, cast.now, number, "code", bad)
    for _ in range(3):
        identify_by_code(cast.now, number, bad, NUMBER)
    assert told_managers() == []
    identify_by_code(cast.now, number, bad, NUMBER)
    assert identify_by_code(cast.now, number, bad, NUMBER) == CLOSED
    (mail,) = told_managers()
    assert number in mail


@pytest.mark.django_db
def test_a_flood_of_guesses_without_a_number_sends_ten_mails_and_the_one_that_says_so(cast: Cast) -> None:
    for guess in range(60):
        identify_by_pin(cast.now, f"99{guess // 5}", "555019", "anonymous")
    told = told_managers()
    assert len(told) == 11
    assert "60" in told[-1]
    assert identify_by_pin(cast.now, "2210", "555019", "") == CLOSED
    later = cast.now + timedelta(minutes=61)
    for guess in range(60):
        identify_by_pin(later, f"99{guess // 5}", "555019", "anonymous")
    assert len(told_managers()) == 22


@pytest.mark.django_db
def test_every_duty_manager_is_told_in_the_own_language(cast: Cast) -> None:
    Person.objects.filter(email=EMAILS["duty_manager"]).update(language="en")
    Person.objects.filter(email=EMAILS["releaser"]).update(roles=["duty_manager"])
    for _ in range(5):
        by_pin("plus", cast.now, "555019", NUMBER)
    (mail,) = told_managers()
    assert mail.startswith("Wrong PINs or codes on the phone line")
    assert "Within an hour 5 wrong PINs" in mail
    assert len(mails_to(EMAILS["releaser"])) == 1


@pytest.mark.django_db
def test_the_wrong_pin_itself_is_kept_nowhere(cast: Cast) -> None:
    by_pin("plus", cast.now, "555019", NUMBER)
    (kept,) = WrongPin.objects.all()
    assert (kept.what, kept.caller, kept.tried_at) == ("4071", NUMBER, cast.now)


# ---- by a case's code ----


@pytest.mark.django_db
def test_a_code_stands_for_its_case_and_names_nobody(cast: Cast) -> None:
    number = cast.open().number
    caller = known(identify_by_code(cast.now, number, case_code(row(cast, number)), NUMBER))
    assert (caller.case, caller.person_id, caller.name) == (number, None, "")
    assert (caller.standing.contract, caller.standing.tier, caller.standing.refusal) == ("in_force", PREMIUM_TIER, "")


@pytest.mark.django_db
def test_a_code_counts_after_the_contract_is_over_for_its_case_finishes_under_its_terms(cast: Cast) -> None:
    number = cast.open().number
    Contract.objects.of_company(cast.people["plus"].company_id).update(ends_on=cast.now.date())
    standing = known(identify_by_code(cast.now, number, case_code(row(cast, number)), NUMBER)).standing
    assert (standing.contract, standing.tier, standing.refusal) == ("expired", PREMIUM_TIER, "")


@pytest.mark.django_db
def test_the_code_of_a_plan_without_a_phone_line_gives_no_right_to_phone(cast: Cast) -> None:
    number = cast.open("standard").number
    caller = known(identify_by_code(cast.now, number, case_code(row(cast, number)), NUMBER))
    assert caller.standing.refusal == "no_phone"


@pytest.mark.django_db
def test_the_code_of_one_case_is_not_that_of_another(cast: Cast) -> None:
    first, second = cast.open().number, cast.open().number
    assert identify_by_code(cast.now, second, case_code(row(cast, first)), NUMBER) == UNKNOWN


@pytest.mark.django_db
def test_a_closed_case_sounds_like_none(cast: Cast) -> None:
    number = cast.open().number
    code = case_code(row(cast, number))
    close_case(cast.plus, cast.now, number, "withdrawn", "Solved by itself.")
    assert identify_by_code(cast.now, number, code, NUMBER) == UNKNOWN


@pytest.mark.django_db
def test_wrong_codes_close_a_case_for_line_and_staff_alike(cast: Cast) -> None:
    number = cast.open().number
    code = case_code(row(cast, number))
    with pytest.raises(Refused, match="not the code"):
        confirm_call(cast.engineer, cast.now, number, "code", wrong(code))
    for _ in range(4):
        assert identify_by_code(cast.now, number, wrong(code), "") == UNKNOWN
    assert identify_by_code(cast.now, number, code, "") == CLOSED
    with pytest.raises(Refused, match="Too many wrong codes"):
        confirm_call(cast.engineer, cast.now, number, "code", code)
    assert types(cast, number).count("phone_code_refused") == 5
    known(identify_by_code(cast.now + timedelta(minutes=61), number, code, ""))


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["40000012", "12345678", "", "9" * 40])
def test_a_case_that_does_not_exist_closes_like_one_that_does(cast: Cast, number: str) -> None:
    real = cast.open().number
    bad = wrong(case_code(row(cast, real)))
    told = [[identify_by_code(cast.now, one, bad, "") for _ in range(7)] for one in (real, number)]
    assert told[0] == told[1]
    assert told[0][4:6] == [UNKNOWN, CLOSED]


@pytest.mark.django_db
def test_wrong_codes_and_wrong_pins_of_a_shown_number_count_together(cast: Cast) -> None:
    for case in range(5):
        identify_by_code(cast.now, f"1234567{case}", "555019", NUMBER)
    for contract in range(5):
        identify_by_pin(cast.now, f"99{contract}", "555019", NUMBER)
    assert by_pin("plus", cast.now, caller=NUMBER) == CLOSED


# ---- at the same instant ----


@pytest.mark.django_db(transaction=True)
def test_ten_who_guess_at_the_same_instant_have_five_tries_between_them(keys: None, now: datetime) -> None:
    make_cast(now)
    guesses = [partial(identify_by_pin, now, "4071", f"55501{n}", f"+3460000000{n}") for n in range(10)]
    _demand_five_tries(guesses)
    assert identify_by_pin(now, "4071", "407118", "") == CLOSED


@pytest.mark.django_db(transaction=True)
def test_ten_who_guess_a_code_at_the_same_instant_have_five_tries_between_them(keys: None, now: datetime) -> None:
    cast = make_cast(now)
    number = cast.open().number
    bad = wrong(case_code(row(cast, number)))
    _demand_five_tries([lambda: identify_by_code(now, number, bad, "") for _ in range(10)])
    assert types(cast, number).count("phone_code_refused") == 5


@pytest.mark.django_db(transaction=True)
def test_one_number_that_guesses_everywhere_at_the_same_instant_has_ten_tries(keys: None, now: datetime) -> None:
    make_cast(now)
    answers = at_once([partial(identify_by_pin, now, f"9{n}", "555019", NUMBER) for n in range(16)])
    assert raised(answers) == []
    assert (answers.count(UNKNOWN), answers.count(CLOSED)) == (10, 6)


@pytest.mark.django_db(transaction=True)
def test_sixteen_without_a_number_who_guess_everywhere_at_the_same_instant_have_what_is_left(
    keys: None, now: datetime
) -> None:
    make_cast(now)
    for guess in range(50):
        identify_by_pin(now, f"98{guess}", "555019", "")
    answers = at_once([partial(identify_by_pin, now, f"9{n}", "555019", HIDDEN[n % 5]) for n in range(16)])
    assert raised(answers) == []
    assert (answers.count(UNKNOWN), answers.count(CLOSED)) == (10, 6)
    assert WrongPin.objects.count() == 60
    assert len(told_managers()) == 1


def _demand_five_tries(guesses: Sequence[Callable[[], KnownCaller | UnknownCaller]]) -> None:
    answers = returned(at_once(guesses))
    assert (answers.count(UNKNOWN), answers.count(CLOSED)) == (5, 5)
    assert WrongPin.objects.count() == 5
