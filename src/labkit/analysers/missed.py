"""Proposals for a false negative: detect what these samples are, and nothing that is clean.

Procedure:
1. Take sequences that all samples hold, or that the only one repeats (`sequences`).
2. Drop those that a known clean sample of a closed case holds.
3. Compile the rest as one YARA-X rule set, scan the clean corpus with it, and drop what hits.
4. Write the best of those as one ClamAV database, scan the clean corpus again (ClamAV also looks into archives), and
   drop what hits.
5. Try the best remaining one on all samples in both engines: a YARA-X rule and a ClamAV `.ndb` line.
6. Offer the exact hash of each sample too: it is the only proposal where no sequence is left.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from labkit.analysers.composing import Operation, Record
from labkit.analysers.drafting import Bench, Proposal
from labkit.analysers.facts import find_in
from labkit.analysers.sequences import LOOKED_AT, Candidate, candidates
from labkit.analysers.yara_text import new_rule

_READ_BYTES: Final = 8 * 1024 * 1024
_READ_TOGETHER: Final = 64 * 1024 * 1024
_IN_CLAMAV: Final = 12
_TRIED: Final = 3


def proposals(bench: Bench) -> list[Proposal]:
    """The sequence proposal if there is one, then the hash. An empty list only if every sample is empty."""
    found = []
    sequence = _sequence(bench)
    if sequence is not None:
        found.append(sequence)
    exact = _exact(bench, recommended=sequence is None)
    if exact is not None:
        found.append(exact)
    return found


def _sequence(bench: Bench) -> Proposal | None:
    for candidate in _absent_from_clean(bench)[:_TRIED]:
        operations = [*_freed(bench), *({"op": "ADD", "record": record} for record in _records(bench, candidate))]
        reason = (
            f"{candidate.why[0].upper()}{candidate.why[1:]} (from offset {candidate.offset}); no file of the clean "
            "corpus and no known clean sample holds them, in either engine. A changed copy that keeps them is "
            "detected as well."
        )
        proposal = bench.tried("Detect a byte sequence", reason, operations, recommended=True)
        if all(proposal.satisfies.values()) and not proposal.loses:
            return proposal
    return None


def _exact(bench: Bench, *, recommended: bool) -> Proposal | None:
    """One hash record a sample."""
    samples = [sample for sample in bench.claimed if sample.size]
    if not samples:
        return None
    records = [
        {
            "type": "hash",
            "name": _free(bench, f"Guardia.FN.{bench.payload.case}.{sample.sha256[:16]}"),
            "case": bench.payload.case,
            "sha256": sample.sha256,
            "size": sample.size,
        }
        for sample in samples
    ]
    reason = "Detects exactly these files and nothing else: a copy with one changed byte is missed."
    if recommended:
        reason += " No byte sequence of substance is shared by the samples and absent from the clean files."
    operations = [*_freed(bench), *({"op": "ADD", "record": record} for record in records)]
    return bench.tried("Detect the exact file", reason, operations, recommended=recommended)


def _absent_from_clean(bench: Bench) -> list[Candidate]:
    found = candidates([_beginning(bench, sample.sha256) for sample in bench.claimed])
    clean = [bench.path(sample) for sample in bench.others if sample.expect == "not_detected"]
    found = [one for one in found if all(find_in(path, one.content) < 0 for path in clean)]
    named = {f"c{at}": one for at, one in enumerate(found)}
    rules = [_rule(name, new_rule(name, (), one.content)) for name, one in named.items()]
    left = _not_hit(bench, "yara-x", rules, named)
    lines = [_line(name, one.content) for name, one in list(left.items())[:_IN_CLAMAV]]
    return list(_not_hit(bench, "clamav", lines, {line["name"]: left[line["name"]] for line in lines}).values())


def _not_hit(bench: Bench, engine: str, records: Sequence[Record], named: dict[str, Candidate]) -> dict[str, Candidate]:
    if not records:
        return {}
    database = bench.database(records)
    hits = bench.corpus_names(engine, database)
    bench.drop(database)
    return {name: candidate for name, candidate in named.items() if name not in hits}


def _beginning(bench: Bench, sha256: str) -> bytes:
    """A sample, or of a large one its beginning: enough to find a sequence in."""
    with bench.paths[sha256].open("rb") as source:
        return source.read(max(LOOKED_AT, min(_READ_BYTES, _READ_TOGETHER // len(bench.claimed))))


def _records(bench: Bench, candidate: Candidate) -> list[Record]:
    payload = bench.payload
    mark = hashlib.sha256(candidate.content).hexdigest()[:8]
    rule = _free(bench, f"Guardia_FN_{payload.case}_{mark}".replace("-", "_"))
    signature = _free(bench, f"Guardia.FN.{payload.case}.{mark}")
    metadata = [("case", payload.case), ("author", payload.author), ("date", payload.date)]
    metadata += [("sample_sha256", sample.sha256) for sample in bench.claimed]
    return [
        {**_rule(rule, new_rule(rule, metadata, candidate.content)), "case": payload.case},
        {**_line(signature, candidate.content), "case": payload.case},
    ]


def _rule(name: str, source: str) -> Record:
    return {"type": "yara_rule", "name": name, "case": None, "source": source}


def _line(name: str, content: bytes) -> Record:
    return {"type": "clamav_line", "name": name, "case": None, "database": "ndb", "line": f"{name}:0:*:{content.hex()}"}


def _freed(bench: Bench) -> list[Operation]:
    """Allow entries of an earlier correction that would hide these very samples go away."""
    claimed = {sample.sha256 for sample in bench.claimed}
    return [
        {"op": "DEL", "record_id": record["id"]}
        for record in bench.payload.records
        if record["type"] == "allow" and record["sha256"] in claimed
    ]


def _free(bench: Bench, name: str) -> str:
    taken = {str(record["name"]) for record in bench.payload.records}
    number = 2
    free = name
    while free in taken:
        free = f"{name}_{number}"
        number += 1
    return free
