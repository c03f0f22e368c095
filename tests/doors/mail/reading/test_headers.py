"""Who wrote, what is answered, what a file is called: read from broken and hostile headers."""

import pytest
from tests.doors.mail.reading.mails import mail, parts

from guardia.doors.mail.reading.charsets import Decoder
from guardia.doors.mail.reading.headers import described, split_head
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.reading.names import safe_name


@pytest.mark.parametrize(
    ("field", "sender", "name"),
    [
        ("Carmen Ruiz <Carmen.Ruiz@Astilleros.Example>", "carmen.ruiz@astilleros.example", "Carmen Ruiz"),
        ('"Ruiz, Carmen" <c@a.example>', "c@a.example", "Ruiz, Carmen"),
        ("c@a.example (Carmen Ruiz)", "c@a.example", "Carmen Ruiz"),
        ("=?utf-8?q?Jos=C3=A9?= <j@a.example>", "j@a.example", "José"),
        ("=?utf-8?q?x_=3Cjefe=40b.example=3E?= <j@a.example>", "j@a.example", "x <jefe@b.example>"),
        ("jefe@b.example <j@a.example>", "j@a.example", "jefe@b.example"),
        ("j@españa.example", "j@xn--espaa-rta.example", ""),
        ("j@a.example.", "j@a.example", ""),
        ("Grupo: j@a.example;", "j@a.example", ""),
        ("", "", ""),
        ("undisclosed-recipients:;", "", ""),
        ("a@b.example, c@d.example", "", ""),
        ("<a@b.example> <c@d.example>", "", ""),
        ("a b@c.example", "", ""),
        ("a@b@c.example", "", ""),
        ("a@-b.example", "", ""),
        ("no address at all", "", ""),
        (f"{'a' * 300}@b.example", "", ""),
        ("x\u202e <j@a.example>", "j@a.example", "x"),
    ],
)
def test_the_sender_is_one_possible_address_or_none(field: str, sender: str, name: str) -> None:
    letter = read_letter(f"From: {field}\r\n\r\nx".encode())
    assert (letter.sender, letter.sender_name) == (sender, name)


def test_two_from_fields_are_no_sender_and_both_are_kept() -> None:
    letter = read_letter(b"From: a@b.example\r\nFROM : c@d.example\r\n\r\nx")
    assert letter.sender == ""
    assert letter.all_senders == ("a@b.example", "c@d.example")
    assert letter.faults


def test_ids_are_newest_first_without_brackets_and_each_once() -> None:
    headers = ["In-Reply-To: <3@x> (said)", "References: <1@x>\r\n <2@x> <3@x>", f"References: <{'9' * 400}@x>"]
    letter = read_letter(mail("x", *headers))
    assert letter.in_reply_to == ("3@x", "2@x", "1@x")
    assert letter.message_id == "1@astilleros.example"
    many = read_letter(mail("x", "References: " + " ".join(f"<{n}@x>" for n in range(500))))
    assert many.in_reply_to[0] == "499@x"
    assert len(many.in_reply_to) == 300


@pytest.mark.parametrize(
    ("raw", "names", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", ["a", "b"], b"body"),
        (b"A: 1\rB: 2\n\nbody", ["a"], b"body"),
        (b"From: 1\nno field\nTo: 2\n\nbody", ["from", "to"], b"body"),
        (b"A: 1\nbody begins at once\n", ["a"], b"body begins at once\n"),
        (b"\r\nbody", [], b"body"),
        (b"words only", [], b"words only"),
        (b"From someone Mon\nA: 1\n\nbody", ["a"], b"body"),
        (b"A: 1\n\tmore\n \n\nbody", ["a"], b"\nbody"),
        (b"A: 1\x00\n\x00\nbody", ["a"], b"body"),
    ],
)
def test_a_head_ends_where_people_would_say(raw: bytes, names: list[str], body: bytes) -> None:
    head = split_head(raw, 0, len(raw))
    assert [name for name, _ in head.fields] == names
    assert raw[head.end :] == body


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('attachment; filename="a b.txt"', "a b.txt"),
        ("attachment; filename=a b.txt", "a b.txt"),
        ("attachment; FileName = a.txt ; size=3", "a.txt"),
        ('attachment; filename="a;b\\".txt"', 'a;b".txt'),
        ("attachment; filename*=utf-8''%C3%A1.txt", "á.txt"),
        ("attachment; filename*1*=%A1.txt; filename*0*=utf-8''%C3", "á.txt"),
        ('attachment; filename*0="lar"; filename*1="go.txt"', "largo.txt"),
        ("attachment; filename*=no-such''%C3%A1.txt", "á.txt"),
        ("attachment; filename==?utf-8?q?=C3=A1.txt?=", "á.txt"),
        ('attachment; filename="sin cerrar.txt', "sin cerrar.txt"),
        ('attachment; filename="C:\\Users\\x\\a.txt"', "a.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="\u202egnp.exe"', "gnp.exe"),
        ('attachment; filename="=?utf-8?q?a=0D=0AX-Evil:_1?="', "aX-Evil: 1"),
        ("attachment", "unnamed.pdf"),
        ('attachment; filename="..."', "unnamed.pdf"),
    ],
)
def test_names_of_files_are_found_and_safe(field: str, name: str) -> None:
    raw = parts("Content-Type: text/plain\n\nx", f"Content-Type: application/pdf\nContent-Disposition: {field}\n\n%PDF")
    assert [file.name for file in read_letter(raw).attachments] == [name]


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("a" * 1_000 + ".exe").endswith(".exe")
    assert len(safe_name("a" * 1_000)) == 255


def test_a_type_without_a_parameter_is_only_its_value() -> None:
    assert described(b"Text/HTML", Decoder()).value == "text/html"
