"""The mails around an unproven sender: the neutral acknowledgement, the link, the denial, the refusal.

None carries a word that the sender chose: no name, no subject, none of the text, not even the address. What they tell
is when a message arrived, what it waits for, and what to do.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import active_people_by_id, find_person_by_email, staff_with
from guardia.features.contracts.queries import find_contract
from guardia.features.duty.queries import who_has
from guardia.features.mail.operations import NewMail
from guardia.features.mail.rules.references import reference_of
from guardia.features.mail.rules.tokens import mail_key
from guardia.journeys.post import link, new_mail
from guardia.kernel.vocabulary import Role
from guardia.kernel.zones import get_zone

Mail = Any
Person = Any
LOCKED_OUT: Final = "/locked-out/"


def neutral_acknowledgement(mail: Mail, language: str, now: datetime) -> NewMail:
    """Return the automatic answer to a kept message of an unknown sender: that it waits, and how to prove it.

    It carries the message's reference, which nobody but the holder of the sender's address gets.
    """
    with translation.override(language):
        key = mail_key(settings.GUARDIA.secret_key.reveal())
        return new_mail(
            key=f"acknowledged:{mail.id}",
            topic="acknowledged",
            why="stranger",
            address=mail.sender,
            language=language,
            subject=_("A message arrived: it waits for proof of who sent it"),
            paragraphs=[
                _("A message from this address arrived at %(at)s.")
                % {"at": instant(mail.arrived_at, _zone(None, now))},
                _(
                    "This address is not one of a contact, so the message waits for proof of who sent it. Nothing is "
                    "lost: the time of its arrival counts as the submission."
                ),
                _(
                    "To prove it, name a contact of the company on this page. A link is sent to the address of "
                    "that contact; once it is confirmed there, the request goes on and its number follows by mail."
                ),
                link(_("Prove who sent it"), f"{LOCKED_OUT}?m={reference_of(key, mail.id)}"),
                _critical_line(),
                _("Whoever wrote nothing to this address can ignore this message."),
            ],
            answers=mail,
            is_automatic=True,
        )


def proof_mail(
    mail: Mail, person: Person, now: datetime, token: str, number: int, *, is_own: bool, asked: bool
) -> NewMail:
    """Return the mail with a link to a contact; `number` is how many were sent for the message before."""
    with translation.override(person.language):
        at = {"at": instant(mail.arrived_at, _zone(person.company_id, now))}
        return new_mail(
            key=f"proof:{mail.id}:{number}",
            topic="proof",
            why=("asked" if asked else "wrote") if is_own else "vouches",
            address=person.email,
            language=person.language,
            subject=_("Confirm a message to support"),
            paragraphs=[
                _first_line(mail, at, is_own=is_own),
                _("It waits until it is confirmed; then the time of its arrival counts as the submission.")
                if is_own
                else _("It waits until somebody of the company confirms it; then it counts from its arrival."),
                link(_("Confirm or refuse"), f"/prove/{token}/"),
                _("The page asks before anything happens. If nobody of the company wrote it, refuse it there."),
                _("The link is good once, for 72 hours."),
                _critical_line(),
            ],
            person_id=person.id,
            company_id=person.company_id,
            answers=None if asked else mail,
            is_automatic=not asked,
        )


def _first_line(mail: Mail, at: dict[str, str], *, is_own: bool) -> str:
    if is_own:
        return _("Somebody wrote to support at %(at)s with this address as the sender; that could not be proven.") % at
    colleague = find_person_by_email(mail.sender)
    if colleague is None:
        return _("Somebody wrote to support at %(at)s from an address unknown here, and names you as a contact.") % at
    return _("Somebody wrote to support at %(at)s with the address of %(name)s as the sender.") % {
        **at,
        "name": colleague.name,
    }


def denial_told(mail: Mail, now: datetime) -> list[NewMail]:
    """Return what tells the people on duty that a message was denied by whom it names as its sender."""
    mails = []
    for person in people_on_duty(now):
        with translation.override(person.language):
            mails.append(
                new_mail(
                    key=f"denied:{mail.id}:{person.id}",
                    topic="alarm",
                    why="duty",
                    address=person.email,
                    language=person.language,
                    subject=_("A contact denies having sent a message"),
                    paragraphs=[
                        _("The message of %(at)s is refused: the contact whose address it bears says so.")
                        % {"at": instant(mail.arrived_at, _zone(None, now))},
                        _("Somebody may be posing as a customer."),
                        link(_("Show the message"), f"/console/mail/{mail.id}/"),
                    ],
                    person_id=person.id,
                )
            )
    return mails


def refusal_told(mail: Mail, person: Person, reason: str, now: datetime) -> NewMail:
    """Return what tells a contact that staff refused a message with the contact's address, and why."""
    with translation.override(person.language):
        at = {"at": instant(mail.arrived_at, _zone(person.company_id, now))}
        return new_mail(
            key=f"refused:{mail.id}",
            topic="refused",
            why="wrote",
            address=person.email,
            language=person.language,
            subject=_("A message was not accepted"),
            paragraphs=[
                _("The message that arrived at %(at)s with this address as the sender was not accepted.") % at,
                _("Reason: %(reason)s") % {"reason": reason},
                link(_("Open a case on the portal"), "/cases/new/"),
                _critical_line(),
            ],
            person_id=person.id,
            company_id=person.company_id,
        )


def instant(at: datetime, zone: str) -> str:
    """Return an instant with its zone as mails tell it: `2026-11-23 10:05 CET`."""
    return f"{at.astimezone(get_zone(zone)):%Y-%m-%d %H:%M %Z}"


def _zone(company_id: UUID | None, now: datetime) -> str:
    contract = find_contract(company_id, now) if company_id else None
    return contract.zone if contract else settings.TIME_ZONE


def _critical_line() -> str:
    said = _("Level 1, such as an outbreak or work that has stopped: phone %(phone)s, at any hour.")
    return said % {"phone": settings.GUARDIA.phone}


def people_on_duty(now: datetime) -> Sequence[Person]:
    """Return the engineer on duty; without one, everybody who leads."""
    found = who_has("on_duty", now)
    people = list(active_people_by_id([found]).values()) if found else []
    return people or list(staff_with(Role.DUTY_MANAGER))
