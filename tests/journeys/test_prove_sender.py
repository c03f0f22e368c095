"""A message whose sender nobody could prove: links, vouching, denial; nobody learns a word of it on the way."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast, make_cast
from tests.support.mail_cast import SECRET_WORDS, STRANGER, kept_mail, link_token, sent, words_of

from guardia.features.accounts.models import Person
from guardia.features.mail.models import InboundMail, SenderProof
from guardia.features.mail.operations import post_mails
from guardia.features.mail.rules.references import reference_of
from guardia.features.mail.rules.tokens import mail_key
from guardia.journeys.prove_sender import (
    ask_contact,
    confirm_proof,
    deny_proof,
    disown,
    neutral_acknowledgement,
    offer_proof,
    vouch,
)
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.errors import Forbidden, NotFound, Refused

pytestmark = pytest.mark.django_db

LUCIA, IVAN = "lucia.ferrer@astilleros.example", "ivan.roldan@astilleros.example"
SARA = "sara.vidal@ceramicas.example"


def reference(mail: InboundMail) -> str:
    return reference_of(mail_key(settings.GUARDIA.secret_key.reveal()), mail.id)


def again(mail: InboundMail) -> InboundMail:
    return InboundMail.objects.get(id=mail.id)


def only_link(**wanted: object) -> str:
    (mail,) = sent(topic="proof", **wanted)
    return link_token(mail)


def test_the_sender_of_a_message_proves_it_and_it_counts_from_its_arrival(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA.upper(), LUCIA)
    token = only_link()
    proved = confirm_proof(token, cast.now + timedelta(hours=71))
    row = again(mail)
    assert (proved.id, proved.arrived_at) == (mail.id, mail.arrived_at)
    assert (row.outcome, row.settled_how, str(row.person_id)) == ("accepted", "proved", cast.plus.id)
    assert row.company_id == cast.plus.company_id
    assert AuditEntry.objects.filter(act="mail_accepted", thing=f"mail {mail.id}").count() == 1


def test_what_is_mailed_tells_nothing_that_the_sender_chose(cast: Cast) -> None:
    mail = kept_mail(cast.now, sender=STRANGER, sender_name="BUY NOW", reason="unknown_sender")
    ask_contact(cast.now, "", IVAN, reference(mail))
    with transaction.atomic():
        post_mails([neutral_acknowledgement(mail, "en", cast.now)], cast.now)
    mails = sent()
    assert {one.topic for one in mails} == {"proof", "acknowledged"}
    for one in mails:
        told = words_of(one)
        assert SECRET_WORDS not in told
        assert "BUY NOW" not in told
        assert STRANGER not in told
        assert settings.GUARDIA.phone in told
    (neutral,) = sent(topic="acknowledged")
    assert (neutral.answers_id, neutral.is_automatic, neutral.why) == (mail.id, True, "stranger")


def test_mails_speak_the_language_of_their_reader(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    Person.objects.filter(email=LUCIA).update(language="es")
    ask_contact(cast.now, LUCIA, LUCIA)
    assert sent()[0].language == "es"
    assert neutral_acknowledgement(mail, "en", cast.now).language == "en"


def test_a_named_contact_vouches_for_a_colleague_whose_message_it_becomes(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, IVAN)
    confirm_proof(only_link(), cast.now)
    row = again(mail)
    assert (row.settled_how, str(row.person_id), row.settled_by_name) == (
        "vouched",
        cast.plus.id,
        cast.plus_second.name,
    )


def test_nothing_is_sent_to_whoever_may_not_stand_up_for_a_message(cast: Cast) -> None:
    kept_mail(cast.now)
    stranger = kept_mail(cast.now, sender=STRANGER, reason="unknown_sender")
    staff = kept_mail(cast.now, sender="marta.ibanez@guardia.example", reason="staff_sender")
    for sender, contact, mark in (
        (LUCIA, SARA, ""),  # another company's contact
        (LUCIA, "nobody@nowhere.example", ""),
        (LUCIA, "marta.ibanez@guardia.example", ""),  # the vendor's staff
        (LUCIA, "", ""),
        (STRANGER, SARA, ""),  # a stranger's message is asked for with its reference only: others could read it
        (STRANGER, SARA, reference(staff)),
        (STRANGER, SARA, "a" * 42),
        ("marta.ibanez@guardia.example", LUCIA, ""),
        ("nobody@nowhere.example", LUCIA, ""),
    ):
        ask_contact(cast.now, sender, contact, mark)
    assert not sent()
    assert not SenderProof.objects.exists()
    ask_contact(cast.now, "", SARA, reference(stranger))
    assert len(sent()) == 1


def test_a_contact_who_is_not_named_does_not_vouch_for_a_colleague(cast: Cast) -> None:
    company = cast.people["plus"].company
    Person.objects.create(email="new@astilleros.example", name="New", company=company, created_at=cast.now)
    kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, "new@astilleros.example")
    ask_contact(cast.now, LUCIA, "carmen.ruiz@astilleros.example")  # an administrator, but no named contact
    assert not sent()


def test_a_link_is_good_once_for_72_hours_and_only_while_the_message_waits(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)
    ask_contact(cast.now, LUCIA, IVAN)
    first, second = (link_token(one) for one in sent(topic="proof"))
    with pytest.raises(NotFound):
        confirm_proof(first, cast.now + timedelta(hours=72))
    with pytest.raises(NotFound):
        confirm_proof("unknown", cast.now)
    confirm_proof(first, cast.now)
    with pytest.raises(NotFound):
        confirm_proof(first, cast.now)
    with pytest.raises(Refused):
        deny_proof(second, cast.now)
    assert again(mail).outcome == "accepted"


def test_whoever_left_the_company_confirms_nothing(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, IVAN)
    Person.objects.filter(email=IVAN).update(is_active=False)
    with pytest.raises(NotFound):
        confirm_proof(only_link(), cast.now)
    assert again(mail).outcome == "quarantined"


def test_a_denied_message_is_refused_and_the_people_on_duty_are_told(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)
    deny_proof(only_link(), cast.now)
    row = again(mail)
    assert (row.outcome, row.reason, row.settled_how) == ("refused", "denied", "refused")
    alarms = sent(topic="alarm")
    assert alarms
    assert all(one.address.endswith("@guardia.example") and SECRET_WORDS not in words_of(one) for one in alarms)


def test_three_links_an_hour_go_to_a_person_and_three_more_where_they_are_asked_for(cast: Cast) -> None:
    """Whoever forges messages of a contact does not keep that contact from asking for a link."""
    mail = kept_mail(cast.now)
    with transaction.atomic():
        offered = [offer_proof(mail, cast.people["plus"], cast.now, is_own=True) for _ in range(5)]
    assert [one is None for one in offered] == [False, False, False, True, True]
    for _ in range(5):
        ask_contact(cast.now, LUCIA, LUCIA)
    assert len(sent(topic="proof")) == 3
    ask_contact(cast.now + timedelta(hours=1, seconds=1), LUCIA, LUCIA)
    assert len(sent(topic="proof")) == 4


def test_a_link_that_answers_a_message_is_automatic_and_one_that_was_asked_for_is_not(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    with transaction.atomic():
        new = offer_proof(mail, cast.people["plus"], cast.now, is_own=True)
        assert new is not None
        post_mails([new], cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)
    first, second = sent(topic="proof")
    assert (first.is_automatic, first.answers_id) == (True, mail.id)
    assert (second.is_automatic, second.answers_id) == (False, None)


def test_a_contact_who_is_signed_in_vouches_for_messages_of_the_own_company_only(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    with pytest.raises(NotFound):
        vouch(cast.standard, cast.now, mail.id)
    with pytest.raises(NotFound):
        vouch(cast.engineer, cast.now, mail.id)
    with pytest.raises(NotFound):
        vouch(cast.plus, cast.now, UUID(int=1))
    vouch(cast.plus_second, cast.now, mail.id, idempotency_key="once")
    vouch(cast.plus_second, cast.now, mail.id, idempotency_key="once")
    with pytest.raises(Refused):
        vouch(cast.plus, cast.now, mail.id)
    assert again(mail).settled_how == "vouched"


def test_a_message_for_staff_alone_is_not_vouched_for(cast: Cast) -> None:
    mail = kept_mail(cast.now, reason="too_many")
    with pytest.raises(Forbidden):
        vouch(cast.plus, cast.now, mail.id)


def test_a_company_disowns_a_message_that_nobody_of_it_wrote(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    with pytest.raises(NotFound):
        disown(cast.standard, cast.now, mail.id)
    disown(cast.plus, cast.now, mail.id)
    assert again(mail).reason == "denied"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("keys")
def test_of_two_who_answer_links_at_once_one_decides() -> None:
    from tests.conftest import MONDAY_10  # noqa: PLC0415  the fixture of the frozen present does not reach threads

    cast = make_cast(MONDAY_10)
    mail = kept_mail(cast.now)
    ask_contact(cast.now, LUCIA, LUCIA)
    ask_contact(cast.now, LUCIA, IVAN)
    first, second = (link_token(one) for one in sent(topic="proof"))
    answers = at_once(
        [
            lambda: confirm_proof(first, cast.now),
            lambda: confirm_proof(first, cast.now),
            lambda: deny_proof(second, cast.now),
        ]
    )
    assert len(returned(answers)) == 1
    assert all(isinstance(one, NotFound | Refused) for one in raised(answers))
    assert AuditEntry.objects.filter(thing=f"mail {mail.id}", act__in=["mail_accepted", "mail_denied"]).count() == 1
