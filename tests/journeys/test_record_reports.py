"""What becomes of mail after it was sent: reports are matched by our marks only, and an address has a standing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.support.cast import Cast

from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import AddressStanding, OutboundMail
from guardia.features.mail.rules.arrived import DeliveryReport
from guardia.features.sla.models import StaffNotice
from guardia.journeys.post import mail_names
from guardia.journeys.record_reports import note_arrivals, note_auto_reply, record_reports

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail(cast: Cast) -> OutboundMail:
    case = get_case_for(cast.engineer, cast.open("plus").number)
    row = OutboundMail.objects.filter(case_id=case.id)[0]
    OutboundMail.objects.filter(id=row.id).update(state="sent", sent_at=cast.now, next_attempt_at=None)
    return OutboundMail.objects.get(id=row.id)


def report(kind: str = "failed", status: str = "5.1.1", recipient: str = "", message_id: str = "") -> DeliveryReport:
    return DeliveryReport(kind, recipient, status, "the server's words", message_id)


def record(cast: Cast, *reports: DeliveryReport, to: str = "soporte@guardia.example") -> tuple[Any, ...]:
    with transaction.atomic():
        return record_reports(reports, [to], cast.now + timedelta(minutes=1))


def fate(mail: OutboundMail) -> str:
    return OutboundMail.objects.get(id=mail.id).fate


def marks() -> set[str]:
    return {notice.facts["mark"] for notice in StaffNotice.objects.across_companies("a test looks")}


def standing(mail: OutboundMail) -> str:
    row = AddressStanding.objects.filter(address=mail.address).first()
    return row.standing if row else ""


def test_a_bounce_to_the_return_path_finds_its_mail_and_lets_the_address_fail(cast: Cast, mail: OutboundMail) -> None:
    for _ in range(2):  # the same report may come twice
        assert record(cast, report(), to=mail_names().return_path(mail.id)) == (mail.id,)
    assert (fate(mail), standing(mail)) == ("bounced", "failing")
    assert "mail_failed" in marks()


def test_a_report_that_only_quotes_our_message_id_is_kept_at_its_mail_and_silences_nobody(
    cast: Cast, mail: OutboundMail
) -> None:
    """A forwarded thread shows the Message-ID to people who could make such a report up."""
    assert record(cast, report(message_id=mail.message_id)) == (mail.id,)
    assert (fate(mail), standing(mail)) == ("bounced", "")


@pytest.mark.parametrize("forged", ["bounce+aaaa.bbbb@guardia.example", "soporte@guardia.example"])
def test_a_report_without_a_mark_of_ours_changes_nothing(cast: Cast, mail: OutboundMail, forged: str) -> None:
    made_up = mail.message_id[:60] + "x" * 8 + "@guardia.example"
    assert record(cast, report(recipient=mail.address, message_id=made_up), to=forged) == ()
    assert (fate(mail), standing(mail)) == ("", "")


def test_a_delay_is_no_bounce_and_hides_none(cast: Cast, mail: OutboundMail) -> None:
    path = mail_names().return_path(mail.id)
    record(cast, report("delayed", "4.4.1"), to=path)
    assert (fate(mail), standing(mail)) == ("delayed", "")
    record(cast, report(), to=path)
    record(cast, report("delayed", "4.4.1"), to=path)
    assert fate(mail) == "bounced"


def test_a_mailbox_that_is_full_comes_back_without_letting_the_address_fail(cast: Cast, mail: OutboundMail) -> None:
    record(cast, report("failed", "4.2.2"), to=mail_names().return_path(mail.id))
    assert (fate(mail), standing(mail)) == ("bounced", "")


@pytest.mark.parametrize("way", ["delivery", "arrival"])
def test_a_delivery_or_a_mail_from_the_address_ends_its_failing(cast: Cast, mail: OutboundMail, way: str) -> None:
    path = mail_names().return_path(mail.id)
    record(cast, report(), to=path)
    if way == "delivery":
        record(cast, report("delivered", "2.0.0"), to=path)
    else:
        with transaction.atomic():
            note_arrivals([mail.address])
    assert standing(mail) == ""


def test_a_complaint_stays_until_a_person_ends_it_and_staff_are_told(cast: Cast, mail: OutboundMail) -> None:
    path = mail_names().return_path(mail.id)
    record(cast, report("complained", ""), to=path)
    record(cast, report(), to=path)
    with transaction.atomic():
        note_arrivals([mail.address])
    assert (fate(mail), standing(mail)) == ("complained", "complained")
    assert "mail_complained" in marks()


def test_the_answer_of_a_machine_is_noted_at_the_mail_that_it_answers(cast: Cast, mail: OutboundMail) -> None:
    with transaction.atomic():
        assert note_auto_reply([mail.message_id], "somebody@else.example", cast.now) == ()
        assert note_auto_reply([mail.message_id, "made@up.example"], mail.address, cast.now) == (mail.id,)
    assert fate(mail) == "auto_replied"
