"""Who is let in where: the addresses of the phone line's pages, for staff and customers. See `doors_table`."""

from collections.abc import Mapping
from typing import Any

from tests.architecture.door_words import (
    ALL_CUSTOMERS,
    ANY_STAFF,
    CUSTOMERS,
    DONE,
    INSIDE,
    REASON,
    STAFF,
    Door,
    act,
    fields,
    nothing,
    page,
    same,
    staff_act,
    staff_page,
)
from tests.support.call_cast import told_in_case, waiting_message

from guardia.features.calls.models import Recording

HEARERS = ("engineer", "analyst", "duty_manager")
"""Tomás, the analyst, is an engineer too."""


def a_message(world: Any) -> Mapping[str, Any]:
    """A message of somebody unknown that waits, and its call."""
    known = Recording.objects.filter(waits_for_staff=True, settled_at=None).first()
    recording = known or waiting_message(world.stage.cast.now)
    return {"call_id": recording.call_id, "recording_id": recording.id}


def of_a_case(world: Any) -> Mapping[str, Any]:
    """A message that was left for a case of Astilleros."""
    number = world.cases["released"]
    known = Recording.objects.filter(waits_for_staff=False).first()
    return {"number": number, "recording_id": (known or told_in_case(world.stage.cast, number)).id}


CALL_DOORS: Mapping[str, list[Door]] = {
    # ---- portal ----
    "phone/": [Door("portal", ALL_CUSTOMERS)],
    "phone/pin/": act(nothing, fields(), same(200, *CUSTOMERS)),
    "phone/pin/remove/": act(nothing, fields(), same(DONE, *CUSTOMERS)),
    "cases/<str:number>/recordings/<uuid:recording_id>/": page(of_a_case, same(200, *INSIDE)),
    # ---- console ----
    "console/calls/": staff_page(),
    "console/calls/<uuid:call_id>/": staff_page(a_message),
    "console/calls/recordings/<uuid:recording_id>/": [
        Door("console", same(403, *STAFF) | same(200, *HEARERS), arguments=a_message)
    ],
    "console/calls/<uuid:call_id>/<uuid:recording_id>/attach/": staff_act(
        a_message, lambda world: {"number": world.cases["held"]}, same(DONE, *HEARERS)
    ),
    "console/calls/<uuid:call_id>/<uuid:recording_id>/settle/": staff_act(a_message, REASON, same(DONE, *HEARERS)),
    "console/phone/": [*staff_page(), *staff_act(nothing, fields(phone="+34 600 000 000"), ANY_STAFF)],
}
