"""Licences of a contract, and the vendor's products with their support phase."""

import re
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.contracts import operations as contracts
from guardia.features.contracts import queries
from guardia.features.contracts.rules.entitlement import Phase
from guardia.journeys.change_contract import after, demand_manager
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import GuardiaError, Invalid, NotFound
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

MOST_SEATS = 10_000_000
LONGEST_NAME, LONGEST_LINE = 120, 80
_CODE = re.compile(r"[a-z0-9][a-z0-9.-]{1,39}", re.ASCII)


def add_licence(
    actor: Actor,
    now: datetime,
    number: str,
    product: str,
    seats: int | None,
    first_day: date | None,
    last_day: date | None,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Add a licence to a contract. Raise Forbidden, Invalid (fields), NotFound."""
    demand_manager(actor)
    reason = checked_reason(reason)
    found = {}
    if seats is None or not 1 <= seats <= MOST_SEATS:
        found["seats"] = _("Give the number of seats, at least 1.")
    if first_day is None:
        found["first_day"] = _("Give the first day.")
    if last_day is None or (first_day and last_day < first_day):
        found["last_day"] = _("Give the last day, not before the first.")
    try:
        chosen = queries.get_product(product)
    except GuardiaError:
        found["product"] = _("Choose a product.")
    if found:
        raise Invalid("licence_incomplete", _("The licence was not added: some answers are missing or wrong."), found)
    request = {"number": number, "product": product, "seats": seats, "days": [str(first_day), str(last_day)]}
    with journey():
        contract = queries.get_contract_for(actor, number)

        def add() -> dict[str, str]:
            locked = contracts.lock_contract(contract)
            contracts.add_licence(locked, chosen, seats or 0, first_day or now.date(), after(last_day))
            kept = {"product": chosen.name, "seats": seats, "first_day": str(first_day), "last_day": str(last_day)}
            contracts.record_change(locked, "licence_added", {}, kept, actor, now, reason)
            return {"number": number}

        once(actor, now, idempotency_key, "add_licence", request, add)


def end_licence(
    actor: Actor, now: datetime, number: str, licence_id: UUID, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Let a licence end with today; one that has not begun is gone after its first day."""
    demand_manager(actor)
    reason = checked_reason(reason)
    with journey():
        contract = queries.get_contract_for(actor, number)
        licence = queries.licences_of(contract).filter(id=licence_id).first()
        if licence is None:
            raise NotFound("licence_unknown", _("There is no such licence in this contract."))

        def end() -> dict[str, str]:
            locked = contracts.lock_contract(contract)
            tomorrow = queries.contract_today(locked, now) + timedelta(days=1)
            until = min(licence.ends_on, max(tomorrow, licence.starts_on + timedelta(days=1)))
            before = {"product": licence.product.name, "ends_on": licence.ends_on.isoformat()}
            contracts.end_licence(licence, until)
            kept = {"product": licence.product.name, "ends_on": until.isoformat()}
            contracts.record_change(locked, "licence_ended", before, kept, actor, now, reason)
            return {"number": number}

        once(actor, now, idempotency_key, "end_licence", {"number": number, "licence": str(licence_id)}, end)


def save_product(
    actor: Actor,
    now: datetime,
    code: str,
    name: str,
    line: str,
    phase: str,
    phase_ends_on: date | None,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Add a product or change it; requests that name it are judged by its new phase from now on."""
    demand_manager(actor)
    name, line = one_line(name), one_line(line)
    found = {}
    if not _CODE.fullmatch(code):
        found["code"] = _("2 to 40 small letters, digits, points and hyphens. Example: endpoint-8.2")
    if not 0 < len(name) <= LONGEST_NAME:
        found["name"] = _("Name the product and its version. Example: Atalaya Endpoint 8.2")
    elif queries.products().filter(name=name).exclude(code=code).exists():
        found["name"] = _("Another product has this name already.")
    if not 0 < len(line) <= LONGEST_LINE:
        found["line"] = _("Name the product line. Example: Atalaya Endpoint")
    if phase not in list(Phase):
        found["phase"] = _("Choose the support phase.")
    if phase == Phase.ENDED and phase_ends_on is None:
        found["phase_ends_on"] = _("Say since when support has ended: customers are told.")
    if found:
        raise Invalid("product_incomplete", _("The product was not kept: some answers are missing or wrong."), found)
    values = {"name": name, "line": line, "phase": phase, "phase_ends_on": phase_ends_on}
    with journey():

        def save() -> dict[str, str]:
            contracts.save_product(code, values)
            detail = {**values, "phase_ends_on": str(phase_ends_on or "")}
            record(actor, now, "product_saved", f"product {code}", detail=detail)
            return {"code": code}

        once(actor, now, idempotency_key, "save_product", {"code": code, **values}, save)
