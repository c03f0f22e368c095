"""Review and release: the second and third of the three people, each under exactly the build that passed the gates.

The releaser's approval numbers the release and asks for its publication on the accelerated lane, in one transaction.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import approvals_of, determinations_of, get_draft
from guardia.features.lab.rules.three_people import holds_role, refusal, undetermined
from guardia.features.releases import operations as releases
from guardia.features.releases.queries import head
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.jobs import wake
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Claim, Lane


def review_draft(
    actor: Actor,
    now: datetime,
    number: str,
    draft_number: int,
    build_digest: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Approve a gated draft as its reviewer."""

    def do(case: case_log.Case, draft: Any) -> str:
        lab.approve(draft, "reviewer", UUID(actor.id), actor.name, now)
        lab.move_draft(draft, "reviewed")
        case_log.add(case, "reviewed", actor, now, {"draft": draft.number, "label": draft.build_label})
        return str(draft.build_label)

    _approve(actor, now, number, draft_number, build_digest, "reviewer", idempotency_key, do)


def approve_release(
    actor: Actor,
    now: datetime,
    number: str,
    draft_number: int,
    build_digest: str,
    *,
    idempotency_key: str | None = None,
) -> str:
    """Release a reviewed draft: number it, and ask for the accelerated lane. Return the release's label."""

    def do(case: case_log.Case, draft: Any) -> str:
        releases.lock_log()
        newest = head()
        if (newest.number if newest else 0) != draft.base_number:
            raise _MovedOn
        lab.approve(draft, "releaser", UUID(actor.id), actor.name, now)
        lab.move_draft(draft, "approved")
        names = [
            {"role": row.role, "person": str(row.person_id), "name": row.person_name, "at": row.approved_at.isoformat()}
            for row in approvals_of(draft)
        ]
        release = releases.append_release(
            draft.build_number,
            draft.build_label,
            draft.operations,
            draft.state_root,
            draft.build_digest,
            now,
            draft_id=draft.id,
            case_number=draft.case_number,
            approvals=names,
        )
        payload = {"draft": draft.number, "release": release.number, "label": release.label}
        case_log.add(case, "approved", actor, now, payload)
        record(actor, now, "release_approved", f"release {release.number}", detail=payload)
        releases.request_publication(Lane.ACCELERATED, release, actor, now)
        wake("publish")
        return str(release.label)

    try:
        return _approve(actor, now, number, draft_number, build_digest, "releaser", idempotency_key, do)
    except _MovedOn:
        _supersede(actor, number, draft_number)
        raise Refused(
            "moved_on",
            _(
                "Another release came in between, so these bytes are not the next ones. "
                "Save the draft again: the gates then run on the new bytes."
            ),
        ) from None


class _MovedOn(Exception):
    """The log grew since the draft was built."""


def _supersede(actor: Actor, number: str, draft_number: int) -> None:
    with journey():
        case = queries.get_case_for(actor, number)
        lab.move_draft(get_draft(case.id, case.company_id, draft_number, lock=True), "superseded")


def _undetermined(case: case_log.Case) -> str:
    verdicts = [row.verdict for row in determinations_of(case.id, case.company_id)]
    return undetermined(Claim(queries.get_report(case).claim), verdicts)


def _approve(
    actor: Actor,
    now: datetime,
    number: str,
    draft_number: int,
    build_digest: str,
    slot: str,
    key: str | None,
    do: Callable[[case_log.Case, Any], str],
) -> str:
    with journey():
        case = queries.get_case_for(actor, number)
        request = {"number": number, "draft": draft_number, "digest": build_digest}

        def act() -> dict[str, str]:
            locked = cases.lock_case(case)
            draft = get_draft(locked.id, locked.company_id, draft_number, lock=True)
            taken = {row.role: str(row.person_id) for row in approvals_of(draft)}
            why = refusal(slot, draft.state, actor, taken) or _undetermined(locked)
            if why:
                raise (Refused if holds_role(slot, actor) else Forbidden)("three_people", _(why))
            if draft.build_digest != build_digest:
                raise Refused("other_build", _("The page showed another build. Look at this one first."))
            return {"label": do(locked, draft)}

        return str(once(actor, now, key, slot, request, act)["label"])
