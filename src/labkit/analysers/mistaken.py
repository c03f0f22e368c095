"""Proposals for a false positive: stop detecting these samples, at the smallest price in real detections.

Two ways, tried in both engines:
- narrow (recommended): each rule that fires gets an exception for exactly these files, and ClamAV an allow entry for
  them; a hash record that names the file goes away, as it can do nothing else;
- broad: the rules that fire go away, and ClamAV ignores its signatures that fire, until they are changed.
"""

from engines.clamav_lines import entry_md5
from engines.yarax import examine
from labkit.analysers.composing import Operation, Record, rule_name
from labkit.analysers.drafting import Bench, Proposal
from labkit.analysers.yara_text import RuleUnreadable, with_exception

_REQUIRED = ("case", "author", "date", "sample_sha256")


class NothingFires(Exception):
    """No record of the base database detects the samples, so there is nothing to correct in it."""


def proposals(bench: Bench) -> list[Proposal]:
    """Narrow, then broad. Raises NothingFires with a sentence."""
    firing = _firing(bench)
    if not firing:
        raise NothingFires("no record of the base database detects these samples: there is nothing to correct in it")
    names = ", ".join(sorted({str(record["name"]) for record in firing}))
    found = [_narrow(bench, firing, names)]
    if any(record["type"] != "hash" for record in firing):
        found.append(_broad(bench, firing, names))
    return found


def _firing(bench: Bench) -> list[Record]:
    """The records behind the names that the engines report for the claim's samples."""
    verdicts = [bench.before()[sample.sha256] for sample in bench.claimed]
    rules = {name for found in verdicts for name in found["yara-x"].names}
    signatures = {name for found in verdicts for name in found["clamav"].names}
    return [record for record in bench.payload.records if _fires(record, rules, signatures)]


def _fires(record: Record, rules: set[str], signatures: set[str]) -> bool:
    match record["type"]:
        case "yara_rule":
            return record["name"] in rules
        case "clamav_line":
            return record["name"] in signatures
        case "hash":
            return rule_name(record) in rules or record["name"] in signatures
        case _:
            return False


def _narrow(bench: Bench, firing: list[Record], names: str) -> Proposal:
    operations: list[Operation] = []
    unreadable = []
    for record in firing:
        if record["type"] == "hash":
            operations.append({"op": "DEL", "record_id": record["id"]})
        elif record["type"] == "yara_rule":
            try:
                operations += _excepted(bench, record)
            except RuleUnreadable:
                unreadable.append(record["name"])
                operations.append({"op": "DEL", "record_id": record["id"]})
    if any(record["type"] == "clamav_line" for record in firing):
        operations += [{"op": "ADD", "record": _allow(bench, at)} for at in range(len(bench.claimed))]
    reason = f"{names} fire(s) on the sample; the exception names exactly this content, everything else stays detected."
    if unreadable:
        reason += f" The text of {', '.join(unreadable)} could not be changed by itself, so that rule is removed."
    return bench.tried("Except exactly these files", reason, operations, recommended=True)


def _excepted(bench: Bench, record: Record) -> list[Operation]:
    payload = bench.payload
    files = [(sample.sha256, sample.size) for sample in bench.claimed]
    source = str(record["source"])
    metadata = [("exception_case", payload.case), ("exception_date", payload.date)]
    given = {"case": payload.case, "author": payload.author, "date": payload.date, "sample_sha256": files[0][0]}
    metadata += [(key, given[key]) for key in _REQUIRED if not _has_metadata(source, key)]
    changed = {
        "type": "yara_rule",
        "name": record["name"],
        "case": payload.case,
        "source": with_exception(source, files, metadata),
    }
    return [{"op": "DEL", "record_id": record["id"]}, {"op": "ADD", "record": changed}]


def _has_metadata(source: str, key: str) -> bool:
    return any(name == key for rule in examine(source, "rule").rules for name, _ in rule.metadata)


def _allow(bench: Bench, at: int) -> Record:
    sample = bench.claimed[at]
    return {
        "type": "allow",
        "name": f"Guardia.FP.{bench.payload.case}.{sample.sha256[:16]}",
        "case": bench.payload.case,
        "sha256": sample.sha256,
        "size": sample.size,
    }


def _broad(bench: Bench, firing: list[Record], names: str) -> Proposal:
    operations: list[Operation] = []
    for record in firing:
        if record["type"] == "clamav_line":
            operations.append({"op": "ADD", "record": _ignore(bench, record)})
        else:
            operations.append({"op": "DEL", "record_id": record["id"]})
    reason = (
        f"Stops {names} altogether: for a detection that is wrong as such. ClamAV's signature is ignored as long as "
        "its line stays what it is."
    )
    return bench.tried("Withdraw the detection", reason, operations)


def _ignore(bench: Bench, record: Record) -> Record:
    return {
        "type": "ignore",
        "name": f"Guardia.Ignore.{record['name']}"[:128],
        "case": bench.payload.case,
        "signature": record["name"],
        "entry_md5": entry_md5(str(record["line"])),
    }
