"""The signed evidence of a release, for those who may see a case that it corrects."""

from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.releases.queries import find_evidence
from guardia.kernel.errors import Forbidden, NotFound
from guardia.kernel.vocabulary import Actor


def evidence_of_case(actor: Actor, number: str) -> dict[str, Any]:
    """Return the DSSE envelope of the release that holds the case's correction."""
    case = queries.get_case_for(actor, number)
    found = find_evidence(case.fixed_in) if case.fixed_in else None
    if found is None:
        raise NotFound("no_evidence", _("The case has no released correction yet, so there is no evidence."))
    envelope: dict[str, Any] = found.envelope
    return envelope


def evidence_of_release(actor: Actor, number: int) -> dict[str, Any]:
    """Return the DSSE envelope of a release, for staff."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff see releases by number."))
    found = find_evidence(number)
    if found is None:
        raise NotFound(
            "no_evidence",
            _("There is no evidence for release %(number)s: it is the baseline, or not published yet.")
            % {"number": number},
        )
    envelope: dict[str, Any] = found.envelope
    return envelope
