"""The phone for customers: what is keyed in, the right to phone, the own PIN, and what was said by phone to a case."""

import re
from datetime import timedelta

import pytest
from tests.doors.stage import Stage, what_runs, with_token
from tests.support.call_cast import erase, told_in_case

from guardia.features.accounts.models import PhonePin
from guardia.features.contracts.models import Contract
from guardia.journeys.phone_pins import pin_made_at
from guardia.kernel import clock
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.sound import RATE, ulaw_of_wav

pytestmark = pytest.mark.django_db
HERE = "/phone/"
PAIRS = re.compile(r"\b\d\d\u00a0\d\d\u00a0\d\d\b")


def page(stage: Stage, part: str = "plus", language: str = "en") -> str:
    answer = stage.browser(part, language).get(HERE)
    assert answer.status_code == 200
    shown = answer.content.decode()
    assert what_runs(shown) == []
    return shown


def test_a_named_contact_reads_number_digits_and_right(stage: Stage) -> None:
    shown = page(stage)
    assert 'href="tel:' in shown
    assert ">4071<" in shown
    assert "Lucía Ferrer is a named contact" in shown
    assert HERE in stage.browser("plus").get("/cases/").content.decode()


def test_what_is_missing_is_said_with_who_can_change_it(stage: Stage) -> None:
    admin = page(stage, "plus_admin")
    assert "Carmen Ruiz is not a named contact" in admin
    assert "Name contacts on the page of the contract" in admin
    assert "The plan has no priority phone line" in page(stage, "standard")
    with clock.frozen_at(stage.cast.now + timedelta(days=3650)):
        assert "The contract is over" in page(stage)
    Contract.objects.across_companies("the test's own").filter(number="MSA-4071").update(account_manager_id=None)
    with clock.frozen_at(stage.cast.now + timedelta(days=3650)):
        assert "sales office" in page(stage)


def test_a_pin_is_shown_once_in_pairs_and_replaced_and_removed(stage: Stage) -> None:
    browser, part = stage.browser("plus_admin"), "plus_admin"
    assert browser.post(f"{HERE}pin/remove/", with_token()).status_code == 303  # the sample data's
    assert "Make a PIN" in page(stage, part)
    form = with_token()
    made = browser.post(f"{HERE}pin/", form)
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    [pin] = PAIRS.findall(made.content.decode())
    own = PhonePin.objects.across_companies("the test's own").filter(person_id=stage.cast.plus_admin.id)
    kept = own.get().digest
    repeated = browser.post(f"{HERE}pin/", form)
    assert repeated.status_code == 422
    assert b"told once only" in repeated.content
    assert not PAIRS.findall(repeated.content.decode())
    assert own.get().digest == kept
    assert pin not in page(stage, part)
    assert "Make another PIN" in page(stage, part)
    [other] = PAIRS.findall(browser.post(f"{HERE}pin/", with_token()).content.decode())
    assert other != pin
    for _ in range(2):
        assert browser.post(f"{HERE}pin/remove/", with_token()).status_code == 303
    assert pin_made_at(stage.cast.plus_admin) is None
    assert "Make a PIN" in page(stage, part)
    told = str(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert pin.replace("\u00a0", "") not in told


def test_a_voice_message_is_played_from_the_timeline(stage: Stage) -> None:
    recording = told_in_case(stage.cast, stage.incident)
    sound = f"/cases/{stage.incident}/recordings/{recording.id}/"
    shown = stage.browser("plus").get(f"/cases/{stage.incident}/").content.decode()
    assert f'src="{sound}"' in shown
    assert 'preload="none"' in shown
    assert "By phone" in shown
    answer = stage.browser("plus").get(sound)
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == ("audio/wav", "no-store")
    assert len(ulaw_of_wav(answer.content)) == RATE
    assert "media-src 'self'" in answer.headers["Content-Security-Policy"]
    assert stage.browser("standard").get(sound).status_code == 404
    for part in ("standard", "plus"):
        other = stage.cast.open(part).number
        assert stage.browser(part).get(f"/cases/{other}/recordings/{recording.id}/").status_code == 404
    [kept] = AuditEntry.objects.filter(act="recording_heard")
    assert kept.company_id == stage.cast.plus.company_id
    erase(recording.id, stage.cast.now)
    assert stage.browser("plus").get(sound).status_code == 404
    gone = stage.browser("plus").get(f"/cases/{stage.incident}/").content.decode()
    assert "erased after 90 days" in gone
    assert sound not in gone


@pytest.mark.parametrize(("kind", "told_by"), [("conversation", "customer"), ("message", "note of staff")])
def test_conversations_and_notes_of_staff_are_never_played_to_customers(stage: Stage, kind: str, told_by: str) -> None:
    recording = told_in_case(stage.cast, stage.incident, kind, internal=told_by == "note of staff")
    assert stage.browser("plus").get(f"/cases/{stage.incident}/recordings/{recording.id}/").status_code == 404
    assert "<audio" not in stage.browser("plus").get(f"/cases/{stage.incident}/").content.decode()
