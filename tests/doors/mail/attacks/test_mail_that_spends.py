"""Attacks on what mail may spend and open: a signed message handed in again, words that nobody proven said."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from tests.support.cast import EMAILS, Cast
from tests.support.letters import FORGED, PROVEN, UNPROVEN, arrival

from guardia.features.accounts.models import Person
from guardia.features.cases.models import Case
from guardia.features.contracts.models import QuotaEntry
from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.rules.arrived import Arrival, Verdict
from guardia.journeys.adjust_quota import adjust_quota
from guardia.journeys.clear_quarantine import accept_mail
from guardia.journeys.receive_mail import receive_mail
from guardia.kernel.ids import uuid7

WHY = "the test's own"
PREMIUM: dict[str, Any] = {"severity": 2, "case_class": "premium"}


def again(one: Arrival, now: Any) -> Arrival:
    """The same message with other bytes around its words and another envelope, as whoever replays it hands it in."""
    other = arrival(now, one.letter.sender)
    envelope = replace(other.envelope, sender="x@evil.example")
    return Arrival(envelope, one.letter, Verdict("none", "pass", "pass", is_proven=True))


def charges() -> int:
    return QuotaEntry.objects.across_companies(WHY).filter(kind="reserve").count()


@pytest.mark.django_db
def test_attack_a_signed_message_handed_in_again_opens_and_spends_once(cast: Cast) -> None:
    one = arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM)
    before = charges()
    receive_mail([one, again(one, cast.now)], cast.now)
    (received,) = receive_mail([again(one, cast.now)], cast.now)
    assert (received.outcome, received.reason) == ("refused", "repeated")
    assert Case.objects.across_companies(WHY).count() == 1
    assert charges() == before + 1


@pytest.mark.django_db
def test_a_forged_copy_that_came_first_keeps_the_true_one_out_of_nothing(cast: Cast) -> None:
    one = arrival(cast.now, EMAILS["plus"], PROVEN)
    receive_mail([replace(again(one, cast.now), verdict=FORGED)], cast.now)
    (received,) = receive_mail([one], cast.now)
    assert received.outcome == "case"


@pytest.mark.django_db
def test_the_same_id_with_other_words_is_another_message(cast: Cast) -> None:
    one = arrival(cast.now, EMAILS["plus"], PROVEN)
    other = again(one, cast.now)
    other = replace(other, letter=replace(one.letter, text="Otra cosa distinta."))
    assert [received.outcome for received in receive_mail([one, other], cast.now)] == ["case", "case"]


@pytest.mark.django_db
@pytest.mark.parametrize("verdict", [UNPROVEN, FORGED])
def test_attack_a_message_that_staff_accept_spends_nothing_by_its_words(cast: Cast, verdict: Verdict) -> None:
    """Nobody who may consent has said them: the class is asked for."""
    one = arrival(cast.now, EMAILS["plus"], verdict, stated=PREMIUM)
    receive_mail([one], cast.now)
    before = charges()
    person = Person.objects.get(email=EMAILS["plus"])
    accept_mail(cast.engineer, cast.now, one.envelope.id, person.id, "It is hers, she says on the phone.")
    (received,) = receive_mail([replace(one, vouched_for=person.id)], cast.now)
    case = Case.objects.across_companies(WHY).get(id=received.case_id or UUID(int=0))
    assert (case.case_class, case.severity) == ("undecided", 2)
    assert charges() == before


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["vouched", "proved"])
def test_attack_a_stranger_whom_a_contact_vouches_for_spends_nothing(cast: Cast, how: str) -> None:
    """Who vouches sees no word of it; who proves it as the own one has said that every word is."""
    one = arrival(cast.now, "somebody@home.example", UNPROVEN, stated=PREMIUM)
    receive_mail([one], cast.now)
    before = charges()
    person = Person.objects.get(email=EMAILS["plus"])
    InboundMail.objects.filter(id=one.envelope.id).update(
        outcome="accepted", person_id=person.id, company_id=person.company_id, settled_at=cast.now, settled_how=how
    )
    receive_mail([replace(one, vouched_for=person.id)], cast.now)
    assert charges() - before == int(how == "proved")


@pytest.mark.django_db
def test_attack_a_case_and_an_answer_in_one_batch_do_not_spend_the_last_incident_twice(cast: Cast) -> None:
    first = arrival(cast.now, EMAILS["plus"], PROVEN)
    (opened,) = receive_mail([first], cast.now)
    message_id = OutboundMail.objects.filter(case_id=opened.case_id, address=EMAILS["plus"])[0].message_id
    while True:
        (received,) = receive_mail([arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM)], cast.now)
        case = Case.objects.across_companies(WHY).get(id=received.case_id or UUID(int=0))
        if case.case_class != "premium":
            break
    spent = charges()
    batch = [
        arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM),
        arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM, in_reply_to=(message_id,)),
    ]
    assert [one.outcome for one in receive_mail(batch, cast.now)] == ["case", "reply"]
    assert charges() == spent


@pytest.mark.django_db
def test_attack_an_address_with_letters_that_only_look_or_fold_like_hers(cast: Cast) -> None:
    """A dotless i and a long s are I and S in capitals: in a search without regard to case they would be hers."""
    sender = EMAILS["plus"]
    for odd in (sender.replace("i", "\u0131", 1), sender.replace("s", "\u017f", 1)):
        (received,) = receive_mail([arrival(cast.now, odd, PROVEN)], cast.now)
        assert (received.outcome, received.reason) == ("quarantined", "unknown_sender")
        assert InboundMail.objects.get(id=received.id).person_id is None


@pytest.mark.django_db(transaction=True)
def test_attack_the_last_incident_stated_to_two_workers_at_once(cast: Cast) -> None:
    before = charges()
    while True:
        (received,) = receive_mail([arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM)], cast.now)
        if Case.objects.across_companies(WHY).get(id=received.case_id or UUID(int=0)).case_class != "premium":
            break
    most = charges() - before + 1
    adjust_quota(cast.duty_manager, cast.now, "MSA-4071", 1, "Goodwill")
    start = Barrier(2)

    def work(_worker: int) -> None:
        try:
            start.wait()
            receive_mail([arrival(cast.now, EMAILS["plus"], PROVEN, stated=PREMIUM)], cast.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        list(both.map(work, range(2)))
    assert charges() - before == most


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("message_id", ["one@astilleros.example", ""])
def test_attack_the_same_bytes_handed_to_two_workers_at_once(cast: Cast, message_id: str) -> None:
    one = arrival(cast.now, EMAILS["plus"], PROVEN, message_id=message_id)
    same = [replace(one, envelope=replace(one.envelope, id=uuid7())) for _ in range(4)]
    start = Barrier(4)

    def work(one: Arrival) -> None:
        try:
            start.wait()
            receive_mail([one], cast.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as all_four:
        list(all_four.map(work, same))
    assert Case.objects.across_companies(WHY).count() == 1
    assert InboundMail.objects.filter(reason="repeated").count() == 3
