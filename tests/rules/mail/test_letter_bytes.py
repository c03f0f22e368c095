"""Mails of ours as bytes: no text breaks out of a header, threads hold, text and HTML say the same."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.mail.rules.letter_bytes import Desk, NoSuchAddress, OwnLetter, letter_bytes

DESK = Desk("Guardia", "soporte@guardia.example", "guardia.example", "https://guardia.example")
LETTER = OwnLetter(
    id=UUID("01a205cc-0000-7000-8000-000000000001"),
    to="ana@astilleros.example",
    language="es",
    subject="[4071 8823] Solicitud recibida",
    paragraphs=[
        {"text": "Solicitud recibida."},
        {"text": "Ver la solicitud", "url": "https://guardia.example/cases/40718823/"},
        {"text": "También en https://guardia.example/cases/ y <b>no</b>\nen https://evil.example/"},
    ],
    footer=[{"text": "Por qué."}, {"text": "Elegir", "url": "https://guardia.example/notifications/"}],
    written_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    message_id="abc.40718823.mac@guardia.example",
    reply_to="soporte+40718823.mac@guardia.example",
    in_reply_to="theirs@astilleros.example",
    references=["first@guardia.example", "last@guardia.example", "theirs@astilleros.example"],
    is_automatic=True,
)
HEADERS = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "X-Guardia-Desk", "Content-Language", "MIME-Version", "Content-Type"),
}
words = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\r\n\t:<>@=?\x00\ud800")), max_size=200)


def read(letter: OwnLetter) -> EmailMessage:
    return message_from_bytes(letter_bytes(letter, DESK), policy=policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(cast("EmailMessage", part).get_content())


def test_a_letter_has_the_headers_that_threads_and_machines_read() -> None:
    message = read(LETTER)
    said = {name: str(message[name]) for name in HEADERS - {"MIME-Version", "Content-Type"}}
    assert said == {
        "From": "Guardia <soporte@guardia.example>",
        "To": "ana@astilleros.example",
        "Reply-To": "soporte+40718823.mac@guardia.example",
        "Subject": "[4071 8823] Solicitud recibida",
        "Date": "Mon, 23 Nov 2026 09:00:00 +0000",
        "Message-ID": "<abc.40718823.mac@guardia.example>",
        "In-Reply-To": "<theirs@astilleros.example>",
        "References": "<first@guardia.example> <last@guardia.example> <theirs@astilleros.example>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "X-Guardia-Desk": "guardia.example",
        "Content-Language": "es",
    }
    assert message.get_content_type() == "multipart/alternative"


def test_a_notice_is_generated_and_answers_nobody() -> None:
    message = read(replace(LETTER, is_automatic=False, in_reply_to="", references=[]))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] is None
    assert message["In-Reply-To"] is message["References"] is None


def test_a_paragraph_with_an_address_is_a_line_in_the_text_and_a_button_in_the_html() -> None:
    message = read(LETTER)
    assert "Ver la solicitud: https://guardia.example/cases/40718823/" in body(message, "plain")
    html = body(message, "html")
    assert 'href="https://guardia.example/cases/40718823/"' in html
    assert '<a href="https://guardia.example/cases/">' in html
    assert "evil.example" in html
    assert 'href="https://evil' not in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html


def test_the_html_loads_nothing_and_has_a_dark_look() -> None:
    html = body(read(LETTER), "html")
    assert not {"<img", "<script", "<link", "url(", "src="} & {
        word for word in ("<img", "<script", "url(") if word in html
    }
    assert "prefers-color-scheme: dark" in html


def test_the_same_letter_gives_the_same_bytes_in_seven_bits_and_short_lines() -> None:
    raw = letter_bytes(LETTER, DESK)
    assert raw == letter_bytes(LETTER, DESK)
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) < 998


def test_a_long_id_of_the_sender_is_named_as_it_is() -> None:
    theirs = "x" * 250 + "@astilleros.example"
    raw = letter_bytes(replace(LETTER, in_reply_to=theirs, references=["f@guardia.example", theirs]), DESK)
    assert f"<{theirs}>".encode() in raw
    assert b"=?utf-8?q?=3Cx" not in raw


@pytest.mark.parametrize(
    "to", ["", "ana", "a@b\r\nBcc: x@y.example", "a b@c.example", "<a@b.example>", "a@b@c.example"]
)
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(NoSuchAddress):
        letter_bytes(replace(LETTER, to=to), DESK)


class Tags(HTMLParser):
    """Which tags there are, beside those of the frame."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, Mapping[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@given(words, words, words, words)
def test_no_text_breaks_out_of_a_header_or_into_the_page(subject: str, text: str, url: str, theirs: str) -> None:
    letter = replace(
        LETTER,
        subject=subject,
        paragraphs=[{"text": text}, {"text": text, "url": url}],
        in_reply_to=theirs,
        references=[theirs],
    )
    raw = letter_bytes(letter, DESK)
    names = {
        line.split(b":")[0].decode() for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] not in b" \t"
    }
    assert names <= HEADERS
    assert raw.count(b"\r\nTo: ") == 1
    message = read(letter)
    assert len(list(message.iter_parts())) == 2
    tags = Tags()
    tags.feed(body(message, "html"))
    assert {tag for tag, _ in tags.seen} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "table",
        "tr",
        "td",
        "p",
        "a",
        "br",
    }
    assert all((found.get("href") or "http").startswith("http") for tag, found in tags.seen if tag == "a")
