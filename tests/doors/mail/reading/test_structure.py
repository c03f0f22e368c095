"""Parts that are broken, missing, repeated, nested or too many: words are found, files are kept, nothing vanishes."""

import base64
import email
from email import policy

import pytest
from tests.doors.mail.reading.mails import mail, parts, well_formed

from guardia.doors.mail.reading import faults
from guardia.doors.mail.reading.message import bare_letter, read_letter
from guardia.features.mail.rules.arrived import LONGEST_TEXT, MOST_ATTACHMENTS

TEXT = "Content-Type: text/plain\n\nhola"
FILE = "Content-Type: application/zip; name=a.zip\n\nPK"


@pytest.mark.parametrize(
    ("raw", "text", "files"),
    [
        (parts(TEXT, FILE), "hola", ["a.zip"]),
        (parts(TEXT, FILE, end=""), "hola", ["a.zip"]),
        (parts(TEXT, FILE).replace(b'boundary="b1"', b""), "hola", ["a.zip"]),
        (parts(TEXT, FILE).replace(b'boundary="b1"', b'boundary="other"'), "hola", ["a.zip"]),
        (parts(TEXT, FILE).replace(b"\r\n", b"\n"), "hola", ["a.zip"]),
        (parts(TEXT, FILE).replace(b"\r\n", b"\r"), "hola", ["a.zip"]),
        (parts(TEXT, FILE, end="--b1--\n--b1\n" + FILE.replace("a.", "b.") + "\n--b1--\n"), "hola", ["a.zip", "b.zip"]),
        (parts(parts(TEXT, FILE).decode(), FILE), "hola", ["a.zip", "a.zip"]),
        (parts("Content-Type: multipart/mixed; boundary=b10\n\n--b10\n" + TEXT + "\n--b10--", FILE), "hola", ["a.zip"]),
        (parts("hola"), "hola", []),
        (parts("\nhola"), "hola", []),
        (parts(), "", []),
        (mail("hola", "Content-Type: multipart/mixed; boundary=x"), "hola", []),
        (mail("hola", "Content-Type: nonsense"), "hola", []),
        (mail("hola", "Content-Type: text/plain; charset"), "hola", []),
        (b"From: a@b.example\r\nhola", "hola", []),
        (b"hola", "hola", []),
        (parts(TEXT, "Content-Type: text/plain\n\nadiós"), "hola\n\nadiós", []),
        (parts(TEXT, "Content-Type: text/plain; name=log.txt\nContent-Disposition: inline\n\nx"), "hola", ["log.txt"]),
        (parts("Content-Type: text/plain; name=log.txt\n\nhola"), "hola", ["log.txt"]),
        (parts("Content-Type: message/partial; id=1; number=1\n\nhola"), "", ["unnamed.bin"]),
    ],
)
def test_words_and_files_are_found(raw: bytes, text: str, files: list[str]) -> None:
    letter = read_letter(raw)
    assert letter.text == text
    assert [file.name for file in letter.attachments] == files


def encoded(encoding: str, body: str) -> bytes:
    return mail(body, "Content-Type: application/zip; name=a.zip", f"Content-Transfer-Encoding: {encoding}")


CONTENT = bytes(range(256)) * 3
BASE64 = base64.encodebytes(CONTENT).decode()


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        ("base64", BASE64, CONTENT),
        (" BASE64 ; x", BASE64, CONTENT),
        ("base64", BASE64.replace("\n", "!\n"), CONTENT),
        ("base64", base64.b64encode(b"ab").decode() + "\n" + base64.b64encode(b"cd").decode(), b"abcd"),
        ("base64", base64.b64encode(b"abc").decode()[:-1], b"ab"),
        ("base64", base64.b64encode(b"ab").decode() + "\n____\nFooter of a list\n", b"ab"),
        ("base64", "These are plain words, not base64 at all.", b"These are plain words, not base64 at all."),
        ("quoted-printable", "=41=42=\n=43 =ZZ", b"ABC =ZZ"),
        ("x-uuencode", "begin 644 a.zip\n#86)C\n`\nend\n", b"abc"),
        ("x-uuencode", "nothing of the kind", b"nothing of the kind"),
        ("x-yenc", "=ybegin\n=yend", b"=ybegin\r\n=yend"),
        ("8bit", "abc", b"abc"),
    ],
)
def test_encodings_right_or_wrong_give_bytes(encoding: str, body: str, content: bytes) -> None:
    (file,) = read_letter(encoded(encoding, body)).attachments
    assert file.content == content


def test_a_file_uuencoded_within_the_text_is_a_file() -> None:
    letter = read_letter(mail("hola\nbegin 644 a.txt\n#86)C\n`\nend\nadiós\n"))
    assert letter.text == "hola\n[a.txt]\nadiós"
    assert letter.attachments[0].content == b"abc"
    assert read_letter(mail("we begin 644 times\nbegin 644 b\nno code here\nend\n")).attachments == ()


def test_a_message_within_is_a_file_and_its_files_are_listed_too() -> None:
    inner = parts("Content-Type: text/plain\n\nde dentro", FILE, boundary="b2", end="--b2--").decode()
    letter = read_letter(parts(TEXT, "Content-Type: message/rfc822\n\n" + inner))
    assert letter.text == "hola"
    assert [file.name for file in letter.attachments] == ["Prueba.eml", "a.zip"]
    only = read_letter(parts("Content-Type: message/rfc822\n\n" + inner))
    assert only.text == "de dentro"


def test_a_person_who_attaches_an_answer_of_a_calendar_is_no_machine() -> None:
    answer = mail("BEGIN:VEVENT", "Content-Type: text/calendar; method=REPLY", "Auto-Submitted: auto-replied").decode()
    assert read_letter(parts(TEXT, "Content-Type: message/rfc822\n\n" + answer)).signals == ()


def test_messages_within_messages_end() -> None:
    raw = mail("lo de dentro").decode()
    for _ in range(50):
        raw = mail(raw, "Content-Type: message/rfc822").decode()
    letter = read_letter(raw.encode())
    assert 1 <= len(letter.attachments) <= 5


def test_of_too_many_files_the_rest_is_one() -> None:
    raw = parts(TEXT, *(FILE.replace("PK", f"PK{n}") for n in range(700)))
    letter = read_letter(raw)
    assert len(letter.attachments) == MOST_ATTACHMENTS
    rest = email.message_from_bytes(letter.attachments[-1].content, policy=policy.default)
    assert letter.attachments[-1].name == "rest-of-message.eml"
    kept = [file.content for file in letter.attachments[:-1]] + [
        part.get_content().rstrip() for part in rest.iter_parts()
    ]
    assert kept == [b"PK%d" % n for n in range(700)]
    assert faults.TOO_MANY_PARTS in letter.faults


def test_a_long_text_is_cut_and_says_so() -> None:
    letter = read_letter(mail("palabra " * 100_000))
    assert len(letter.text) == LONGEST_TEXT
    assert faults.TEXT_CUT in letter.faults


def test_text_outside_the_parts_is_told() -> None:
    raw = parts(TEXT, end="--b1--\nalgo más\n")
    assert faults.STRAY_TEXT in read_letter(raw).faults
    assert read_letter(parts(end="--b1--\nalgo más\n")).text == "algo más"


def test_encrypted_and_signed_mail() -> None:
    sealed = parts(
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        "Content-Type: application/octet-stream; name=e.asc\n\n-----BEGIN PGP MESSAGE-----",
        kind='encrypted; protocol="application/pgp-encrypted"',
    )
    assert faults.ENCRYPTED_PGP in read_letter(sealed).faults
    assert (
        faults.ENCRYPTED_SMIME
        in read_letter(mail("MII", "Content-Type: application/pkcs7-mime; name=smime.p7m")).faults
    )
    signed = read_letter(parts(TEXT, "Content-Type: application/pgp-signature; name=s.asc\n\nx", kind="signed"))
    assert (signed.text, [file.name for file in signed.attachments]) == ("hola", ["s.asc"])
    inline = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nhola\n- -- uno\n"
        "-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"
    )
    assert read_letter(mail(inline)).text.startswith("hola")
    assert "Hash" not in read_letter(mail(inline)).text


def test_a_calendar_is_read_and_kept() -> None:
    calendar = (
        "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Reunión\\, "
        "urgente\nDTSTART;TZID=Europe/Madrid:20261123T100000\nDTEND:20261123T110000Z\n"
        "ORGANIZER;CN=Ana:mailto:ana@a.example\nEND:VEVENT\nEND:VCALENDAR"
    )
    letter = read_letter(parts(TEXT, calendar))
    assert "Asunto / Subject: Reunión, urgente" in letter.text
    assert "2026-11-23 10:00 (Europe/Madrid)" in letter.text
    assert "Ana <ana@a.example>" in letter.text
    assert [file.name for file in letter.attachments] == ["invite.ics"]


def test_a_delivery_report_is_read() -> None:
    raw = parts(
        "Content-Type: text/plain\n\nNo se pudo entregar",
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Final-Recipient: rfc822; ana@a.example\nAction: failed\nStatus: 5.1.1",
        "Content-Type: message/rfc822\n\nMessage-ID: <ours@guardia.example>\n\nx",
        kind="report; report-type=delivery-status",
    )
    letter = read_letter(raw, "")
    assert [(one.kind, one.recipient, one.message_id) for one in letter.reports] == [
        ("failed", "ana@a.example", "ours@guardia.example")
    ]
    assert {"delivery_report", "null_sender"} <= set(letter.signals)


def test_a_bare_letter_keeps_all() -> None:
    raw = well_formed().as_bytes()
    letter = bare_letter(raw, faults.NOT_READ_IN_TIME, "")
    assert letter.sender == "carmen.ruiz@astilleros.example"
    assert letter.subject == "Incidencia número 3"
    assert letter.attachments[0].content == raw
    assert letter.signals == ("null_sender",)
    assert letter.faults == (faults.NOT_READ_IN_TIME,)
