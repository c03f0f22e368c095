"""Who is let in where mail of ours is shown, chosen and sent again; part of the table of doors."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from tests.architecture.door_words import (
    ALL_CUSTOMERS,
    ANY_STAFF,
    CUSTOMERS,
    DONE,
    Door,
    act,
    fields,
    nothing,
    same,
    staff_act,
    staff_page,
)

from guardia.features.cases.queries import get_case_for
from guardia.features.mail.operations import settle_attempt
from guardia.features.mail.queries import sent_of_case


def mail_given_up(world: Any) -> Mapping[str, Any]:
    """A mail about a case that was given up."""
    number = world.cases["held"]
    mail = sent_of_case(get_case_for(world.stage.cast.engineer, number).id)[0]
    with transaction.atomic():
        settle_attempt(mail.id, state="failed", next_attempt_at=None)
    return {"number": number, "mail_id": mail.id}


OUTGOING_DOORS: Mapping[str, list[Door]] = {
    "notifications/": [Door("portal", ALL_CUSTOMERS)],
    "notifications/choose/": act(nothing, fields(topic="opened"), same(DONE, *CUSTOMERS)),
    "console/notifications/": staff_page(),
    "console/cases/<str:number>/mails/<uuid:mail_id>/again/": staff_act(mail_given_up, nothing, ANY_STAFF),
}
