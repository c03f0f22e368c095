"""The lab gate's journeys: lease work, fetch what it names, report, hand in findings.

A lease carries each sample's data key and nothing else of the server's; it runs out when the worker is not heard of,
and the job goes to the next. Findings of a lost lease are refused: every job is concluded once.
"""

import base64
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from guardia.features.accounts.rules.tokens import digest
from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab import operations as lab
from guardia.features.lab import queries as lab_queries
from guardia.features.lab.rules.findings import misfit
from guardia.features.releases.queries import pointer
from guardia.journeys import case_log
from guardia.journeys.database_state import build_at, state_at
from guardia.journeys.lab_samples import claim_samples, malware_samples, memory_samples
from guardia.journeys.precheck_case import conclude_precheck
from guardia.journeys.run_gates import conclude_gates
from guardia.kernel.errors import Invalid, NotFound, Refused
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import LAB, Lane

Job = Any
_log = logging.getLogger("guardia.lab")


@dataclass(frozen=True)
class LeasedJob:
    """What a worker gets."""

    id: str
    kind: str
    lease: str
    lease_s: int
    payload: Mapping[str, Any]


def lease_job(worker: str, now: datetime, kinds: frozenset[str] = frozenset()) -> LeasedJob | None:
    """Lease the next job (of these kinds; none named: any) to a worker, or return None where nothing waits."""
    with journey():
        job = lab_queries.next_job(now, kinds)
        if job is None:
            return None
        lease = secrets.token_urlsafe(32)
        if not lab.lease_job(job, worker[:80], digest(lease), now):
            _give_up(job, now)
            return None
        try:
            with journey():
                payload = _payload(job, now)
        except Exception as error:  # noqa: BLE001  whatever it is, the comment says what for
            # One job that cannot be made must not keep the others waiting: its lease runs out, and at last it fails.
            _log.exception("lab job %s (%s of case %s) cannot be made", job.id, job.kind, job.case_number)
            lab.keep_error(job, f"The job could not be made: {type(error).__name__}.")
            return None
    return LeasedJob(str(job.id), job.kind, lease, int(lab.LEASE.total_seconds()), payload)


def _give_up(job: Job, now: datetime) -> None:
    if job.kind == "gates":
        conclude_gates(job, {}, now, error=job.error)
        return
    case = cases.lock_case(queries.get_case_for_lab(job.case_id))
    case_log.add(case, "lab_failed", LAB, now, {"kind": job.kind, "error": job.error})


def _payload(job: Job, now: datetime) -> dict[str, Any]:
    case = queries.get_case_for_lab(job.case_id)
    report = queries.get_report(case)
    request = dict(job.request)
    if job.kind == "precheck":
        request = _precheck_request(case)
    elif job.kind == "draft":
        request = _draft_request(case, now)
    lab.keep_request(job, request)
    return {
        **{name: value for name, value in request.items() if name not in {"samples", "malware", "memory"}},
        "case": case.number,
        "claim": report.claim,
        "detection": report.detection_name or None,
        **{name: _with_keys(request[name]) for name in ("samples", "malware", "memory") if name in request},
    }


def _precheck_request(case: Any) -> dict[str, Any]:
    lane, newest = pointer(Lane(case.terms["lane"])), pointer(Lane.ACCELERATED)
    return {
        "lane": build_at(lane.release_id if lane else 0).to_json(),
        "newest": build_at(newest.release_id if newest else 0).to_json(),
        "samples": claim_samples(case),
    }


def _draft_request(case: Any, now: datetime) -> dict[str, Any]:
    newest = pointer(Lane.ACCELERATED)
    number = newest.release_id if newest else 0
    return {
        "author": "Guardia lab",
        "date": f"{now:%Y-%m-%d}",
        "base": build_at(number).to_json(),
        "records": [record.to_json() for record in state_at(number)],
        "samples": claim_samples(case),
        "malware": malware_samples(),
        "memory": memory_samples(case),
    }


def _with_keys(refs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    samples = lab_queries.samples_by_id({UUID(ref["sample_id"]) for ref in refs})
    keyed = []
    for ref in refs:
        sample = samples.get(UUID(ref["sample_id"]))
        if sample is None:
            continue  # erased: its key is destroyed, so no release can be tested on it any more
        key = outside().lab_keys.unwrap(bytes(sample.wrapped_key), sample.key_id)
        facts = {name: value for name, value in ref.items() if name != "sample_id"}
        keyed.append({**facts, "sha256": sample.sha256, "size": sample.size, "key": base64.b64encode(key).decode()})
    return keyed


def _leased(job_id: UUID, lease: str, now: datetime, *, lock: bool = False) -> Job:
    job = lab_queries.find_job(job_id, lock=lock)
    if job is None:
        raise NotFound("job_unknown", f"There is no lab job {job_id}.")
    is_current = job.state == "leased" and secrets.compare_digest(job.lease_digest, digest(lease))
    if not is_current or job.leased_until is None or job.leased_until < now:
        raise Refused("lease_lost", "The lease is over or went to another worker; drop this job.")
    return job


def open_sample(job_id: UUID, lease: str, sha256: str, now: datetime) -> BinaryIO:
    """Return the sealed bytes of a sample that the leased job names."""
    job = _leased(job_id, lease, now)
    refs = [ref for name in ("samples", "malware", "memory") for ref in job.request.get(name, [])]
    samples = lab_queries.samples_by_id({UUID(ref["sample_id"]) for ref in refs})
    sample = next((row for row in samples.values() if row.sha256 == sha256), None)
    if sample is None:
        raise NotFound("sample_unknown", f"Job {job_id} names no sample {sha256}.")
    return outside().quarantine.open(sample.object_name)


def read_database_file(job_id: UUID, lease: str, sha256: str, now: datetime) -> bytes:
    """Return a database file that the leased job names."""
    job = _leased(job_id, lease, now)
    builds = [value for value in job.request.values() if isinstance(value, dict) and "files" in value]
    if not any(file["sha256"] == sha256 for build in builds for file in build["files"]):
        raise NotFound("file_unknown", f"Job {job_id} names no database file {sha256}.")
    return outside().builds.read(sha256)


def report_progress(job_id: UUID, lease: str, steps: list[Any], now: datetime) -> None:
    """Keep a job's progress; the lease goes on."""
    with journey():
        lab.report_progress(_leased(job_id, lease, now, lock=True), steps, now)


def hand_in(job_id: UUID, lease: str, result: Mapping[str, Any] | None, error: str, now: datetime) -> None:
    """Conclude a job with its findings, or with the sentence that says why there are none."""
    with journey():
        job = _leased(job_id, lease, now, lock=True)
        if result is not None and (why := misfit(job.kind, result)):
            raise Invalid("findings_malformed", f"These findings are not kept: {why}.")
        if job.kind == "gates":
            conclude_gates(job, result or {}, now, error=error)
            return
        lab.finish_job(job, result, error, now)
        case = cases.lock_case(queries.get_case_for_lab(job.case_id))
        if error:
            case_log.add(case, "lab_failed", LAB, now, {"kind": job.kind, "error": error})
        elif job.kind == "precheck" and result is not None:
            conclude_precheck(case, job.request, result, now)
        elif result is not None:
            case_log.add(case, "proposals", LAB, now, {"count": len(result.get("proposals", []))})
