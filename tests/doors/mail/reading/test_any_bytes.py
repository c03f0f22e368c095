"""Properties: for any bytes there is a letter, always the same, plain, and without anything that runs."""

import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.doors.mail.reading.mails import PNG, mail, parts, well_formed
from tests.support.growth import assert_linear

from guardia.doors.mail.reading.message import _read, read_letter
from guardia.features.mail.rules.arrived import LONGEST_TEXT, MOST_ATTACHMENTS, Letter
from guardia.kernel.plain_text import plain_text

TOKENS = st.sampled_from(
    [
        *(
            b"From: a@b.example\r\n",
            b"From:",
            b"Subject: =?utf-8?B?4p",
            b"=?gb18030?q?=d6?= =?GB18030?Q?=d0?=",
            b"\r\n\r\n",
        ),
        *(b"\n", b"\r", b"\x00", b"--b1\r\n", b"--b1--\r\n", b"--b", b"Content-Type: multipart/mixed; boundary=b1\r\n"),
        *(
            b"Content-Type: message/rfc822\r\n",
            b"Content-Type: text/html; charset=utf-7\r\n",
            b"Content-Type: text/calendar\r\n",
        ),
        *(
            b"Content-Transfer-Encoding: base64\r\n",
            b"Content-Transfer-Encoding: x-uuencode\r\n",
            b"begin 644 a\n",
            b"end\n",
        ),
        *(
            b"Content-Transfer-Encoding: quoted-printable\r\n",
            b"<script>alert(1)</script>",
            b"<img src=cid:x>",
            b"<a href='",
        ),
        *(
            b"Content-Disposition: attachment; filename*0*=utf-8''%e2; filename*1=\"x\r\n",
            b"\xff\xfe",
            b"=?",
            b"?=",
            b"<!--",
        ),
        *(
            b"Content-Type: application/ms-tnef; name=winmail.dat\r\n",
            b"\x78\x9f\x3e\x22\x01\x00",
            b"BEGIN:VEVENT\r\n",
            b"<",
            b">",
        ),
        *(
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b1\r\n",
            b"Message-ID: <",
            b"References: <a@b>\r\n",
        ),
        *(b"<svg onload=x>", b'<b title="', b"&#0;", b"&lt;", b"<blockquote>", b"</p>", b"Content-Type: text/html\r\n"),
    ]
)
ANY = st.one_of(
    st.binary(max_size=400),
    st.lists(st.one_of(TOKENS, st.binary(max_size=8)), max_size=40).map(b"".join),
)
ACTIVE = re.compile(
    r"<(?:script|style|iframe|object|embed|form|input|svg|math|link|meta|base)\b|<[^>]*\son\w+\s*=", re.IGNORECASE
)


def check(letter: Letter) -> None:
    """What holds for every letter."""
    for text in (
        letter.sender,
        letter.sender_name,
        letter.subject,
        letter.text,
        letter.quoted,
        letter.html,
        letter.message_id,
    ):
        assert plain_text(text) == text
    assert len(letter.text) <= LONGEST_TEXT
    assert len(letter.attachments) <= MOST_ATTACHMENTS
    assert all(file.name and "/" not in file.name and "\n" not in file.name for file in letter.attachments)
    assert not ACTIVE.search(letter.html)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", letter.html).lower()


@given(ANY)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=2_000)
def test_any_bytes_give_the_same_letter_twice(raw: bytes) -> None:
    letter = _read(raw, None, ())
    check(letter)
    assert read_letter(raw) == letter


def test_a_mail_that_is_cut_turned_and_mixed_is_still_read() -> None:
    chance = random.Random(4)
    whole = well_formed()
    whole.add_alternative("<p>Hola <img src='cid:x'> <b>negrita</b></p>", subtype="html")
    whole.add_attachment(PNG, "image", "png", filename="á.png", cid="<x>")
    nested = parts(
        "Content-Type: message/rfc822\n\n" + whole.as_string(), "Content-Type: text/calendar\n\nBEGIN:VEVENT"
    )
    for source in (whole.as_bytes(), nested):
        for _ in range(400):
            raw = bytearray(source)
            for _ in range(chance.randrange(1, 12)):
                at = chance.randrange(len(raw))
                act = chance.randrange(4)
                if act == 0:
                    raw[at] = chance.randrange(256)
                elif act == 1:
                    del raw[at : at + chance.randrange(1, 60)]
                elif act == 2:
                    raw[at:at] = raw[chance.randrange(len(raw)) :][: chance.randrange(1, 200)]
                else:
                    raw[at:at] = chance.randbytes(chance.randrange(1, 9))
            check(_read(bytes(raw), None, ()))


@given(st.lists(st.tuples(st.text("abcáñ .-", min_size=1, max_size=30), st.binary(max_size=300)), max_size=5))
@settings(max_examples=60, deadline=2_000)
def test_files_of_a_well_formed_mail_arrive_as_they_were(files: list[tuple[str, bytes]]) -> None:
    message = well_formed()
    for name, content in files:
        message.add_attachment(content, "application", "octet-stream", filename=name + "x.bin")
    letter = read_letter(message.as_bytes())
    assert letter.text == "Desde las 09:30 el análisis se detiene."
    assert [file.content for file in letter.attachments] == [content for _, content in files]


HOSTILE = {
    "nothing": b"",
    "only a line end": b"\n",
    "zeros": bytes(100_000),
    "one endless line": b"a" * 2_000_000,
    "100,000 nested tags": mail("<div>" * 100_000 + "hola", "Content-Type: text/html"),
    "fonts that are opened again": mail(
        "".join(f"<font color={n}>" for n in range(9_000)) + "<p>" * 90_000, "Content-Type: text/html"
    ),
    "a million brackets": mail("<" * 900_000, "Content-Type: text/html"),
    "comments that never end": mail("<!--" * 200_000, "Content-Type: text/html"),
    "quotes that never end": mail("<a href='\"" * 90_000, "Content-Type: text/html"),
    "styles that never end": mail("<style><script>" * 60_000, "Content-Type: text/html"),
    "a million ampersands": mail("&a" * 450_000, "Content-Type: text/html"),
    "tables in tables": mail("<table><tr><td>" * 60_000, "Content-Type: text/html"),
    "1,000 nested parts": None,
    "a head of 100 kB": mail("hola", "X-Long: " + "a b" * 33_000),
    "10,000 headers": mail("hola", *(f"X-{n}: {n}" for n in range(10_000))),
    "half encoded words": mail("hola", "Subject: " + "=?utf-8?q?" * 10_000),
    "addresses without end": mail("hola", sender="<" * 20_000 + "(" * 20_000 + '"' * 20_001),
    "references without end": mail("hola", "References: " + "<a" * 50_000),
    "parameters without end": mail("hola", "Content-Type: text/plain" + ';a="' * 5_000 + "; name*0*=" * 2_000),
    "five hundred thousand boundaries": mail("--b\n" * 500_000, "Content-Type: multipart/mixed; boundary=b"),
    "boundaries that are nearly right": mail("--bx\n" * 500_000, "Content-Type: multipart/mixed; boundary=b"),
    "uuencoded beginnings": mail("begin 644 a\nM\n" * 30_000 + "end\n"),
    "quotes in quotes": mail("> " * 200_000 + "\n>" * 100_000),
    "a calendar of colons": mail("BEGIN:VEVENT\n" + ";:" * 200_000, "Content-Type: text/calendar"),
    "an iso-2022 text of escapes": mail(b"\x1b$B" * 100_000, "Content-Type: text/plain; charset=iso-2022-jp"),
    "8-bit rubbish": mail(random.Random(1).randbytes(300_000)),
    "utf-7 rubbish": mail("+AGE-+" * 50_000, "Content-Type: text/plain; charset=utf-7"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_a_hostile_size_takes_twice_the_time(name: str) -> None:
    raw = HOSTILE[name] or nested(1_000)
    check(_read(raw, None, ()))
    assert_linear(lambda given: _read(given, None, ()), raw, raw[: len(raw) // 2])


def nested(depth: int) -> bytes:
    """Return a message in whose innermost part a text stands."""
    heads = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return b"From: a@b.example\n" + heads.encode() + b"Content-Type: text/plain\n\nlo de dentro\n"


def test_the_innermost_of_a_thousand_parts_is_read() -> None:
    assert read_letter(nested(1_000)).text == "lo de dentro"
