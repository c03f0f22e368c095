"""The lab's pages: the list, a case's triage, a draft with its gates and its three people."""

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.lab import queries as lab
from guardia.features.lab.models import Draft, LabJob
from guardia.features.lab.rules.gates import ENGINES, GATES
from guardia.features.lab.rules.three_people import refusal, undetermined
from guardia.features.releases.queries import find_release, find_release_of
from guardia.features.sla.queries import policy_of, read_clock
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Claim, Role
from guardia.reports.case_list import case_rows
from guardia.reports.case_messages import named_passwords
from guardia.reports.case_page import ReportView
from guardia.reports.clock_view import clock_of_case
from guardia.reports.lab_views import (
    DraftPage,
    DraftRow,
    FactsView,
    FailureView,
    GateView,
    HexRow,
    LabListPage,
    LabRow,
    PersonSlot,
    ProposalView,
    RecordEdit,
    ScanView,
    TriagePage,
)
from guardia.reports.showing import Act, Acts, ClockView
from guardia.reports.timeline import DETERMINATIONS, OUTCOMES, engine_lines, file_views

ENGINE_OF = {
    "yara_rule": "yara-x",
    "clamav_line": "clamav",
    "allow": "clamav",
    "ignore": "clamav",
    "hash": "YARA-X, ClamAV",
}
_STAGE_OF_DRAFT = {
    "saved": "drafting",
    "gating": "gating",
    "gate_failed": "gate_failed",
    "gated": "review",
    "reviewed": "approval",
    "approved": "releasing",
    "superseded": "drafting",
}
HEX_WIDTH = 16


# ---- the list ----


def _stage(case: Case, draft: Draft | None, job: LabJob | None) -> str:
    if case.closed_how == "machine_proved":
        return "verified"
    if case.fixed_in:
        return "released"
    if draft and draft.state != "superseded":
        return _STAGE_OF_DRAFT[draft.state]
    if queries.find_event(case, "joined"):
        return "releasing"
    return "precheck" if job and job.state in {"queued", "leased"} else "triage"


def _waits_for(stage: str) -> str:
    words = {
        "precheck": _("the lab worker"),
        "triage": _("an analyst"),
        "drafting": _("an analyst"),
        "gating": _("the lab worker"),
        "gate_failed": _("the author"),
        "review": _("a reviewer"),
        "approval": _("a releaser"),
        "releasing": _("the publisher"),
        "released": _("the customer's machine"),
    }
    return words.get(stage, "")


def lab_list(actor: Actor, now: datetime) -> LabListPage:
    """Return the open signature changes in the order of the queue, each with its stage."""
    cases = list(queries.queue_for(actor).filter(kind="signature_change")[:200])
    drafts = lab.latest_drafts()
    rows = []
    for case, row in zip(cases, case_rows(cases, now), strict=True):
        draft = drafts.get(case.id)
        stage = _stage(case, draft, lab.latest_job(case.id, case.company_id, "precheck"))
        rows.append(LabRow(row, stage, draft.number if draft else None, _waits_for(stage)))
    seen, _waiting = lab.last_seen_worker()
    return LabListPage(tuple(rows), seen, ())


# ---- triage ----


def _proposal(index: int, proposal: Mapping[str, Any], names: Mapping[str, str]) -> ProposalView:
    changes: list[tuple[str, str, str]] = []
    for step in proposal["operations"]:
        if step["op"] == "ADD":
            record = step["record"]
            text = record.get("source") or record.get("line") or record.get("sha256") or record.get("signature") or ""
            before = next((change for change in changes if _is_rewritten(change, record)), None)
            if before is None:
                changes.append(("+", ENGINE_OF.get(record["type"], ""), text))
            else:
                at = changes.index(before)
                changes[at : at + 1] = _rewritten(before[2], text)
        else:
            changes.append(("-", "", names.get(step.get("record_id", ""), step.get("record_id", ""))))
    return ProposalView(
        index=index,
        title=proposal["title"],
        reason=proposal["reason"],
        loses=tuple(proposal.get("loses", ())),
        satisfies=dict(proposal["satisfies"]),
        is_recommended=bool(proposal.get("recommended")),
        changes=tuple(changes),
    )


def _is_rewritten(change: tuple[str, str, str], record: Mapping[str, Any]) -> bool:
    """Whether a removed rule comes back, changed, under its own name."""
    name = re.escape(str(record["name"]))
    return record["type"] == "yara_rule" and change[0] == "-" and bool(re.search(rf"\brule {name}\b", change[2]))


def _rewritten(before: str, after: str) -> list[tuple[str, str, str]]:
    """The lines that differ, with two lines of context."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    shown = [(line[:1], line[1:]) if line[:2] != "@@" else ("…", " ") for line in lines]
    shown = shown[1:] if shown and shown[0][0] == "…" else shown
    return [(sign, ENGINE_OF["yara_rule"] if at == 0 else "", text or " ") for at, (sign, text) in enumerate(shown)]


def _proposals(job: LabJob | None) -> tuple[ProposalView, ...]:
    if job is None or not job.result:
        return ()
    names = {
        record["id"]: record.get("source") or record.get("line") or record["name"]
        for record in job.request.get("records", [])
    }
    return tuple(_proposal(index, proposal, names) for index, proposal in enumerate(job.result.get("proposals", [])))


def _fact_rows(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    names = {
        "type": _("Type"),
        "size": _("Size"),
        "detail": _("Detail"),
        "entropy": _("Entropy"),
        "archive": _("Archive"),
    }
    hidden = {"strings", "sha256", "name", "filename", "entropy_bytes"}
    rows = []
    for key, value in facts.items():
        if key in hidden or value in (None, "", [], {}):
            continue
        if isinstance(value, list):
            shown = ", ".join(str(item) for item in value[:8])
        elif key == "archive":
            shown = _("%(count)s members") % {"count": value["count"]} + (
                f" · {value['not_scanned']}" if value["not_scanned"] else ""
            )
        elif key == "size":
            shown = _("%(count)s bytes") % {"count": formats.number_format(value, force_grouping=True)}
        else:
            shown = formats.number_format(value, 3) if isinstance(value, float) else str(value)
        rows.append((names.get(key, key.replace("_", " ").capitalize()), shown))
    return tuple(rows)


def _string(found: Mapping[str, Any] | str) -> str:
    return found if isinstance(found, str) else f"{found['offset']:08x}  {found['text']}"


def _facts(job: LabJob | None, filenames: Mapping[str, str]) -> tuple[FactsView, ...]:
    if job is None or not job.result:
        return ()
    return tuple(
        FactsView(
            filenames.get(facts["sha256"], facts["sha256"][:16]),
            facts["sha256"],
            _fact_rows(facts),
            tuple(_string(found) for found in facts.get("strings", [])[:40]),
        )
        for facts in job.result.get("facts", [])
    )


def _scans(case: Case) -> tuple[str, str, str, tuple[ScanView, ...]]:
    found = queries.find_event(case, "precheck")
    if found is None:
        return "", "", "", ()
    payload = found.payload
    tell = OUTCOMES.get(payload["outcome"])
    views = []
    for scan in payload["scans"]:
        is_lane = scan["build"] == payload["release"]
        label = payload["label"] if is_lane else payload.get("ahead_label") or str(scan["build"])
        lines = engine_lines([scan], scan["build"])
        detected = any(line.outcome == "detected" for line in lines)
        views.append(
            ScanView(
                scan["sha256"],
                label,
                payload["lane"] if is_lane else "accelerated",
                "detected" if detected else "not_detected",
                lines,
            )
        )
    return payload["outcome"], tell() if tell else payload["outcome"], payload.get("ahead_label", ""), tuple(views)


def _clock(case: Case, now: datetime) -> ClockView:
    facts = queries.facts_of(case)
    return clock_of_case(
        case, read_clock(case.calendar_version_id, policy_of(case.terms, case.case_class), facts, now), now
    )


def _report_of(case: Case) -> ReportView:
    report = queries.find_report(case)
    if report is None:
        raise NotFound("no_report", _("This request is no signature change."))
    return ReportView(report.claim, report.product, report.engine, report.database_version, report.detection_name)


def _triage_acts(actor: Actor, case: Case, precheck: LabJob | None, drafting: LabJob | None, ahead: str) -> Acts:
    closed = _("The case is closed. Reopen it first.") if case.closed_at else ""
    analyst = "" if Role.ANALYST in actor.roles else _("Only an analyst does this.")
    busy = {"queued", "leased"}
    has_proposals = bool(drafting and drafting.result and drafting.result.get("proposals"))
    acts = {
        "precheck": closed or (_("The precheck is running already.") if precheck and precheck.state in busy else ""),
        "determination": analyst
        or closed
        or ("" if str(case.holder_id) == actor.id else _("The specialist who has the case determines. Take it first.")),
        "proposals": analyst
        or closed
        or (_("Proposals are being made already.") if drafting and drafting.state in busy else ""),
        "draft": analyst or closed or ("" if has_proposals else _("There are no proposals yet.")),
        "join": analyst or closed or ("" if ahead else _("No newer release holds this case's correction.")),
        "take": closed or (_("You have this case.") if str(case.holder_id) == actor.id else ""),
    }
    return Acts({name: Act(name, why) for name, why in acts.items()})


def triage_page(actor: Actor, now: datetime, number: str) -> TriagePage:
    """Return what the lab knows of a case."""
    case = queries.get_case_for(actor, number)
    report = _report_of(case)
    files = list(queries.files_of(case, "sample"))
    precheck = lab.latest_job(case.id, case.company_id, "precheck")
    drafting = lab.latest_job(case.id, case.company_id, "draft")
    outcome, summary, ahead, scans = _scans(case)
    drafts = list(lab.drafts_of(case.id, case.company_id))
    determined = [
        (DETERMINATIONS[row.verdict](), row.text, row.author_name, row.determined_at)
        for row in lab.determinations_of(case.id, case.company_id)
    ]
    return TriagePage(
        case_number=case.number,
        subject=case.subject,
        company=case.company.name,
        severity=case.severity,
        state=case.state,
        holder=case.holder_name,
        clock=_clock(case, now),
        report=report,
        files=file_views(files),
        precheck_outcome=outcome,
        precheck_summary=summary if not (precheck and precheck.state == "failed") else precheck.error,
        precheck_running=bool(precheck and precheck.state in {"queued", "leased"}),
        scans=scans,
        determinations=tuple(determined),
        facts=_facts(drafting, {file.sha256: file.filename for file in files}),
        proposals=_proposals(drafting),
        drafting=drafting.state if drafting else "",
        drafting_error=drafting.error if drafting else "",
        drafts=tuple(
            DraftRow(row.number, row.title, row.author_name, row.state, row.created_at, row.build_label)
            for row in drafts
        ),
        join_label=ahead,
        acts=_triage_acts(actor, case, precheck, drafting, ahead),
        version=_version(case, precheck, drafting, drafts[0] if drafts else None),
        mail_passwords=named_passwords(actor, case.id),
    )


def _version(case: Case, *rows: LabJob | Draft | None) -> str:
    parts = [str(case.last_seq)]
    for row in rows:
        if isinstance(row, LabJob):
            parts.append(f"{row.state}{len(str(row.progress))}{row.attempts}")
        elif row is not None:
            parts.append(f"{row.number}{row.state}")
    return "-".join(parts)


# ---- a draft ----


def _hex_rows(failure: Mapping[str, Any]) -> tuple[HexRow, ...]:
    start, length = failure.get("offset"), failure.get("length") or 0
    rows = []
    for offset, digits in failure.get("hex") or []:
        values = bytes.fromhex(digits.replace(" ", ""))
        cells = []
        for position, value in enumerate(values):
            is_matched = start is not None and start <= offset + position < start + length
            printable = chr(value) if 0x20 <= value < 0x7F else "."  # noqa: PLR2004  printable ASCII
            cells.append((f"{value:02x}", printable, is_matched))
        rows.append(HexRow(offset, tuple(cells)))
    return tuple(rows)


def _failure(failure: Mapping[str, Any]) -> FailureView:
    return FailureView(
        engine=failure.get("engine") or "",
        rule=failure.get("rule") or "",
        pattern=failure.get("pattern") or "",
        file=failure.get("file") or "",
        package=failure.get("package") or "",
        size=failure.get("size"),
        offset=failure.get("offset"),
        length=failure.get("length"),
        what=failure.get("what") or "",
        hex_rows=_hex_rows(failure),
    )


def _gates(job: LabJob | None) -> tuple[GateView, ...]:
    reported = (job.result or {}).get("gates") or job.progress if job else []
    by_name = {step.get("gate"): step for step in reported}
    views = []
    for number, gate in enumerate(GATES, start=1):
        step = by_name.get(gate, {})
        views.append(
            GateView(
                number=number,
                gate=gate,
                state=step.get("state", "waiting"),
                done=int(step.get("done", 0)),
                total=int(step.get("total", 0)),
                seconds=step.get("seconds"),
                summary=step.get("summary", ""),
                failures=tuple(_failure(failure) for failure in step.get("failures", [])),
            )
        )
    return tuple(views)


def _people(draft: Draft) -> tuple[PersonSlot, ...]:
    named = {row.role: row for row in lab.approvals_of(draft)}
    notes = {"reviewer": _("after the gates"), "releaser": _("after review")}
    return tuple(
        PersonSlot(role, named[role].person_name, named[role].approved_at, "")
        if role in named
        else PersonSlot(role, "", None, notes.get(role, ""))
        for role in ("author", "reviewer", "releaser")
    )


def _records(draft: Draft, names: Mapping[str, str]) -> tuple[RecordEdit, ...]:
    edits = []
    for index, step in enumerate(draft.operations):
        if step["op"] != "ADD":
            edits.append(
                RecordEdit(
                    index,
                    "",
                    "removed",
                    step.get("record_id", ""),
                    "-",
                    names.get(step.get("record_id", ""), ""),
                    is_editable=False,
                )
            )
            continue
        record = step["record"]
        text = record.get("source") or record.get("line")
        shown = text or ", ".join(
            f"{key}: {record[key]}" for key in ("sha256", "size", "signature", "entry_md5") if key in record
        )
        edits.append(
            RecordEdit(
                index,
                ENGINE_OF[record["type"]],
                record["type"],
                record["name"],
                "+",
                shown,
                is_editable=text is not None,
            )
        )
    return tuple(edits)


def _draft_acts(actor: Actor, draft: Draft, claim: Claim) -> Acts:
    taken = {row.role: str(row.person_id) for row in lab.approvals_of(draft)}
    analyst = "" if Role.ANALYST in actor.roles else _("Only an analyst does this.")
    rerun = "" if draft.state in {"saved", "gate_failed"} else _("The gates of this draft are running or have passed.")
    released = _("This draft is released already.") if draft.state == "approved" else ""
    verdicts = [row.verdict for row in lab.determinations_of(draft.case_id, draft.company_id)]
    open_question = undetermined(claim, verdicts)
    reasons = {
        "gates": analyst or rerun,
        "draft": analyst or released,
        "review": _translated(refusal("reviewer", draft.state, actor, taken) or open_question),
        "approve": _translated(refusal("releaser", draft.state, actor, taken) or open_question),
    }
    return Acts({name: Act(name, why) for name, why in reasons.items()})


def _translated(sentence: str) -> str:
    return _(sentence) if sentence else ""


def draft_page(actor: Actor, now: datetime, number: str, draft_number: int) -> DraftPage:
    """Return a draft with everything that its three people need."""
    case = queries.get_case_for(actor, number)
    report = _report_of(case)
    draft = lab.get_draft(case.id, case.company_id, draft_number)
    job = lab.gate_job(draft)
    drafting = lab.latest_job(case.id, case.company_id, "draft")
    base = find_release(draft.base_number)
    release = find_release_of(draft.id)
    names = {
        record["id"]: record.get("source") or record.get("line") or record["name"]
        for record in (drafting.request.get("records", []) if drafting else [])
    }
    missing = _missing(job)
    return DraftPage(
        case_number=case.number,
        subject=case.subject,
        claim=report.claim,
        severity=case.severity,
        clock=_clock(case, now),
        number=draft.number,
        title=draft.title,
        reason=draft.reason,
        state=draft.state,
        build_label=draft.build_label,
        build_digest=draft.build_digest,
        state_root=draft.state_root,
        base_label=base.label if base else "0",
        gates=_gates(job),
        gates_error=(job.error if job else "") or missing,
        people=_people(draft),
        records=_records(draft, names),
        proposals=_proposals(drafting),
        acts=_draft_acts(actor, draft, Claim(report.claim)),
        is_live=draft.state == "gating",
        release_label=release.label if release else "",
        version=_version(case, job, draft),
        extra={
            "engines": (job.result or {}).get("engines", {}) if job else {},
            "corpus": (job.result or {}).get("corpus", {}) if job else {},
        },
    )


def _missing(job: LabJob | None) -> str:
    if job is None or job.result is None or job.result.get("passed"):
        return ""
    absent = [name for name in ENGINES if not job.result.get("engines", {}).get(name)]
    if absent:
        return _("This lab worker lacks %(engines)s: nothing can be released that it would have to gate.") % {
            "engines": ", ".join(absent)
        }
    return ""


def live_version(actor: Actor, number: str, draft_number: int | None = None) -> str:
    """Return what changes whenever a case's lab pages change, for live views."""
    case = queries.get_case_for(actor, number)
    drafts = lab.drafts_of(case.id, case.company_id)
    draft = drafts.filter(number=draft_number).first() if draft_number else drafts.first()
    if draft_number and draft:
        return _version(case, lab.gate_job(draft), draft)
    precheck = lab.latest_job(case.id, case.company_id, "precheck")
    return _version(case, precheck, lab.latest_job(case.id, case.company_id, "draft"), draft)


__all__ = ["DraftPage", "RecordEdit", "TriagePage", "draft_page", "lab_list", "live_version", "triage_page"]
