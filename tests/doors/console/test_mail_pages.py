"""The mailbox in the console: the quarantine in its order, one message with all that is known, and the decisions."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
import pyzipper
from django.db import transaction
from tests.doors.stage import Stage
from tests.support.mail_cast import STRANGER, kept_mail

from guardia.adapters.mail_spool import MemorySpool
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import InboundMail
from guardia.journeys import case_log
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.outside import MailFacts, replaced

pytestmark = pytest.mark.django_db
HERE = "/console/mail/"


async def _streamed(answer: Any) -> bytes:
    return b"".join([chunk async for chunk in answer.streaming_content])


def page(stage: Stage, path: str = HERE, part: str = "engineer", language: str = "en") -> str:
    answer = stage.browser(part, language).get(path)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def test_words_of_a_level_1_stand_first_then_the_longest_wait(stage: Stage) -> None:
    now = stage.cast.now
    kept_mail(now, subject="Second", arrived_at=now - timedelta(hours=2))
    kept_mail(now, subject="Third")
    kept_mail(now, subject="First", stated={"sounds_critical": True, "fields": {}, "passwords": []})
    kept_mail(now, subject="Opened", outcome="case", reason="opened")
    shown = page(stage)
    assert shown.index("First") < shown.index("Second") < shown.index("Third")
    assert "Opened" not in shown
    assert "Opened" in page(stage, f"{HERE}?view=cases")
    assert "Opened" in page(stage, f"{HERE}?view=all")
    assert "No message in this view" in page(stage, f"{HERE}?view=refused")


def test_the_mailbox_is_searched_by_address_subject_and_case_number(stage: Stage) -> None:
    case = stage.cast.open()
    number = case.number
    found = get_case_for(stage.cast.engineer, number)
    kept_mail(stage.cast.now, subject="Of the case", outcome="reply", reason="threaded", case_id=found.id)
    kept_mail(stage.cast.now, subject="Of a stranger", sender=STRANGER)
    assert "Of a stranger" in page(stage, f"{HERE}?search=home.example")
    assert "Of the case" not in page(stage, f"{HERE}?view=all&search=home.example")
    shown = page(stage, f"{HERE}?view=all&search={number[:4]}+{number[4:]}")
    assert "Of the case" in shown
    assert "Of a stranger" not in shown
    assert "matches" in page(stage, f"{HERE}?search=nothing-like-it")


@pytest.mark.parametrize("view", ["quarantine", "all"])
def test_a_long_mailbox_is_walked_page_by_page(stage: Stage, view: str) -> None:
    now = stage.cast.now
    for number in range(120):
        kept_mail(now, subject=f"Message {number:03}.", arrived_at=now - timedelta(minutes=number))
    seen: list[str] = []
    path = f"{HERE}?view={view}"
    for _ in range(3):
        shown = page(stage, path)
        seen += [f"{n:03}" for n in range(120) if f"Message {n:03}." in shown]
        if 'rel="next"' not in shown:
            break
        path = HERE + shown.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert sorted(seen) == [f"{n:03}" for n in range(120)]
    assert 'rel="prev"' in shown
    back = HERE + shown.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert page(stage, back).count("Message ") == 50
    assert "cannot be read" in page(stage, f"{HERE}?view={view}&after=nonsense")


def test_one_message_tells_everything_known_of_it_and_escapes_it(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now, subject="<script>alert(1)</script>")
    shown = page(stage, f"{HERE}{mail.id}/")
    for told in (
        "Not proven",
        "failed, softly",
        "Lucía Ferrer, Astilleros",
        "hunter2",
        "an older message",
        "sample.zip",
    ):
        assert told in shown
    assert "<script>alert" not in shown
    assert "<b>Ferrer</b>" not in shown
    assert 'sandbox=""' in shown
    assert "Cuarentena" in page(stage, language="es") or "cuarentena" in page(stage, language="es")


def test_the_frame_has_a_policy_that_lets_nothing_run_or_load(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now)
    answer = stage.browser("engineer").get(f"{HERE}{mail.id}/frame/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert stage.browser("engineer").get(HERE).headers["X-Frame-Options"] == "DENY"


def test_a_message_is_accepted_refused_and_put_back_from_its_page(stage: Stage) -> None:
    browser = stage.browser("engineer")
    mail = kept_mail(stage.cast.now, sender=STRANGER, reason="unknown_sender")
    shown = browser.get(f"{HERE}{mail.id}/?contact=ferrer").content.decode()
    assert "Lucía Ferrer" in shown
    here = f"{HERE}{mail.id}/"
    refused = browser.post(f"{here}accept/", {"form_token": "1", "person": "nobody", "reason": "Phoned"})
    assert refused.status_code == 422
    assert b"Phoned" in refused.content
    assert browser.post(f"{here}refuse/", {"form_token": "2", "reason": "Advertising"}).status_code == 303
    assert "Put back" in browser.get(here).content.decode()
    assert browser.post(f"{here}put-back/", {"form_token": "3", "reason": "Not so"}).status_code == 303
    person = str(stage.cast.people["plus"].id)
    done = browser.post(f"{here}accept/", {"form_token": "4", "person": person, "reason": "Phoned"}, follow=True)
    assert b"Accepted" in done.content
    assert InboundMail.objects.get(id=mail.id).outcome == "accepted"
    again = browser.post(f"{here}refuse/", {"form_token": "5", "reason": "Advertising"})
    assert again.status_code == 409


def test_whoever_only_reads_sees_no_form(stage: Stage) -> None:
    mail = kept_mail(stage.cast.now)
    shown = page(stage, f"{HERE}{mail.id}/", "account_manager")
    assert "/accept/" not in shown
    assert "Engineers and duty managers decide" in shown


def test_a_message_is_handed_out_as_it_arrived_in_a_protected_archive(stage: Stage) -> None:
    raw = b"From: somebody@home.example\r\n\r\nEICAR"
    spool = MemorySpool()
    with replaced(mail_spool=spool):
        envelope = spool.keep(MailFacts("smtp", stage.cast.now), raw)
        spool.settle(envelope.id)
        kept_mail(stage.cast.now, id=envelope.id)
        answer = stage.browser("analyst").get(f"{HERE}{envelope.id}/raw/")
        content = asyncio.run(_streamed(answer))
        assert stage.browser("plus").get(f"{HERE}{envelope.id}/raw/").status_code == 404
    assert b"EICAR" not in content
    with pyzipper.AESZipFile(io.BytesIO(content)) as packed:
        packed.setpassword(b"infected")
        assert packed.read(f"{envelope.id}.eml") == raw
    assert AuditEntry.objects.filter(act="mail_downloaded").count() == 1


def test_the_case_shows_quoted_words_folded_and_html_in_a_frame(stage: Stage) -> None:
    people = stage.cast
    case = get_case_for(people.engineer, people.open().number)
    mail = kept_mail(people.now, outcome="reply", reason="threaded", case_id=case.id)
    with transaction.atomic():
        said = {"text": "It still freezes.", "files": [], "internal": False, "mail": str(mail.id), "quoted": True}
        case_log.add(case, "message", people.plus, people.now, said)
    staff = page(stage, f"/console/cases/{case.number}/")
    theirs = page(stage, f"/cases/{case.number}/", "plus")
    for shown in (staff, theirs):
        assert "By email from lucia.ferrer@astilleros.example" in shown
        assert "an older message" in shown
        assert 'sandbox=""' in shown
    assert "hunter2" in staff
    assert "hunter2" not in theirs
    assert f"/cases/{case.number}/mail/{mail.id}/frame/" in theirs
    assert "iso-8859-99" not in theirs


def test_the_navigation_counts_the_quarantine_and_marks_a_long_wait(stage: Stage) -> None:
    assert "in quarantine" not in page(stage, "/console/queue/")
    kept_mail(stage.cast.now, arrived_at=stage.cast.now - timedelta(minutes=16))
    assert "for more than 15 minutes" in page(stage, "/console/queue/")
