"""Bearer tokens and one-time codes: 256 random bits, kept as SHA-256 only.

`gt_` a contact's API token, `gs_` one of staff, `gm_` a machine's. `gl_` is a machine's way into the accelerated lane:
derived from the server's secret, so that it can be told again without being kept. A one-time enrolment code is typed by
people: 20 characters of an alphabet without look-alikes (100 bits), good for an hour.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

CODE_LIFE = timedelta(hours=1)
TOKEN_LIFE = timedelta(days=365)
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def make_token(prefix: str) -> str:
    """Return a new token such as `gt_…`."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def make_code() -> str:
    """Return a new enrolment code in groups of five: `7K2QF-…`."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))


def normal_code(text: str) -> str:
    """Return a typed code as it was made: upper case, groups joined by hyphens."""
    bare = "".join(character for character in text.upper() if character.isalnum())
    return "-".join(bare[start : start + 5] for start in range(0, len(bare), 5))


def digest(secret: str) -> str:
    """Return what is kept of a token or code."""
    return hashlib.sha256(secret.encode()).hexdigest()


def lane_token(machine_id: str, secret: str) -> str:
    """Return a machine's token for the accelerated lane."""
    mac = hmac.digest(secret.encode(), f"lane:{machine_id}".encode(), "sha256")
    return "gl_" + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
