"""The precheck: the lab re-scans a report's samples with the newest release of the customer's lane.

Its outcome is shown at once; it stops the response clock only when a specialist adopts it. A confirmed claim goes to
the lab; for premium support proposals are made at once, unless a newer release holds the correction already.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import jobs_of
from guardia.features.lab.rules import precheck
from guardia.features.releases.queries import find_release
from guardia.features.releases.rules.numbering import is_older
from guardia.journeys import case_log
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import LAB, Actor, CaseState, Claim
from guardia.kernel.words import gettext_noop


def priority_of(case: case_log.Case) -> int:
    """Return a lab job's priority: the queue's tier first, then severity."""
    return int(case.tier) * 10 + int(case.severity)


def queue_precheck(case: case_log.Case, now: datetime) -> None:
    """Queue a precheck for a report. Needs a transaction."""
    lab.queue_job("precheck", case.id, case.company_id, case.number, {}, now, priority=priority_of(case))


def request_precheck(actor: Actor, now: datetime, number: str) -> None:
    """Run the precheck again, with the releases of now."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff do this."))
    with journey():
        case = cases.lock_case(queries.get_case_for(actor, number))
        if case.kind != "signature_change":
            raise Refused("no_report", _("Only signature changes have a precheck."))
        if jobs_of(case.id, case.company_id, "precheck").filter(state__in=["queued", "leased"]).exists():
            raise Refused("precheck_running", _("The precheck is running already."))
        queue_precheck(case, now)


def queue_proposals(case: case_log.Case, now: datetime) -> None:
    """Queue the making of proposals. Needs a transaction."""
    lab.queue_job("draft", case.id, case.company_id, case.number, {}, now, priority=priority_of(case))


def conclude_precheck(
    case: case_log.Case, request: Mapping[str, Any], result: Mapping[str, Any], now: datetime
) -> None:
    """Turn a precheck's scans into the case's event and what follows from it. Needs a transaction."""
    report = queries.get_report(case)
    lane, newest = request["lane"], request["newest"]
    claim = Claim(report.claim)
    finding = precheck.read(
        claim,
        _outcomes(result, lane["number"]),
        _outcomes(result, newest["number"]) if newest["number"] > lane["number"] else [],
        reported_older=is_older(report.database_version, lane["label"]),
        newest=newest["number"],
    )
    ahead = find_release(finding.ahead)
    case_log.add(
        case,
        "precheck",
        LAB,
        now,
        {
            "outcome": finding.outcome,
            "lane": case.terms["lane"],
            "release": lane["number"],
            "label": lane["label"],
            "ahead": finding.ahead,
            "ahead_label": ahead.label if ahead else "",
            "scans": result["scans"],
            "notes": result.get("notes", ""),
        },
    )
    if finding.outcome == "confirmed":
        _hand_over(case, now)
        # Lab time goes to premium support by itself; for standard support an analyst asks when the case's turn comes.
        if finding.ahead is None and case.tier == PREMIUM_TIER:
            queue_proposals(case, now)


def _hand_over(case: case_log.Case, now: datetime) -> None:
    if case.state in {CaseState.SUBMITTED, CaseState.TRIAGED, CaseState.IN_PROGRESS, CaseState.REOPENED}:
        payload = {"act": "to_lab", "state": "with_lab", "reason": gettext_noop("The precheck confirmed the claim.")}
        case_log.add(case, "state_changed", LAB, now, payload)


def _outcomes(result: Mapping[str, Any], build_number: int) -> list[str]:
    scans = [scan for scan in result["scans"] if scan["build"] == build_number]
    return [verdict["outcome"] for scan in scans for verdict in scan["verdicts"].values()]
