"""The clean-corpus gate: the records that a release adds or changes hit no clean file, in either engine.

Rules:
- The whole corpus is really scanned, in each engine for which something that detects was added or changed. Records
  that only allow or ignore cannot detect anything: for an engine where nothing else changed, no scan is needed, and
  the summary says so.
- Taking away an allow or ignore entry can bring detections back: then the whole build is scanned, not the change.
- "Changed" is checked, not believed: whatever the build has and the base has not must be among the changed records.
- A clean file over an engine's limits is counted and named as such; one not scanned for any other reason fails.
"""

from pathlib import Path

from engines import ENGINE_NAMES, SUBFOLDER, Verdict
from engines.clamav import OVER_LIMIT
from labkit.analysers.yara_text import split_rules
from labkit.corpora.scanning import scan_all
from labkit.gates.bench import MAX_FAILURES, Advance, Bench, Found, Unusable, hit_failures
from labkit.wire.messages import Failure

_DETECTING = frozenset({"ndb", "ldb", "hdb", "hsb", "yar"})


def clean_corpus(bench: Bench, advance: Advance) -> Found:
    """Raises CorpusBroken if there is no corpus to ask."""
    files = len(bench.corpus.manifest.entries)
    plans = {engine: _plan(bench, engine) for engine in ENGINE_NAMES}
    total = sum(files for plan in plans.values() if plan is not None)
    failures = _unlisted(bench)
    sentences, counts = [], {"files": files}
    done = 0
    for engine, build in plans.items():
        if build is None:
            sentences.append(f"{engine}: nothing that detects was added or changed, so no scan is needed")
            continue
        try:
            hits, skipped, found = _scan(bench, engine, build, _shifted(advance, done, total))
        except Unusable as error:
            failures.append(Failure(str(error), engine=engine))
            sentences.append(f"{engine}: {error}")
            continue
        done += files
        failures += found
        counts[f"{engine} hits"] = hits
        counts[f"{engine} over limits"] = skipped
        sentences.append(_sentence(engine, build, files, hits, skipped))
    return Found("; ".join(sentences), counts, failures[:MAX_FAILURES])


def _plan(bench: Bench, engine: str) -> str | None:
    """Which build this engine has to scan the corpus with, or None if nothing can have been added."""
    folder = SUBFOLDER[engine]
    for kind in ("sfp", "fp", "ign2"):
        name = Path(folder, f"guardia.{kind}")
        if _lines(bench.builds["base"] / name) - _lines(bench.builds["build"] / name):
            return "build"
    changed = bench.builds["changed"] / folder
    detecting = changed.is_dir() and any(path.suffix.removeprefix(".") in _DETECTING for path in changed.iterdir())
    return "changed" if detecting else None


def _lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8", errors="replace").splitlines()) if path.is_file() else set()


def _scan(bench: Bench, engine: str, build: str, advance: Advance) -> tuple[int, int, list[Failure]]:
    """(clean files hit, clean files over the engine's limits, failures)."""
    database = bench.database(engine, build)
    hits = skipped = 0
    failures: list[Failure] = []
    for path, verdict in scan_all(bench.engine(engine), database, bench.corpus.paths(), progress=advance):
        if verdict.outcome == "not_detected":
            continue
        entry = bench.corpus.entry(path)
        if verdict.outcome == "detected":
            hits += 1
            if len(failures) < MAX_FAILURES:
                what = f"{engine} hits a clean file"
                failures += hit_failures(engine, path, database.locate(path), what, entry)
        elif _is_over_limit(verdict):
            skipped += 1
        else:
            what = f"{engine} did not scan a clean file: {verdict.reason}"
            failures.append(Failure(what, engine=engine, file=entry.source, package=entry.package, size=entry.size))
    return hits, skipped, failures


def _shifted(advance: Advance, start: int, total: int) -> Advance:
    """Progress of one scan as part of the gate's."""
    return lambda done, _: advance(start + done, total)


def _is_over_limit(verdict: Verdict) -> bool:
    return (verdict.reason or "").startswith(OVER_LIMIT)


def _sentence(engine: str, build: str, files: int, hits: int, skipped: int) -> str:
    which = "the changed records" if build == "changed" else "the whole build (an allow or ignore entry goes away)"
    over = f", {skipped} file(s) are over the engine's limits" if skipped else ""
    return f"{engine}: {which} hit {hits} of {files} clean files{over}"


def _unlisted(bench: Bench) -> list[Failure]:
    """What the build has, the base has not, and the changed records do not have either."""
    failures = []
    for kind in ("ndb", "ldb", "hdb", "hsb"):
        lines = {build: _lines(folder / "clamav" / f"guardia.{kind}") for build, folder in bench.builds.items()}
        for line in sorted(lines["build"] - lines["base"] - lines["changed"]):
            what = f"guardia.{kind} has a line that is new but not among the changed records: {line[:120]}"
            failures.append(Failure(what, engine="clamav"))
    rules = {build: _rules(folder) for build, folder in bench.builds.items()}
    for text in sorted(rules["build"] - rules["base"] - rules["changed"]):
        what = f"guardia.yar has a rule that is new but not among the changed records: {text[:120]}"
        failures.append(Failure(what, engine="yara-x"))
    return failures


def _rules(folder: Path) -> set[str]:
    path = folder / "yara" / "guardia.yar"
    return set(split_rules(path.read_text(encoding="utf-8", errors="replace"))) if path.is_file() else set()
