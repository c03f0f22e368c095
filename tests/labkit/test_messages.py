import base64
import copy
from typing import Any

import pytest

from labkit.wire.messages import GatesPayload, PrecheckPayload, SampleRef, WireError, parse_job

SHA = "a" * 64
SAMPLE = {
    "sha256": SHA,
    "size": 3,
    "key": base64.b64encode(bytes(32)).decode(),
    "role": "claim",
    "expect": "detected",
    "case": "1000017",
    "name": "../../etc/passwd",
}
BUILD = {
    "number": 1,
    "label": "20261122.1",
    "state_root": "x",
    "digest": "y",
    "files": [{"name": "clamav/guardia.ndb", "sha256": SHA, "size": 4}],
}
PRECHECK = {
    "id": "j1",
    "kind": "precheck",
    "lease": "secret-lease",
    "lease_s": 30,
    "payload": {"claim": "FN", "detection": None, "samples": [SAMPLE], "lane": BUILD, "newest": BUILD},
}


def test_a_job_is_read_into_types() -> None:
    job = parse_job(PRECHECK)
    assert isinstance(job.payload, PrecheckPayload)
    assert job.payload.samples[0].to_json() == SAMPLE
    assert job.payload.lane.to_json() == BUILD


def test_neither_key_nor_lease_shows_in_a_repr() -> None:
    job = parse_job(PRECHECK)
    assert "secret-lease" not in repr(job)
    assert "key" not in repr(SampleRef(SHA, 1, bytes(32), "claim", "detected", None, "n"))


def test_gates_know_their_samples_by_role() -> None:
    payload = {
        "claim": "FP",
        "case": 1000017,
        "samples": [SAMPLE, {**SAMPLE, "role": "memory"}],
        "build": BUILD,
        "base": BUILD,
        "changed": BUILD,
        "operations": [],
        "records_changed": [],
        "budgets": {"load_s": 5, "load_mb": 100},
    }
    job = parse_job({**PRECHECK, "kind": "gates", "payload": payload})
    assert isinstance(job.payload, GatesPayload)
    assert [len(job.payload.of(role)) for role in ("claim", "memory", "malware")] == [1, 1, 0]
    assert job.payload.case == "1000017"


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("kind", "format-disk"),
        ("lease_s", 0),
        ("payload", []),
        ("payload.claim", "maybe"),
        ("payload.detection", 5),
        ("payload.samples", {}),
        ("payload.samples[0].sha256", "../../etc/passwd"),
        ("payload.samples[0].sha256", "A" * 64),
        ("payload.samples[0].size", -1),
        ("payload.samples[0].size", True),
        ("payload.samples[0].key", "not base64!"),
        ("payload.samples[0].key", base64.b64encode(b"short").decode()),
        ("payload.samples[0].role", "friend"),
        ("payload.lane.files[0].name", "../../../root/.profile"),
        ("payload.lane.files[0].name", "clamav/../../x.ndb"),
        ("payload.lane.files[0].name", "/etc/passwd"),
        ("payload.lane.files[0].name", "clamav/"),
        ("payload.newest.number", "one"),
    ],
)
def test_a_wrong_message_is_refused_with_its_place(place: str, wrong: Any) -> None:
    document = copy.deepcopy(PRECHECK)
    _put(document, place, wrong)
    with pytest.raises(WireError) as refused:
        parse_job(document)
    assert place.rsplit(".", maxsplit=1)[-1] in str(refused.value)


def _put(document: Any, place: str, value: Any) -> None:
    *path, last = place.replace("[0]", ".0").split(".")
    for step in path:
        document = document[int(step) if step == "0" else step]
    document[last] = value
