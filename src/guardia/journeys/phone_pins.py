"""PINs for the phone: a company's person makes one, sees it once, makes another, or does without.

No two people whom the same contract digits name have the same PIN, for the PIN alone tells them apart. What is made is
told to nobody else, and stands in no log.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts import operations, queries
from guardia.features.accounts.rules import phone_pin
from guardia.features.contracts.queries import companies_of_digits, numbers_of_company
from guardia.journeys.act_on_case import demand_customer
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid
from guardia.kernel.transactions import journey, operation
from guardia.kernel.vocabulary import Actor


def make_pin(actor: Actor, now: datetime, *, idempotency_key: str | None = None) -> str:
    """Return the actor's new PIN, in the place of an earlier one; it cannot be shown again.

    Raises Invalid for a form that was sent before: its PIN holds, and is not made or told again.
    """
    company_id = _company_of(actor)
    made: list[str] = []

    def do() -> dict[str, str]:
        operations.lock_pins()
        pin = phone_pin.make_pin()
        while is_taken(UUID(actor.id), company_id, pin):
            pin = phone_pin.make_pin()
        keep_pin(UUID(actor.id), company_id, pin, now)
        record(actor, now, "phone_pin_made", f"person {actor.id}", company_id=company_id)
        made.append(pin)  # told, never kept: a repetition cannot tell it again
        return {}

    with journey():
        once(actor, now, idempotency_key, "make_pin", {}, do)
    if not made:
        raise Invalid("pin_told", _("This form was sent before: its PIN is told once only. Make another one."))
    return made[0]


def remove_pin(actor: Actor, now: datetime) -> None:
    """Let the actor's PIN count no more; a second time changes nothing."""
    company_id = _company_of(actor)
    with journey():
        operations.lock_pins()
        if operations.drop_pin(UUID(actor.id), company_id):
            record(actor, now, "phone_pin_removed", f"person {actor.id}", company_id=company_id)


def pin_made_at(actor: Actor) -> datetime | None:
    """Return when the actor's PIN was made; None where there is none."""
    return queries.pin_made_at(UUID(actor.id), _company_of(actor))


def is_taken(person_id: UUID, company_id: UUID, pin: str) -> bool:
    """Whether somebody else has the PIN whom the same contract digits name."""
    keyed = {phone_pin.digits_of(number) for number in numbers_of_company(company_id)}
    companies = {company_id, *(one for digits in keyed for one in companies_of_digits(digits))}
    return any(
        phone_pin.is_pin(row.person_id, pin, settings.SECRET_KEY, row.digest)
        for row in queries.pins_of_companies(companies).exclude(person_id=person_id)
    )


@operation
def keep_pin(person_id: UUID, company_id: UUID, pin: str, now: datetime) -> None:
    """Keep what is kept of a PIN."""
    operations.keep_pin(person_id, company_id, phone_pin.pin_digest(person_id, pin, settings.SECRET_KEY), now)


def _company_of(actor: Actor) -> UUID:
    demand_customer(actor)
    assert actor.company_id is not None  # noqa: S101  demanded on the line before
    return actor.company_id
