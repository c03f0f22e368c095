"""Text and JSON as a database can keep them.

PostgreSQL keeps neither NUL nor half of a surrogate pair, and no person ever means one. Doors drop the first and
replace the second where text comes in, so that nothing further inside needs to know.
"""

from typing import Any

_KEPT = str.maketrans({"\x00": None} | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)})


def plain_text(text: str) -> str:
    """Return `text` without NUL, and with U+FFFD for each lone surrogate."""
    return text if text.isascii() and "\x00" not in text else text.translate(_KEPT)


def plain_json(value: Any) -> Any:
    """Return a JSON value whose every text, names of fields included, is plain."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [plain_json(entry) for entry in value]
    if isinstance(value, dict):
        return {plain_text(name): plain_json(entry) for name, entry in value.items()}
    return value
