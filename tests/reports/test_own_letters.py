"""Rows of mail as letters: a case is one thread for each person, answers find it, and every mail says why it came."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dkim
import pytest
from authheaders import authenticate_message
from tests.support.cast import Cast
from tests.support.smtp_sink import Sink, smtp_sink

from guardia.adapters.mail_signer import DkimSigner, dns_record, make_dkim_key
from guardia.adapters.mail_transport import SmtpTransport
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import OutboundMail
from guardia.journeys.move_case import close_case
from guardia.journeys.post import mail_names
from guardia.journeys.send_mail import send_due
from guardia.journeys.take_case import take_case
from guardia.journeys.write_message import write_message
from guardia.kernel.outside import replaced
from guardia.reports.own_letters import WHY, mail_bytes, why_sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


def story(cast: Cast) -> str:
    number = cast.open("plus").number
    take_case(cast.engineer, cast.now, number)
    write_message(cast.engineer, cast.now + timedelta(minutes=1), number, text="A question")
    close_case(cast.engineer, cast.now + timedelta(minutes=2), number, how="solved", reason="Done")
    return number


def letters(cast: Cast, number: str, part: str) -> list[tuple[OutboundMail, EmailMessage]]:
    case, person = get_case_for(cast.engineer, number), cast.people[part]
    rows = OutboundMail.objects.filter(case_id=case.id, person_id=person.id).order_by("created_at", "id")
    return [(row, message_from_bytes(mail_bytes(row), policy=policy.default)) for row in rows]


def body(message: EmailMessage) -> str:
    part: Any = message.get_body(("plain",))
    return str(part.get_content())


def test_a_case_is_one_thread_for_each_person(cast: Cast) -> None:
    told = letters(cast, story(cast), "plus")
    ids = [f"<{row.message_id}>" for row, _message in told]
    assert len(ids) >= 3
    assert told[0][1]["In-Reply-To"] is None
    assert [message["In-Reply-To"] for _row, message in told[1:]] == ids[:-1]
    assert [message["References"] for _row, message in told[1:3]] == [ids[0], f"{ids[0]} {ids[1]}"]


def test_an_answer_finds_its_case_by_the_address_it_goes_to(cast: Cast) -> None:
    number = story(cast)
    (_row, message), *_rest = letters(cast, number, "plus")
    assert mail_names().replied(message["Reply-To"], cast.people["plus"].id) == number
    assert mail_names().replied(message["Reply-To"], cast.people["plus_admin"].id) == ""


def test_every_mail_says_why_it_came_where_to_change_it_and_what_to_do_without_an_account(cast: Cast) -> None:
    (_row, message), *_rest = letters(cast, story(cast), "plus")
    text = body(message)
    assert "Sent to whoever opened the request." in text or "Se envía a quien abrió la solicitud." in text
    assert "/notifications/" in text
    assert "soporte@guardia.example" in text
    assert "900 000 147" in text


def test_each_reason_is_a_sentence_of_its_own(cast: Cast) -> None:
    assert all(why_sent(code).startswith("Sent ") for code in WHY)
    assert why_sent("a code of tomorrow") == "Sent by the support desk."


def test_a_mail_that_a_server_took_is_signed_for_our_domain_and_dmarc_passes(
    cast: Cast, sink: Sink, tmp_path: Path
) -> None:
    key = tmp_path / "dkim.pem"
    make_dkim_key(key)
    record = "".join(dns_record(key, "guardia", "guardia.example").text.split('"')[1::2]).encode()

    def ask(name: bytes | str, **_: Any) -> bytes | str | None:
        if isinstance(name, bytes):
            return record if name == b"guardia._domainkey.guardia.example." else None
        return "v=DMARC1; p=reject; adkim=s" if name == "_dmarc.guardia.example" else None

    story(cast)
    signer = DkimSigner(key, "guardia", "guardia.example")
    with replaced(mail_transport=SmtpTransport(sink.url, "guardia.example"), mail_signer=signer):
        sent = send_due(lambda: cast.now + timedelta(hours=1), mail_bytes)
    assert sent.sent == len(sink.got) == OutboundMail.objects.count()
    assert sink.connections == 1
    for path, recipient, raw in sink.got:
        assert dkim.verify(raw, dnsfunc=ask)
        said = authenticate_message(raw, "mx.x.example", dnsfunc=ask, spf=False, arc=False)
        assert "dkim=pass" in said
        assert "dmarc=pass" in said
        assert mail_names().bounced(path) is not None
        assert message_from_bytes(raw, policy=policy.default)["To"] == recipient
