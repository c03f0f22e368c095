"""HTML of strangers: nothing runs, nothing calls home, what was said is kept; and Outlook's own envelope."""

import base64
import re
import struct

import pytest
from tests.doors.mail.reading.mails import PNG, mail, parts, well_formed

from guardia.doors.mail.reading import faults
from guardia.doors.mail.reading.markup import shown, text_of
from guardia.doors.mail.reading.message import read_letter
from guardia.doors.mail.reading.tnef import open_tnef

ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='jAva\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<iframe src='https://x.example'></iframe>",
    "<form action='https://x.example'><input name=p><button>x</button></form>",
    "<style>body{background:url(https://x.example)}</style>",
    "<p style='background:url(https://x.example)'>x</p>",
    "<table background='https://x.example/p.gif'><tr><td>x</table>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>",
    "<base href='https://x.example'>",
    "<link rel=stylesheet href='https://x.example'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<img src='data:image/svg+xml;base64,PHN2Zy8+'>",
    "<img src='https://x.example/pixel.gif'>",
    "<img src='cid:unknown'>",
    "<img src='CID:x' srcset='https://x.example/a 2x'>",
    "<!--[if mso]><img src=https://x.example><![endif]-->",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<div id=login class=btn name=x>x</div>",
    "<video src=x onerror=alert(1)><audio autoplay src=https://x.example>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_and_nothing_calls_home(attack: str) -> None:
    page = f"<p>antes</p>{attack}<p>después</p>"
    found = " ".join(re.findall(r"<[^>]*>", shown(page, {}).html)).lower()
    for word in (
        "<script",
        "onerror",
        "onload",
        "javascript",
        "vbscript",
        "<svg",
        "<iframe",
        "<form",
        "style",
        "x.example",
    ):
        assert word not in found
    for word in ("<meta", "<base", "<link", "data:", "id=", "class=", "srcset"):
        assert word not in found
    assert "antes" in shown(page, {}).html
    assert "después" in shown(page, {}).html


def test_links_open_elsewhere_and_tell_nothing() -> None:
    found = shown("<a href='https://a.example/?a=1&amp;b=2' onclick=x>aquí</a>", {}).html
    assert 'href="https://a.example/?a=1&amp;b=2"' in found
    assert 'target="_blank"' in found
    assert "noopener noreferrer nofollow" in found


def test_remote_images_are_told_and_their_words_stay() -> None:
    letter = read_letter(mail("<p>x<img src='https://x.example/a.gif' alt='Logo'></p>", "Content-Type: text/html"))
    assert faults.REMOTE_IMAGES in letter.faults
    assert "Logo" in letter.html
    assert "x.example" not in letter.html
    assert "[Logo]" in letter.text


@pytest.mark.parametrize(
    ("content", "kind", "is_shown"),
    [
        (PNG, "png", True),
        (b"GIF89a" + bytes(10), "gif", True),
        (b"\xff\xd8\xff\xe0", "jpeg", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp", True),
        (b"<svg onload=alert(1)>", "png", False),
        (PNG + bytes(300_000), "png", False),
    ],
)
def test_pictures_that_came_along_are_shown_and_listed(content: bytes, kind: str, is_shown: bool) -> None:  # noqa: FBT001
    message = well_formed()
    message.add_alternative("<p>Hola<img src='cid:one@x'></p>", subtype="html")
    message.add_attachment(content, "image", kind, filename="uno", cid="<one@x>", disposition="inline")
    letter = read_letter(message.as_bytes())
    data = f'src="data:image/{kind};base64,{base64.b64encode(content).decode()}"'
    assert (data in letter.html) is is_shown
    assert [(file.name, file.content, file.is_inline) for file in letter.attachments] == [("uno", content, True)]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>uno</p><p>dos<br>tres</p>", "uno\n\ndos\ntres"),
        ("uno   \n dos", "uno dos"),
        ("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>", "- a\n- b\n  1. c\n  2. d"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a | b\nc"),
        ("<a href='https://a.example'>aquí</a>", "aquí <https://a.example>"),
        ("<a href='https://a.example/'>https://a.example</a>", "https://a.example"),
        ("<a href='javascript:x'>aquí</a>", "aquí"),
        ("hola<blockquote>viejo<br>más<blockquote>aún</blockquote></blockquote>", "hola\n\n> viejo\n> más\n>\n> > aún"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<style>p{}</style><title>x</title>a&amp;b&nbsp;&lt;c", "a&b <c"),
        ("a < b > c", "a < b > c"),
        ("sin <b>cerrar", "sin cerrar"),
        ("<!-- nunca cerrado", "<!-- nunca cerrado"),
        ("<![if x]>a<![endif]><?xml y?>", "a"),
    ],
)
def test_html_is_read_as_text(markup: str, text: str) -> None:
    assert text_of(markup).strip() == text


def test_of_alternatives_the_plain_text_counts_unless_it_is_a_stub() -> None:
    html = "Content-Type: text/html\n\n<p>lo que se quiere decir</p>"
    assert read_letter(parts("Content-Type: text/plain\n\nhola", html, kind="alternative")).text == "hola"
    for stub in ("", "\n \n", "Your email client does not support HTML.", "Su cliente de correo no admite HTML"):
        raw = parts(f"Content-Type: text/plain\n\n{stub}", html, kind="alternative")
        assert read_letter(raw).text == "lo que se quiere decir"


def test_what_html_quotes_is_folded() -> None:
    letter = read_letter(mail("<p>De acuerdo.</p><blockquote>¿Les va bien?</blockquote>", "Content-Type: text/html"))
    assert letter.text == "De acuerdo."
    assert "¿Les va bien?" in letter.quoted


def tnef(*objects: tuple[int, int, bytes], length: int | None = None) -> bytes:
    """Return a winmail.dat of objects: level, name with type, data."""
    out = struct.pack("<IH", 0x223E9F78, 1)
    for level, name, data in objects:
        out += struct.pack("<BII", level, name, len(data) if length is None else length)
        out += data + struct.pack("<H", sum(data) & 0xFFFF)
    return out


WINMAIL = tnef(
    (1, 0x0002800C, b"hola de Outlook\0"),
    (2, 0x00069002, bytes(14)),
    (2, 0x00018010, b"informe.txt\0"),
    (2, 0x0006800F, b"contenido"),
)


def winmail(content: bytes) -> bytes:
    message = well_formed()
    message.set_content("")
    message.add_attachment(content, "application", "ms-tnef", filename="winmail.dat")
    return message.as_bytes()


def test_winmail_is_opened() -> None:
    letter = read_letter(winmail(WINMAIL))
    assert letter.text == "hola de Outlook"
    assert [(file.name, file.content) for file in letter.attachments] == [("informe.txt", b"contenido")]


@pytest.mark.parametrize(
    "content",
    [
        b"no tnef",
        WINMAIL[:60],
        tnef((1, 0x0002800C, b"x"), length=0xFFFFFFFF),
        tnef(*((1, 0x00028006, b""),) * 6_000),
    ],
)
def test_a_broken_winmail_stays_a_file(content: bytes) -> None:
    letter = read_letter(winmail(content))
    assert faults.TNEF_BROKEN in letter.faults
    assert "winmail.dat" in [file.name for file in letter.attachments]


@pytest.mark.parametrize(
    "properties",
    [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x1002, 0x1000, 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x001E, 0x1000, 0xFFFFFFFF) + bytes(400_000),
        struct.pack("<IHH", 1, 0x001E, 0x9000) + b"\xff" * 40,
    ],
)
def test_counts_without_end_in_winmail_are_not_believed(properties: bytes) -> None:
    assert open_tnef(tnef((1, 0x00069003, properties))) is not None
