"""The lab's pages: the list, a case's triage, a draft with its gates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guardia.reports.case_list import CaseRow
from guardia.reports.case_page import ReportView
from guardia.reports.showing import Acts, ClockView, EngineLine, FileView


@dataclass(frozen=True)
class LabRow:
    """A signature change request in the lab.

    `stage`: precheck, triage, drafting, gating, gate_failed, review, approval, releasing, released, verified.
    """

    case: CaseRow
    stage: str
    draft_number: int | None
    waits_for: str


@dataclass(frozen=True)
class LabListPage:
    """All signature change requests that are open in the lab, in the order of the queue."""

    rows: tuple[LabRow, ...]
    worker_seen_at: datetime | None
    missing_engines: tuple[str, ...]


@dataclass(frozen=True)
class ScanView:
    """A sample's verdicts with one release."""

    sha256: str
    release_label: str
    lane: str
    outcome: str
    engines: tuple[EngineLine, ...]


@dataclass(frozen=True)
class FactsView:
    """What the lab found out about a file; `rows` are (name, value) pairs ready to show, `strings` a bounded list."""

    filename: str
    sha256: str
    rows: tuple[tuple[str, str], ...]
    strings: tuple[str, ...]


@dataclass(frozen=True)
class ProposalView:
    """A proposed correction. `index` goes into the form; `changes` are (sign, engine, text) lines, sign `+` or `-`."""

    index: int
    title: str
    reason: str
    loses: tuple[str, ...]
    satisfies: dict[str, bool]
    is_recommended: bool
    changes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class DraftRow:
    """One of a case's drafts."""

    number: int
    title: str
    author: str
    state: str
    created_at: datetime
    build_label: str


@dataclass(frozen=True)
class TriagePage:
    """Precheck, file facts, proposals and drafts of a case. `join_label` names a release that holds the correction."""

    case_number: str
    subject: str
    company: str
    severity: int
    state: str
    holder: str
    clock: ClockView
    report: ReportView
    files: tuple[FileView, ...]
    precheck_outcome: str
    precheck_summary: str
    precheck_running: bool
    scans: tuple[ScanView, ...]
    determinations: tuple[tuple[str, str, str, datetime], ...]
    facts: tuple[FactsView, ...]
    proposals: tuple[ProposalView, ...]
    drafting: str
    drafting_error: str
    drafts: tuple[DraftRow, ...]
    join_label: str
    acts: Acts
    version: str
    mail_passwords: tuple[str, ...] = ()
    """What the messages of the case name as passwords of their archives."""


@dataclass(frozen=True)
class HexRow:
    """Sixteen bytes of a failed gate: `cells` are (hex, printable, is_matched)."""

    offset: int
    cells: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class FailureView:
    """One thing that made a gate fail."""

    engine: str
    rule: str
    pattern: str
    file: str
    package: str
    size: int | None
    offset: int | None
    length: int | None
    what: str
    hex_rows: tuple[HexRow, ...]


@dataclass(frozen=True)
class GateView:
    """A gate. `state`: waiting, running, passed, failed."""

    number: int
    gate: str
    state: str
    done: int
    total: int
    seconds: float | None
    summary: str
    failures: tuple[FailureView, ...]


@dataclass(frozen=True)
class PersonSlot:
    """One of the three people: author, reviewer, releaser; `name` is empty until the act was done."""

    role: str
    name: str
    at: datetime | None
    note: str


@dataclass(frozen=True)
class RecordEdit:
    """An editable text of a draft: a YARA-X rule or a ClamAV line. `sign` + added, - removed (not editable)."""

    index: int
    engine: str
    kind: str
    name: str
    sign: str
    text: str
    is_editable: bool


@dataclass(frozen=True)
class DraftPage:
    """A draft: its texts, its gates, its three people and what may be done."""

    case_number: str
    subject: str
    claim: str
    severity: int
    clock: ClockView
    number: int
    title: str
    reason: str
    state: str
    build_label: str
    build_digest: str
    state_root: str
    base_label: str
    gates: tuple[GateView, ...]
    gates_error: str
    people: tuple[PersonSlot, ...]
    records: tuple[RecordEdit, ...]
    proposals: tuple[ProposalView, ...]
    acts: Acts
    is_live: bool
    release_label: str
    version: str
    extra: dict[str, Any]
