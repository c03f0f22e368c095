"""Run the gates on exactly the bytes to be released, and conclude them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import get_draft
from guardia.features.lab.rules.gates import shortfalls
from guardia.journeys import case_log
from guardia.journeys.database_state import build_at, next_state, state_at
from guardia.journeys.lab_samples import claim_samples, malware_samples, memory_samples
from guardia.journeys.precheck_case import priority_of
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import LAB, Actor, Role
from sigdist.records import State, build, build_only, diff

RERUNNABLE = {"saved", "gate_failed"}


def request_gates(actor: Actor, now: datetime, number: str, draft_number: int) -> None:
    """Run a draft's gates (again), after a failure that was not the draft's own."""
    if Role.ANALYST not in actor.roles:
        raise Forbidden("analyst_only", _("Only an analyst runs the gates."))
    with journey():
        case = cases.lock_case(queries.get_case_for(actor, number))
        draft = get_draft(case.id, case.company_id, draft_number, lock=True)
        if draft.state not in RERUNNABLE:
            raise Refused("gates_not_open", _("The gates of this draft are running or have passed."))
        queue_gates(case, draft, now)


def queue_gates(case: case_log.Case, draft: Any, now: datetime) -> None:
    """Queue the gates for a draft's build. Needs a transaction."""
    before, after = state_at(draft.base_number), next_state(draft.base_number, draft.operations)
    added, _removed = diff(before, after)
    made = build(after, draft.build_number, draft.build_label)
    if made.digest != draft.build_digest:
        raise Refused(
            "build_differs",
            f"Draft {draft.number} builds {made.digest}, not the {draft.build_digest} it was saved with.",
        )
    changed = build_only(State.of(added), draft.build_number, draft.build_label)
    for files in (made.files, changed.files):
        outside().builds.keep(files)
    request = {
        "build_digest": draft.build_digest,
        "build": made.to_json(),
        "base": build_at(draft.base_number).to_json(),
        "changed": changed.to_json(),
        "operations": draft.operations,
        "records_changed": [record.to_json() for record in added],
        "budgets": {"load_s": settings.GUARDIA.gate_load_s, "load_mb": settings.GUARDIA.gate_load_mb},
        "samples": [*claim_samples(case), *malware_samples(), *memory_samples(case)],
    }
    lab.queue_job("gates", case.id, case.company_id, case.number, request, now, priority=priority_of(case), draft=draft)
    lab.move_draft(draft, "gating")


def conclude_gates(job: Any, result: Mapping[str, Any], now: datetime, *, error: str = "") -> None:
    """Keep a run's findings and move its draft. Needs a transaction; the job is locked by the caller."""
    missing = [error] if error else shortfalls(result)
    lab.finish_job(job, {**result, "passed": not missing}, error, now)
    case = cases.lock_case(queries.get_case_for_lab(job.case_id))
    draft = get_draft(case.id, case.company_id, job.draft.number, lock=True)
    if draft.state == "gating":
        lab.move_draft(draft, "gate_failed" if missing else "gated")
    case_log.add(
        case,
        "gates_finished",
        LAB,
        now,
        {"draft": draft.number, "label": draft.build_label, "passed": not missing, "missing": missing[:20]},
    )
