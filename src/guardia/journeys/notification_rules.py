"""What a person wants to be told by mail: chosen on a page, by whoever is signed in, for oneself only."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.mail import operations
from guardia.features.mail.rules.topics import MUTABLE
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, ActorKind


def choose_topics(actor: Actor, now: datetime, wanted: Collection[str]) -> None:
    """Let the actor be told these topics by mail, nothing of the others that may be switched off. Raises Invalid."""
    if actor.kind is not ActorKind.PERSON or actor.is_staff:
        raise Forbidden("customers_only", _("Alarms of staff are always mailed as the escalation steps say."))
    unknown = set(wanted) - set(MUTABLE)
    if unknown:
        raise Invalid("topic_unknown", _("One of these topics does not exist, or is always sent."))
    muted = [topic for topic in MUTABLE if topic not in wanted]
    with journey():
        operations.mute(UUID(actor.id), muted, now)
        record(actor, now, "choose_mails", f"person {actor.id}", company_id=actor.company_id, detail={"muted": muted})
