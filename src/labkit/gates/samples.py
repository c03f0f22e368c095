"""Three gates that ask known samples: claim, lost detections, memory of closed cases.

- *claim*: every engine says of the case's samples what the correction promises.
- *lost detections*: what the base database detects in the malware corpus, the build detects too, engine by engine.
- *memory*: every sample of every closed case still has the verdict for which its case was closed, in every engine.

`not scanned` is never good enough: it is neither a detection nor its absence.
"""

from collections.abc import Sequence

from engines import ENGINE_NAMES, Verdict
from labkit.gates.bench import MAX_FAILURES, Advance, Bench, Found, Unusable, hit_failures
from labkit.wire.messages import Failure, SampleRef


def claim(bench: Bench, advance: Advance) -> Found:
    """The gate `claim`: every engine gives each sample of the case the verdict that the claim asks for."""
    samples = bench.payload.of("claim")
    if not samples:
        return Found("The case has no sample to check", {}, [Failure("There is no sample of the claim to check")])
    failures, asked = _expected(bench, samples, advance, "the case's sample")
    if bench.payload.claim == "FN":
        good = f"Every engine detects all {len(samples)} sample(s) of the case"
    else:
        good = f"No engine detects any of the {len(samples)} sample(s) of the case"
    return Found(good if not failures else _short(failures), {"samples": len(samples), "verdicts": asked}, failures)


def memory(bench: Bench, advance: Advance) -> Found:
    """The gate `memory`: the sample of every closed case keeps its verdict in every engine."""
    samples = bench.payload.of("memory")
    failures, asked = _expected(bench, samples, advance, "the sample of a closed case")
    cases = len({sample.case for sample in samples if sample.case is not None})
    good = f"All {len(samples)} sample(s) of {cases} closed case(s) keep their verdict in every engine"
    if not samples:
        good = "There is no closed case yet"
    counts = {"samples": len(samples), "cases": cases, "verdicts": asked}
    return Found(good if not failures else _short(failures), counts, failures)


def lost_detections(bench: Bench, advance: Advance) -> Found:
    """The gate `lost_detections`: what the base detects of the malware corpus, the build detects too."""
    samples = bench.payload.of("malware")
    failures: list[Failure] = []
    detected = 0
    for at, engine in enumerate(ENGINE_NAMES):
        try:
            before = list(bench.verdicts(engine, "base", samples))
            after = list(bench.verdicts(engine, "build", samples))
        except Unusable as error:
            failures.append(Failure(str(error), engine=engine))
            continue
        for (sample, old), (_, new) in zip(before, after, strict=True):
            detected += old.outcome == "detected"
            if old.outcome == "detected" and new.outcome != "detected":
                failures.append(_lost(engine, sample, old, new))
        advance((at + 1) * len(samples), len(ENGINE_NAMES) * len(samples))
    good = f"All {detected} detection(s) of {len(samples)} malware sample(s) are kept"
    if not samples:
        good = "There is no malware sample on file"
    counts = {"samples": len(samples), "detections": detected, "lost": len(failures)}
    return Found(good if not failures else _short(failures), counts, failures[:MAX_FAILURES])


def _expected(bench: Bench, samples: Sequence[SampleRef], advance: Advance, whose: str) -> tuple[list[Failure], int]:
    failures: list[Failure] = []
    asked = 0
    for engine in ENGINE_NAMES:
        try:
            for sample, verdict in bench.verdicts(engine, "build", samples):
                asked += 1
                if verdict.outcome != sample.expect:
                    failures += _unexpected(bench, engine, sample, verdict, whose)
        except Unusable as error:
            failures.append(Failure(str(error), engine=engine))
        advance(asked, len(ENGINE_NAMES) * len(samples))
    return failures[:MAX_FAILURES], asked


def _unexpected(bench: Bench, engine: str, sample: SampleRef, verdict: Verdict, whose: str) -> list[Failure]:
    case = f" of case {sample.case}" if sample.case else ""
    subject = f"{whose} {sample.name}{case}"
    if verdict.outcome == "detected":
        path = bench.path(sample)
        hits = bench.database(engine, "build").locate(path)
        return hit_failures(engine, path, hits, f"{engine} detects {subject}, which is clean", sample)
    if verdict.outcome == "not_scanned":
        what = f"{engine} did not scan {subject}: {verdict.reason}"
    else:
        what = f"{engine} does not detect {subject}"
    return [Failure(what, engine=engine, file=sample.name, size=sample.size)]


def _lost(engine: str, sample: SampleRef, old: Verdict, new: Verdict) -> Failure:
    now = f"not scanned ({new.reason})" if new.outcome == "not_scanned" else "not detected"
    what = f"{engine} detected {sample.name} as {', '.join(old.names)}; with this build it is {now}"
    return Failure(what, engine=engine, rule=", ".join(old.names), file=sample.name, size=sample.size)


def _short(failures: Sequence[Failure]) -> str:
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{failures[0].what}{more}"
