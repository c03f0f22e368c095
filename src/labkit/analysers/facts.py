"""File facts: what a sample is, by looking at its bytes and never by running or rendering it.

Rules: everything is bounded (how much is read, how many strings, how long each), so that any file takes a moment.
"""

import math
import mmap
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from labkit.analysers.archives import Listing, look_into
from labkit.wire.kinds import HEAD_BYTES, kind_of

MEASURED_BYTES: Final = 4 * 1024 * 1024
SEARCHED_BYTES: Final = 1024 * 1024
MAX_STRINGS: Final = 60
MAX_MEMBERS_SHOWN: Final = 100
MAX_STRING: Final = 160
_ASCII: Final = re.compile(rb"[\x20-\x7e]{6,}")
_WIDE: Final = re.compile(rb"(?:[\x20-\x7e]\x00){6,}")
_ELF_CLASS: Final = {1: "32-bit", 2: "64-bit"}
_ELF_TYPE: Final = {1: "relocatable", 2: "executable", 3: "shared object or position-independent executable", 4: "core"}


def facts_of(path: Path, sha256: str) -> dict[str, Any]:
    """The facts of one sample as the draft result carries them."""
    size = path.stat().st_size
    with path.open("rb") as source:
        beginning = source.read(MEASURED_BYTES)
    listing = look_into(path)
    return {
        "sha256": sha256,
        "type": kind_of(beginning[:HEAD_BYTES]),
        "detail": _detail(beginning),
        "size": size,
        "entropy": round(entropy(beginning), 3),
        "entropy_bytes": len(beginning),
        "strings": strings(beginning[:SEARCHED_BYTES]),
        "archive": _shown(listing) if listing else None,
    }


def entropy(content: bytes) -> float:
    """Bits for each byte, 0 to 8, of the distribution of byte values."""
    if not content:
        return 0.0
    total = len(content)
    return -sum(count / total * math.log2(count / total) for count in Counter(content).values())


def strings(content: bytes) -> list[dict[str, Any]]:
    """The first printable runs, as text with offset and encoding, in the order in which they lie."""
    found = [(match.start(), "ascii", match[0].decode("ascii")) for match in _ASCII.finditer(content)]
    found += [(match.start(), "utf-16le", match[0][::2].decode("ascii")) for match in _WIDE.finditer(content)]
    found.sort()
    return [
        {"offset": offset, "encoding": encoding, "text": text[:MAX_STRING]}
        for offset, encoding, text in found[:MAX_STRINGS]
    ]


def find_in(path: Path, needle: bytes) -> int:
    """Where `needle` first lies in the file, or -1. The file is mapped, not read into memory."""
    if path.stat().st_size < len(needle):
        return -1
    with path.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(needle)


def _shown(listing: Listing) -> dict[str, Any]:
    """The first members, how many there are, and why the rest was not looked at."""
    members = [asdict(member) for member in listing.members[:MAX_MEMBERS_SHOWN]]
    return {"members": members, "count": len(listing.members), "not_scanned": listing.reason}


def _detail(content: bytes) -> str | None:
    """A word more about executables, where the header gives it."""
    if content.startswith(b"\x7fELF") and len(content) >= 18:  # noqa: PLR2004 - up to e_type
        order = "big" if content[5] == 2 else "little"  # noqa: PLR2004 - ELFDATA2MSB
        kind = int.from_bytes(content[16:18], "big" if order == "big" else "little")
        return f"ELF {_ELF_CLASS.get(content[4], 'of unknown class')} {_ELF_TYPE.get(kind, f'type {kind}')}"
    if content.startswith(b"#!"):
        return content[2:120].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return None
