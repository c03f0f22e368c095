"""A case joins a release that holds its correction already: proved by scanning this case's own samples with it."""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.releases.operations import lock_lane
from guardia.features.releases.queries import get_release, pointer
from guardia.journeys import case_log
from guardia.journeys.once import once
from guardia.journeys.publish_release import announce
from guardia.kernel.errors import Forbidden, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Lane, Role


def join_release(actor: Actor, now: datetime, number: str, *, idempotency_key: str | None = None) -> str:
    """Let a case wait for the release that its precheck found ahead of its lane; return the release's label."""
    if Role.ANALYST not in actor.roles:
        raise Forbidden("analyst_only", _("Only an analyst does this."))
    with journey():
        case = queries.get_case_for(actor, number)

        def do() -> dict[str, str]:
            # A publication under way on the lane is waited for, so that one of the two tells the case.
            lock_lane(Lane(case.terms["lane"]))
            locked = cases.lock_case(case)
            found = queries.find_event(locked, "precheck")
            if locked.closed_at is not None or found is None or not found.payload.get("ahead"):
                raise Refused(
                    "nothing_to_join",
                    _("No newer release holds this case's correction. Run the precheck again, or draft one."),
                )
            release = get_release(found.payload["ahead"])
            case_log.add(locked, "joined", actor, now, {"release": release.number, "label": release.label})
            shown = pointer(Lane(locked.terms["lane"]))
            if shown and shown.release_id >= release.number:
                announce(Lane(locked.terms["lane"]), shown.release_id, now)
            return {"label": str(release.label)}

        return str(once(actor, now, idempotency_key, "join_release", {"number": number}, do)["label"])
