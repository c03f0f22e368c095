"""Delivery reports and complaints are read as far as they go, from programs that agree on little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.arrived import DeliveryReport
from guardia.features.mail.rules.reports import delivery_reports

REPORT = 'multipart/report; report-type="delivery-status"; boundary=x'
RETURNED = (
    "text/rfc822-headers",
    b"Received: x\r\nTo: lucia.ferrer@astilleros.example\r\nMessage-ID:\r\n <abc.1@guardia.example>\r\n",
)


def status(text: str) -> tuple[str, bytes]:
    return ("message/delivery-status", text.replace("\n", "\r\n").encode())


def test_a_failure_of_postfix_names_recipient_status_reason_and_mail() -> None:
    text = (
        "Reporting-MTA: dns; mx.astilleros.example\nX-Postfix-Queue-ID: 4F\nArrival-Date: Mon, 23 Nov 2026\n\n"
        "Final-Recipient: rfc822; Lucia.Ferrer@astilleros.example\n"
        "Original-Recipient: rfc822;lucia.ferrer@astilleros.example\n"
        "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx\n"
        "Diagnostic-Code: smtp; 550 5.1.1\n    <lucia>: User unknown\n"
    )
    assert delivery_reports(REPORT, [("text/plain", b"This is the mail system"), status(text), RETURNED]) == (
        DeliveryReport(
            "failed",
            "lucia.ferrer@astilleros.example",
            "5.1.1",
            "550 5.1.1 <lucia>: User unknown",
            "abc.1@guardia.example",
        ),
    )


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", "failed"),
        ("delayed", "delayed"),
        ("delivered", "delivered"),
        ("relayed", "delivered"),
        ("expanded", "delivered"),
        ("Failed (bounced)", "failed"),
    ],
)
def test_every_action_of_the_standard_is_mapped(action: str, kind: str) -> None:
    (report,) = delivery_reports(REPORT, [status(f"Final-Recipient: rfc822;a@b.example\nAction: {action}\n")])
    assert report.kind == kind


@pytest.mark.parametrize(
    ("code", "kind"), [("4.4.1", "delayed"), ("2.1.5", "delivered"), ("5.7.1", "failed"), ("?", "failed")]
)
def test_without_an_action_the_status_tells(code: str, kind: str) -> None:
    (report,) = delivery_reports(REPORT, [status(f"Final-Recipient: rfc822;a@b.example\nStatus: {code}\n")])
    assert report.kind == kind


def test_recipients_without_blank_lines_between_them_are_told_apart() -> None:
    text = "Final-Recipient: rfc822;a@x.example\nAction: failed\nFinal-Recipient: rfc822;b@x.example\nAction: delayed"
    found = delivery_reports(REPORT, [status(text)])
    assert [(report.recipient, report.kind) for report in found] == [
        ("a@x.example", "failed"),
        ("b@x.example", "delayed"),
    ]


def test_an_address_in_xtext_is_read() -> None:
    (report,) = delivery_reports(REPORT, [status("Original-Recipient: rfc822;a+40x.example\nAction: failed")])
    assert report.recipient == "a@x.example"


def test_the_id_is_taken_from_the_whole_mail_that_came_back() -> None:
    returned = ("message/rfc822", b"Subject: x\nMessage-Id: <m@guardia.example>\n\nMessage-ID: <body@x.example>\n")
    (report,) = delivery_reports(REPORT, [status("Final-Recipient: rfc822;a@x.example\nAction: failed"), returned])
    assert report.message_id == "m@guardia.example"


def test_a_report_of_qmail_in_plain_words_is_read() -> None:
    text = (
        b"Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n\n"
        b"<lucia@x.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        b"--- Below this line is a copy of the message.\n\nReturn-Path: <x@guardia.example>\n"
        b"Message-ID: <q@guardia.example>\n\nHi\n"
    )
    assert delivery_reports("text/plain", [("text/plain", text)]) == (
        DeliveryReport(
            "failed", "lucia@x.example", "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)", "q@guardia.example"
        ),
    )


@pytest.mark.parametrize(
    ("words", "kind"), [("could not be delivered", "failed"), ("has not yet been delivered", "delayed")]
)
def test_a_report_of_exim_in_plain_words_is_read(words: str, kind: str) -> None:
    text = (
        f"This message was created automatically by mail delivery software.\n\nA message that you sent {words}:\n\n"
        "  lucia@x.example\n    host mx.x.example: 550 5.7.1 refused\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <e@guardia.example>\n"
    ).encode()
    (report,) = delivery_reports("text/plain; charset=us-ascii", [("text/plain", text)])
    assert (report.kind, report.recipient, report.status, report.message_id) == (
        kind,
        "lucia@x.example",
        "5.7.1",
        "e@guardia.example",
    )


def test_a_complaint_names_whom_and_which_mail() -> None:
    parts = [
        ("text/plain", b"This is an email abuse report"),
        ("message/feedback-report", b"Feedback-Type: abuse\r\nVersion: 1\r\nOriginal-Rcpt-To: <Lucia@x.example>\r\n"),
        ("message/rfc822", b"Message-ID: <c@guardia.example>\r\n\r\nHi"),
    ]
    assert delivery_reports("multipart/report; report-type=feedback-report", parts) == (
        DeliveryReport("complained", "lucia@x.example", "", "abuse", "c@guardia.example"),
    )


def test_a_complaint_without_recipient_takes_that_of_the_mail() -> None:
    parts = [("message/feedback-report", b"Feedback-Type: abuse\n"), RETURNED]
    (report,) = delivery_reports("multipart/report; report-type=feedback-report", parts)
    assert report.recipient == "lucia.ferrer@astilleros.example"


def test_not_spam_is_no_complaint_and_a_read_receipt_is_no_delivery_report() -> None:
    feedback = "multipart/report; report-type=feedback-report"
    receipt = "multipart/report; report-type=disposition-notification"
    assert delivery_reports(feedback, [("message/feedback-report", b"Feedback-Type: not-spam\n")]) == ()
    assert (
        delivery_reports(receipt, [("message/disposition-notification", b"Final-Recipient: rfc822;a@b.example\n")])
        == ()
    )


def test_a_person_who_attaches_a_bounce_reports_nothing() -> None:
    parts = [("text/plain", b"Mirad este rebote"), status("Final-Recipient: rfc822;a@b.example\nAction: failed")]
    assert delivery_reports("multipart/mixed; boundary=x", parts) == ()


@given(
    st.text(),
    st.lists(st.tuples(st.sampled_from(["message/delivery-status", "text/plain", "message/rfc822"]), st.binary())),
)
def test_no_report_is_an_error(content_type: str, parts: list[tuple[str, bytes]]) -> None:
    for kind in (content_type, REPORT):
        assert all(report.kind for report in delivery_reports(kind, parts))
