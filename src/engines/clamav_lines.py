"""The ClamAV database lines that we write and read: what each kind looks like, and where its literals lie in a file.

Rules:
- Only the kinds of our own releases are known: ndb, ldb, hdb, hsb, fp, sfp, ign2.
- An `.ign2` entry names the MD5 of the whole line without its end, so that it lapses when the signature changes.
- Offsets are found for plain hex literals (the longest run without wildcards); for others there is no offset.
"""

import hashlib
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engines.interface import Hit

MAX_HITS: Final = 64
_TOKEN: Final = re.compile(r"([0-9a-fA-F]{2})|[0-9a-fA-F?]{2}|\*|\{[^}]*\}|!?\([^)]*\)|\[[^\]]*\]|.")
_HASH_NAME_FIELD: Final = 2


def entry_md5(line: str) -> str:
    """The MD5 by which an ignore entry recognises a signature line."""
    return hashlib.md5(line.rstrip("\r\n").encode(), usedforsecurity=False).hexdigest()


def signature_name(database: str, line: str) -> str:
    """The signature name of a line of the given kind (`ndb`, `hsb` ...), or an empty string."""
    if database == "ldb":
        return line.split(";", 1)[0]
    fields = line.split(":")
    if database in {"hdb", "hsb", "fp", "sfp"}:
        return fields[_HASH_NAME_FIELD] if len(fields) > _HASH_NAME_FIELD else ""
    return fields[0]


def longest_literal(hex_signature: str) -> bytes:
    """The longest run of plain bytes in a hex signature with wildcards."""
    runs = [""]
    for token in _TOKEN.finditer(hex_signature):
        if token[1]:
            runs[-1] += token[1]
        else:
            runs.append("")
    return bytes.fromhex(max(runs, key=len))


def lines_named(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """Each (kind, line) under `folder` whose signature is called `name`."""
    for path in sorted(folder.iterdir()):
        kind = path.suffix.removeprefix(".")
        if kind not in {"ndb", "ldb", "hdb", "hsb"}:
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if signature_name(kind, line) == name:
                yield kind, line


def literal_hits(folder: Path, name: str, path: Path) -> list[Hit]:
    """Where the literals of signature `name` lie in the file. A signature that lies in an unpacked member has none."""
    hits: list[Hit] = []
    for kind, line in lines_named(folder, name):
        for pattern, literal in _literals(kind, line):
            hits += [Hit(name, pattern, offset, len(literal)) for offset in _offsets(path, literal)]
    return hits or [Hit(name, "signature", None, None)]


def _literals(kind: str, line: str) -> Iterator[tuple[str, bytes]]:
    if kind == "ndb":
        fields = line.split(":")
        candidates = [("literal", fields[3])] if len(fields) > 3 else []  # noqa: PLR2004 - name:target:offset:hex
    elif kind == "ldb":
        parts = line.split(";")[3:]
        candidates = [(f"subsignature {at}", part.rpartition(":")[2]) for at, part in enumerate(parts)]
    else:
        candidates = []
    for pattern, text in candidates:
        literal = longest_literal(text)
        if literal:
            yield pattern, literal


def _offsets(path: Path, literal: bytes) -> Iterator[int]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(literal)
        for _ in range(MAX_HITS):
            if at < 0:
                return
            yield at
            at = content.find(literal, at + 1)
