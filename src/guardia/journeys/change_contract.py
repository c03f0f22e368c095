"""What account managers and duty managers do to a contract, each act with its reason, kept for good.

A contract is never rewritten silently: a change holds from its instant on, the running year's premium incidents follow
it by an `adjust` entry, and cases that are open keep the terms of their submission (RC-12).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import find_company, people_by_id
from guardia.features.contracts import operations as contracts
from guardia.features.contracts import queries
from guardia.features.contracts.rules.plan_terms import override_faults
from guardia.features.contracts.rules.who_changes import MANAGERS
from guardia.features.sla.queries import calendar_versions, find_calendar_version
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, GuardiaError, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role
from guardia.kernel.zones import find_zone

LONGEST_TERM = timedelta(days=3_700)
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9-]{2,19}", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
Contract = Any
"""A row of the contracts feature; journeys hold it without knowing its table."""


@dataclass(frozen=True)
class NewContract:
    """What a contract is made of; `last_day` is the last day of its term, `calendar` empty for the plan's own."""

    company: UUID | None
    number: str
    plan: str
    first_day: date | None
    last_day: date | None
    region: str
    zone: str
    calendar: UUID | None = None


def demand_manager(actor: Actor) -> None:
    """Raise Forbidden where the actor is neither account manager nor duty manager."""
    if not actor.roles & MANAGERS:
        raise Forbidden("managers_only", _("An account manager or a duty manager does this."))


def new_contract(
    actor: Actor, now: datetime, asked: NewContract, reason: str, *, idempotency_key: str | None = None
) -> str:
    """Make a contract and return its number. Raise Forbidden, Invalid (fields), Refused (overlap, number taken)."""
    demand_manager(actor)
    reason = checked_reason(reason)
    whole = _checked(asked)

    def make() -> dict[str, str]:
        plan = offered_plan(whole.plan)
        calendar = _calendar_of(whole.calendar, plan)
        _demand_free(whole.company, whole.number, whole.first_day, whole.last_day)
        contract = contracts.add_contract(
            whole.number, whole.company, plan, whole.first_day, after(whole.last_day), calendar.id, now,
            region=whole.region, zone=whole.zone,
        )  # fmt: skip
        contracts.record_change(contract, "created", {}, _facts(contract), actor, now, reason)
        return {"number": asked.number}

    return _made(actor, now, "new_contract", asdict(asked), idempotency_key, make)


def renew_contract(
    actor: Actor,
    now: datetime,
    number: str,
    new_number: str,
    last_day: date | None,
    plan: str,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> str:
    """Let a contract go on in a new term, from the day on which it ends, and return the new one's number.

    Overrides, account manager, licences that reach the end, and named contacts, as many as the plan has, go with it.
    """
    demand_manager(actor)
    reason = checked_reason(reason)
    before = queries.get_contract_for(actor, number)
    asked = NewContract(
        before.company_id, new_number, plan or before.plan_id, before.ends_on, last_day, before.region, before.zone
    )
    _checked(asked)

    def renew() -> dict[str, str]:
        # A contract goes on with its own plan, retired or not; another one must be offered still.
        chosen = before.plan if asked.plan == before.plan_id else offered_plan(asked.plan)
        old = contracts.lock_contract(before)
        _demand_free(old.company_id, new_number, old.ends_on, last_day)
        calendar = old.calendar_version_id if chosen == old.plan else _calendar_of(None, chosen).id
        renewed = contracts.add_contract(
            new_number, old.company_id, chosen, old.ends_on, after(last_day), calendar, now,
            region=old.region, zone=old.zone, overrides=old.overrides, account_manager_id=old.account_manager_id,
            renews=old,
        )  # fmt: skip
        _take_along(old, renewed, now)
        contracts.record_change(old, "renewed", {}, {"by": new_number}, actor, now, reason)
        contracts.record_change(renewed, "created", {"renews": number}, _facts(renewed), actor, now, reason)
        return {"number": new_number}

    request = {**asdict(asked), "renews": number}
    return _made(actor, now, "renew_contract", request, idempotency_key, renew)


def _take_along(old: Contract, renewed: Contract, now: datetime) -> None:
    for licence in queries.licences_of(old):
        if licence.ends_on >= old.ends_on:
            ends_on = renewed.ends_on if licence.ends_on == old.ends_on else licence.ends_on
            contracts.add_licence(renewed, licence.product, licence.seats, renewed.starts_on, ends_on)
    for person_id in queries.contacts_of(old):
        contracts.name_contact(renewed, person_id, now)


def change_plan(
    actor: Actor, now: datetime, number: str, plan: str, reason: str, *, idempotency_key: str | None = None
) -> None:
    """Let a contract have another plan from now on. What was spent this year stays spent; open cases keep their terms.

    Office hours follow where the new plan counts another calendar.
    """
    reason = checked_reason(reason)

    def change(contract: Contract) -> None:
        chosen = offered_plan(plan)
        if contract.plan_id == plan:
            raise _refused("plan_same", "plan", _("The contract has this plan already."))
        _demand_running(contract, now)
        named = len(queries.contacts_of(contract))
        allowed = contract.overrides.get("named_contacts", chosen.named_contacts)
        if named > allowed:
            sentence = _("%(named)d contacts are named, and this plan has %(allowed)d. End some of them first.") % {
                "named": named, "allowed": allowed
            }  # fmt: skip
            raise _refused("contacts_too_many", "plan", sentence)
        before, old = _facts(contract), contract.plan
        why = _("Plan %(before)s → %(after)s: %(reason)s") % {
            "before": old.name, "after": chosen.name, "reason": reason
        }  # fmt: skip
        contracts.set_plan(contract, chosen, actor, now, why[:300])
        if old.office != chosen.office:
            contracts.set_calendar(contract, _calendar_of(None, chosen).id)
        contracts.record_change(contract, "plan_changed", before, _facts(contract), actor, now, reason)

    _on_contract(actor, now, number, "change_plan", plan, idempotency_key, change, lock_plan=plan)


def change_overrides(
    actor: Actor,
    now: datetime,
    number: str,
    overrides: Mapping[str, Any],
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Let a contract differ from its plan from now on. Raise Invalid with the faults by place."""
    reason = checked_reason(reason)
    demand_manager(actor)
    faults = queries.fault_words(override_faults(dict(overrides)))
    if faults:
        raise Invalid("overrides_malformed", _("The overrides were not kept: some are not possible."), faults)

    def change(contract: Contract) -> None:
        before = _facts(contract)
        contracts.set_overrides(contract, overrides, actor, now, reason)
        contracts.record_change(contract, "overrides_changed", before, _facts(contract), actor, now, reason)

    _on_contract(actor, now, number, "change_overrides", dict(overrides), idempotency_key, change)


def set_account_manager(
    actor: Actor,
    now: datetime,
    number: str,
    person_id: UUID | None,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Say who of the vendor's staff manages the contract (None: nobody)."""
    reason = checked_reason(reason)

    def change(contract: Contract) -> None:
        people = people_by_id([one for one in (person_id, contract.account_manager_id) if one])
        chosen = people.get(person_id) if person_id else None
        if person_id and (chosen is None or Role.ACCOUNT_MANAGER.value not in chosen.roles):
            raise _refused("no_account_manager", "person", _("Choose an account manager."))
        former = people.get(contract.account_manager_id)
        contracts.set_account_manager(contract, person_id)
        before = {"account_manager": former.name if former else ""}
        after_it = {"account_manager": chosen.name if chosen else ""}
        contracts.record_change(contract, "manager_set", before, after_it, actor, now, reason)

    _on_contract(actor, now, number, "set_account_manager", str(person_id), idempotency_key, change)


def set_calendar(
    actor: Actor,
    now: datetime,
    number: str,
    calendar: UUID | None,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Let the contract's new cases count another calendar version; open ones are moved by an act of their own."""
    reason = checked_reason(reason)

    def change(contract: Contract) -> None:
        chosen = calendar_versions().filter(id=calendar).first() if calendar else None
        if chosen is None:
            raise _refused("calendar_unknown", "calendar", _("Choose a calendar version."))
        before = _facts(contract)
        contracts.set_calendar(contract, chosen.id)
        contracts.record_change(contract, "calendar_set", before, _facts(contract), actor, now, reason)

    _on_contract(actor, now, number, "set_calendar", str(calendar), idempotency_key, change)


# -- what the acts share --


def _on_contract(
    actor: Actor,
    now: datetime,
    number: str,
    act: str,
    detail: Any,
    key: str | None,
    do: Callable[[Contract], None],
    *,
    lock_plan: str = "",
) -> None:
    demand_manager(actor)
    with journey():
        contract = queries.get_contract_for(actor, number)

        def done() -> dict[str, str]:
            if lock_plan:  # before the contract, as everybody does who locks both
                offered_plan(lock_plan)
            do(contracts.lock_contract(contract))
            return {"number": number}

        once(actor, now, key, act, {"number": number, "detail": detail}, done)


def _made(
    actor: Actor, now: datetime, act: str, request: Mapping[str, Any], key: str | None, do: Callable[[], Any]
) -> str:
    """Make a contract; what only the database can see of two who do it at once is told as a sentence too."""
    try:
        with journey():
            return str(once(actor, now, key, act, request, do)["number"])
    except IntegrityError as error:
        if "contracts_of_a_company_do_not_overlap" in str(error):
            raise _refused("contract_overlaps", "first_day", _overlap_words("")) from error
        raise


def after(last_day: date | None) -> Any:
    """Return the first day after a term."""
    return last_day + timedelta(days=1) if last_day else None


def offered_plan(code: str) -> Any:
    """Return a plan that contracts may still choose, locked. Raise Refused at the field `plan`."""
    try:
        plan = contracts.lock_plan(queries.get_plan(code))
    except GuardiaError as error:
        raise _refused("plan_unknown", "plan", _("Choose a plan.")) from error
    if plan.is_retired:
        raise _refused("plan_retired", "plan", _("This plan is retired: choose one that is still offered."))
    return plan


def _calendar_of(calendar: UUID | None, plan: Any) -> Any:
    named = plan.office["calendar"]
    found = calendar_versions().filter(id=calendar).first() if calendar else find_calendar_version(named)
    if found is None:
        sentence = _("There is no calendar “%(name)s”, which the plan counts. Make it first.") % {"name": named}
        raise _refused("calendar_missing", "calendar", sentence)
    return found


def _demand_running(contract: Contract, now: datetime) -> None:
    if queries.contract_today(contract, now) >= contract.ends_on:
        raise Refused("contract_over", _("The contract is over. Renew it instead."))


def _demand_free(company: Any, number: str, first_day: Any, last_day: date | None) -> None:
    if queries.find_contract_of_number(number) is not None:
        raise _refused("number_taken", "number", _("There is a contract of this number already."))
    other = queries.overlapping(company, first_day, after(last_day))
    if other is not None:
        raise _refused("contract_overlaps", "first_day", _overlap_words(other.number))


def _overlap_words(number: str) -> str:
    if not number:
        return _("The company has a contract in these days already. Begin after it ends, or renew it.")
    return _("Contract %(number)s covers some of these days already. Begin after it ends, or renew it.") % {
        "number": number
    }


def _checked(asked: NewContract) -> Any:
    """Return a contract's facts with none missing; raise Invalid with what is wrong with them, by field."""
    found: dict[str, str] = {}
    if asked.company is None or find_company(asked.company) is None:
        found["company"] = _("Choose the company.")
    if not _NUMBER.fullmatch(asked.number):
        found["number"] = _("3 to 20 capital letters, digits and hyphens. Example: MSA-4071")
    if asked.first_day is None:
        found["first_day"] = _("Give the first day of the term.")
    if asked.last_day is None:
        found["last_day"] = _("Give the last day of the term.")
    elif asked.first_day and not timedelta(0) <= asked.last_day - asked.first_day <= LONGEST_TERM:
        found["last_day"] = _("A term ends after it begins, and lasts at most ten years.")
    if not _REGION.fullmatch(asked.region):
        found["region"] = _("A country, with a region where it matters. Example: ES-MD")
    if find_zone(asked.zone) is None:
        found["zone"] = _("There is no time zone of this name. Example: Europe/Madrid")
    if found:
        raise Invalid("contract_incomplete", _("The contract was not made: some answers are missing or wrong."), found)
    return asked


def _facts(contract: Contract) -> dict[str, Any]:
    """What a change keeps of a contract before and after it."""
    return {
        "plan": contract.plan.code,
        "plan_name": contract.plan.name,
        "plan_version": contract.plan.version,
        "premium_incidents": queries.terms_of(contract).allowance.incidents,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat(),
        "region": contract.region,
        "zone": contract.zone,
        "overrides": contract.overrides,
        "calendar_version_id": str(contract.calendar_version_id),
    }


def _refused(code: str, field: str, sentence: str) -> Refused:
    return Refused(code, sentence, {field: sentence})
