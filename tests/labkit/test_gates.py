"""The six gates, each made to fail for its own reason, on real engines and a small corpus."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.labkit.conftest import CLEAN_PHRASE, LINE, LINE_NAME, LITERAL, RECORDS, RULE, RULE_NAME, noise

from labkit.analysers.composing import applied, write_database
from labkit.corpora.manifest import Corpus
from labkit.gates import load as load_gate
from labkit.gates.bench import Bench
from labkit.gates.running import run_gates
from labkit.wire.messages import GATE_NAMES, GatesPayload, Json, parse_job

pytestmark = pytest.mark.engines
FAMILY = b"LAB-HARMLESS-FAMILY-0042"
SHA = "b" * 64
Gates = Callable[..., dict[str, Json]]


def rule(
    content: str, name: str = "Guardia_FN_1", meta: str | None = None, condition: str = "$a", head: str = ""
) -> Json:
    meta = meta or f'case = "1" author = "Ana" date = "2026-11-22" sample_sha256 = "{SHA}"'
    source = f"{head}rule {name} {{ meta: {meta} strings: $a = {content} condition: {condition} }}"
    return {"type": "yara_rule", "name": name, "case": "1", "source": source}


def line(content: bytes, name: str = "Guardia.FN.1", database: str = "ndb") -> Json:
    return {
        "type": "clamav_line",
        "name": name,
        "case": "1",
        "database": database,
        "line": f"{name}:0:*:{content.hex()}",
    }


def add(*records: Json) -> list[Json]:
    return [{"op": "ADD", "record": record} for record in records]


GOOD = add(rule(f'"{FAMILY.decode()}"'), line(FAMILY))
SAMPLE = noise("sample", 300) + FAMILY


@pytest.fixture
def gates(tmp_path: Path, corpus_folder: Path) -> Gates:
    """Runs all gates over a change of the baseline; samples are (content, role, expect)."""

    def run(
        operations: list[Json],
        samples: list[tuple[bytes, str, str]],
        *,
        claim: str = "FN",
        base: list[Json] = RECORDS,
        changed: list[Json] | None = None,
        corpus: Path = corpus_folder,
        budgets: Json | None = None,
        seen: list[list[Json]] | None = None,
    ) -> dict[str, Json]:
        added = [operation["record"] for operation in operations if operation["op"] == "ADD"]
        records = {"build": applied(base, operations), "base": base, "changed": added if changed is None else changed}
        builds = {name: write_database(held, tmp_path / name) for name, held in records.items()}
        paths, refs = {}, []
        for at, (content, role, expect) in enumerate(samples):
            sha256 = hashlib.sha256(content).hexdigest()
            paths[sha256] = tmp_path / sha256
            paths[sha256].write_bytes(content)
            key = base64.b64encode(bytes(32)).decode()
            refs.append(
                {"sha256": sha256, "size": len(content), "key": key, "role": role, "expect": expect}
                | {"case": "1000025", "name": f"{role}{at}.bin"}
            )
        build = {"number": 2, "label": "x", "state_root": "x", "digest": "x", "files": []}
        payload = {"claim": claim, "case": "1", "samples": refs, "build": build, "base": build, "changed": build}
        payload |= {"operations": operations, "records_changed": added}
        payload |= {"budgets": budgets or {"load_s": 60, "load_mb": 1024}}
        job = parse_job({"id": "j", "kind": "gates", "lease": "l", "lease_s": 9, "payload": payload})
        assert isinstance(job.payload, GatesPayload)
        bench = Bench(job.payload, builds, paths, corpus, tmp_path)
        result = run_gates(bench, (seen if seen is not None else []).append, print)
        assert tuple(gate["gate"] for gate in result["gates"]) == GATE_NAMES
        return {gate["gate"]: gate for gate in result["gates"]} | {"whole": result}

    return run


def states(found: dict[str, Json]) -> dict[str, str]:
    return {name: found[name]["state"] for name in GATE_NAMES}


def failed(found: dict[str, Json]) -> set[str]:
    return {name for name, state in states(found).items() if state == "failed"}


def test_a_good_correction_passes_all_six_in_order(gates: Gates, corpus_folder: Path) -> None:
    seen: list[list[Json]] = []
    samples = [
        (SAMPLE, "claim", "detected"),
        (LITERAL, "malware", "detected"),
        (b"clean once", "memory", "not_detected"),
    ]
    found = gates(GOOD, samples, seen=seen)
    assert failed(found) == set(), found
    assert found["clean_corpus"]["total"] == found["clean_corpus"]["done"] == 60
    assert found["whole"]["corpus"] == {"digest": Corpus(corpus_folder).manifest.digest, "files": 30}
    running = [step["gate"] for steps in seen for step in steps if step["state"] == "running"]
    assert list(dict.fromkeys(running)) == list(GATE_NAMES)


def test_a_rule_that_hits_a_clean_file_is_told_with_file_and_offset(gates: Gates) -> None:
    operations = add(rule(f'"{CLEAN_PHRASE.decode()}"'), line(CLEAN_PHRASE))
    found = gates(operations, [(CLEAN_PHRASE, "claim", "detected")])
    assert failed(found) == {"clean_corpus"}
    gate = found["clean_corpus"]
    assert {failure["engine"] for failure in gate["failures"]} == {"yara-x", "clamav"}
    for failure in gate["failures"]:
        assert failure["file"].endswith("phrase.txt")
        assert failure["rule"] in {"Guardia_FN_1", "Guardia.FN.1"}
        assert (failure["offset"], failure["length"]) == (32, len(CLEAN_PHRASE))
        assert failure["hex"][0] == [16, b"0123456789abcdef".hex()]
        assert failure["hex"][1] == [32, CLEAN_PHRASE[:16].hex()]
    assert "hit 1 of 30 clean files" in gate["summary"]


def test_a_correction_for_one_engine_only_fails_the_claim(gates: Gates) -> None:
    found = gates(add(rule(f'"{FAMILY.decode()}"')), [(SAMPLE, "claim", "detected")])
    assert failed(found) == {"claim"}
    assert found["claim"]["summary"] == "clamav does not detect the case's sample claim0.bin of case 1000025"


def test_a_false_positive_that_is_still_detected_is_told_with_its_place(gates: Gates) -> None:
    found = gates([], [(b"x" * 20 + LITERAL, "claim", "not_detected")], claim="FP")
    assert failed(found) == {"claim"}
    places = {(failure["rule"], failure["offset"]) for failure in found["claim"]["failures"]}
    assert places == {(RULE_NAME, 20), (LINE_NAME, 20)}


def test_a_claim_without_samples_does_not_pass(gates: Gates) -> None:
    assert "claim" in failed(gates(GOOD, []))


def test_a_lost_detection_fails_and_is_named(gates: Gates) -> None:
    operations = [{"op": "DEL", "record_id": "r-rule"}, *GOOD]
    found = gates(operations, [(SAMPLE, "claim", "detected"), (LITERAL, "malware", "detected")])
    assert failed(found) == {"lost_detections"}
    assert found["lost_detections"]["counts"]["lost"] == 1
    assert RULE_NAME in found["lost_detections"]["summary"]


def test_malware_that_nobody_detected_before_is_no_loss(gates: Gates) -> None:
    found = gates(GOOD, [(SAMPLE, "claim", "detected"), (noise("unknown", 90), "malware", "detected")])
    assert failed(found) == set()


@pytest.mark.parametrize(("content", "expect"), [(FAMILY + b" fp", "not_detected"), (b"an old fn", "detected")])
def test_every_closed_case_stays_closed(gates: Gates, content: bytes, expect: str) -> None:
    found = gates(GOOD, [(SAMPLE, "claim", "detected"), (content, "memory", expect)])
    assert failed(found) == {"memory"}
    assert "1000025" in found["memory"]["summary"]


def test_one_run_shows_every_problem(gates: Gates) -> None:
    operations = [{"op": "DEL", "record_id": "r-rule"}, *add(rule('"short"', meta='case = "1"'), line(CLEAN_PHRASE))]
    samples = [(SAMPLE, "claim", "detected"), (LITERAL, "malware", "detected"), (b"an old fn", "memory", "detected")]
    assert failed(gates(operations, samples)) == {"claim", "clean_corpus", "lost_detections", "memory", "lint"}


def test_allowing_and_ignoring_needs_no_clean_scan_and_says_so(gates: Gates) -> None:
    sample = LITERAL + b"fp"
    allow: Json = {"type": "allow", "name": "Guardia.FP.1", "case": "1", "size": len(sample)}
    allow["sha256"] = hashlib.sha256(sample).hexdigest()
    base = [RECORDS[1]]
    found = gates(add(allow), [(sample, "claim", "not_detected")], claim="FP", base=base)
    assert failed(found) == set()
    assert found["clean_corpus"]["summary"].count("no scan is needed") == 2
    assert found["clean_corpus"]["total"] == 0


def test_an_allow_entry_that_goes_away_brings_the_whole_build_before_the_corpus(
    gates: Gates, corpus_folder: Path
) -> None:
    corpus = Corpus(corpus_folder)
    (path,) = [path for path in corpus.paths() if CLEAN_PHRASE in path.read_bytes()]
    allow: Json = {"id": "r-a", "type": "allow", "name": "A.Allow", "case": None, "sha256": path.name}
    allow["size"] = path.stat().st_size
    base = [*RECORDS, {**line(CLEAN_PHRASE), "id": "r-l"}, allow]
    found = gates([{"op": "DEL", "record_id": "r-a"}, *GOOD], [(SAMPLE, "claim", "detected")], base=base)
    assert failed(found) == {"clean_corpus"}
    assert "whole build" in found["clean_corpus"]["summary"]


def test_a_change_that_the_server_does_not_list_is_found_out(gates: Gates) -> None:
    found = gates(GOOD, [(SAMPLE, "claim", "detected")], changed=[])
    assert failed(found) == {"clean_corpus"}
    assert len(found["clean_corpus"]["failures"]) == 2
    assert "not among the changed records" in found["clean_corpus"]["failures"][0]["what"]


def test_without_a_corpus_the_gate_fails_and_says_how_to_get_one(gates: Gates, tmp_path: Path) -> None:
    found = gates(GOOD, [(SAMPLE, "claim", "detected")], corpus=tmp_path / "none")
    assert failed(found) == {"clean_corpus"}
    assert "python -m labkit.corpora" in found["clean_corpus"]["summary"]


def test_a_damaged_corpus_is_not_taken_for_clean(gates: Gates, corpus_folder: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    (damaged / "objects").mkdir(parents=True)
    (damaged / "manifest.json").write_bytes((corpus_folder / "manifest.json").read_bytes())
    found = gates(GOOD, [(SAMPLE, "claim", "detected")], corpus=damaged)
    assert failed(found) == {"clean_corpus"}
    assert "did not scan a clean file" in found["clean_corpus"]["failures"][0]["what"]


def test_a_missing_engine_fails_every_gate_that_needs_it(
    gates: Gates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gates(GOOD, [(SAMPLE, "claim", "detected"), (LITERAL, "malware", "detected")])
    assert failed(found) == {"claim", "clean_corpus", "lost_detections", "load"}
    for name in failed(found):
        assert "apt-get install" in found[name]["failures"][0]["what"]
    assert found["whole"]["engines"]["clamav"] is None


def test_a_zip_bomb_never_passes_as_clean(gates: Gates) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100 * 2**20))
    found = gates([], [(packed.getvalue(), "claim", "not_detected")], claim="FP")
    assert failed(found) == {"claim"}
    assert "did not scan" in found["claim"]["summary"]


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        (add(rule('"' + FAMILY.decode() + '"', meta='author = "Ana"')), "lacks the metadata `case`"),
        (add(rule('"' + FAMILY.decode() + '"', meta='case="1" author="A" date="today" sample_sha256="x"')), "`date`"),
        (add(rule('"short"')), "only 5 fixed byte"),
        (add(rule("{ 41 42 43 ?? 44 45 46 47 }")), "only 4 fixed byte"),
        (add(rule("/.*a/")), "slow pattern"),
        (add(rule('"long enough"', head='import "cuckoo"\n')), 'imports "cuckoo"'),
        (add(rule('"long enough"', condition="$a and outside")), "unknown identifier"),
        (add({**rule('"long enough"'), "name": "Other"}), "exactly the one rule"),
        (add(line(b"1234567")), "only 7 fixed byte"),
        (add({**line(FAMILY), "line": "Guardia.FN.1:0:*"}), "no .ndb line"),
        (add({**line(FAMILY), "name": "Other.Name"}), "called otherwise"),
        (add(line(FAMILY, name="Evil.UNOFFICIAL")), "UNOFFICIAL"),
        (add({**line(FAMILY), "line": "Guardia.FN.1:0:*:" + "41" * 9000}), "longer than"),
        (add({**line(FAMILY, database="hsb"), "line": "xyz:1:Guardia.FN.1"}), "no .hsb line"),
        (add({"type": "allow", "name": "A.b", "case": None, "sha256": "x", "size": 0}), "sha256"),
        (
            add({"type": "ignore", "name": "I.x", "case": None, "signature": LINE_NAME, "entry_md5": "0" * 32}),
            "ignores nothing",
        ),
        (add({"type": "magic", "name": "M.x", "case": None}), "unknown type"),
    ],
)
def test_lint_refuses(gates: Gates, records: list[Json], complaint: str) -> None:
    found = gates(records, [(SAMPLE, "claim", "detected")])
    assert found["lint"]["state"] == "failed"
    assert complaint in " ".join(failure["what"] for failure in found["lint"]["failures"])


def test_a_rule_that_includes_a_file_is_refused_by_lint_and_load_and_reads_nothing(gates: Gates) -> None:
    found = gates(add(rule('"long enough"', head='include "/etc/passwd"\n')), [(SAMPLE, "claim", "detected")])
    assert {"claim", "clean_corpus", "lint", "load"} <= failed(found)
    for name in ("lint", "load"):
        assert "include statements not allowed" in found[name]["failures"][0]["what"] or name == "load"
        assert "root:" not in str(found[name])


def test_a_rule_that_does_not_compile_fails_load_with_the_place(gates: Gates) -> None:
    found = gates(add(rule('"long enough"', condition="$a and")), [(SAMPLE, "claim", "detected")])
    assert {"lint", "load", "claim"} <= failed(found)
    assert "yara/guardia.yar" in found["load"]["summary"]


def test_a_build_over_its_load_budget_fails(gates: Gates) -> None:
    found = gates(GOOD, [(SAMPLE, "claim", "detected")], budgets={"load_s": 0.000001, "load_mb": 1})
    assert failed(found) == {"load"}
    assert len(found["load"]["failures"]) == 4
    assert "budget" in found["load"]["summary"]


def test_a_gate_that_breaks_has_not_passed(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> list[Path]:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(load_gate, "write_self_test", broken)
    found = gates(GOOD, [(SAMPLE, "claim", "detected")])
    assert failed(found) == {"load"}
    assert "the disk is full" in found["load"]["summary"]


def test_an_ignore_entry_that_fits_its_line_passes_lint(gates: Gates) -> None:
    md5 = hashlib.md5(LINE.encode(), usedforsecurity=False).hexdigest()
    ignore = {"type": "ignore", "name": "I.x", "case": None, "signature": LINE_NAME, "entry_md5": md5}
    operations = [*add(ignore), {"op": "DEL", "record_id": "r-rule"}]
    found = gates(operations, [(LITERAL, "claim", "not_detected")], claim="FP")
    assert failed(found) == set(), found
    assert RULE
