"""Writes the database that a set of records would make, for trying a proposal before anybody builds it.

The release is built by sigdist from the same records; the gates run on those bytes. Here only the meaning has to be
the same: which rules and lines there are.

Records are JSON objects: {"id", "type", "name", "case", ...}; `yara_rule` has source; `clamav_line` database, line;
`hash` and `allow` sha256, size; `ignore` signature, entry_md5.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

Record = dict[str, Any]
Operation = dict[str, Any]

_IMPORT: Final = re.compile(r'^\s*import\s+"([a-z_][a-z0-9_]*)"[ \t]*$', re.MULTILINE)


def applied(records: Iterable[Record], operations: Sequence[Operation]) -> list[Record]:
    """The records after ADD and DEL operations."""
    gone = {operation["record_id"] for operation in operations if operation["op"] == "DEL"}
    kept = [record for record in records if record.get("id") not in gone]
    return kept + [operation["record"] for operation in operations if operation["op"] == "ADD"]


def write_database(records: Iterable[Record], folder: Path) -> Path:
    """Write `folder`/yara and `folder`/clamav; an engine without records gets an empty folder."""
    rules: list[str] = []
    lines: dict[str, list[str]] = {}
    for record in records:
        rules += _rules(record)
        for kind, line in _lines(record):
            lines.setdefault(kind, []).append(line)
    (folder / "yara").mkdir(parents=True, exist_ok=True)
    (folder / "clamav").mkdir(exist_ok=True)
    if rules:
        imports = sorted({name for rule in rules for name in _IMPORT.findall(rule)})
        head = "".join(f'import "{name}"\n' for name in imports)
        body = "\n".join(_IMPORT.sub("", rule) for rule in rules)
        (folder / "yara" / "guardia.yar").write_text(head + body, encoding="utf-8")
    for kind, held in lines.items():
        (folder / "clamav" / f"guardia.{kind}").write_text("\n".join(held) + "\n", encoding="utf-8")
    return folder


def rule_name(record: Record) -> str:
    """The YARA rule name under which a record shows: a hash record's name has its other characters replaced."""
    name = str(record["name"])
    if record["type"] != "hash":
        return name
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"_{cleaned}"


def _rules(record: Record) -> list[str]:
    if record["type"] == "yara_rule":
        return [record["source"]]
    if record["type"] == "hash":
        exact = f'filesize == {record["size"]} and hash.sha256(0, filesize) == "{record["sha256"]}"'
        return [f'import "hash"\nrule {rule_name(record)} {{ condition: {exact} }}']
    return []


def _lines(record: Record) -> list[tuple[str, str]]:
    match record["type"]:
        case "clamav_line":
            return [(record["database"], record["line"])]
        case "hash":
            return [("hsb", f"{record['sha256']}:{record['size']}:{record['name']}")]
        case "allow":
            return [("sfp", f"{record['sha256']}:{record['size']}:{record['name']}")]
        case "ignore":
            return [("ign2", f"{record['signature']}:{record['entry_md5']}")]
        case _:
            return []
