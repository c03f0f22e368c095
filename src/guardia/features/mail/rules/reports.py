"""What machines report of a mail that we sent: delivery reports (RFC 3464) and complaints (RFC 5965).

Lenient on purpose: blank lines that are missing, fields that are folded, actions that are left out and reports in plain
words (qmail, Exim) are read as far as they go. Only what presents itself as a report is read as one: a person who
attaches a bounce to a mail sends a mail. A read receipt is no delivery report, "not spam" is no complaint.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from guardia.features.mail.rules.arrived import DeliveryReport

MOST_REPORTS: Final = 100
LONGEST_DETAIL: Final = 500
_MOST_READ: Final = 200_000
_KIND_OF_ACTION: Final = {
    "failed": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
_KIND_OF_STATUS: Final = {"2": "delivered", "4": "delayed", "5": "failed"}
_NO_COMPLAINT: Final = {"not-spam", "auth-failure", "dmarc"}
_RETURNED: Final = ("text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers")
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()\[\]]{1,64}@[^\s<>,;:\"()\[\]]{1,255}")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})[ \t]{0,5}:[ \t]{0,20}([^\n]{0,4000})")
_MESSAGE_ID: Final = re.compile(r"(?:^|\n)[ \t>]{0,6}Message-ID:[ \t\r\n]{0,8}<([^<>\n]{1,300})>", re.IGNORECASE)
_SPEAKS: Final = re.compile(
    r"hi\. this is the|this message was created automatically by mail delivery software|this is the mail system at|"
    r"your message .{0,200}(?:couldn't be delivered|wasn't delivered)|delivery has failed to these recipients|"
    r"delivery to the following recipient|a message that you (?:have )?sent|undeliver|"
    r"the following addresses had permanent|"
    r"no se pudo entregar|error de entrega|no se ha podido entregar",
    re.IGNORECASE,
)
_COPY_BELOW: Final = re.compile(
    r"\n-{2,} ?(?:below this line is a copy|this is a copy of)[^\n]{0,100}\n", re.IGNORECASE
)
_QMAIL: Final = re.compile(r"(?:^|\n)<([^<>\s]{1,320})>:[ \t]{0,5}\n((?:[^\n]{1,1000}\n?){1,20})")
_EXIM: Final = re.compile(
    r"\n {2}(?! )(?:to )?<?([^\s<>]{1,64}@[^\s<>:]{1,255})>?:?[ \t]{0,5}\n((?: {4}[^\n]{1,1000}\n?){0,20})"
)
_DELAYED: Final = re.compile(
    r"has not yet been delivered|delay reason|will be retried|delayed|still trying|not been delivered .{0,80} yet|"
    r"no action is required",
    re.IGNORECASE,
)


def delivery_reports(content_type: str, parts: Sequence[tuple[str, bytes]]) -> tuple[DeliveryReport, ...]:
    """Return what a message reports, one for each recipient; empty where it is no report.

    `content_type` is that of the whole message with its parameters, `parts` are (type, decoded bytes) in their order;
    ids and recipients are in small letters as far as addresses go, ids without angle brackets.
    """
    typed = [(_bare(kind), _text(content)) for kind, content in parts]
    message_id = _returned_id(typed)
    if not _is_report(content_type, typed):
        return ()
    found = [*_of_status_parts(typed, message_id), *_of_complaints(typed, message_id)]
    if not found and "disposition-notification" not in content_type.lower():
        found = list(_in_plain_words(typed, message_id))
    return tuple(dict.fromkeys(found))[:MOST_REPORTS]


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _text(content: bytes) -> str:
    text = content[:_MOST_READ].decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_report(content_type: str, typed: Sequence[tuple[str, str]]) -> bool:
    """Whether the message as a whole is one, by its type or by its first words."""
    if _bare(content_type) in {"multipart/report", "message/delivery-status", "message/feedback-report"}:
        return True
    first = next((text for kind, text in typed if kind.startswith("text/")), "")
    return _SPEAKS.match(" ".join(first[:600].split())) is not None


def _returned_id(typed: Sequence[tuple[str, str]]) -> str:
    """The id of the mail that is reported on: of the headers that came back, else of a copy below plain words."""
    for kind, text in typed:
        if kind in _RETURNED:
            headers = text.lstrip("\n").partition("\n\n")[0] if kind != "text/rfc822-headers" else text
            match = _MESSAGE_ID.search(headers)
            if match:
                return match[1].strip()
    for kind, text in typed:
        copy = _COPY_BELOW.search(text) if kind.startswith("text/") else None
        match = _MESSAGE_ID.search(text, copy.end() - 1) if copy else None
        if match:
            return match[1].strip()
    return ""


def _of_status_parts(typed: Sequence[tuple[str, str]], message_id: str) -> Iterator[DeliveryReport]:
    for kind, text in typed:
        if kind not in {"message/delivery-status", "message/global-delivery-status"}:
            continue
        for fields in _groups(text):
            if fields.keys() & {"final-recipient", "original-recipient", "action"}:
                yield _of_fields(fields, message_id)


def _groups(text: str) -> Iterator[Mapping[str, str]]:
    """The fields of each recipient: apart by blank lines, or where a field begins anew."""
    fields: dict[str, str] = {}
    for line in re.sub(r"\n[ \t]+(?=\S)", " ", text).split("\n"):
        match = _FIELD.match(line)
        name = match[1].lower() if match else ""
        begins_anew = name in {"final-recipient", "original-recipient"} and name in fields
        if fields and (not line.strip() or begins_anew):
            yield fields
            fields = {}
        if match:
            fields.setdefault(name, match[2].strip())
    if fields:
        yield fields


def _of_fields(fields: Mapping[str, str], message_id: str) -> DeliveryReport:
    said = " ".join(fields.get("diagnostic-code", "").split())
    detail = said.partition(";")[2].strip() if re.match(r"[\w-]{1,20} ?;", said) else said
    status = _STATUS.search(fields.get("status", "")) or _STATUS.search(said)
    action = fields.get("action", "").split(" ")[0].split("(")[0].lower()
    kind = _KIND_OF_ACTION.get(action) or _KIND_OF_STATUS.get(status[1][0] if status else "", "failed")
    recipient = _recipient(fields.get("original-recipient", "")) or _recipient(fields.get("final-recipient", ""))
    return DeliveryReport(kind, recipient, status[1] if status else "", detail[:LONGEST_DETAIL], message_id)


def _recipient(value: str) -> str:
    kind, apart, address = value.partition(";")
    plain = address if apart else kind
    if "@" not in plain:
        plain = _XTEXT.sub(lambda code: chr(int(code[1], 16)), plain)
    match = _ADDRESS.search(plain)
    return match[0].lower().strip(".'") if match else ""


def _of_complaints(typed: Sequence[tuple[str, str]], message_id: str) -> Iterator[DeliveryReport]:
    for kind, text in typed:
        if kind != "message/feedback-report":
            continue
        fields = {name.lower(): value.strip() for name, value in _FIELD.findall(text)}
        feedback = fields.get("feedback-type", "abuse").lower()
        if feedback in _NO_COMPLAINT:
            continue
        recipient = _recipient(fields.get("original-rcpt-to", "")) or _returned_recipient(typed)
        yield DeliveryReport("complained", recipient, "", feedback[:LONGEST_DETAIL], message_id)


def _returned_recipient(typed: Sequence[tuple[str, str]]) -> str:
    for kind, text in typed:
        if kind in _RETURNED:
            match = re.search(r"(?:^|\n)To:([^\n]{1,1000})", text, re.IGNORECASE)
            return _recipient(match[1]) if match else ""
    return ""


def _in_plain_words(typed: Sequence[tuple[str, str]], message_id: str) -> Iterator[DeliveryReport]:
    """The reports of programs that write them for people only."""
    text = next((text for kind, text in typed if kind.startswith("text/")), "")
    copy = _COPY_BELOW.search(text)
    said = text[: copy.start() + 1] if copy else text[:20_000]
    delayed = _DELAYED.search(said) is not None
    for match in (*_QMAIL.finditer(said), *_EXIM.finditer(said)):
        detail = " ".join(match[2].split())
        status = _STATUS.search(detail)
        recipient = _recipient(match[1])
        if recipient:
            kind = "delayed" if delayed else "failed"
            yield DeliveryReport(kind, recipient, status[1] if status else "", detail[:LONGEST_DETAIL], message_id)
