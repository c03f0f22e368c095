"""The way in without an account: one answer to everybody, links that act on a button only, no word shown."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from tests.doors.stage import Stage
from tests.support.mail_cast import SECRET_WORDS, STRANGER, kept_mail, link_token, sent

from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import InboundMail, SenderProof
from guardia.features.mail.rules.references import reference_of
from guardia.features.mail.rules.tokens import mail_key
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
HERE = "/locked-out/"
LUCIA, IVAN = "lucia.ferrer@astilleros.example", "ivan.roldan@astilleros.example"


@pytest.fixture(autouse=True)
def fresh_limits(db: None) -> None:
    cache.clear()


def ask(browser: Client, **fields: str) -> bytes:
    answer = browser.post(HERE, fields, follow=True)
    assert answer.status_code == 200
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content)


def visitor(language: str = "en") -> Client:
    return Client(headers={"Accept-Language": language})


def test_whatever_is_typed_gets_the_same_answer(stage: Stage) -> None:
    kept_mail(stage.cast.now)
    answers = {
        ask(visitor(), sender=sender, contact=contact)
        for sender, contact in ((LUCIA, LUCIA), (LUCIA, "sara.vidal@ceramicas.example"), ("a@b.example", "c@d.example"))
    }
    assert len(answers) == 1
    assert b"If both are known" in answers.pop()
    assert [one.address for one in sent()] == [LUCIA]


def test_a_link_is_opened_without_any_effect_and_answered_by_a_button(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now)
    ask(visitor(), sender=LUCIA, contact=IVAN)
    here = f"/prove/{link_token(sent()[0])}/"
    for _ in range(3):  # a mail scanner, then the person
        shown = visitor().get(here)
        assert shown.status_code == 200
    assert InboundMail.objects.get(id=mail.id).outcome == "quarantined"
    words = shown.content.decode()
    assert "Lucía Ferrer" in words
    assert "Astilleros" in words
    assert SECRET_WORDS not in words
    assert "sample.zip" not in words
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "same-origin", "with no-referrer, browsers send no origin with the form"
    done = visitor().post(here, {"answer": "yes"}, follow=True)
    assert b"Its number follows by mail" in done.content
    assert SECRET_WORDS.encode() not in done.content
    assert InboundMail.objects.get(id=mail.id).outcome == "accepted"
    assert b"Its number follows by mail" in visitor().post(here, {"answer": "yes"}).content, "sent twice is done once"


def test_a_refused_link_says_so(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now)
    ask(visitor("es"), sender=LUCIA, contact=LUCIA)
    here = f"/prove/{link_token(sent()[0])}/"
    assert b"Refused" in visitor().post(here, {"answer": "no"}, follow=True).content
    assert InboundMail.objects.get(id=mail.id).reason == "denied"


def test_links_that_are_unknown_over_or_settled_get_a_friendly_page(stage: Stage) -> None:
    assert visitor().get("/prove/no-such-token/").status_code == 404
    assert b"This link is unknown" in visitor().get("/prove/no-such-token/").content
    assert visitor().post("/prove/no-such-token/", {"answer": "yes"}).status_code == 404
    kept_mail(stage.cast.now)
    for contact in (LUCIA, IVAN):
        ask(visitor(), sender=LUCIA, contact=contact)
    first, second = (f"/prove/{link_token(one)}/" for one in sent())
    with clock.frozen_at(stage.cast.now + timedelta(hours=73)):
        assert b"This link is over" in visitor().get(first).content
    visitor().post(first, {"answer": "yes"})
    shown = visitor().get(second)
    assert b"settled already" in shown.content
    assert b"Ferrer" not in shown.content


def test_a_stranger_proves_the_own_message_by_its_reference(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now, sender=STRANGER, reason="unknown_sender")
    ask(visitor(), sender=STRANGER, contact=IVAN)
    assert not sent(), "without the reference another company could read it"
    mark = reference_of(mail_key(settings.GUARDIA.secret_key.reveal()), mail.id)
    form = visitor().get(f"{HERE}?m={mark}").content.decode()
    assert mark in form
    assert STRANGER not in form
    ask(visitor(), reference=mark, contact=IVAN)
    shown = visitor().get(f"/prove/{link_token(sent()[0])}/").content.decode()
    assert STRANGER in shown
    assert SECRET_WORDS not in shown


def test_asking_is_limited_by_where_it_comes_from_and_by_address(stage: Stage) -> None:
    kept_mail(stage.cast.now)
    browser = visitor()
    answers = [browser.post(HERE, {"sender": LUCIA, "contact": LUCIA}) for _ in range(11)]
    assert [one.status_code for one in answers] == [303] * 10 + [429]
    assert SenderProof.objects.count() == 3


def test_what_is_missing_is_said_and_what_was_typed_is_kept(stage: Stage) -> None:
    answer = visitor().post(HERE, {"sender": "no address", "contact": IVAN})
    assert answer.status_code == 422
    assert IVAN.encode() in answer.content
    assert b"An address is needed" in answer.content


def test_the_sign_in_page_tells_of_the_path(stage: Stage) -> None:
    assert HERE.encode() in visitor().get("/sign-in/").content


def test_a_colleague_who_is_signed_in_stands_up_for_a_message(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now)
    browser = stage.browser("plus_second")
    assert b"/mail/" in browser.get("/cases/").content
    shown = browser.get("/mail/").content
    assert "Lucía Ferrer".encode() in shown
    assert SECRET_WORDS.encode() not in shown
    assert b"Ferrer" not in stage.browser("standard").get("/mail/").content
    assert stage.browser("standard").post(f"/mail/{mail.id}/vouch/", {"form_token": "1"}).status_code == 404
    assert b"/vouch/" not in stage.browser("plus_admin").get("/mail/").content
    done = browser.post(f"/mail/{mail.id}/vouch/", {"form_token": "2"}, follow=True)
    assert b"It counts from its arrival" in done.content
    assert InboundMail.objects.get(id=mail.id).settled_how == "vouched"


def test_the_html_of_a_message_is_for_whoever_sees_its_case(stage: Stage) -> None:
    number = stage.cast.open().number
    case = get_case_for(stage.cast.engineer, number)
    mail = kept_mail(stage.cast.now, outcome="case", reason="opened", case_id=case.id)
    other = kept_mail(stage.cast.now)
    here = f"/cases/{number}/mail/{mail.id}/frame/"
    answer = stage.browser("plus").get(here)
    assert answer.status_code == 200
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"]
    assert stage.browser("standard").get(here).status_code == 404
    assert stage.browser("plus").get(f"/cases/{number}/mail/{other.id}/frame/").status_code == 404
