"""What kind of file something is, by its first bytes: the words that corpus manifests and file facts share."""

from typing import Final, Literal

FileKind = Literal["elf", "pe", "zip", "gzip", "pdf", "office", "script", "image", "text", "data", "empty"]

HEAD_BYTES: Final = 4096
_MAGIC: Final[tuple[tuple[bytes, FileKind], ...]] = (
    (b"\x7fELF", "elf"),
    (b"MZ", "pe"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF-", "pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
    (b"#!", "script"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
)
_TEXT_BYTES: Final = bytes({7, 8, 9, 10, 12, 13, 27, *range(0x20, 0x7F), *range(0x80, 0x100)})


def kind_of(head: bytes) -> FileKind:
    """The kind of a file that begins with `head` (up to HEAD_BYTES bytes of it)."""
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return "text" if not head.translate(None, _TEXT_BYTES) and _decodes(head) else "data"


def _decodes(head: bytes) -> bool:
    """Whether it is UTF-8; the last character may be cut."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) >= HEAD_BYTES
    return True
