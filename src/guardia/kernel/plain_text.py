"""Text and JSON as a database can keep them.

PostgreSQL keeps neither NUL nor half of a surrogate pair, and no person ever means one. Doors drop the first and
replace the second where text comes in, so that nothing further inside needs to know.
"""

import unicodedata
from typing import Any

_KEPT = str.maketrans({"\x00": None} | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)})


_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain_text(text: str) -> str:
    """Return `text` without NUL, and with U+FFFD for each lone surrogate."""
    return text if text.isascii() and "\x00" not in text else text.translate(_KEPT)


def one_line(text: str) -> str:
    """Return `text` fit for a heading or a list: no control characters, no marks that reverse the writing direction."""
    return "".join(" " if char in "\t\r\n" else char for char in text if char in "\t\r\n" or _is_visible(char)).strip()


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cs"} and char not in _DIRECTION_MARKS


def plain_json(value: Any) -> Any:
    """Return a JSON value whose every text, names of fields included, is plain."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [plain_json(entry) for entry in value]
    if isinstance(value, dict):
        return {plain_text(name): plain_json(entry) for name, entry in value.items()}
    return value
