"""The quarantine as staff clear it: who may, what is kept of it, and two people at the same message at once."""

from uuid import UUID, uuid4

import pytest
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast, make_cast
from tests.support.mail_cast import SECRET_WORDS, STRANGER, kept_mail, sent, words_of

from guardia.features.mail.models import InboundMail
from guardia.journeys.clear_quarantine import accept_mail, put_back, refuse_mail
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused

pytestmark = pytest.mark.django_db
WHY = "Lucía phoned and read the message aloud."


def again(mail: InboundMail) -> InboundMail:
    return InboundMail.objects.get(id=mail.id)


def acts(mail: InboundMail) -> list[str]:
    return list(AuditEntry.objects.filter(thing=f"mail {mail.id}").order_by("id").values_list("act", flat=True))


def test_a_message_is_accepted_for_a_contact_as_the_decision_of_staff(cast: Cast) -> None:
    mail = kept_mail(cast.now, sender=STRANGER, reason="unknown_sender")
    accept_mail(cast.engineer, cast.now, mail.id, UUID(cast.plus.id), WHY)
    row = again(mail)
    assert (row.outcome, str(row.person_id), row.company_id) == ("accepted", cast.plus.id, cast.plus.company_id)
    assert (row.settled_how, row.settled_by_name, row.settled_why) == ("accepted", cast.engineer.name, WHY)
    entry = AuditEntry.objects.get(thing=f"mail {mail.id}", act="mail_accepted")
    assert (entry.actor["id"], entry.detail["reason"]) == (cast.engineer.id, WHY)


def test_only_engineers_and_duty_managers_decide(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    for part in ("reviewer", "account_manager", "plus", "plus_admin"):
        with pytest.raises(Forbidden):
            accept_mail(cast.actors[part], cast.now, mail.id, UUID(cast.plus.id), WHY)
        with pytest.raises(Forbidden):
            refuse_mail(cast.actors[part], cast.now, mail.id, WHY)
    refuse_mail(cast.duty_manager, cast.now, mail.id, WHY)
    assert again(mail).outcome == "refused"


def test_only_contacts_of_customers_are_chosen(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    for person in (UUID(cast.analyst.id), uuid4()):
        with pytest.raises(Invalid):
            accept_mail(cast.engineer, cast.now, mail.id, person, WHY)
    with pytest.raises(Invalid):
        accept_mail(cast.engineer, cast.now, mail.id, UUID(cast.plus.id), "")
    with pytest.raises(Invalid):
        refuse_mail(cast.engineer, cast.now, mail.id, "x" * 301)
    with pytest.raises(NotFound):
        refuse_mail(cast.engineer, cast.now, uuid4(), WHY)
    assert again(mail).outcome == "quarantined"


def test_a_refusal_is_told_to_a_contact_only_and_echoes_nothing(cast: Cast) -> None:
    contact = kept_mail(cast.now)
    stranger = kept_mail(cast.now, sender=STRANGER, reason="unknown_sender")
    quiet = kept_mail(cast.now)
    refuse_mail(cast.engineer, cast.now, contact.id, "Advertising", tell_sender=True)
    refuse_mail(cast.engineer, cast.now, stranger.id, "Advertising", tell_sender=True)
    refuse_mail(cast.engineer, cast.now, quiet.id, "Advertising")
    (told,) = sent()
    assert (told.address, told.topic) == ("lucia.ferrer@astilleros.example", "refused")
    assert "Advertising" in words_of(told)
    assert SECRET_WORDS not in words_of(told)


def test_a_refusal_is_put_back_and_settled_anew(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    with pytest.raises(Refused):
        put_back(cast.engineer, cast.now, mail.id, "It was not refused yet")
    refuse_mail(cast.engineer, cast.now, mail.id, "Advertising")
    put_back(cast.duty_manager, cast.now, mail.id, "It was no advertising")
    row = again(mail)
    assert (row.outcome, row.reason, row.settled_at, row.settled_how) == ("quarantined", "unproven", None, "")
    accept_mail(cast.engineer, cast.now, mail.id, UUID(cast.plus.id), WHY)
    assert acts(mail) == ["mail_refused", "mail_put_back", "mail_accepted"]


def test_what_the_rules_refused_is_not_put_back(cast: Cast) -> None:
    mail = kept_mail(cast.now, outcome="refused", reason="automatic")
    with pytest.raises(Refused):
        put_back(cast.engineer, cast.now, mail.id, WHY)


def test_a_form_that_is_sent_twice_is_done_once(cast: Cast) -> None:
    mail = kept_mail(cast.now)
    for _ in range(2):
        refuse_mail(cast.engineer, cast.now, mail.id, WHY, tell_sender=True, idempotency_key="form-1")
    assert acts(mail) == ["mail_refused"]
    assert len(sent()) == 1
    with pytest.raises(Refused, match=cast.engineer.name):
        accept_mail(cast.duty_manager, cast.now, mail.id, UUID(cast.plus.id), WHY, idempotency_key="form-2")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("keys")
def test_of_two_people_at_one_message_one_decides() -> None:
    from tests.conftest import MONDAY_10  # noqa: PLC0415  the fixture of the frozen present does not reach threads

    cast = make_cast(MONDAY_10)
    mail = kept_mail(cast.now)
    answers = at_once(
        [
            lambda: accept_mail(cast.engineer, cast.now, mail.id, UUID(cast.plus.id), WHY),
            lambda: accept_mail(cast.duty_manager, cast.now, mail.id, UUID(cast.plus_admin.id), WHY),
            lambda: refuse_mail(cast.duty_manager, cast.now, mail.id, "Advertising", tell_sender=True),
        ]
    )
    assert len(returned(answers)) == 1
    assert all(isinstance(one, Refused) for one in raised(answers))
    assert len(acts(mail)) == 1
