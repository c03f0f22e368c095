"""PINs for the phone: made by the server, shown once, one's own, and of no use to whoever reads the database."""

import re
from datetime import datetime

import pytest
from django.db import transaction
from tests.journeys.promise_story import audited
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast, make_cast

from guardia.features.accounts.models import PhonePin
from guardia.features.accounts.queries import pins_of_companies
from guardia.features.accounts.rules import phone_pin
from guardia.features.contracts import operations as contracts
from guardia.features.contracts.queries import companies_of_digits, find_contract
from guardia.journeys import phone_pins
from guardia.journeys.identify_caller import KnownCaller, UnknownCaller, identify_by_pin
from guardia.journeys.phone_pins import make_pin, pin_made_at, remove_pin
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.errors import Forbidden

SHOWN = "+34600111222"


def test_a_guessable_pin_is_known_as_such() -> None:
    for pin in ("000000", "123456", "987654", "890123", "111222", "407407", "121212"):
        assert phone_pin.is_guessable(pin), pin
    for pin in ("407118", "290653", "583204", "120948"):
        assert not phone_pin.is_guessable(pin), pin


def test_what_is_made_is_never_guessable_and_seldom_the_same() -> None:
    made = [phone_pin.make_pin() for _ in range(2000)]
    assert all(re.fullmatch("[0-9]{6}", pin) for pin in made)
    assert not any(phone_pin.is_guessable(pin) for pin in made)
    assert len(set(made)) > 1950


@pytest.mark.django_db
def test_a_new_pin_takes_the_place_of_the_old_one(cast: Cast) -> None:
    first = make_pin(cast.plus, cast.now)
    second = make_pin(cast.plus, cast.now)
    assert pin_made_at(cast.plus) == cast.now
    assert isinstance(identify_by_pin(cast.now, "4071", second, SHOWN), KnownCaller)
    assert first == second or isinstance(identify_by_pin(cast.now, "4071", first, SHOWN), UnknownCaller)


@pytest.mark.django_db
def test_what_was_removed_lets_nobody_in_and_can_be_removed_again(cast: Cast) -> None:
    pin = make_pin(cast.plus, cast.now)
    remove_pin(cast.plus, cast.now)
    remove_pin(cast.plus, cast.now)
    assert pin_made_at(cast.plus) is None
    assert identify_by_pin(cast.now, "4071", pin, SHOWN) == UnknownCaller()
    assert len(audited("phone_pin_removed")) == 1


@pytest.mark.django_db
def test_neither_the_row_nor_the_trail_holds_the_pin(cast: Cast) -> None:
    pin = make_pin(cast.plus, cast.now)
    row = PhonePin.objects.visible_to(cast.plus).get(person_id=cast.plus.id)
    assert re.fullmatch("[0-9a-f]{64}", row.digest)
    entry = AuditEntry.objects.get(act="phone_pin_made")
    assert pin not in f"{entry.thing.removeprefix('person ').replace(cast.plus.id, '')} {entry.detail}"
    assert row.digest != phone_pin.pin_digest(row.person_id, pin, "another key")


@pytest.mark.django_db
def test_the_vendors_staff_have_none(cast: Cast) -> None:
    for act in (lambda: make_pin(cast.engineer, cast.now), lambda: remove_pin(cast.engineer, cast.now)):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(Forbidden):
        pin_made_at(cast.engineer)


def _drawing(monkeypatch: pytest.MonkeyPatch, *pins: str) -> None:
    drawn = iter(pins)
    monkeypatch.setattr(phone_pin, "make_pin", lambda: next(drawn))


@pytest.mark.django_db
def test_two_people_of_a_company_never_have_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _drawing(monkeypatch, "704913", "704913", "861529")
    assert make_pin(cast.plus, cast.now) == "704913"
    assert make_pin(cast.plus_second, cast.now) == "861529"


@pytest.mark.django_db
def test_two_people_whose_contracts_sound_alike_never_have_the_same(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sounding_alike(cast)
    _drawing(monkeypatch, "704913", "704913", "861529")
    assert make_pin(cast.plus, cast.now) == "704913"
    assert make_pin(cast.standard, cast.now) == "861529"


@pytest.mark.django_db
def test_a_pin_that_two_people_have_after_all_names_neither(cast: Cast) -> None:
    _sounding_alike(cast)
    with transaction.atomic():
        for part in ("plus", "standard"):
            person = cast.people[part]
            phone_pins.keep_pin(person.id, person.company_id, "704913", cast.now)
    assert identify_by_pin(cast.now, "4071", "704913", SHOWN) == UnknownCaller()


def _sounding_alike(cast: Cast) -> None:
    """Give the standard company a second contract, whose digits are those of the plus company's."""
    contract = find_contract(cast.people["standard"].company_id, cast.now)
    assert contract is not None
    ends_on = contract.ends_on
    with transaction.atomic():
        contracts.add_contract(
            "STD-4071",
            contract.company_id,
            contract.plan,
            ends_on,
            ends_on.replace(year=ends_on.year + 1),
            contract.calendar_version_id,
            cast.now,
        )
    assert len(companies_of_digits("4071")) == 2


@pytest.mark.django_db
def test_somebody_who_left_is_known_no_more(cast: Cast) -> None:
    pin = make_pin(cast.plus, cast.now)
    person = cast.people["plus"]
    person.is_active = False
    person.save(update_fields=["is_active"])
    assert identify_by_pin(cast.now, "4071", pin, SHOWN) == UnknownCaller()


@pytest.mark.django_db(transaction=True)
def test_pins_that_are_made_at_the_same_instant_differ(
    keys: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = make_cast(now)
    lots = iter(["704913"] * 3 + ["861529"] * 3 + ["350274"] * 3)
    monkeypatch.setattr(phone_pin, "make_pin", lambda: next(lots))
    parts = ("plus", "plus_second", "plus_admin")
    answers = at_once([lambda part=part: make_pin(cast.actors[part], cast.now) for part in parts])  # type: ignore[misc]
    assert raised(answers) == []
    assert set(returned(answers)) == {"704913", "861529", "350274"}
    assert pins_of_companies([cast.people["plus"].company_id]).count() == 3
