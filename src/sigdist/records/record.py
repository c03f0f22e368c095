"""What one entry of an antivirus database is. Pure.

Rules:
1. A record is immutable: its id is "r" + the first 40 hex digits of the SHA-256 of the canonical JSON of everything
   else, so equal content has one id and an id that does not fit its content is refused.
2. The types and their body fields are those of `BODY_FIELDS`; an unknown or missing field is refused.
3. A record says which names it takes in which database file (`slots`); two records of one database never share one.
4. The name of a `yara_rule` or `clamav_line` is the name that its text has; nobody can file a text under another name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sigdist.records.canonical import canonical_bytes, sha256_hex
from sigdist.records.refusal import OperationRefused
from sigdist.records.yara_source import SourceRefused, is_identifier, read_rule

RecordType = Literal["yara_rule", "clamav_line", "hash", "allow", "ignore"]
YARA_FILE = "yara/guardia.yar"
CLAMAV_DATABASES = ("ndb", "ldb", "hdb", "hsb")
BODY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "yara_rule": ("source",),
    "clamav_line": ("database", "line"),
    "hash": ("sha256", "size"),
    "allow": ("sha256", "size"),
    "ignore": ("signature", "entry_md5"),
}
MAX_LINE_BYTES = 32_768
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_PRINTABLE = re.compile(r"[\x21-\x7e][\x20-\x7e]*")
_CASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z\-]{0,63}")
_LINE_SHAPES: Mapping[str, tuple[str, int, int]] = {  # database: separator, index of the name, fewest fields
    "ndb": (":", 0, 4),
    "ldb": (";", 0, 4),
    "hdb": (":", 2, 3),
    "hsb": (":", 2, 3),
}


@dataclass(frozen=True)
class Record:
    """One entry. Make it with `Record.make` or `Record.from_json`, which check it."""

    id: str
    type: RecordType
    name: str
    case: str | None
    body: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash(self.id)

    @classmethod
    def make(cls, record_type: str, name: str, case: str | None, **body: Any) -> "Record":
        """A checked record with its id computed. Raises OperationRefused."""
        return cls.from_json({"type": record_type, "name": name, "case": case, **body})

    @classmethod
    def from_json(cls, data: Any, place: str = "record") -> "Record":
        """A checked record from its JSON; `id` may be left out. Raises OperationRefused naming `place`."""
        if not isinstance(data, dict):
            raise OperationRefused(place, "expected an object with type, name, case and the fields of its type")
        record_type = data.get("type")
        if not isinstance(record_type, str) or record_type not in BODY_FIELDS:
            raise OperationRefused(f"{place}.type", f"{record_type!r} is none of {', '.join(BODY_FIELDS)}")
        fields = BODY_FIELDS[record_type]
        _check_keys(data, fields, place)
        body = {field: data[field] for field in fields}
        content = {"type": record_type, "name": data["name"], "case": data.get("case"), **body}
        _check_head(content, place)
        _CHECKS[record_type](data["name"], body, place)
        record_id = compute_id(content)
        if data.get("id") not in {None, "", record_id}:
            raise OperationRefused(f"{place}.id", f"{data['id']!r} does not fit the content, whose id is {record_id}")
        return cls(record_id, cast("RecordType", record_type), data["name"], data.get("case"), body)

    def to_json(self) -> dict[str, Any]:
        """The JSON of this record, with its id."""
        return {"id": self.id, "type": self.type, "name": self.name, "case": self.case, **self.body}

    def canonical(self) -> bytes:
        """The bytes that stand for this record in a state root."""
        return canonical_bytes(self.to_json())

    def slots(self) -> tuple[tuple[str, str], ...]:
        """The (database file, name) pairs that this record takes."""
        if self.type == "yara_rule":
            return ((YARA_FILE, self.name),)
        if self.type == "clamav_line":
            return ((f"clamav/guardia.{self.body['database']}", self.name),)
        if self.type == "hash":
            return (("clamav/guardia.hsb", self.name), (YARA_FILE, yara_identifier(self.name)))
        if self.type == "allow":
            return (("clamav/guardia.sfp", self.name),)
        return (("clamav/guardia.ign2", self.body["signature"]),)


def compute_id(content: Mapping[str, Any]) -> str:
    """The id of a record with this content (its JSON without `id`)."""
    return "r" + sha256_hex(canonical_bytes({key: value for key, value in content.items() if key != "id"}))[:40]


def yara_identifier(name: str) -> str:
    """The rule name under which a hash record appears in the YARA build."""
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return cleaned if is_identifier(cleaned) else f"_{cleaned}"[:128]


def _check_keys(data: dict[str, Any], fields: tuple[str, ...], place: str) -> None:
    for field in ("name", *fields):
        if field not in data:
            raise OperationRefused(f"{place}.{field}", f"is missing; a {data['type']} record needs it")
    for field in data:
        if field not in {"id", "type", "name", "case", *fields}:
            raise OperationRefused(f"{place}.{field}", f"is not a field of a {data['type']} record")


def _check_head(content: dict[str, Any], place: str) -> None:
    name, case = content["name"], content["case"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OperationRefused(f"{place}.name", f"{name!r} must be 1-128 letters, digits, '.', '_' or '-'")
    if case is not None and (not isinstance(case, str) or not _CASE.fullmatch(case)):
        raise OperationRefused(f"{place}.case", f"{case!r} is not a case number; give it as text, or null")


def _check_yara_rule(name: str, body: dict[str, Any], place: str) -> None:
    if not isinstance(body["source"], str):
        raise OperationRefused(f"{place}.source", "must be the text of one rule")
    try:
        rule = read_rule(body["source"])
    except SourceRefused as refusal:
        raise OperationRefused(f"{place}.source", str(refusal)) from refusal
    if rule.name != name:
        raise OperationRefused(f"{place}.name", f"is {name!r} but the rule is called {rule.name!r}; make them equal")


def _check_clamav_line(name: str, body: dict[str, Any], place: str) -> None:
    database, line = body["database"], body["line"]
    if database not in CLAMAV_DATABASES:
        raise OperationRefused(f"{place}.database", f"{database!r} is none of {', '.join(CLAMAV_DATABASES)}")
    if not isinstance(line, str) or not _PRINTABLE.fullmatch(line) or len(line) > MAX_LINE_BYTES:
        raise OperationRefused(f"{place}.line", f"must be one line of printable ASCII, at most {MAX_LINE_BYTES} bytes")
    separator, index, fewest = _LINE_SHAPES[database]
    parts = line.split(separator)
    if len(parts) < fewest or not all(parts[:fewest]):
        raise OperationRefused(
            f"{place}.line", f"a .{database} line has at least {fewest} fields apart by {separator!r}"
        )
    if parts[index] != name:
        raise OperationRefused(f"{place}.name", f"is {name!r} but the line is called {parts[index]!r}; make them equal")


def _check_hash(_name: str, body: dict[str, Any], place: str) -> None:
    if not isinstance(body["sha256"], str) or not _SHA256.fullmatch(body["sha256"]):
        raise OperationRefused(f"{place}.sha256", "must be 64 lower-case hex digits")
    size = body["size"]
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size < 2**32:
        raise OperationRefused(f"{place}.size", f"{size!r} must be the file's size in bytes, 1 to 4294967295")


def _check_ignore(_name: str, body: dict[str, Any], place: str) -> None:
    if not isinstance(body["signature"], str) or not _NAME.fullmatch(body["signature"]):
        raise OperationRefused(f"{place}.signature", f"{body['signature']!r} is not the name of a ClamAV signature")
    if not isinstance(body["entry_md5"], str) or not _MD5.fullmatch(body["entry_md5"]):
        raise OperationRefused(f"{place}.entry_md5", "must be the MD5 of the ignored entry, 32 lower-case hex digits")


_CHECKS = {
    "yara_rule": _check_yara_rule,
    "clamav_line": _check_clamav_line,
    "hash": _check_hash,
    "allow": _check_hash,
    "ignore": _check_ignore,
}
