"""Names of attached files that are safe to show: the rule of uploads, without the database behind it.

The last part of a path only, nothing that is not seen, no mark that turns the direction of writing: with one of them
`gnp.exe` is shown as `exe.png`.
"""

import unicodedata
from typing import Final

LONGEST_NAME: Final = 255
_UNSEEN: Final = {"Cc", "Cs", "Zl", "Zp"}
_TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_EXTENSIONS: Final = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/rfc822-headers": ".txt",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/feedback-report": ".txt",
    "message/disposition-notification": ".txt",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/x-7z-compressed": ".7z",
    "application/json": ".json",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/ms-tnef": ".dat",
    "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc",
}


def safe_name(sent: str, content_type: str = "") -> str:
    """Return a name fit to be shown for a file sent as `sent`; `unnamed` and an extension where nothing is left."""
    last = sent[-4_000:].replace("\\", "/").rsplit("/", 1)[-1]
    seen = (sign for sign in last if unicodedata.category(sign) not in _UNSEEN and sign not in _TURNS)
    cleaned = "".join(seen).strip().strip(".").strip()
    return cleaned[-LONGEST_NAME:] or "unnamed" + _EXTENSIONS.get(content_type, ".bin")
