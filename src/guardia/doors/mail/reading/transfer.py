"""Content-Transfer-Encoding undone, right or wrong; and files that stand uuencoded within a text.

Whatever cannot be decoded is kept as it came: a part never becomes empty because it was encoded badly.
"""

import binascii
import re
from typing import Final

from guardia.doors.mail.reading import faults

_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_ONLY_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=\s]*")
_SAMPLE: Final = 4_096
_MOST_CHUNKS: Final = 5_000
_MOST_LINES: Final = 1_000_000
_BEGIN: Final = re.compile(r"^begin(?:-base64)? [0-7]{3,4} ([^\n]{1,200})$", re.MULTILINE)
_MOST_INLINE: Final = 20
_PLAIN: Final = {"", "7bit", "8bit", "binary", "none", "7-bit", "8-bit", "unencoded"}


def decoded(content: bytes, encoding: str) -> tuple[bytes, str]:
    """Return the decoded bytes, and the fault where it was not as declared."""
    name = encoding.strip(" \t\"'<>;").lower().partition(";")[0].partition(" ")[0]
    if name in _PLAIN:
        return content, ""
    if "base64" in name or name in {"b64", "base-64"}:
        return _base64(content)
    if name.startswith("quoted"):
        return binascii.a2b_qp(content), ""
    if name in {"x-uuencode", "uuencode", "x-uue", "uue", "uu"}:
        return _uuencoded(content)
    return content, faults.TRANSFER_UNKNOWN


def _base64(content: bytes) -> tuple[bytes, str]:
    first, _, rest = content.partition(b"=")
    sample = (first if rest[:1] in b"=\r\n" else content)[:_SAMPLE]
    strange = len(sample.translate(None, b"=\r\n\t ")) - len(sample.translate(None, _NOT_BASE64).replace(b"=", b""))
    if (
        strange * 4 > len(sample)
        or (strange * 20 > len(sample) and b" " in sample.strip())
        or _looks_like_words(sample)
    ):
        return content, faults.TRANSFER_BROKEN
    fault = faults.TRANSFER_BROKEN if strange else ""
    rest = rest.lstrip(b"=\r\n\t -")
    if not rest:
        out, is_whole = _one_base64(first)
        return out, fault if is_whole else faults.TRANSFER_BROKEN
    if not _ONLY_BASE64.fullmatch(rest):
        return _one_base64(first)[0], faults.TRANSFER_BROKEN
    if content.count(b"=") > _MOST_CHUNKS:
        return content, faults.TRANSFER_BROKEN
    chunks = re.split(rb"=+", content)
    return b"".join(_one_base64(chunk)[0] for chunk in chunks), faults.TRANSFER_BROKEN


def _looks_like_words(sample: bytes) -> bool:
    return sample.strip().count(b" ") * 15 > len(sample.strip())


def _one_base64(chunk: bytes) -> tuple[bytes, bool]:
    """One run of base64 without its padding, and whether its length was right."""
    bare = chunk.translate(None, _NOT_BASE64)
    spare = len(bare) % 4
    if spare == 1:
        return binascii.a2b_base64(bare[:-1]), False
    return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4)), True


def _uuencoded(content: bytes) -> tuple[bytes, str]:
    begin = re.search(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", content, re.MULTILINE)
    if begin is None or content.count(b"\n") > _MOST_LINES:
        return content, faults.TRANSFER_BROKEN
    out, is_whole = _uu_lines(content[begin.end() :].splitlines())
    return out, "" if is_whole else faults.TRANSFER_BROKEN


def _uu_lines(lines: list[bytes]) -> tuple[bytes, bool]:
    out = bytearray()
    is_whole = True
    for line in lines:
        if line.rstrip() == b"end":
            return bytes(out), is_whole
        if not line.strip():
            continue
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            is_whole = False
            length = ((line[0] - 32) & 63) * 4 + 5
            try:
                out += binascii.a2b_uu(line[: length // 3])
            except binascii.Error:
                continue  # a line that is none is left out; the fault tells of it
    return bytes(out), False


def files_within(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a text without the uuencoded files that stand in it, and these: name and content."""
    if "\nbegin " not in "\n" + text[: 4 * _SAMPLE] and "\nbegin " not in text:
        return text, []
    kept: list[str] = []
    found: list[tuple[str, bytes]] = []
    at = 0
    for _ in range(2 * _MOST_INLINE):
        begin = _BEGIN.search(text, at)
        if begin is None:
            break
        end = text.find("\nend", begin.end())
        block = text[begin.end() + 1 : end] if end >= 0 else ""
        if not block or not block.isascii() or not re.match(r"M.{60,61}$|[!-L ].{0,60}$", block, re.MULTILINE):
            kept.append(text[at : begin.end()])
            at = begin.end()
            if end < 0:
                break
            continue
        content, is_whole = _uu_lines([*block.encode().splitlines(), b"end"])
        if is_whole:
            found.append((begin[1].strip(), content))
            kept.append(f"{text[at : begin.start()]}[{begin[1].strip()}]")
        else:
            kept.append(text[at : end + 4])
        at = end + 4
    return "".join(kept) + text[at:], found
