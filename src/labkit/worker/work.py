"""What the three kinds of job do, once their files lie in the job's folder. Runs inside the job's child process.

Layout of a job's folder: `samples/<sha256>`, `builds/<lane|newest|base|build|changed>/{yara,clamav,release.json}`,
`try` for what the job writes itself.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_never

from engines import Verdict, open_engine
from labkit.analysers import missed, mistaken
from labkit.analysers.drafting import Bench as DraftBench
from labkit.analysers.drafting import Proposal
from labkit.analysers.facts import facts_of
from labkit.analysers.scans import SampleScanner
from labkit.corpora.manifest import Corpus
from labkit.corpora.scanning import scan_all
from labkit.gates.bench import Bench as GatesBench
from labkit.gates.running import Report, Say, run_gates
from labkit.wire.messages import (
    BuildRef,
    DraftPayload,
    GatesPayload,
    Job,
    Json,
    Payload,
    PrecheckPayload,
    SampleRef,
)


def builds_of(payload: Payload) -> dict[str, BuildRef]:
    """The builds that a job needs, by the name of their folder."""
    match payload:
        case PrecheckPayload():
            return {"lane": payload.lane, "newest": payload.newest}
        case DraftPayload():
            return {"base": payload.base}
        case GatesPayload():
            return {"build": payload.build, "base": payload.base, "changed": payload.changed}
        case other:
            assert_never(other)


def samples_of(payload: Payload) -> dict[str, SampleRef]:
    """The samples that a job needs, each content once."""
    samples = list(payload.samples)
    if isinstance(payload, DraftPayload):
        samples += [*payload.malware, *payload.memory]
    return {sample.sha256: sample for sample in samples}


def do(job: Job, folder: Path, corpus: Path, report: Report, say: Say) -> Json:
    """The job's result. Raises EngineMissing, DatabaseRefused, CorpusBroken with sentences for people."""
    paths = {sha256: folder / "samples" / sha256 for sha256 in samples_of(job.payload)}
    builds = {name: folder / "builds" / name for name in builds_of(job.payload)}
    scratch = folder / "try"
    scratch.mkdir(mode=0o700)
    match job.payload:
        case PrecheckPayload():
            return precheck(job.payload, builds, paths, report)
        case DraftPayload():
            return draft(job.payload, paths, corpus, scratch, report)
        case GatesPayload():
            return run_gates(GatesBench(job.payload, builds, paths, corpus, scratch), report, say)
        case other:
            assert_never(other)


def precheck(payload: PrecheckPayload, builds: Mapping[str, Path], paths: Mapping[str, Path], report: Report) -> Json:
    """Scan with the build of the customer's lane, and with the newest one if that is another."""
    scanner = SampleScanner()
    folders = {payload.lane.number: builds["lane"], payload.newest.number: builds["newest"]}
    scans: list[Json] = []
    on_lane: dict[str, Mapping[str, Verdict]] = {}
    for at, (number, folder) in enumerate(folders.items()):
        report([_step("scan", at, len(folders))])
        found = scanner.scan(folder, list(paths.values()))
        for sha256, path in paths.items():
            verdicts = {engine: verdict.to_json() for engine, verdict in found[path].items()}
            scans.append({"sha256": sha256, "build": number, "verdicts": verdicts})
            if number == payload.lane.number:
                on_lane[sha256] = found[path]
    report([_step("scan", len(folders), len(folders))])
    by_sample = {sha256: _claim_holds(payload.claim, verdicts) for sha256, verdicts in on_lane.items()}
    return {
        "scans": scans,
        "by_sample": by_sample,
        "outcome": _together(by_sample),
        "notes": _notes(payload, on_lane),
    }


def _claim_holds(claim: str, verdicts: Mapping[str, Verdict]) -> str:
    """What the lane's newest build says of the claim about one sample."""
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    if "detected" in outcomes:
        return "confirmed" if claim == "FP" else "fixed_in"
    if "not_scanned" in outcomes:
        return "not_scanned"
    return "confirmed" if claim == "FN" else "not_reproducible"


def _together(by_sample: Mapping[str, str]) -> str:
    """One confirmed sample makes the case; else one that could not be scanned keeps it open for people."""
    for outcome in ("confirmed", "not_scanned", "fixed_in"):
        if outcome in by_sample.values():
            return outcome
    return "not_reproducible"


def _notes(payload: PrecheckPayload, on_lane: Mapping[str, Mapping[str, Verdict]]) -> list[str]:
    names = {name for verdicts in on_lane.values() for verdict in verdicts.values() for name in verdict.names}
    if payload.claim == "FP" and payload.detection and names and payload.detection not in names:
        return [f"reported as {payload.detection}; detected here as {', '.join(sorted(names))}"]
    return []


def draft(payload: DraftPayload, paths: Mapping[str, Path], corpus: Path, scratch: Path, report: Report) -> Json:
    """File facts, and proposals that were tried."""
    samples = {sample.sha256: sample for sample in payload.samples}
    report([_step("facts", 0, len(samples)), _step("proposals", 0, 0)])
    facts = [facts_of(paths[sha256], sha256) for sha256 in samples]
    done = _step("facts", len(samples), len(samples))
    clean = functools.cache(lambda: Corpus(corpus))

    def ask(engine: str, database: Path) -> dict[str, int]:
        return _corpus_names(clean(), engine, database, lambda at, total: report([done, _step("corpus", at, total)]))

    bench = DraftBench(payload, paths, scratch, ask)
    notes: list[str] = []
    proposals: list[Proposal] = []
    try:
        proposals = missed.proposals(bench) if payload.claim == "FN" else mistaken.proposals(bench)
    except mistaken.NothingFires as answer:
        notes.append(str(answer))
    if not proposals and not notes:
        notes.append("there is no proposal: every sample of the case is empty")
    report([done, _step("proposals", len(proposals), len(proposals))])
    return {"facts": facts, "proposals": [proposal.to_json() for proposal in proposals], "notes": notes}


def _corpus_names(
    corpus: Corpus, engine_name: str, database: Path, progress: Callable[[int, int], None]
) -> dict[str, int]:
    """How many clean files each name of this database hits in this engine."""
    engine = open_engine(engine_name)
    found: dict[str, int] = {}
    for _, verdict in scan_all(engine, engine.load(database), corpus.paths(), progress=progress):
        for name in verdict.names:
            found[name] = found.get(name, 0) + 1
    return found


def _step(name: str, done: int, total: int) -> Json:
    return {"step": name, "state": "passed" if total and done == total else "running", "done": done, "total": total}
