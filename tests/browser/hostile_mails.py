"""Mails that try to run something, or to call home, by every part that a page could show.

Each tries to set `window.__pwned`, to open a dialog, or to fetch from `EVIL`. The markup is in `hostile_markup.txt`:
what confuses parsers stands alone, so that nothing closes what it leaves open.
"""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

from tests.browser.postbox import letter

EVIL = "evil.example"
_RUN = "window.__pwned=1;top.__pwned=1;alert(1)"
_TAG = f'"><script>{_RUN}</script><img src=x onerror="{_RUN}">'

_PLACES = {"{{RUN}}": _RUN, "{{EVIL}}": EVIL, "{{NUL}}": "\x00", "{{VT}}": "\x0b"}


def _blocks(kind: str) -> list[str]:
    text = Path(__file__).with_name("hostile_markup.txt").read_text(encoding="utf-8")
    for place, value in _PLACES.items():
        text = text.replace(place, value)
    return [block.partition("\n")[2] for block in text.split("==== ") if block.startswith(kind)]


RUNNING, CONFUSING = _blocks("together"), _blocks("alone")
"""What runs or loads where a page lets it; and what is one thing to a cleaner and another to a browser."""

HOSTILE_NAMES = [
    f'<img src=x onerror="{_RUN}">.png',
    f"'><script>{_RUN}</script>.exe",
    f"javascript:{_RUN}",
    "../../../../etc/passwd",
    "\u202egpj.exe",
    "{{7*7}}{% debug %}.txt",
]


CLAIM = f"""Tipo: FP
Producto: {_TAG}
Motor: ClamAV <svg onload={_RUN}>
Base de datos: 20260101.1
Detección: {_TAG}"""
"""Enough of a claim to be a case of the lab."""


def hostile_mails(sender: str) -> Iterator[EmailMessage]:
    """Yield the mails, all of one sender."""
    for at, markup in enumerate([*RUNNING, *CONFUSING]):
        mail = _mail(sender, f"HTML {at} {_TAG}", f"{_TAG} {{{{7*7}}}}")
        mail.add_alternative(f"<html><body><p>H{at}</p>{markup}</body></html>", subtype="html")
        yield mail
    only = _mail(sender, f"Only HTML {_TAG}", "")
    only.set_content("".join(RUNNING), subtype="html")
    yield only
    files = _mail(sender, f"Files {_TAG}", f"{CLAIM}\nContraseña: {_TAG}")
    for name in HOSTILE_NAMES:
        files.add_attachment(f"<script>{_RUN}</script>".encode(), "text", "html", filename=name)
    yield files
    related = _mail(sender, "Pictures <b onmouseover=alert(1)>", "See the picture.")
    related.add_alternative('<p>P<img src="cid:one"><img src="cid:two"><img src="cid:three"></p>', subtype="html")
    for name, kind in (("one", "svg+xml"), ("two", "png"), ("three", "gif")):
        content = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{_RUN}"><script>{_RUN}</script></svg>'.encode()
        related.add_attachment(content, "image", kind, cid=f"<{name}>", filename=f"{name}.svg", disposition="inline")
    yield related


def _mail(sender: str, subject: str, text: str) -> EmailMessage:
    mail = letter(f'"<script>alert(1)</script> \'onload=alert(1)" <{sender}>', subject, text)
    mail["Message-ID"] = f"<{abs(hash((sender, subject)))}.<svg/onload=alert(1)>@mail.example>"
    return mail
