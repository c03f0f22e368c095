"""Draft a correction: from a proposal or the draft before, edited by an analyst. Saving it runs the gates.

A draft is a list of operations on the newest release, and exactly one build. It is never edited: a change makes the
next draft, and the one before is superseded.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import drafts_of, get_draft, latest_job
from guardia.features.releases import queries as releases
from guardia.features.releases.rules.numbering import next_label
from guardia.journeys import case_log
from guardia.journeys.database_state import next_state
from guardia.journeys.once import once
from guardia.journeys.precheck_case import queue_proposals
from guardia.journeys.run_gates import queue_gates
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.ids import uuid7
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role
from sigdist.records import OperationRefused, Record, build
from sigdist.records.yara_source import SourceRefused, read_rule

OPEN_STATES = ("saved", "gating", "gate_failed", "gated", "reviewed")
_EDITABLE = {"yara_rule": "source", "clamav_line": "line"}
_NAME_IN_LINE = {"ndb": (":", 0), "ldb": (";", 0), "hdb": (":", 2), "hsb": (":", 2)}


def _demand_analyst(actor: Actor) -> None:
    if Role.ANALYST not in actor.roles:
        raise Forbidden("analyst_only", _("Only an analyst drafts corrections."))


def request_proposals(actor: Actor, now: datetime, number: str) -> None:
    """Ask the lab for proposals, again after the database has moved on."""
    _demand_analyst(actor)
    with journey():
        case = cases.lock_case(queries.get_case_for(actor, number))
        if case.kind != "signature_change":
            raise Refused("no_report", _("Only signature changes are corrected by the lab."))
        job = latest_job(case.id, case.company_id, "draft")
        if job and job.state in {"queued", "leased"}:
            raise Refused("proposals_running", _("Proposals are being made already."))
        queue_proposals(case, now)


def save_draft(
    actor: Actor,
    now: datetime,
    number: str,
    *,
    proposal_index: int | None = None,
    from_draft: int | None = None,
    edits: Mapping[int, str] | None = None,
    title: str = "",
    reason: str = "",
    idempotency_key: str | None = None,
) -> int:
    """Save the next draft of a case, run its gates, and return its number.

    Raise Refused with the place where a text does not parse or an operation does not fit the newest release.
    """
    _demand_analyst(actor)
    request = {
        "number": number,
        "proposal": proposal_index,
        "from": from_draft,
        "edits": dict(edits or {}),
        "reason": reason,
    }
    with journey():
        case = queries.get_case_for(actor, number)

        def do() -> dict[str, int]:
            locked = cases.lock_case(case)
            if locked.closed_at is not None:
                raise Refused("not_open", _("The case is closed. Reopen it first."))
            operations, found_title, found_reason = _source(locked, proposal_index, from_draft)
            operations = [_checked(step, index) for index, step in enumerate(_edited(operations, edits or {}))]
            return {"draft": _save(actor, now, locked, operations, title or found_title, reason or found_reason)}

        answer = once(actor, now, idempotency_key, "save_draft", request, do)
    return int(answer["draft"])


def _source(
    case: case_log.Case, proposal_index: int | None, from_draft: int | None
) -> tuple[list[dict[str, Any]], str, str]:
    if from_draft is not None:
        draft = get_draft(case.id, case.company_id, from_draft)
        return deepcopy(draft.operations), draft.title, draft.reason
    job = latest_job(case.id, case.company_id, "draft")
    proposals = (job.result or {}).get("proposals", []) if job else []
    if proposal_index is None or not 0 <= proposal_index < len(proposals):
        raise Invalid("proposal_unknown", _("Choose a proposal."), {"proposal": _("Choose one.")})
    chosen = proposals[proposal_index]
    return deepcopy(chosen["operations"]), chosen["title"], chosen["reason"]


def _edited(operations: Sequence[dict[str, Any]], edits: Mapping[int, str]) -> Sequence[dict[str, Any]]:
    for index, text in edits.items():
        if not 0 <= index < len(operations) or operations[index]["op"] != "ADD":
            raise Invalid("edit_unknown", _("Text %(index)s is not one of this draft.") % {"index": index})
        record = operations[index]["record"]
        name = _EDITABLE.get(record["type"])
        if name is None:
            raise Invalid("edit_unknown", _("Text %(index)s cannot be edited.") % {"index": index})
        record[name] = text.replace("\r\n", "\n").strip() if name == "line" else text.replace("\r\n", "\n")
        record["name"] = _name_of(record, index)
    return operations


def _name_of(record: Mapping[str, Any], index: int) -> str:
    place = {f"text-{index}": ""}
    if record["type"] == "clamav_line":
        separator, position = _NAME_IN_LINE[record["database"]]
        parts = record["line"].split(separator)
        return str(parts[position]) if len(parts) > position else ""
    try:
        return read_rule(record["source"]).name
    except SourceRefused as error:
        sentence = _("The rule was not saved: %(why)s") % {"why": error}
        raise Invalid("rule_refused", sentence, dict.fromkeys(place, sentence)) from error


def _checked(operation: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Return an operation whose record has the id of its content (a proposal or an edit leaves it out)."""
    if operation["op"] != "ADD":
        return dict(operation)
    record = {name: value for name, value in operation["record"].items() if name != "id"}
    try:
        return {"op": "ADD", "record": Record.from_json(record, f"operations[{index}].record").to_json()}
    except OperationRefused as error:
        sentence = _("The draft was not saved: %(why)s") % {"why": error}
        raise Invalid("record_refused", sentence, {f"text-{index}": sentence}) from error


def _save(
    actor: Actor, now: datetime, case: case_log.Case, operations: list[dict[str, Any]], title: str, reason: str
) -> int:
    head = releases.head()
    base = head.number if head else 0
    after = next_state(base, operations)
    label = next_label(releases.labels(), now.date())
    made = build(after, base + 1, label)
    earlier = list(drafts_of(case.id, case.company_id))
    for draft in earlier:
        if draft.state in OPEN_STATES:
            lab.move_draft(draft, "superseded")
    draft = lab.new_draft(
        id=uuid7(),
        company_id=case.company_id,
        case_id=case.id,
        case_number=case.number,
        number=(earlier[0].number if earlier else 0) + 1,
        author_id=UUID(actor.id),
        author_name=actor.name,
        title=title.strip()[:200],
        reason=reason.strip(),
        operations=operations,
        base_number=base,
        build_number=base + 1,
        build_label=label,
        build_digest=made.digest,
        state_root=made.state_root,
        state="saved",
        created_at=now,
    )
    lab.add_draft(draft)
    case_log.add(case, "drafted", actor, now, {"draft": draft.number, "title": draft.title, "label": label})
    queue_gates(case, draft, now)
    return int(draft.number)
