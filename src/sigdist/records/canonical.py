"""One way to write a value as bytes, so that two machines hash and sign the same thing.

Rules: keys sorted, no spaces, UTF-8 unescaped, no NaN.
"""

import hashlib
import json
from typing import Any


def canonical_bytes(value: Any) -> bytes:
    """The canonical JSON of `value`, as UTF-8. Raises ValueError for what JSON cannot say."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of `data`, in lower-case hex."""
    return hashlib.sha256(data).hexdigest()
