"""The releases page: lanes, log, what waits for the batch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import subscribers
from guardia.features.lab.queries import find_draft, jobs_of
from guardia.features.releases.models import Release
from guardia.features.releases.queries import (
    head,
    log,
    numbers_with_evidence,
    pointer,
    proof_counts,
    publications,
    waiting_since,
)
from guardia.features.releases.rules.numbering import next_batch_at
from guardia.kernel.vocabulary import Actor, Lane, Role
from guardia.reports.showing import Act, Acts


@dataclass(frozen=True)
class ReleaseRow:
    """One release of the log; `machine_s` and `people_s` split report to release where there is a case."""

    number: int
    label: str
    case_number: str
    added: int
    removed: int
    approvers: tuple[str, ...]
    created_at: datetime
    accelerated_at: datetime | None
    standard_at: datetime | None
    state_root: str
    build_digest: str
    verified: int
    has_evidence: bool
    machine_s: float | None
    people_s: float | None


@dataclass(frozen=True)
class LaneView:
    """Where a lane points."""

    lane: str
    number: int | None
    label: str
    moved_at: datetime | None
    machines: int
    next_batch_at: datetime | None


@dataclass(frozen=True)
class ReleasePage:
    """The log, newest first."""

    lanes: tuple[LaneView, ...]
    rows: tuple[ReleaseRow, ...]
    waiting: tuple[str, ...]
    publishing: tuple[str, ...]
    acts: Acts
    version: str


def _machine_and_people(release: Release) -> tuple[float | None, float | None]:
    """Return seconds of machine time and of people's time from report to release: lab jobs run, people act between."""
    draft = find_draft(release.draft_id) if release.draft_id else None
    if draft is None:
        return None, None
    jobs = [job for kind in ("precheck", "draft", "gates") for job in jobs_of(draft.case_id, draft.company_id, kind)]
    ran = [job for job in jobs if job.started_at and job.finished_at and job.finished_at <= release.created_at]
    machine = sum(
        (job.finished_at - job.started_at).total_seconds() for job in ran if job.finished_at and job.started_at
    )
    first = min((job.created_at for job in jobs), default=release.created_at)
    return machine, max(0.0, (release.created_at - first).total_seconds() - machine)


def _row(
    release: Release, shown: dict[tuple[int, str], datetime | None], proofs: dict[int, int], evidence: set[int]
) -> ReleaseRow:
    machine, people = _machine_and_people(release)
    return ReleaseRow(
        number=release.number,
        label=release.label,
        case_number=release.case_number,
        added=sum(step["op"] == "ADD" for step in release.operations),
        removed=sum(step["op"] == "DEL" for step in release.operations),
        approvers=tuple(approval["name"] for approval in release.approvals),
        created_at=release.created_at,
        accelerated_at=_shown_at(release.number, Lane.ACCELERATED, shown),
        standard_at=_shown_at(release.number, Lane.STANDARD, shown),
        state_root=release.state_root,
        build_digest=release.build_digest,
        verified=proofs.get(release.number, 0),
        has_evidence=release.number in evidence,
        machine_s=machine,
        people_s=people,
    )


def _shown_at(number: int, lane: Lane, shown: dict[tuple[int, str], datetime | None]) -> datetime | None:
    """Return when a lane first showed this release, by itself or within a later one."""
    times = [at for (released, name), at in shown.items() if name == lane.value and released >= number and at]
    return min(times, default=None)


def _lane(lane: Lane, machines: int, now: datetime) -> LaneView:
    found = pointer(lane)
    waits = waiting_since() if lane is Lane.STANDARD else None
    next_batch = next_batch_at(waits, timedelta(seconds=settings.GUARDIA.standard_batch_s))
    return LaneView(
        lane=lane.value,
        number=found.release_id if found else None,
        label=found.release.label if found else "",
        moved_at=found.moved_at if found else None,
        machines=machines,
        next_batch_at=max(now, next_batch) if next_batch else None,
    )


def release_page(actor: Actor, now: datetime) -> ReleasePage:
    """Return the lanes and the log, newest first."""
    rows = list(publications())
    shown = {(row.release_id, row.lane): row.published_at for row in rows}
    labels = dict(log().values_list("number", "label"))
    proofs, evidence = proof_counts(), numbers_with_evidence()
    machines = list(subscribers().values_list("lane", flat=True))
    lanes = tuple(_lane(lane, machines.count(lane.value), now) for lane in Lane)
    ahead, behind = (view.number or 0 for view in lanes)
    may = bool(actor.roles & {Role.RELEASER, Role.DUTY_MANAGER})
    why = "" if may else _("Only a releaser or a duty manager runs a batch.")
    if may and ahead <= behind:
        why = _("The standard lane shows the newest release already.")
    return ReleasePage(
        lanes=lanes,
        rows=tuple(_row(release, shown, proofs, evidence) for release in log().reverse()[:50]),
        waiting=tuple(label for number, label in labels.items() if behind < number <= ahead),
        publishing=tuple(labels[row.release_id] for row in rows if row.published_at is None),
        acts=Acts({"standard_batch": Act("standard_batch", why)}),
        version=release_version(),
    )


def release_version() -> str:
    """Return what changes whenever the releases page changes, for live views."""
    done = [f"{row.release_id}{row.lane[0]}{int(row.published_at is not None)}" for row in publications()]
    return f"{head_number()}-{len(done)}-{sum(map(ord, ''.join(done)))}-{sum(proof_counts().values())}"


def head_number() -> int:
    """Return the newest release's number, 0 before the baseline."""
    newest = head()
    return newest.number if newest else 0
