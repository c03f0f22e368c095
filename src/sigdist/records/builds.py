"""From records to the files that engines load. Pure, and the same bytes on every machine.

Rules:
1. One YARA file: a header, the imports of all rules once and sorted, the rules sorted by name. One ClamAV file for
   each kind of entry, lines sorted. No times, no machine's name. A file that would be empty is left out.
2. A hash record becomes a line of `guardia.hsb` and a YARA rule over the hash of the whole file.
3. `release.json` names number, label, state root, the count of records, and the digest and size of every other file.
4. The digest of a build is the SHA-256 of the canonical list of (file name, SHA-256), release.json included.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sigdist.records.canonical import canonical_bytes, sha256_hex
from sigdist.records.operations import State
from sigdist.records.record import YARA_FILE, Record, yara_identifier
from sigdist.records.yara_source import RuleSource, read_rule

RELEASE_FILE = "release.json"
RELEASE_FORMAT = "guardia-release/1"


@dataclass(frozen=True)
class Build:
    """The exact bytes of one release. `files` maps names such as `clamav/guardia.ndb` to their content."""

    number: int
    label: str
    state_root: str
    files: Mapping[str, bytes]
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The BuildRef of this build: what it is, without the bytes."""
        listed = [
            {"name": name, "sha256": sha256_hex(data), "size": len(data)} for name, data in sorted(self.files.items())
        ]
        return {
            "number": self.number,
            "label": self.label,
            "state_root": self.state_root,
            "digest": self.digest,
            "files": listed,
        }


def build(state: State, number: int, label: str) -> Build:
    """The build of `state` as release `number`, called `label` for people. Reproducible."""
    files = _database_files(state)
    files[RELEASE_FILE] = _release_json(files, number, label, state)
    return Build(number, label, state.state_root, files, build_digest(files))


def build_only(records: Iterable[Record], number: int, label: str) -> Build:
    """A build of only these records, for the gates that look at what changed. Raises OperationRefused on a clash."""
    return build(State.of(records), number, label)


def build_digest(files: Mapping[str, bytes]) -> str:
    """The digest that names these files."""
    return digest_of_hashes({name: sha256_hex(data) for name, data in files.items()})


def digest_of_hashes(hashes: Mapping[str, str]) -> str:
    """The digest that names files of these SHA-256, for those who have the hashes but not the bytes."""
    return sha256_hex(canonical_bytes([[name, hashes[name]] for name in sorted(hashes)]))


def _release_json(files: Mapping[str, bytes], number: int, label: str, state: State) -> bytes:
    described = {
        "format": RELEASE_FORMAT,
        "number": number,
        "label": label,
        "state_root": state.state_root,
        "records": len(state),
        "files": {name: {"sha256": sha256_hex(data), "size": len(data)} for name, data in files.items()},
    }
    return canonical_bytes(described) + b"\n"


def _database_files(records: Iterable[Record]) -> dict[str, bytes]:
    rules: list[RuleSource] = []
    lines: dict[str, list[str]] = {}
    for record in records:
        if record.type == "yara_rule":
            rules.append(read_rule(record.body["source"]))
        elif record.type == "hash":
            rules.append(_hash_rule(record))
        for name, line in _clamav_lines(record):
            lines.setdefault(name, []).append(line)
    files = {name: ("\n".join(sorted(found)) + "\n").encode("ascii") for name, found in sorted(lines.items())}
    if rules:
        files[YARA_FILE] = _yara_file(rules)
    return files


def _clamav_lines(record: Record) -> list[tuple[str, str]]:
    body = record.body
    match record.type:
        case "clamav_line":
            return [(f"clamav/guardia.{body['database']}", body["line"])]
        case "hash":
            return [("clamav/guardia.hsb", f"{body['sha256']}:{body['size']}:{record.name}")]
        case "allow":
            return [("clamav/guardia.sfp", f"{body['sha256']}:{body['size']}:{record.name}")]
        case "ignore":
            return [("clamav/guardia.ign2", f"{body['signature']}:{body['entry_md5']}")]
        case _:
            return []


def _hash_rule(record: Record) -> RuleSource:
    name, sha256, size = yara_identifier(record.name), record.body["sha256"], record.body["size"]
    case = f'    case = "{record.case}"\n' if record.case else ""
    text = (
        f"rule {name} {{\n  meta:\n{case}"
        f'    sample_sha256 = "{sha256}"\n'
        f'  condition:\n    filesize == {size} and hash.sha256(0, filesize) == "{sha256}"\n}}'
    )
    return RuleSource(imports=("hash",), name=name, text=text)


def _yara_file(rules: list[RuleSource]) -> bytes:
    modules = sorted({module for rule in rules for module in rule.imports})
    heading = "".join(f'import "{module}"\n' for module in modules)
    texts = [rule.text for rule in sorted(rules, key=lambda rule: rule.name)]
    return (heading + ("\n" if heading else "") + "\n\n".join(texts) + "\n").encode("utf-8")
