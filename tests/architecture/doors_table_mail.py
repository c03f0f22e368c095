"""Who is let in where: the addresses of mail, for staff, customers and without an account. See `doors_table`."""

from collections.abc import Mapping
from typing import Any

from tests.architecture.door_words import (
    ALL,
    ALL_CUSTOMERS,
    BROWSERS,
    DONE,
    INSIDE,
    REASON,
    STAFF,
    Door,
    act,
    fields,
    page,
    same,
    staff_act,
    staff_page,
)
from tests.support.mail_cast import kept_mail

from guardia.features.cases.queries import get_case_for
from guardia.features.mail.models import InboundMail

CLEARERS = same(DONE, "engineer", "analyst", "duty_manager")
"""Tomás, the analyst, is an engineer too."""


def a_message(world: Any) -> Mapping[str, Any]:
    """A message in quarantine that bears the address of Astilleros' contact."""
    return {"mail_id": _kept(world, "waiting").id}


def a_refused_message(world: Any) -> Mapping[str, Any]:
    """A message that a person refused."""
    now = world.stage.cast.now
    facts = {"outcome": "refused", "settled_how": "refused", "settled_at": now, "settled_by_name": "Marta Ibáñez"}
    return {"mail_id": _kept(world, "refused", **facts).id}


def a_message_of_a_case(world: Any) -> Mapping[str, Any]:
    """A message that continued a case of Astilleros."""
    number = world.cases["released"]
    case = get_case_for(world.stage.cast.engineer, number)
    return {"number": number, "mail_id": _kept(world, "reply", outcome="reply", case_id=case.id).id}


def its_sender(world: Any) -> Mapping[str, Any]:
    """The contact whose address it bears."""
    return {"person": world.stage.cast.people["plus"].id, "reason": "because the test says so"}


def _kept(world: Any, name: str, **facts: Any) -> InboundMail:
    """Keep one message for each name while it is there."""
    known = InboundMail.objects.filter(subject=name).first()
    return known or kept_mail(world.stage.cast.now, subject=name, **facts)


MAIL_DOORS: Mapping[str, list[Door]] = {
    # ---- without an account ----
    "locked-out/": [
        Door("everybody", ALL),
        Door(
            "everybody",
            same(DONE, *BROWSERS),
            "post",
            form=fields(sender="nobody@home.example", contact="nobody@work.example"),
        ),
    ],
    "prove/<str:token>/": [Door("everybody", same(404, *BROWSERS), arguments=lambda _: {"token": "no-such-token"})],
    # ---- portal ----
    "mail/": [Door("portal", ALL_CUSTOMERS)],
    "mail/<uuid:mail_id>/vouch/": act(a_message, fields(), {"owner": DONE}, admin=403),
    "mail/<uuid:mail_id>/refuse/": act(a_message, fields(), {"owner": DONE}, admin=403),
    "cases/<str:number>/mail/<uuid:mail_id>/frame/": page(a_message_of_a_case, same(200, *INSIDE)),
    # ---- console ----
    "console/mail/": staff_page(),
    "console/mail/<uuid:mail_id>/": staff_page(a_message),
    "console/mail/<uuid:mail_id>/frame/": staff_page(a_message),
    "console/mail/<uuid:mail_id>/raw/": [
        Door("console", same(404, *STAFF), arguments=a_message)
    ],  # the world's messages never lay on the disk; the refusal is that of a message that is no longer kept
    "console/mail/<uuid:mail_id>/accept/": staff_act(a_message, its_sender, CLEARERS),
    "console/mail/<uuid:mail_id>/refuse/": staff_act(a_message, REASON, CLEARERS),
    "console/mail/<uuid:mail_id>/put-back/": staff_act(a_refused_message, REASON, CLEARERS),
}
