"""Character sets: rare ones, unknown names, lies, and bytes without any declaration."""

import base64

import pytest
from tests.doors.mail.reading.mails import mail

from guardia.doors.mail.reading.charsets import Decoder, codec_of
from guardia.doors.mail.reading.message import read_letter

SPANISH = "Desde las 09:30 el análisis se detiene. ¿Qué se puede hacer? Coste: 20 €"
JAPANESE = "ライセンスの確認をお願いします"
CHINESE = "掃描很慢請檢查伺服器"
RUSSIAN = "Сканер останавливается после обновления базы"


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        (SPANISH, "utf-8", "utf-8"),
        (SPANISH, "utf-8", "iso-8859-1"),
        (SPANISH, "utf-8", "us-ascii"),
        (SPANISH, "utf-8", "utf8mb4"),
        (SPANISH, "utf-8", "x-unknown"),
        (SPANISH, "utf-8", ""),
        (SPANISH, "cp1252", "iso-8859-1"),
        (SPANISH, "cp1252", "us-ascii"),
        (SPANISH, "cp1252", "utf-8"),
        (SPANISH, "cp1252", ""),
        (SPANISH, "cp1252", "no-such-set"),
        (SPANISH, "iso8859-15", "ISO-8859-15"),
        (SPANISH, "utf-7", "utf-7"),
        (SPANISH, "utf-16", "utf-16"),
        (SPANISH, "utf-16", "us-ascii"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (JAPANESE, "iso2022_jp", "us-ascii"),
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (CHINESE, "gb18030", "gb2312"),
        (CHINESE, "gb18030", "GB18030"),
        (CHINESE, "big5", "big5"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (RUSSIAN, "cp1251", '"windows-1251"'),
        (RUSSIAN * 5, "koi8-r", "utf-8"),
    ],
)
def test_text_is_readable_whatever_set_is_declared(text: str, codec: str, declared: str) -> None:
    assert Decoder().text(text.encode(codec), declared) == text


@pytest.mark.parametrize(
    "name", ["zlib", "hex", "rot13", "base64", "punycode", "idna", "unicode_escape", "undefined", "os", "../x"]
)
def test_no_codec_is_used_that_is_not_for_text(name: str) -> None:
    assert codec_of(name) == ""
    assert Decoder().text(b"caf\xc3\xa9", name) == "café"


def test_a_letter_cut_by_the_limit_does_not_spoil_the_rest() -> None:
    assert Decoder().text("añ".encode()[:-1], "utf-8", is_cut=True) == "a"


def test_a_few_broken_bytes_leave_the_rest_in_utf8() -> None:
    assert Decoder().text("áéíóú ñ á é í ó ú ".encode() * 3 + b"\xff", "utf-8").startswith("áéíóú ñ")


def word(text: str, charset: str, encoding: str = "b") -> str:
    return f"=?{charset}?{encoding}?{base64.b64encode(text.encode(charset)).decode()}?="


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?utf-8?q?An=C3=A1lisis?=", "Análisis"),
        ("=?UTF-8?Q?An=c3=a1lisis?= parado", "Análisis parado"),
        ("=?utf-8?q?An=C3?= =?utf-8?q?=A1lisis?=", "Análisis"),
        ("=?utf-8?b?w6E=?=\r\n =?utf-8?b?w6k=?=", "áé"),
        ("=?utf-8?b?w6E?=", "á"),
        ("=?utf-8?q?uno dos?=", "uno dos"),
        ("a=?utf-8?q?=C3=A1?=b", "aáb"),
        ("=?utf-8*es?q?=C3=A1?=", "á"),
        ("=?no-such?q?=E1?=", "á"),
        ("=?utf-8?q?sin cerrar", "=?utf-8?q?sin cerrar"),
        (word("掃描", "gb18030"), "掃描"),
        (word("確認", "iso-2022-jp"), "確認"),
        ("uno\r\n dos", "uno dos"),
        ("fin=?utf-8?q?=0D=0ABcc:_x@y?=", "fin  Bcc: x@y"),
        ("=?utf-8?q?=E2=80=AEgnp.exe?=", "gnp.exe"),
    ],
)
def test_encoded_words_are_decoded_right_or_wrong(written: str, subject: str) -> None:
    assert read_letter(f"From: a@b.example\r\nSubject: {written}\r\n\r\nx".encode()).subject == subject


def test_8_bit_headers_without_encoding_are_read() -> None:
    for codec in ("utf-8", "cp1252"):
        raw = "From: José Núñez <jose@b.example>\r\nSubject: Análisis\r\n\r\nx".encode(codec)
        letter = read_letter(raw)
        assert (letter.sender_name, letter.subject) == ("José Núñez", "Análisis")


def test_no_nul_and_no_half_of_a_pair_comes_through() -> None:
    letter = read_letter(mail(b"a\x00b +2AA-", "Content-Type: text/plain; charset=utf-7"))
    assert letter.text == "ab \ufffd"
