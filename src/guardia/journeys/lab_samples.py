"""Which samples a lab job tests on: the case's own, the malware corpus, and the memory of closed cases.

Keys are not among them: they are added when a worker leases the job.
"""

from typing import Any

from guardia.features.cases import queries
from guardia.features.lab import queries as lab_queries


def claim_samples(case: Any) -> list[dict[str, Any]]:
    """Return the case's own samples with what the claim expects of them."""
    report = queries.get_report(case)
    expect = "detected" if report.claim == "FN" else "not_detected"
    return [
        {
            "sample_id": str(file.sample_id),
            "role": "claim",
            "expect": expect,
            "case": case.number,
            "name": file.filename,
        }
        for file in queries.files_of(case, "sample")
    ]


def malware_samples() -> list[dict[str, Any]]:
    """Return the malware corpus: each was detected and must be."""
    return [
        {"sample_id": str(row.sample_id), "role": "malware", "expect": "detected", "case": None, "name": row.name}
        for row in lab_queries.malware_corpus()
    ]


def memory_samples(case: Any) -> list[dict[str, Any]]:
    """Return the samples of closed cases but this one; of two claims on the same bytes the later one holds."""
    latest: dict[str, dict[str, Any]] = {}
    for closed in queries.proven_cases().exclude(id=case.id):
        for sample in claim_samples(closed):
            latest[sample["sample_id"]] = {**sample, "role": "memory"}
    return list(latest.values())
