"""Publish what the lanes are to show, resuming by release number.

Each publication is done under its lane's lock: the build is made again from the log and must have the approved digest;
the signed tree is written (a repetition changes nothing); then, in one commit, the pointer moves, the evidence is kept
and every waiting case on the lane hears of it. Killed at any instant, the next run ends at the same state.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries as case_queries
from guardia.features.lab.queries import find_draft, gate_job
from guardia.features.releases import operations, queries
from guardia.features.releases.rules.numbering import next_batch_at
from guardia.journeys import case_log
from guardia.journeys.database_state import build_at
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.jobs import wake
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM, Actor, Lane, Role
from sigdist.records import Build
from sigdist.repository import statement


def publish_pending(now: datetime) -> list[str]:
    """Publish everything that is asked for, accelerated first, in the order of numbers; return what was done."""
    done = []
    for lane in (Lane.ACCELERATED, Lane.STANDARD):
        while (label := _publish_next(lane, now)) is not None:
            done.append(f"{lane.value} {label}")
    return done


def _publish_next(lane: Lane, now: datetime) -> str | None:
    with journey():
        operations.lock_lane(lane)
        publication = queries.pending(lane).first()
        if publication is None:
            return None
        release = publication.release
        made = build_at(release.number)
        if made.digest != release.build_digest:
            raise Refused(
                "build_differs",
                f"release {release.number} builds {made.digest}, but {release.build_digest} was approved; "
                "nothing was published",
            )
        outside().tree.publish(lane, made, now)
        operations.finish_publication(publication, now)
        if release.draft_id and queries.find_evidence(release.number) is None:
            operations.keep_evidence(
                release, outside().tree.sign_evidence(statement(made, _predicate(release, made))), now
            )
        announce(lane, release.number, now)
        return str(release.label)


def announce(lane: Lane, shown: int, now: datetime) -> None:
    """Tell every open case on the lane whose correction it now shows. Needs a transaction."""
    for case in case_queries.open_changes_on(lane.value):
        wanted = correction_of(case)
        if wanted is None or wanted > shown or case.fixed_in == wanted:
            continue
        locked = cases.lock_case(case)
        label = queries.get_release(wanted).label
        seq = case_log.add(locked, "released", SYSTEM, now, {"release": wanted, "label": label, "lane": lane.value})
        notify_customer(
            locked, "released", seq, now, f"guardia-agent update && guardia-agent verify {case.number} FILE"
        )


def correction_of(case: case_log.Case) -> int | None:
    """Return the release that holds a case's correction: its own draft's, or one that it joined."""
    events = [case_queries.find_event(case, event_type) for event_type in ("approved", "joined")]
    found = max((event for event in events if event), key=lambda event: event.seq, default=None)
    return int(found.payload["release"]) if found else None


def _predicate(release: Any, made: Build) -> Mapping[str, Any]:
    draft = find_draft(release.draft_id)
    job = gate_job(draft) if draft else None
    if draft is None or job is None or job.result is None or job.finished_at is None:
        raise Refused("evidence_missing", f"release {release.number} has no gate results; nothing was published")
    samples = [ref for ref in job.request["samples"] if ref["role"] == "claim"]
    return {
        "release": {
            "number": made.number,
            "label": made.label,
            "state_root": made.state_root,
            "build_digest": made.digest,
        },
        "base": draft.base_number,
        "case": release.case_number,
        "samples": [{"case": ref["case"], "expect": ref["expect"], "name": ref["name"]} for ref in samples],
        "operations": release.operations,
        "gates": job.result["gates"],
        "corpus": job.result["corpus"],
        "engines": job.result["engines"],
        "approvals": release.approvals,
        "gates_finished_at": job.finished_at.isoformat(),
        "released_at": release.created_at.isoformat(),
    }


def run_standard_batch(actor: Actor, now: datetime, reason: str, *, idempotency_key: str | None = None) -> str:
    """Move the standard lane to where the accelerated one stands; return the label, or nothing where it is there."""
    if not actor.roles & {Role.RELEASER, Role.DUTY_MANAGER}:
        raise Forbidden("releaser_only", _("Only a releaser or a duty manager runs a batch."))
    if not reason.strip():
        raise Invalid("reason_missing", _("Every step has its reason."), {"reason": _("Say why, in one line.")})
    with journey():

        def do() -> dict[str, str]:
            label = _request_batch(actor, now)
            record(
                actor, now, "standard_batch", "standard lane", detail={"reason": reason.strip()[:300], "label": label}
            )
            return {"label": label}

        return str(once(actor, now, idempotency_key, "standard_batch", {"reason": reason}, do)["label"])


def standard_batch_if_due(now: datetime) -> str:
    """Ask for the standard lane's next batch where its time has come."""
    with journey():
        at = next_batch_at(queries.waiting_since(), timedelta(seconds=settings.GUARDIA.standard_batch_s))
        return _request_batch(SYSTEM, now) if at is not None and at <= now else ""


def _request_batch(actor: Actor, now: datetime) -> str:
    operations.lock_lane(Lane.STANDARD)
    ahead, shown = queries.pointer(Lane.ACCELERATED), queries.pointer(Lane.STANDARD)
    if ahead is None or (shown and shown.release_id >= ahead.release_id):
        return ""
    operations.request_publication(Lane.STANDARD, ahead.release, actor, now)
    wake("publish")
    return str(ahead.release.label)


def refresh_metadata(now: datetime) -> list[str]:
    """Sign the lanes' metadata anew before it is over."""
    return [lane.value for lane in Lane if outside().tree.refresh(lane, now)]
