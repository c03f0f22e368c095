"""A mail of ours as bytes (RFC 5322): the same words as text and as HTML, with the headers that threads hold by.

Rules:
- No header can be broken out of: what goes into one is a single line, ids and addresses are of the characters that they
  may have, and the rest is left out.
- The same letter gives the same bytes: Date and boundary come from the row, so that a repetition is a repetition.
- References names the first mail of ours to this person about the case, the last one, and what is answered, in that
  order: Outlook and Gmail thread by the first and by the last.
- The HTML loads nothing, carries its few styles itself, and has both a light and a dark look. A paragraph with an
  address is a button there, and `label: address` in the text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Final
from uuid import UUID

from guardia.features.mail.rules.signals import OWN_HEADER
from guardia.kernel.plain_text import one_line, plain_text

_POLICY: Final = SMTP.clone(max_line_length=400)
"""Longer than the longest id that is named: a folded id would be written as an encoded word, and thread nothing."""
_ID: Final = re.compile(r"[!-;=?-~]{1,300}")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
"""Addresses of ASCII: others would need a relay that has SMTPUTF8, and no account has one."""


class NoSuchAddress(ValueError):
    """A mail's address is none, so it can never be sent."""


@dataclass(frozen=True)
class Desk:
    """Who writes: the name and address of the desk, its domain, and where its pages are."""

    name: str
    address: str
    domain: str
    public_url: str


@dataclass(frozen=True)
class OwnLetter:
    """A mail to be written. Ids without brackets; `footer` are sentences, or label and address as in `paragraphs`."""

    id: UUID
    to: str
    language: str
    subject: str
    paragraphs: Sequence[Mapping[str, str]]
    footer: Sequence[Mapping[str, str]]
    written_at: datetime
    message_id: str
    reply_to: str
    in_reply_to: str
    references: Sequence[str]
    is_automatic: bool


def letter_bytes(letter: OwnLetter, desk: Desk) -> bytes:
    """Return the bytes of a letter. Raises NoSuchAddress."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(desk.name, addr_spec=desk.address)
    message["To"] = _address(letter.to)
    message["Reply-To"] = _address(letter.reply_to)
    message["Subject"] = _one_line(letter.subject) or desk.name
    message["Date"] = letter.written_at
    message["Message-ID"] = f"<{letter.message_id}>"
    if _ID.fullmatch(letter.in_reply_to):
        message["In-Reply-To"] = f"<{letter.in_reply_to}>"
    ids = dict.fromkeys(one for one in letter.references if _ID.fullmatch(one))
    if ids:
        message["References"] = " ".join(f"<{one}>" for one in ids)
    message["Auto-Submitted"] = "auto-replied" if letter.is_automatic else "auto-generated"
    if letter.is_automatic:
        message["X-Auto-Response-Suppress"] = "All"
    message[OWN_HEADER] = desk.domain
    message.set_content(as_text(letter), cte="quoted-printable")
    message.add_alternative(as_html(letter, desk), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{letter.id.hex}")
    message["Content-Language"] = "es" if letter.language == "es" else "en"
    return message.as_bytes()


def _one_line(text: str) -> str:
    """Return a text as one line, for Python's mail library and for U+2028 too."""
    return " ".join(one_line(plain_text(text)).split())


def _address(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise NoSuchAddress(text[:100])
    local, _at, domain = text.rpartition("@")
    return Address("", username=local, domain=domain)


def as_text(letter: OwnLetter) -> str:
    """Return the plain text of a letter."""
    body = "\n\n".join(_line(one) for one in letter.paragraphs)
    foot = "\n".join(_line(one) for one in letter.footer)
    return plain_text(f"{body}\n\n-- \n{foot}\n")


def _line(paragraph: Mapping[str, str]) -> str:
    text, url = paragraph.get("text", ""), paragraph.get("url", "")
    return f"{text}: {url}" if text and url else text or url


_HEAD: Final = """<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
.g-page, .g-page td {{ background: #16191d !important; color: #e8eaed !important; }}
.g-page td.g-foot, .g-page td.g-foot a {{ color: #a8afb8 !important; }}
.g-page td.g-text p a {{ color: #8ab4f8 !important; }}
.g-page td.g-button {{ background: #1f5fbf !important; }}
}}</style></head>
<body class="g-page" style="margin:0;padding:0;background:#ffffff;color:#1d2125">
<table role="presentation" class="g-page" width="100%" cellpadding="0" cellspacing="0" style="background:#ffffff">
<tr><td align="center" style="padding:24px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px">
<tr><td class="g-text" style="{font};font-size:15px;line-height:22px;color:#1d2125;text-align:left">
<p style="margin:0 0 20px;font-weight:600">{name}</p>
"""
_FOOT: Final = """</td></tr>
<tr><td class="g-foot" style="{font};font-size:12px;line-height:18px;color:#5c646e;text-align:left;\
border-top:1px solid #c9ced6;padding-top:12px">
"""
_END: Final = "</td></tr></table></td></tr></table></body></html>\n"
_FONT: Final = "font-family:Inter,'Segoe UI',Helvetica,Arial,sans-serif"
_BUTTON: Final = (
    '<table role="presentation" cellpadding="0" cellspacing="0" style="margin:4px 0 20px"><tr>'
    '<td class="g-button" style="background:#1f5fbf;border-radius:6px">'
    '<a href="{url}" style="{font};display:inline-block;padding:10px 18px;'
    'font-size:15px;font-weight:600;color:#ffffff !important;text-decoration:none">{text}</a>'
    "</td></tr></table>\n"
)


def as_html(letter: OwnLetter, desk: Desk) -> str:
    """Return the HTML of a letter: every word escaped, links only where a paragraph has one or to pages of ours."""
    facts = {"font": _FONT, "name": escape(desk.name), "title": escape(_one_line(letter.subject))}
    parts = [_HEAD.format(language=escape(letter.language), **facts)]
    parts += [_block(one, desk) for one in letter.paragraphs]
    parts += [_FOOT.format(font=_FONT), *(_small(one, desk) for one in letter.footer), _END]
    return plain_text("".join(parts))


def _block(paragraph: Mapping[str, str], desk: Desk) -> str:
    text, url = paragraph.get("text", ""), paragraph.get("url", "")
    if url and _is_web(url):
        return _BUTTON.format(url=escape(url), text=escape(text or url), font=_FONT)
    return f'<p style="margin:0 0 16px">{_linked(_line(paragraph), desk)}</p>\n'


def _small(paragraph: Mapping[str, str], desk: Desk) -> str:
    text, url = paragraph.get("text", ""), paragraph.get("url", "")
    if url and _is_web(url):
        inner = f'<a href="{escape(url)}" style="color:#5c646e">{escape(text or url)}</a>'
    else:
        inner = _linked(_line(paragraph), desk)
    return f'<p style="margin:0 0 8px">{inner}</p>\n'


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _linked(text: str, desk: Desk) -> str:
    """Return a text with its line breaks, and with links on the addresses of our own pages."""
    ours = re.compile(re.escape(escape(desk.public_url)) + r"/[\w/.-]*")
    linked = ours.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(text))
    return linked.replace("\n", "<br>\n")
