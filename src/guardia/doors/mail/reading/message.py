"""A letter out of raw bytes: what `read_letter` promises for every message that can be sent.

- R-1 It never fails and never takes long: each step is linear and limited. What goes wrong all the same gives a bare
  letter, in which the message itself is the attachment.
- R-2 Nothing vanishes: what is not shown as words is attached, what is cut or left out is told in the faults.
- R-3 The sender is one possible address in one From field; otherwise there is none, and all who are named are kept.
"""

import base64
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from guardia.doors.mail.reading import addresses, faults
from guardia.doors.mail.reading.bodies import Sorter
from guardia.doors.mail.reading.charsets import Decoder, quickly_plain
from guardia.doors.mail.reading.headers import Head, split_head, words_of
from guardia.doors.mail.reading.markup import shown, text_of
from guardia.doors.mail.reading.names import safe_name
from guardia.doors.mail.reading.structure import Message, Splitter
from guardia.doors.mail.reading.tnef import Opened, open_tnef
from guardia.features.mail.rules.arrived import (
    LONGEST_TEXT,
    MOST_ATTACHMENTS,
    Attachment,
    DeliveryReport,
    Letter,
    Stated,
)
from guardia.features.mail.rules.own_words import split_words
from guardia.features.mail.rules.reports import delivery_reports
from guardia.features.mail.rules.signals import language_of, signals_of
from guardia.features.mail.rules.stated import read_stated
from guardia.kernel.plain_text import one_line, plain_text

LONGEST_SUBJECT: Final = 500
MOST_INSIDE: Final = 60_000_000
LONGEST_IMAGE, LONGEST_IMAGES = 256 * 1024, 1024 * 1024
_BARE_HEAD: Final = 65_536
_LONGEST_SIGNAL: Final = 1_000
_REPORTED: Final = 200_000
_MAGIC: Final = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "gif": re.compile(rb"GIF8[79]a"),
    "webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
_TNEF: Final = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SMIME: Final = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_ARMOUR: Final = "-----BEGIN PGP MESSAGE-----"
_SIGNED: Final = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_SIGNATURE: Final = "\n-----BEGIN PGP SIGNATURE-----"


def read_letter(raw: bytes, envelope_sender: str | None = None, own_addresses: Collection[str] = ()) -> Letter:
    """Return what a message says, for any bytes (R-1). `envelope_sender`: empty for null, None if not known."""
    try:
        return _read(raw, envelope_sender, tuple(own_addresses))
    except Exception:  # noqa: BLE001  no message may be lost to a fault of ours; the letter says that it was not read
        return bare_letter(raw, faults.NOT_READ, envelope_sender, own_addresses)


def bare_letter(
    raw: bytes, fault: str, envelope_sender: str | None = None, own_addresses: Collection[str] = ()
) -> Letter:
    """Return the little that is certain of a message: its first headers, its first bytes as text, itself as a file."""
    decoder = Decoder()
    head = split_head(raw, 0, min(len(raw), _BARE_HEAD))
    text = decoder.text(raw[head.end : head.end + LONGEST_TEXT], is_cut=True)
    letter = _addressed(head, decoder)
    return replace(
        letter,
        text=text.replace("\r\n", "\n"),
        attachments=(Attachment("message.eml", "message/rfc822", raw),),
        signals=signals_of(_said(head), letter.subject, "", [], envelope_sender, tuple(own_addresses)),
        faults=(*letter.faults, fault),
    )


def _addressed(head: Head, decoder: Decoder) -> Letter:
    """A letter that has only what its headers say (R-3)."""
    named = addresses.senders(head, decoder)
    told: list[str] = []
    is_one = len(named) == 1 and len(head.all("from")) == 1
    if len(named) > 1:
        told.append(faults.SEVERAL_SENDERS)
    if any(not address for _, address in named):
        told.append(faults.SENDER_ABSURD)
    replies = [addresses.address_of(written) for value in head.all("reply-to") for _, written in _mailboxes(value)]
    ids = addresses.message_ids(head.all("message-id"))
    return Letter(
        sender=named[0][1] if is_one else "",
        sender_name=named[0][0] if is_one else "",
        all_senders=tuple(dict.fromkeys(address for _, address in named if address)),
        reply_to=next(filter(None, replies), ""),
        subject=one_line(words_of(head.first("subject")[:20_000], decoder))[:LONGEST_SUBJECT],
        message_id=ids[0] if ids else "",
        in_reply_to=addresses.answered_ids(head),
        text="",
        quoted="",
        html="",
        attachments=(),
        stated=Stated(),
        signals=(),
        faults=tuple(told),
    )


def _mailboxes(value: bytes) -> list[tuple[str, str]]:
    return addresses.mailboxes(plain_text(value[:20_000].decode("utf-8", "replace")))


def _read(raw: bytes, envelope_sender: str | None, own_addresses: Sequence[str]) -> Letter:
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    decoder = Decoder()
    message = Splitter(decoder).split(raw)
    letter = _addressed(message.head, decoder)
    sorter = Sorter(decoder)
    sorter.sort(message.parts, MOST_INSIDE)
    opened = _opened_tnef(sorter)
    text = _cut(_unsigned(_words(sorter, message, opened, decoder), decoder), decoder)
    markup = sorter.outer.html() or (opened[0].html if opened else "")
    markup = _html(markup, sorter) if markup else ""
    own, quoted = split_words(text)
    _note_sealed(message, sorter, text)
    types = [value.decode("utf-8", "replace") for value in message.types]
    return replace(
        letter,
        text=own,
        quoted=quoted,
        html=markup,
        attachments=tuple(sorter.files[:MOST_ATTACHMENTS]),
        stated=read_stated(letter.subject, own),
        signals=signals_of(_said(message.head), letter.subject, own, types, envelope_sender, own_addresses),
        reports=_reports(message),
        language=language_of(own),
        faults=(*letter.faults, *decoder.faults),
    )


def _said(head: Head) -> list[tuple[str, str]]:
    return [(name, plain_text(value[:_LONGEST_SIGNAL].decode("utf-8", "replace"))) for name, value in head.fields]


def _words(sorter: Sorter, message: Message, opened: Sequence[Opened], decoder: Decoder) -> str:
    """The words of the message; else of what is around, within or beside them."""
    text = sorter.outer.text()
    if text.strip():
        if message.strays and any(b"MIME" not in stray for stray in message.strays):
            sorter.fault(faults.STRAY_TEXT)
        return text
    within = "\n\n".join(filter(None, (one.text.replace("\r\n", "\n") or text_of(one.html) for one in opened)))
    if within.strip():
        return within
    for bodies in (sorter.named, sorter.inner):
        if (text := bodies.text()).strip():
            return text
    return "\n\n".join(decoder.text(stray) for stray in message.strays).replace("\r\n", "\n")


def _cut(text: str, decoder: Decoder) -> str:
    if len(text) > LONGEST_TEXT:
        if faults.TEXT_CUT not in decoder.faults:
            decoder.faults.append(faults.TEXT_CUT)
        return text[:LONGEST_TEXT]
    return text


def _unsigned(text: str, decoder: Decoder) -> str:
    """A text without the armour of its signature."""
    if _ARMOUR in text:
        decoder.faults.append(faults.ENCRYPTED_PGP)
    begin = text.find(_SIGNED)
    end = text.find(_SIGNATURE, begin)
    if begin < 0 or end < 0:
        return text
    words = text[begin + len(_SIGNED) : end].partition("\n\n")[2]
    after = text[end:].partition("-----END PGP SIGNATURE-----")[2]
    return text[:begin] + re.sub(r"(?m)^- ", "", words) + after


def _html(markup: str, sorter: Sorter) -> str:
    """Safe HTML with the pictures that came along."""
    images: dict[str, str] = {}
    room = LONGEST_IMAGES
    for content_id, file in sorter.images if "cid:" in markup.lower() else ():
        kind = next((kind for kind, magic in _MAGIC.items() if magic.match(file.content)), "")
        if not kind or content_id in images:
            continue
        if len(file.content) > min(room, LONGEST_IMAGE):
            sorter.fault(faults.INLINE_LARGE)
            continue
        room -= len(file.content)
        images[content_id] = f"data:image/{kind};base64,{base64.b64encode(file.content).decode('ascii')}"
    result = shown(markup, images)
    if result.has_remote:
        sorter.fault(faults.REMOTE_IMAGES)
    inline = {id(file) for content_id, file in sorter.images if content_id in result.used}
    sorter.files = [replace(file, is_inline=True) if id(file) in inline else file for file in sorter.files]
    return quickly_plain(result.html)


def _opened_tnef(sorter: Sorter) -> list[Opened]:
    """What was in winmail.dat; its files take its place."""
    found: list[Opened] = []
    files: list[Attachment] = []
    for file in sorter.files:
        is_tnef = file.type in _TNEF or (
            file.name.lower() == "winmail.dat" and file.content.startswith(b"\x78\x9f\x3e\x22")
        )
        opened = open_tnef(file.content) if is_tnef else None
        if is_tnef and (opened is None or opened.is_cut):
            sorter.fault(faults.TNEF_BROKEN)
            files += [file] if opened else []
        elif opened and opened.has_rich_text and not (opened.text or opened.html or sorter.outer.text().strip()):
            sorter.fault(faults.TNEF_RICH_TEXT)
            files.append(file)
        if opened is None or not (opened.files or opened.text or opened.html or opened.has_rich_text):
            files.append(file)
            continue
        found.append(opened)
        files += [Attachment(safe_name(one.name), "application/octet-stream", one.content) for one in opened.files]
    if found and len(files) <= MOST_ATTACHMENTS:
        sorter.files = files
    return found


def _note_sealed(message: Message, sorter: Sorter, text: str) -> None:
    """What a person must ask the sender for."""
    for part in message.parts:
        kind = part.kind.value
        if kind in _SMIME:
            is_signed = part.kind.parameters.get("smime-type", "").lower() in {"signed-data", "certs-only"}
            sorter.fault(faults.SIGNED_WRAPPED if is_signed else faults.ENCRYPTED_SMIME)
        elif kind == "application/pgp-encrypted" or (kind == "message/partial" and not text):
            sorter.fault(faults.ENCRYPTED_PGP if kind.startswith("application") else faults.PARTIAL)
        elif kind == "message/partial":
            sorter.fault(faults.PARTIAL)
        elif kind == "message/external-body":
            sorter.fault(faults.EXTERNAL)


def _reports(message: Message) -> tuple[DeliveryReport, ...]:
    parts = [
        (part.kind.value, part.content()[0][:_REPORTED])
        for part in message.parts[:20]
        if not part.nested and not part.is_rest and part.kind.value.startswith(("text/", "message/"))
    ]
    whole = message.head.first("content-type")[:_LONGEST_SIGNAL].decode("utf-8", "replace")
    return delivery_reports(whole, parts)
