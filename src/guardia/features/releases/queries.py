"""The record log, where lanes stand, evidence and proofs."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from guardia.features.releases.models import Challenge, Evidence, LanePointer, Proof, Publication, Release
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Lane


def log() -> QuerySet[Release]:
    """Return the log, oldest first."""
    return Release.objects.order_by("number")


def head() -> Release | None:
    """Return the newest release of the log, published or not."""
    return Release.objects.order_by("-number").first()


def labels() -> list[str]:
    """Return every label."""
    return list(Release.objects.values_list("label", flat=True))


def get_release(number: int) -> Release:
    """Return a release; raise NotFound."""
    release = Release.objects.filter(number=number).first()
    if release is None:
        raise NotFound("release_unknown", _("There is no release %(number)s.") % {"number": number})
    return release


def find_release(number: int | None) -> Release | None:
    """Return a release, or None."""
    return Release.objects.filter(number=number).first() if number else None


def find_release_of(draft_id: UUID) -> Release | None:
    """Return the release of a draft, or None."""
    return Release.objects.filter(draft_id=draft_id).first()


def pointer(lane: Lane) -> LanePointer | None:
    """Return where a lane points, or None before the baseline."""
    return LanePointer.objects.select_related("release").filter(lane=lane.value).first()


def pending(lane: Lane) -> QuerySet[Publication]:
    """Return publications of a lane that are asked for and not yet done, lowest number first."""
    rows = Publication.objects.select_related("release").filter(lane=lane.value, published_at=None)
    return rows.order_by("release_id")


def publications() -> QuerySet[Publication]:
    """Return every publication."""
    return Publication.objects.order_by("requested_at")


def waiting_since() -> datetime | None:
    """Return when the accelerated lane first showed a release that the standard lane does not show yet."""
    shown = LanePointer.objects.filter(lane=Lane.STANDARD.value).first()
    ahead = Publication.objects.filter(lane=Lane.ACCELERATED.value, published_at__isnull=False)
    first = ahead.filter(release_id__gt=shown.release_id if shown else 0).order_by("published_at").first()
    return first.published_at if first else None


def find_evidence(number: int) -> Evidence | None:
    """Return the signed evidence of a release."""
    return Evidence.objects.filter(release_id=number).first()


def numbers_with_evidence() -> set[int]:
    """Return the numbers of releases that have evidence."""
    return set(Evidence.objects.values_list("release_id", flat=True))


def find_challenge(company_id: UUID, nonce: str, *, lock: bool = False) -> Challenge | None:
    """Return a company's challenge by its nonce."""
    rows = Challenge.objects.of_company(company_id)
    return (rows.select_for_update() if lock else rows).filter(nonce=nonce).first()


def proofs_for(actor: Actor, case_id: UUID) -> QuerySet[Proof]:
    """Return the proofs of a case, oldest first."""
    return Proof.objects.visible_to(actor).filter(case_id=case_id).order_by("received_at")


def proof_counts() -> dict[int, int]:
    """Return how many accepted proofs each release has."""
    rows = Proof.objects.across_companies("the releases page counts proofs of all").filter(accepted=True)
    counts: dict[int, int] = {}
    for number in rows.values_list("release_number", flat=True):
        counts[number or 0] = counts.get(number or 0, 0) + 1
    return counts
