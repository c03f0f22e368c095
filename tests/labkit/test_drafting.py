"""Proposals, tried in both real engines against a small clean corpus."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.labkit.conftest import BASE_FILES, CLEAN_PHRASE, LITERAL, RECORDS, noise

from labkit.analysers.composing import applied, write_database
from labkit.analysers.scans import SampleScanner
from labkit.wire.messages import DraftPayload, Json, parse_job
from labkit.worker.work import draft

pytestmark = pytest.mark.engines
FAMILY = b"LAB-HARMLESS-FAMILY-0042"
Draft = Callable[..., Json]


def ref(content: bytes, role: str = "claim", expect: str = "detected") -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "key": base64.b64encode(bytes(32)).decode(),
        "role": role,
        "expect": expect,
        "case": "1000025",
        "name": f"{role}.bin",
    }


@pytest.fixture
def drafted(tmp_path: Path, corpus_folder: Path) -> Draft:
    def run(
        claim: str,
        samples: list[bytes],
        *,
        malware: list[bytes] = [],  # noqa: B006 - only read
        clean: list[bytes] = [],  # noqa: B006 - only read
        records: list[dict[str, Any]] = RECORDS,
    ) -> Json:
        paths = {}
        for content in [*samples, *malware, *clean]:
            sha256 = hashlib.sha256(content).hexdigest()
            paths[sha256] = tmp_path / sha256
            paths[sha256].write_bytes(content)
        payload = {
            "claim": claim,
            "case": "1000017",
            "author": 'Ana "the analyst"',
            "date": "2026-11-22",
            "samples": [ref(content) for content in samples],
            "base": {"number": 1, "label": "x", "state_root": "x", "digest": "x", "files": []},
            "records": records,
            "malware": [ref(content, "malware") for content in malware],
            "memory": [ref(content, "memory", "not_detected") for content in clean],
        }
        job = parse_job({"id": "j", "kind": "draft", "lease": "l", "lease_s": 9, "payload": payload})
        assert isinstance(job.payload, DraftPayload)
        scratch = tmp_path / "try"
        scratch.mkdir(exist_ok=True)
        return draft(job.payload, paths, corpus_folder, scratch, lambda _: None)

    return run


def outcomes(tmp_path: Path, proposal: Json, content: bytes, records: list[dict[str, Any]] = RECORDS) -> set[str]:
    """What both engines say of some content with the proposal applied."""
    folder = write_database(
        applied(records, proposal["operations"]), tmp_path / f"db-{hashlib.sha256(content).hexdigest()}"
    )
    sample = tmp_path / "asked"
    sample.write_bytes(content)
    return {verdict.outcome for verdict in SampleScanner().scan(folder, [sample])[sample].values()}


def test_a_family_is_detected_by_what_its_samples_share(drafted: Draft, tmp_path: Path) -> None:
    samples = [noise(f"s{at}", 900) + FAMILY + noise(f"t{at}", 500) for at in range(3)]
    result = drafted("FN", samples, malware=[LITERAL + b"other"])
    first, second = result["proposals"]
    assert (first["recommended"], second["recommended"]) == (True, False)
    assert first["satisfies"] == {"yara-x": True, "clamav": True} == second["satisfies"]
    assert first["loses"] == []
    assert outcomes(tmp_path, first, noise("new", 300) + FAMILY) == {"detected"}
    assert outcomes(tmp_path, second, noise("new", 300) + FAMILY) == {"not_detected"}
    assert outcomes(tmp_path, second, samples[1]) == {"detected"}
    assert outcomes(tmp_path, first, noise("s0", 900)) == {"not_detected"}


def test_what_clean_files_hold_is_never_proposed(drafted: Draft, tmp_path: Path) -> None:
    samples = [noise(f"s{at}", 600) + CLEAN_PHRASE + noise(f"t{at}", 600) for at in range(2)]
    result = drafted("FN", samples)
    (only,) = result["proposals"]
    assert {operation["record"]["type"] for operation in only["operations"]} == {"hash"}
    assert only["recommended"]
    assert outcomes(tmp_path, only, samples[0]) == {"detected"}


def test_what_a_closed_false_positive_holds_is_never_proposed(drafted: Draft) -> None:
    samples = [noise(f"s{at}", 600) + FAMILY + noise(f"t{at}", 600) for at in range(2)]
    result = drafted("FN", samples, clean=[b"once reported as wrong: " + FAMILY])
    (only,) = result["proposals"]
    assert {operation["record"]["type"] for operation in only["operations"]} == {"hash"}


def test_an_earlier_allow_entry_does_not_hide_the_sample(drafted: Draft) -> None:
    sample = noise("s", 600) + FAMILY
    sha256 = hashlib.sha256(sample).hexdigest()
    allow = {"id": "r-allow", "type": "allow", "name": "Old.Allow", "case": None, "sha256": sha256, "size": len(sample)}
    result = drafted("FN", [sample], records=[*RECORDS, allow])
    assert {"op": "DEL", "record_id": "r-allow"} in result["proposals"][0]["operations"]
    assert all(result["proposals"][0]["satisfies"].values())


def test_an_empty_sample_has_facts_but_no_proposal(drafted: Draft) -> None:
    result = drafted("FN", [b""])
    assert (result["facts"][0]["type"], result["proposals"]) == ("empty", [])
    assert "empty" in result["notes"][0]


def test_a_false_positive_is_excepted_and_the_family_stays_detected(drafted: Draft, tmp_path: Path) -> None:
    sample = noise("fp", 900) + LITERAL + noise("more", 90)
    malware = [LITERAL + noise("m1", 50), LITERAL + noise("m2", 50)]
    narrow, broad = drafted("FP", [sample], malware=malware)["proposals"]
    assert (narrow["recommended"], broad["recommended"]) == (True, False)
    assert narrow["satisfies"] == {"yara-x": True, "clamav": True} == broad["satisfies"]
    assert narrow["loses"] == []
    assert [sentence.split(":")[0] for sentence in broad["loses"]] == ["clamav", "yara-x"]
    assert all("2 known sample(s)" in sentence for sentence in broad["loses"])
    assert outcomes(tmp_path, narrow, sample) == {"not_detected"}
    assert outcomes(tmp_path, narrow, sample + b"!") == {"detected"}
    assert outcomes(tmp_path, broad, malware[0]) == {"not_detected"}


def test_a_second_false_positive_of_the_same_rule_keeps_the_first_exception(drafted: Draft, tmp_path: Path) -> None:
    first, second = LITERAL + noise("one", 90), LITERAL + noise("two", 90)
    narrow = drafted("FP", [first])["proposals"][0]
    records = [{"id": f"r{at}", **record} for at, record in enumerate(applied(RECORDS, narrow["operations"]))]
    again = drafted("FP", [second], clean=[first], records=records)["proposals"][0]
    assert again["loses"] == []
    assert outcomes(tmp_path, again, first, records) == {"not_detected"} == outcomes(tmp_path, again, second, records)
    assert outcomes(tmp_path, again, LITERAL, records) == {"detected"}


def test_a_wrong_hash_record_just_goes_away(drafted: Draft) -> None:
    sample = noise("h", 300)
    sha256 = hashlib.sha256(sample).hexdigest()
    wrong = {"id": "r-h", "type": "hash", "name": "Old.Hash-1", "case": None, "sha256": sha256, "size": len(sample)}
    (only,) = drafted("FP", [sample], records=[*RECORDS, wrong])["proposals"]
    assert only["operations"] == [{"op": "DEL", "record_id": "r-h"}]
    assert all(only["satisfies"].values())


def test_nothing_is_proposed_where_nothing_fires(drafted: Draft) -> None:
    result = drafted("FP", [b"quite harmless content"])
    assert result["proposals"] == []
    assert "nothing to correct" in result["notes"][0]


def test_the_baseline_of_these_tests_is_what_the_builds_hold(tmp_path: Path) -> None:
    folder = write_database(RECORDS, tmp_path / "db")
    assert (folder / "clamav" / "guardia.ndb").read_text() == BASE_FILES["clamav/guardia.ndb"]
