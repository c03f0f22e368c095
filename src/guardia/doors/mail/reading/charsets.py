"""Bytes to readable text, whatever character set is declared, missing, unknown or a lie.

- C-1 ASCII is ASCII, unless a 7-bit set that shifts (ISO-2022, UTF-7, HZ) is declared or its shifts occur.
- C-2 UTF-8 that is valid and holds more than ASCII is UTF-8, where Latin or nothing is declared: chance
  makes no such bytes.
- C-3 The declared set, strictly; then UTF-8, strictly; UTF-8 with a few broken bytes stays UTF-8.
- C-4 What reads as western text in windows-1252 is; else a detector looks at 64 kB at most; else windows-1252.
Only text codecs that Python ships are used: no name in a message loads or runs anything.
"""

import codecs
import encodings.aliases
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from charset_normalizer import from_bytes

from guardia.doors.mail.reading import faults
from guardia.kernel.plain_text import plain_text

LOOKED_AT: Final = 65_536
_MOST_DETECTIONS: Final = 4
_WESTERN: Final = {"ascii", "iso8859-1", "cp1252", "iso8859-15"}
_SHIFTING: Final = ("iso2022", "utf-7", "hz")
_NEVER: Final = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_OTHER_NAMES: Final = {
    "gb2312": "gb18030",
    "gb_2312_80": "gb18030",
    "x_gbk": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "ks_c_5601_1987": "cp949",
    "ks_c_5601": "cp949",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "sjis": "cp932",
    "iso_2022_jp": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "unicode_1_1_utf_7": "utf_7",
    "utf8mb4": "utf_8",
    "utf_8mb4": "utf_8",
    "unicode_1_1_utf_8": "utf_8",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "windows_874": "cp874",
    "windows_31j": "cp932",
    "tis_620": "cp874",
    "macintosh": "mac_roman",
    "x_mac_roman": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
    "ansi": "cp1252",
    "x_ansi": "cp1252",
    "win1252": "cp1252",
    "win1251": "cp1251",
}
_KNOWN: Final = (
    set(encodings.aliases.aliases)
    | set(encodings.aliases.aliases.values())
    | {
        "koi8_u",
        "koi8_t",
        "cp874",
        "cp65001",
        "cp720",
        "cp737",
        "cp856",
        "cp875",
        "mac_croatian",
        "mac_farsi",
        "mac_arabic",
    }
)
_NOT_PLAIN: Final = re.compile("[\x00\ud800-\udfff]")
_NAMED_SET: Final = re.compile(r"[a-z0-9_]{1,40}")
_NOT_WESTERN: Final = re.compile(
    "[^\x00-\x7f\u00a0-\u00b3\u00b5-\u00b7\u00b9-\u00ff\u0152\u0153\u0160\u0161\u017d\u017e\u2013\u2014\u2018-\u201a"
    "\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]"
)
_CONTROLS: Final = re.compile(r"[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_MARKED: Final = re.compile("[À-ÖØ-öø-ÿ]")
_CANDIDATES: Final = [
    *("utf_8", "cp1252", "koi8_r", "cp1251", "gb18030", "big5", "cp932", "euc_jp", "euc_kr", "cp1250", "iso8859_2"),
    *("cp1253", "cp1254", "cp1255", "cp1256", "cp437", "cp850", "utf_16", "utf_16_le", "utf_16_be", "mac_roman"),
]


@lru_cache(maxsize=512)
def codec_of(declared: str) -> str:
    """Return the name of the codec for a declared character set, empty where it is unknown or no text."""
    name = re.sub(r"[-:. ]", "_", declared.strip(" \t\"'<>").lower()).removeprefix("charset_").removeprefix("x_unknown")
    name = _OTHER_NAMES.get(name, name)
    bare = name.replace("windows_", "cp") if name.startswith("windows_") else name
    for known in (bare, re.sub(r"^cp_", "cp", bare), re.sub(r"^iso_?(\d{4})_?(\d{1,2}).*", r"iso\1_\2", bare)):
        if known in _KNOWN and known not in _NEVER and _NAMED_SET.fullmatch(known):
            codec = codecs.lookup(known)
            return codec.name if codec._is_text_encoding and codec.name.replace("-", "_") not in _NEVER else ""  # noqa: SLF001  the only way to tell text from bytes
    return ""


@dataclass
class Decoder:
    """Decodes the texts of one message; the costly detector runs at most a few times for it."""

    faults: list[str] = field(default_factory=list)
    _detections: int = _MOST_DETECTIONS

    def text(self, content: bytes, declared: str = "", *, is_cut: bool = False) -> str:
        """Return `content` as plain text (C-1 to C-4). `is_cut`: its end may fall within a character."""
        return quickly_plain(self._text(content, declared, is_cut).removeprefix("\ufeff"))

    def _text(self, content: bytes, declared: str, is_cut: bool) -> str:  # noqa: FBT001  private
        codec = codec_of(declared) if declared else ""
        if declared and not codec:
            self._fault(faults.CHARSET_UNKNOWN)
        if content.isascii() and not codec.startswith(_SHIFTING):
            return _ascii(content)
        if content.startswith((b"\xff\xfe", b"\xfe\xff")) and not codec.startswith("utf-16"):
            codec = "utf-16"
        tried = ("utf-8", codec) if codec in _WESTERN or not codec else (codec, "utf-8")
        for name in filter(None, tried):
            text = _strictly(content, name, is_cut)
            if text is not None and not _is_absurd(text, name):
                if name != codec and codec not in {"", "ascii", *_WESTERN}:
                    self._fault(faults.CHARSET_WRONG)
                return text if name not in _WESTERN - {"iso8859-15"} else _western(content)
        if codec and codec not in _WESTERN:
            self._fault(faults.CHARSET_WRONG)
        return self._guessed(content, codec)

    def _guessed(self, content: bytes, codec: str) -> str:
        """C-3 and C-4, where nothing decodes strictly."""
        as_utf8 = content.decode("utf-8", "replace")
        broken = as_utf8.count("\ufffd")
        if broken * 4 < sum(1 for char in as_utf8[:LOOKED_AT] if char > "\x7f") - broken:
            return as_utf8
        if codec and codec not in _WESTERN and not codec.startswith("utf"):
            declared = content.decode(codec, "replace")
            if declared.count("\ufffd") * 20 < len(declared):
                return declared
        western = _western(content)
        if _reads_western(western) or codec in _WESTERN - {"ascii"} or not self._detections:
            return western
        self._detections -= 1
        best = from_bytes(content[:LOOKED_AT], steps=4, chunk_size=256, cp_isolation=_CANDIDATES).best()
        return content.decode(best.encoding, "replace") if best is not None else western

    def _fault(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


def quickly_plain(text: str) -> str:
    """Return plain text, without the costly way where it is plain already."""
    return plain_text(text) if _NOT_PLAIN.search(text) else text


def _ascii(content: bytes) -> str:
    """C-1: what shifts without saying so is Japanese."""
    if b"\x1b$" in content or b"\x1b(J" in content:
        return content.decode("iso2022_jp_ext", "replace")
    return content.decode("ascii")


def _western(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _reads_western(text: str) -> bool:
    """C-4: only signs that western text has, and not more marked letters than plain ones."""
    head = text[:LOOKED_AT]
    if _NOT_WESTERN.search(head):
        return False
    marked = len(_MARKED.findall(head))
    return marked < 3 or marked * 2 < sum(map(str.isalpha, head))  # noqa: PLR2004


def _strictly(content: bytes, codec: str, is_cut: bool) -> str | None:  # noqa: FBT001  private
    try:
        if is_cut:
            return codecs.getincrementaldecoder(codec)("strict").decode(content, final=False)
        return content.decode(codec)
    except (UnicodeError, LookupError, ValueError, OverflowError):
        return None


def _is_absurd(text: str, codec: str) -> bool:
    """Whether a codec that takes any bytes made rubbish: controls where text should be, or CJK out of ASCII."""
    head = text[:2_000]
    if codec.startswith(("utf-16", "utf-32")):
        return sum(1 for char in head if "\u3000" <= char < "\ua000") > len(head) * 0.9 and len(head) > 8  # noqa: PLR2004
    return len(_CONTROLS.findall(head)) > len(head) * 0.2
