"""Made-up facts for the console's pages: what reports would say, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from guardia.features.cases.rules.queue_filter import QueueFilter
from guardia.kernel.vocabulary import Actor, ActorKind, Role
from guardia.reports.case_list import CaseRow, Choice, QueuePage
from guardia.reports.case_page import CasePage, ReportView
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
from guardia.reports.promise import CallView, PromiseView
from guardia.reports.release_page import LaneView, ReleasePage, ReleaseRow
from guardia.reports.showing import (
    Act,
    Acts,
    ClockStretch,
    ClockView,
    EngineLine,
    FileView,
    QuotaView,
    Step,
    TimelineEntry,
)

NOW = datetime(2026, 11, 23, 9, 2, tzinfo=UTC)
NUMBER = "40718823"
DIGEST = "9f2c4be1a07d63c85e1f90b2d4a7731c6be0558f21ac94d37e60f8815b3d02c7"
FILE_ID = "01900000-0000-7000-8000-000000000001"
PROBE = "<script>alert(1)</script>"
"""What a customer or a file may have put into any text: a page must show it as text."""

TOMAS = Actor(ActorKind.PERSON, "7", "Tomás Vega", roles=frozenset({Role.ANALYST}))
MINUTE = timedelta(minutes=1)


def clock(state: str = "running", *, remaining_s: int = 5280, over_s: int = 0) -> ClockView:
    has_target = state in {"running", "breached", "met"}
    return ClockView(
        state=state,
        as_of=NOW,
        due_at=NOW + timedelta(seconds=remaining_s - over_s) if has_target else None,
        answered_at=NOW - 31 * MINUTE if state in {"met", "answered"} else None,
        breached_at=NOW if over_s else None,
        target_s=14400 if has_target else None,
        used_s=9120,
        remaining_s=remaining_s,
        over_s=over_s,
        share=63,
        is_soon=False,
        stretches=(ClockStretch(NOW - 62 * MINUTE, NOW + 88 * MINUTE, 9000, 14400, "calendar"),),
    )


def acts(**reasons: str) -> Acts:
    return Acts({name: Act(name, reason) for name, reason in reasons.items()})


def row(**changes: object) -> CaseRow:
    facts: dict[str, object] = {
        "number": NUMBER,
        "subject": f"nomina.exe {PROBE}",
        "company": f"Astilleros {PROBE}",
        "plan": "Plus",
        "kind": "signature_change",
        "claim": "FP",
        "case_class": "premium",
        "severity": 1,
        "state": "with_lab",
        "holder": "Tomás Vega",
        "clock": clock(),
        "submitted_at": NOW - 60 * MINUTE,
        "tier": "premium",
    }
    return CaseRow(**(facts | changes))  # type: ignore[arg-type]


def queue_page(*rows: CaseRow, view: str = "open", search: str = "", **changes: Any) -> QueuePage:
    counts = {"open": 1000, "mine": 1, "unassigned": 1, "due": 1, "signature": 1, "waiting": 0, "closed": 9}
    breached = tuple(row for row in rows if row.clock.state == "breached")
    wanted = QueueFilter.read({"view": view, "search": search})
    facts: dict[str, Any] = {"due_next": rows[0] if rows else None, "breached": breached, "running": 1, "unassigned": 1}
    return QueuePage(rows, wanted, counts, **(facts | {"staff": (Choice("1", f"Jon {PROBE}"),)} | changes))


ENGINES = (
    EngineLine("yara-x", "1.23.0", "detected", ("Pack.Loader",)),
    EngineLine("clamav", "1.4.6", "not_scanned", (), "limit"),
)
FILES = (FileView(FILE_ID, f"nomina{PROBE}.exe", 5033164, DIGEST, "sample"),)
REPORT = ReportView("FP", "Atalaya Endpoint 8.2", "yara-x", "20261120.4", f"Pack.{PROBE}")
TIMELINE = (
    TimelineEntry(
        1, "message", "message", "Lucía Ferrer", NOW, "Lucía Ferrer", "customer", f"Help {PROBE}", files=FILES
    ),
    TimelineEntry(2, "message", "flask", "Precheck", NOW, engines=ENGINES, tag="Automatic"),
    TimelineEntry(3, "pause", "moon", "62 h that do not count", None),
    TimelineEntry(4, "message", "lock", "Tomás Vega", NOW, "Tomás Vega", "staff", "Between us.", is_internal=True),
    TimelineEntry(5, "fact", "arrow-right", "Handed to the lab", NOW, detail=PROBE),
)
CASE_ACTS = {
    "take": "",
    "message": "",
    "answer": "",
    "wait": "",
    "resume": "The case is not waiting for the customer.",
    "to_lab": "The case is with the lab already.",
    "solution": "",
    "close": "",
    "reopen": "Only a closed case can be reopened.",
    "reject": "",
}


PROMISE = PromiseView(
    call=CallView(is_awaited=True, phone="900 000 147", code="", opens_at=NOW, called_at=None),
    acknowledged_at=NOW,
    qualified_at=None,
    proposal=None,
    dispute=None,
    late_entries=(),
    has_standing_answer=False,
    promised_as="",
)


def case_page(**changes: object) -> CasePage:
    facts: dict[str, object] = {
        "id": "1",
        "number": NUMBER,
        "subject": f"nomina.exe {PROBE}",
        "company": "Astilleros del Norte",
        "plan": "Plus",
        "kind": "signature_change",
        "case_class": "premium",
        "severity": 1,
        "state": "with_lab",
        "state_reason": PROBE,
        "channel": "portal",
        "submitted_at": NOW,
        "opened_by": "Lucía Ferrer",
        "holder": "Tomás Vega",
        "holder_since": NOW,
        "holders_before": ("Marta Ibáñez",),
        "clock": clock(),
        "quota": QuotaView(12, 5, 7, "31 January 2027"),
        "lane": "accelerated",
        "report": REPORT,
        "files": FILES,
        "timeline": TIMELINE,
        "steps": (Step("done", "Sample received"), Step("now", "Determination"), Step("to_come", "Release")),
        "next_title": "Tomás prepares the determination.",
        "next_text": "Then a correction.",
        "acts": acts(**CASE_ACTS),
        "contacts": ("Lucía Ferrer",),
        "target_level_1": "4 working hours",
        "must_phone": True,
        "fixed_in": "20261123.3",
        "agent_command": "",
        "last_seq": 5,
        "precheck_outcome": "confirmed",
        "has_evidence": True,
        "promise": PROMISE,
    }
    return CasePage(**(facts | changes))  # type: ignore[arg-type]


def lab_list(*stages: str) -> LabListPage:
    rows = tuple(LabRow(row(), stage, n or None, "a reviewer") for n, stage in enumerate(stages))
    return LabListPage(rows, NOW if rows else None, () if rows else ("clamav",))


PROPOSAL = ProposalView(
    index=0,
    title=f"A byte sequence {PROBE}",
    reason="Present in the family only.",
    loses=("Files of the old build.",),
    satisfies={"yara-x": True, "clamav": False},
    is_recommended=True,
    changes=(("+", "yara-x", f"rule a\n{{ {PROBE} }}"), ("-", "", "rule b")),
)


def triage_page(**changes: object) -> TriagePage:
    facts: dict[str, object] = {
        "case_number": NUMBER,
        "subject": "Loader family",
        "company": "Banco Lindero",
        "severity": 2,
        "state": "with_lab",
        "holder": "Tomás Vega",
        "clock": clock("best_effort"),
        "report": REPORT,
        "files": FILES,
        "precheck_outcome": "confirmed",
        "precheck_summary": "Precheck: the claim is confirmed",
        "precheck_running": False,
        "scans": (ScanView(DIGEST, "20261123.3", "accelerated", "detected", ENGINES),),
        "determinations": (("False positive confirmed", PROBE, "Tomás Vega", NOW),),
        "facts": (FactsView("nomina.exe", DIGEST, (("Type", "PE32"),), (PROBE,)),),
        "proposals": (PROPOSAL,),
        "drafting": "",
        "drafting_error": "",
        "drafts": (DraftRow(2, "By hash", "Tomás Vega", "gate_failed", NOW, "20261123.4"),),
        "join_label": "20261123.3",
        "acts": acts(precheck="", determination="", proposals="", draft="", join=""),
        "version": "1",
    }
    return TriagePage(**(facts | changes))  # type: ignore[arg-type]


FAILURE = FailureView(
    engine="yara-x",
    rule="Guardia_FN_1",
    pattern="$loader",
    file=f"usr/lib/{PROBE}/cli-64.exe",
    package="python3-setuptools 66.1.1-1",
    size=14336,
    offset=2580,
    length=2,
    what="A clean file is detected",
    hex_rows=(HexRow(2576, (("48", "H", False), ("3c", "<", True))),),
)
SOURCE = "rule a\n{\n  condition: true\n}"


def gate(number: int, name: str, state: str, *failures: FailureView) -> GateView:
    return GateView(
        number, name, state, 812, 1330, 6.1 if state in {"passed", "failed"} else None, "812 of 1,330", failures
    )


GATES = (
    gate(1, "claim", "passed"),
    gate(2, "clean_corpus", "failed", FAILURE, FAILURE),
    gate(3, "lost_detections", "running"),
    gate(4, "memory", "running"),
    gate(5, "lint", "passed"),
    gate(6, "load", "waiting"),
)


def draft_page(**changes: object) -> DraftPage:
    facts: dict[str, object] = {
        "case_number": NUMBER,
        "subject": "Loader family",
        "claim": "FN",
        "severity": 2,
        "clock": clock("breached", remaining_s=0, over_s=720),
        "number": 3,
        "title": "A byte sequence",
        "reason": "The family, not the compiler.",
        "state": "gate_failed",
        "build_label": "20261123.4",
        "build_digest": DIGEST,
        "state_root": DIGEST,
        "base_label": "20261123.3",
        "gates": GATES,
        "gates_error": "",
        "people": (
            PersonSlot("author", "Tomás Vega", NOW, ""),
            PersonSlot("reviewer", "", None, "after the gates"),
            PersonSlot("releaser", "", None, "after review"),
        ),
        "records": (
            RecordEdit(0, "yara-x", "yara_rule", "Guardia_FN_1", "+", SOURCE, is_editable=True),
            RecordEdit(1, "", "removed", "r12", "-", SOURCE, is_editable=False),
        ),
        "proposals": (PROPOSAL,),
        "acts": acts(draft="", gates="", review="A gate failed.", approve="The gates and the review come first."),
        "is_live": True,
        "release_label": "",
        "version": "1",
        "extra": {},
    }
    return DraftPage(**(facts | changes))  # type: ignore[arg-type]


def release(number: int, *, accelerated: bool = True, standard: bool = True) -> ReleaseRow:
    at = NOW - (20 - number) * MINUTE
    return ReleaseRow(
        number=number,
        label=f"20261123.{number}",
        case_number=NUMBER,
        added=2,
        removed=1,
        approvers=("Tomás Vega", "Pilar Olmo", "Elena Soto"),
        created_at=at,
        accelerated_at=at if accelerated else None,
        standard_at=at if standard else None,
        state_root=DIGEST,
        build_digest=DIGEST,
        verified=1,
        has_evidence=True,
        machine_s=48.2,
        people_s=4320.0,
    )


def release_page(*rows: ReleaseRow, accelerated: int | None, standard: int | None) -> ReleasePage:
    lanes = tuple(
        LaneView(lane, number, f"20261123.{number}" if number else "", NOW if number else None, 3, next_at)
        for lane, number, next_at in (("accelerated", accelerated, None), ("standard", standard, NOW + 58 * MINUTE))
    )
    return ReleasePage(lanes, rows, ("20261123.3",) if rows else (), (), acts(standard_batch=""), "1")
