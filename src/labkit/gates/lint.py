"""The lint gate: a changed record is well-formed, says where it comes from, is specific, and is not slow.

YARA-X rules: compile alone without includes; import only from a short list; carry case, author, date and
sample_sha256; have a name of the agreed form; no pattern with fewer than 8 fixed bytes; no slow-pattern warning.
ClamAV lines (.ndb .ldb .hdb .hsb, allow and ignore entries): fields of the right form, at least 8 fixed bytes in a
row, an ignore entry that fits a line of the build.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from engines import DatabaseRefused, EngineMissing
from engines.clamav_lines import entry_md5, lines_named, longest_literal, signature_name
from engines.yarax import SourceFacts, examine
from labkit.analysers.yara_text import patterns, text_length
from labkit.gates.bench import MAX_FAILURES, Advance, Bench, Found
from labkit.wire.messages import Failure

MAX_SOURCE_BYTES: Final = 64 * 1024
MAX_LINE_BYTES: Final = 8 * 1024
FEWEST_FIXED_BYTES: Final = 8
ALLOWED_IMPORTS: Final = frozenset({"hash", "pe", "elf", "math", "string"})
REQUIRED_METADATA: Final[Mapping[str, re.Pattern[str]]] = {
    "case": re.compile(r"[0-9A-Za-z-]{1,64}"),
    "author": re.compile(r".{1,200}"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "sample_sha256": re.compile(r"[0-9a-f]{64}"),
}
_RULE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,127}")
_SIGNATURE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,127}")
_NDB: Final = re.compile(r"[^:]+:\d{1,2}:[^:]+:(?P<hex>[0-9a-fA-F?*{}()\[\]|!~<>-]+)(?::\d+(?::\d+)?)?")
_LDB: Final = re.compile(r"[^;]+;[^;]+;[^;]+(?:;[^;]+)+")
_HASH: Final = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}):(?:\d+|\*):[^:]+(?::\d+(?::\d+)?)?")
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def lint(bench: Bench, advance: Advance) -> Found:
    """The gate `lint`: every changed record is well-formed, within limits, and says where it comes from."""
    records = bench.payload.records_changed
    failures: list[Failure] = []
    for at, record in enumerate(records, start=1):
        engine = "yara-x" if record.get("type") == "yara_rule" else "clamav"
        name = str(record.get("name"))
        failures += [Failure(f"{name}: {what}", engine=engine, rule=name) for what in complaints(record, bench)]
        advance(at, len(records))
    good = f"All {len(records)} changed record(s) are well-formed and say where they come from"
    if not records:
        good = "No record is added or changed"
    bad = f"{len(failures)} complaint(s); the first: {failures[0].what}" if failures else good
    return Found(bad, {"records": len(records), "complaints": len(failures)}, failures[:MAX_FAILURES])


def complaints(record: Mapping[str, Any], bench: Bench) -> Iterator[str]:
    """What is wrong with one record, in sentences without a subject."""
    match record.get("type"):
        case "yara_rule":
            yield from _yara_rule(record)
        case "clamav_line":
            yield from _clamav_line(record)
        case "hash" | "allow":
            yield from _exact(record)
        case "ignore":
            yield from _ignore(record, bench.builds["build"] / "clamav")
        case other:
            yield f"is of an unknown type {other!r}"


def _yara_rule(record: Mapping[str, Any]) -> Iterator[str]:
    source = str(record.get("source", ""))
    if _RULE_NAME.fullmatch(str(record.get("name"))) is None:
        yield "a rule's name is 3 to 128 letters, digits and _, and begins with a letter"
    if len(source.encode("utf-8", "replace")) > MAX_SOURCE_BYTES:
        yield f"is longer than {MAX_SOURCE_BYTES // 1024} KiB"
        return
    try:
        facts = examine(source, f"rule {record.get('name')}")
    except (DatabaseRefused, EngineMissing) as error:
        yield str(error)
        return
    yield from _compiled(record, facts)
    for pattern in patterns(source):
        length = _fixed_bytes(pattern.kind, pattern.text)
        if length is not None and length < FEWEST_FIXED_BYTES:
            yield f"pattern {pattern.name} has only {length} fixed byte(s) in a row; {FEWEST_FIXED_BYTES} are the least"


def _compiled(record: Mapping[str, Any], facts: SourceFacts) -> Iterator[str]:
    if [rule.name for rule in facts.rules] != [record.get("name")]:
        yield "its text must hold exactly the one rule that the record is named after"
        return
    for module in sorted(set(facts.imports) - ALLOWED_IMPORTS):
        yield f'imports "{module}"; allowed are {", ".join(sorted(ALLOWED_IMPORTS))}'
    for code, text in facts.warnings:
        if code == "slow_pattern":
            yield f"has a slow pattern: {text}"
    metadata = facts.rules[0].metadata
    for key, form in REQUIRED_METADATA.items():
        values = [value for name, value in metadata if name == key]
        if not values:
            yield f"lacks the metadata `{key}`"
        elif not all(form.fullmatch(str(value)) for value in values):
            yield f"its metadata `{key}` is not of the agreed form ({form.pattern})"


def _fixed_bytes(kind: str, text: str) -> int | None:
    """Fixed bytes of a text, or the longest row of them in a hex pattern; None for what this cannot judge."""
    if kind == "text":
        return text_length(text)
    if kind == "hex":
        return len(longest_literal(text))
    return None


def _clamav_line(record: Mapping[str, Any]) -> Iterator[str]:
    database, line = str(record.get("database")), str(record.get("line", ""))
    name = signature_name(database, line)
    if name != record.get("name"):
        yield "its line is called otherwise than the record"
    if _SIGNATURE_NAME.fullmatch(name) is None or name.endswith(".UNOFFICIAL"):
        yield "a signature's name is 3 to 128 letters, digits and _ . -, begins with a letter, has no .UNOFFICIAL"
    if len(line) > MAX_LINE_BYTES:
        yield f"is longer than {MAX_LINE_BYTES // 1024} KiB"
    elif database == "ndb":
        yield from _ndb(line)
    elif database == "ldb":
        yield from _ldb(line)
    elif database in {"hdb", "hsb"}:
        if _HASH.fullmatch(line) is None:
            yield f"is no .{database} line: hash:size:name"
    else:
        yield f"is for an unknown database {database!r}"


def _ndb(line: str) -> Iterator[str]:
    shape = _NDB.fullmatch(line)
    if shape is None:
        yield "is no .ndb line: name:target:offset:hex signature"
        return
    length = len(longest_literal(shape["hex"]))
    if length < FEWEST_FIXED_BYTES:
        yield f"has only {length} fixed byte(s) in a row; {FEWEST_FIXED_BYTES} are the least"


def _ldb(line: str) -> Iterator[str]:
    if _LDB.fullmatch(line) is None:
        yield "is no .ldb line: name;target description;expression;subsignature..."
        return
    subsignatures = line.split(";")[3:]
    longest = max(len(longest_literal(part.rpartition(":")[2])) for part in subsignatures)
    if longest < FEWEST_FIXED_BYTES:
        yield f"no subsignature has {FEWEST_FIXED_BYTES} fixed bytes in a row"


def _exact(record: Mapping[str, Any]) -> Iterator[str]:
    if _SIGNATURE_NAME.fullmatch(str(record.get("name"))) is None:
        yield "an entry's name is 3 to 128 letters, digits and _ . -, and begins with a letter"
    if _SHA256.fullmatch(str(record.get("sha256"))) is None:
        yield "its sha256 must be 64 lower-case hex digits"
    size = record.get("size")
    if not isinstance(size, int) or size < 1:
        yield "its size must be the file's, in bytes"


def _ignore(record: Mapping[str, Any], clamav: Path) -> Iterator[str]:
    signature, md5 = str(record.get("signature")), str(record.get("entry_md5"))
    if _MD5.fullmatch(md5) is None:
        yield "its entry_md5 must be 32 lower-case hex digits: the MD5 of the signature's line"
        return
    held = [line for _, line in lines_named(clamav, signature)] if clamav.is_dir() else []
    if md5 not in {entry_md5(line) for line in held}:
        yield f"ignores nothing: no line of the build is called {signature} with that MD5"
