"""A lab worker of the tests: it leases real jobs and hands in what the test wants, without running an engine."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from guardia.features.cases import queries
from guardia.features.lab.models import Draft
from guardia.features.lab.queries import determinations_of, get_draft, latest_job
from guardia.features.lab.rules.gates import ENGINES, GATES
from guardia.journeys.approve_draft import approve_release, review_draft
from guardia.journeys.determine_case import determine_case
from guardia.journeys.draft_correction import request_proposals, save_draft
from guardia.journeys.lab_work import LeasedJob, hand_in, lease_job
from guardia.journeys.publish_release import publish_pending
from guardia.journeys.take_case import take_case
from tests.support.cast import Cast

VERSIONS = {"yara-x": "1.23.0", "clamav": "1.4.6"}


def rule_text(name: str, literal: str = "", extra: str = "") -> str:
    """Return a YARA rule that finds a literal."""
    literal = literal or f"LAB-HARMLESS-{name}"
    return f'rule {name}\n{{\n{extra}  strings:\n    $a = "{literal}" ascii\n  condition:\n    $a\n}}\n'


def rule_added(name: str, case: str | None = None, literal: str = "") -> dict[str, Any]:
    """Return the operation that adds such a rule."""
    record = {"type": "yara_rule", "name": name, "case": case, "source": rule_text(name, literal)}
    return {"op": "ADD", "record": record}


def line_added(name: str, case: str | None = None) -> dict[str, Any]:
    """Return the operation that adds a ClamAV line."""
    line = f"{name}:0:*:{hashlib.sha256(name.encode()).hexdigest()}"
    return {"op": "ADD", "record": {"type": "clamav_line", "name": name, "case": case, "database": "ndb", "line": line}}


def gates_passed(**changed: Any) -> dict[str, Any]:
    """Return the findings of a run in which every gate passed in both engines."""
    gates = [{"gate": gate, "state": "passed", "seconds": 0.1, "summary": "fine"} for gate in GATES]
    return {"gates": gates, "engines": dict(VERSIONS), "corpus": {"digest": "c" * 64, "files": 20_000}, **changed}


def scanned(job: LeasedJob, outcome: str) -> dict[str, Any]:
    """Return a precheck's findings: every engine says `outcome` for every sample, with both releases."""
    names = ["Lab.Harmless"] if outcome == "detected" else []
    numbers = {job.payload["lane"]["number"], job.payload["newest"]["number"]}
    verdicts = {
        engine: {"engine": engine, "engine_version": VERSIONS[engine], "outcome": outcome, "names": names}
        for engine in ENGINES
    }
    scans = [
        {"sha256": sample["sha256"], "build": number, "verdicts": verdicts}
        for sample in job.payload["samples"]
        for number in sorted(numbers)
    ]
    return {"scans": scans, "outcome": "confirmed", "by_sample": {}}


class Bench:
    """Does the lab's part for one cast."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast

    def lease(self, *kinds: str) -> LeasedJob:
        """Lease the next job of these kinds."""
        job = lease_job("bench", self.cast.now, frozenset(kinds))
        assert job is not None, f"no job of {kinds or 'any kind'} waits"
        return job

    def hand_in(self, job: LeasedJob, result: Mapping[str, Any] | None, error: str = "") -> None:
        """Hand in a job's findings."""
        hand_in(UUID(job.id), job.lease, result, error, self.cast.now)

    def confirm(self, claim: str = "FN") -> None:
        """Do the next precheck: the claim is right."""
        job = self.lease("precheck")
        self.hand_in(job, scanned(job, "not_detected" if claim == "FN" else "detected"))

    def propose(self, number: str, operations: list[dict[str, Any]] | None = None) -> None:
        """Make one proposal for a confirmed case, asked for by the analyst where nobody did."""
        case = queries.get_case_for(self.cast.analyst, number)
        job = latest_job(case.id, case.company_id, "draft")
        if job is None or job.state != "queued":
            request_proposals(self.cast.analyst, self.cast.now, number)
        wanted = operations or [rule_added(f"Lab_{number}_{uuid4().hex[:8]}", number)]
        proposal = {"title": "One rule", "reason": "found in the sample", "operations": wanted, "recommended": True}
        proposal["satisfies"] = dict.fromkeys(ENGINES, True)
        self.hand_in(self.lease("draft"), {"facts": [], "proposals": [proposal]})

    def drafted(self, number: str, operations: list[dict[str, Any]] | None = None) -> Draft:
        """Determine, propose and save a draft; return it with its gates waiting."""
        self.determine(number)
        self.propose(number, operations)
        saved = save_draft(self.cast.analyst, self.cast.now, number, proposal_index=0, reason="as proposed")
        return self.draft(number, saved)

    def determine(self, number: str) -> None:
        """Let the analyst take the case and confirm its claim, once."""
        case = queries.get_case_for(self.cast.analyst, number)
        report = queries.find_report(case)
        if report is None or determinations_of(case.id, case.company_id):
            return
        take_case(self.cast.analyst, self.cast.now, number)
        verdict = "fn_confirmed" if report.claim == "FN" else "fp_confirmed"
        determine_case(self.cast.analyst, self.cast.now, number, verdict, "Confirmed by both engines.")

    def draft(self, number: str, draft_number: int) -> Draft:
        """Return a draft as it is now."""
        case = queries.get_case_for(self.cast.analyst, number)
        return get_draft(case.id, case.company_id, draft_number)

    def gated(self, number: str, operations: list[dict[str, Any]] | None = None) -> Draft:
        """Return a draft whose gates have passed."""
        draft = self.drafted(number, operations)
        self.hand_in(self.lease("gates"), gates_passed())
        return self.draft(number, draft.number)

    def reported(self, part: str = "plus", claim: str = "FN", content: bytes | None = None) -> str:
        """Report and confirm a claim; return the case's number."""
        number = self.cast.open_report(part, claim, content).number
        self.confirm(claim)
        return number

    def review(self, draft: Draft) -> None:
        """Let the reviewer approve."""
        review_draft(self.cast.reviewer, self.cast.now, draft.case_number, draft.number, draft.build_digest)

    def approve(self, draft: Draft) -> str:
        """Let the releaser approve; return the label."""
        return approve_release(self.cast.releaser, self.cast.now, draft.case_number, draft.number, draft.build_digest)

    def released(self, number: str, operations: list[dict[str, Any]] | None = None, *, publish: bool = True) -> Draft:
        """Bring a confirmed case's correction through gates and three people; publish it."""
        draft = self.gated(number, operations)
        self.review(draft)
        self.approve(draft)
        if publish:
            publish_pending(self.cast.now)
        return self.draft(number, draft.number)
