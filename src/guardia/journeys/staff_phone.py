"""Where the line calls a member of staff on duty: everybody says it for themselves, and may leave it empty."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts.operations import set_phone
from guardia.features.accounts.rules.phone_target import phone_target
from guardia.journeys.act_on_case import demand_staff
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def keep_own_phone(actor: Actor, now: datetime, typed: str) -> str:
    """Keep where the actor is called, and return it as the line calls it; an empty text: the line calls them no more.

    Doing it twice is the same as once. Raises Forbidden for customers, Invalid for what the line cannot call.
    """
    demand_staff(actor)
    trunk_host = urlsplit(settings.GUARDIA.line_trunk_url.reveal()).hostname or ""
    target = phone_target(typed, trunk_host) if typed.strip() else ""
    if target is None:
        sentence = _(
            "Write a number such as +34 600 000 000, or an address such as sip:ana@127.0.0.1:5070, whose host is "
            "numeric or the trunk's."
        )
        raise Invalid("not_a_phone", sentence, {"phone": sentence})
    with journey():
        set_phone(UUID(actor.id), target)
        record(actor, now, "phone_kept" if target else "phone_removed", f"person {actor.id}")
    return target
