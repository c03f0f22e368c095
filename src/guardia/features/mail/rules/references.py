"""What a stranger is given to name the own message by: it says nothing, and nobody makes one up.

The message's stored id with 80 bits of HMAC-SHA-256, in small letters and figures, so that it survives being typed.
"""

import base64
import binascii
import hmac
from typing import Final
from uuid import UUID

_MAC_BYTES: Final = 10
_ID_LENGTH, _MAC_LENGTH = 26, 16


def reference_of(key: bytes, mail_id: UUID) -> str:
    """Return the reference of a message."""
    return base64.b32encode(mail_id.bytes).decode().rstrip("=").lower() + _mac(key, mail_id)


def read_reference(key: bytes, text: str) -> UUID | None:
    """Return the message that a reference names; None for every text that was not made with the key."""
    bare = text.strip().lower()
    if len(bare) != _ID_LENGTH + _MAC_LENGTH or not bare.isascii():
        return None
    try:
        mail_id = UUID(bytes=base64.b32decode(bare[:_ID_LENGTH].upper() + "======"))
    except binascii.Error:
        return None
    return mail_id if hmac.compare_digest(bare[_ID_LENGTH:], _mac(key, mail_id)) else None


def _mac(key: bytes, mail_id: UUID) -> str:
    digest = hmac.digest(key, f"reference|{mail_id.hex}".encode(), "sha256")
    return base64.b32encode(digest[:_MAC_BYTES]).decode().lower()
