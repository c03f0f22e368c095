"""The section of a case that says what was mailed, and the page where people choose what is."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from tests.doors.stage import Stage, with_token

from guardia.adapters.mail_transport import RememberedTransport
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import AddressStanding, NotificationRule, OutboundMail
from guardia.features.mail.operations import set_standing
from guardia.journeys.move_case import close_case
from guardia.journeys.send_mail import send_due
from guardia.journeys.take_case import take_case
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.outside import replaced
from guardia.reports.case_mail import case_mail
from guardia.reports.own_letters import mail_bytes

pytestmark = pytest.mark.django_db


def held(stage: Stage) -> str:
    number = stage.cast.open("plus").number
    take_case(stage.cast.engineer, stage.cast.now, number)
    return number


def mails(stage: Stage, number: str) -> Any:
    case = get_case_for(stage.cast.engineer, number)
    return OutboundMail.objects.filter(case_id=case.id).order_by("created_at", "id")


def page(stage: Stage, part: str, address: str) -> str:
    return stage.browser(part).get(address).content.decode()


def test_a_case_says_what_was_mailed_to_whom_why_and_what_became_of_it(stage: Stage) -> None:
    number = held(stage)
    with replaced(mail_transport=RememberedTransport()):
        send_due(lambda: stage.cast.now + timedelta(minutes=1), mail_bytes)
    (line, *_rest) = case_mail(stage.cast.engineer, number)
    assert (line.title, line.outcome, line.tone) == ("Request received", "Taken by the mail server", "")
    assert line.address.endswith("@astilleros.example")
    console, portal = page(stage, "engineer", f"/console/cases/{number}/"), page(stage, "plus", f"/cases/{number}/")
    for text in (console, portal):
        assert "Taken by the mail server" in text
        assert line.why in text
    assert line.address in console


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"state": "failed", "last_reply": "550 5.1.1 no such user"}, "Not delivered: given up"),
        ({"state": "uncertain"}, "Perhaps delivered: the server&#x27;s answer is missing"),
        ({"state": "withheld", "last_reply": "limit"}, "Too many automatic mails to this address within an hour."),
        ({"state": "sent", "fate": "bounced", "fate_detail": "5.1.1 gone"}, "Came back: not delivered"),
        ({"state": "sent", "fate": "complained"}, "Delivered, and marked as spam by its reader"),
        ({"state": "sent", "fate": "delayed"}, "is delayed"),
    ],
)
def test_what_went_wrong_is_said_and_the_servers_words_are_for_staff(
    stage: Stage, facts: dict[str, str], said: str
) -> None:
    number = held(stage)
    mails(stage, number).update(**facts)
    console, portal = page(stage, "engineer", f"/console/cases/{number}/"), page(stage, "plus", f"/cases/{number}/")
    assert said in console
    assert said in portal
    for words in ("no such user", "5.1.1 gone"):
        assert words not in portal
        assert (words in console) == (words in facts.values() or f"550 5.1.1 {words}" in facts.values())


def test_customers_see_mails_to_their_own_people_only(stage: Stage) -> None:
    number = held(stage)
    staff = stage.cast.people["engineer"]
    mails(stage, number).update(person_id=staff.id, address=staff.email)
    assert case_mail(stage.cast.plus, number) == ()
    portal = page(stage, "plus", f"/cases/{number}/")
    assert staff.email not in portal
    assert "Nothing was mailed about this request yet." in portal
    assert staff.email in page(stage, "engineer", f"/console/cases/{number}/")


def test_a_mail_that_was_given_up_is_sent_again_once_and_the_trail_keeps_it(stage: Stage) -> None:
    number = held(stage)
    mail = mails(stage, number)[0]
    with transaction.atomic():
        set_standing(mail.address, "failing", stage.cast.now, "550")
    mails(stage, number).filter(id=mail.id).update(state="failed", next_attempt_at=None, attempts=9)
    browser, form = stage.browser("engineer"), with_token()
    url = f"/console/cases/{number}/mails/{mail.id}/again/"
    assert [browser.post(url, form).status_code for _ in range(2)] == [303, 303]
    again = mails(stage, number).get(id=mail.id)
    assert (again.state, again.attempts, again.message_id) == ("waiting", 0, mail.message_id)
    assert not AddressStanding.objects.exists()
    assert AuditEntry.objects.filter(act="send_mail_again", thing=f"mail {mail.id}").count() == 1
    refused = browser.post(url, with_token())
    assert refused.status_code == 409
    assert "This mail was sent, or is on its way." in refused.content.decode()


def test_a_mail_of_another_case_is_not_there(stage: Stage) -> None:
    first, second = held(stage), held(stage)
    url = f"/console/cases/{first}/mails/{mails(stage, second)[0].id}/again/"
    assert stage.browser("engineer").post(url, with_token()).status_code == 404


def test_a_person_chooses_what_is_told_by_mail(stage: Stage) -> None:
    browser, person = stage.browser("plus"), stage.cast.people["plus"]
    text = browser.get("/notifications/").content.decode()
    assert text.count(" checked") >= 7
    assert "Always sent" in text
    answer = browser.post("/notifications/choose/", with_token(topic=["opened", "merged"]))
    assert answer.status_code == 303
    assert NotificationRule.objects.get(person_id=person.id).muted == sorted(
        ["released", "closed", "reopened", "called", "split"]
    )
    number = held(stage)
    close_case(stage.cast.engineer, stage.cast.now, number, how="solved", reason="Done")
    told = set(mails(stage, number).filter(person_id=person.id).values_list("topic", flat=True))
    assert "opened" in told
    assert "closed" not in told
    assert mails(stage, number).filter(topic="closed").exclude(person_id=person.id).exists()


def test_what_people_write_and_decide_cannot_be_switched_off(stage: Stage) -> None:
    browser, person = stage.browser("plus"), stage.cast.people["plus"]
    refused = browser.post("/notifications/choose/", with_token(topic=["answered"]))
    assert refused.status_code == 422
    NotificationRule.objects.create(person_id=person.id, muted=["message", "opened"], changed_at=stage.cast.now)
    number = held(stage)
    stage.browser("engineer").post(f"/console/cases/{number}/messages/", with_token(text="A question"))
    told = set(mails(stage, number).filter(person_id=person.id).values_list("topic", flat=True))
    assert told == {"message"}


def test_staff_are_told_that_alerts_are_always_sent(stage: Stage) -> None:
    text = page(stage, "engineer", "/console/notifications/")
    assert "Nobody switches them off alone" in text
    assert "marta.ibanez@guardia.example" in text


def test_a_bouncing_address_is_told_on_the_page(stage: Stage) -> None:
    with transaction.atomic():
        set_standing(stage.cast.people["plus"].email, "failing", stage.cast.now, "550")
    assert "Mail to this address comes back" in page(stage, "plus", "/notifications/")


def test_a_password_link_is_mailed_works_and_leaves_no_secret(stage: Stage) -> None:
    transport, browser = RememberedTransport(), Client()
    email = stage.cast.people["plus"].email
    assert browser.post("/password/reset/", {"email": email}).status_code == 302
    mail = OutboundMail.objects.get(topic="account")
    assert (mail.address, mail.why, mail.person_id) == (email, "asked_password", stage.cast.people["plus"].id)
    (link,) = [paragraph for paragraph in mail.paragraphs if "url" in paragraph]
    assert link["text"] == "Set a new password"
    with replaced(mail_transport=transport):
        send_due(lambda: stage.cast.now + timedelta(minutes=1), mail_bytes)
    (raw,) = [sent.raw for sent in transport.sent if sent.id == mail.id]
    (path,) = set(re.findall(r"/password/reset/key/[\w-]+/", message_from_bytes(raw, policy=default).as_string()))
    assert path in link["url"]
    assert browser.get(path, follow=True).status_code == 200
    settled = OutboundMail.objects.get(id=mail.id)
    assert (settled.state, settled.paragraphs) == ("sent", [])


def test_an_unknown_address_is_told_so_by_mail_and_nowhere_else(stage: Stage) -> None:
    assert Client().post("/password/reset/", {"email": "nobody@nowhere.example"}).status_code == 302
    mail = OutboundMail.objects.get(topic="account")
    assert (mail.address, mail.person_id) == ("nobody@nowhere.example", None)
    assert not [paragraph for paragraph in mail.paragraphs if "url" in paragraph]
