"""A contract as its page shows it: the same facts for portal and console; choices for those who may change it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import customer_companies, people_by_id, people_of, staff_with
from guardia.features.contracts.models import Contract, ContractChange, Licence
from guardia.features.contracts.queries import (
    changes_of,
    contact_history,
    contract_today,
    contracts_for,
    find_renewal,
    get_contract_for,
    is_in_term,
    licences_of,
    plans,
    product_facts,
    products,
    terms_of,
)
from guardia.features.contracts.rules.durations import words
from guardia.features.contracts.rules.plan_terms import LEVELS
from guardia.features.contracts.rules.who_changes import MANAGERS
from guardia.features.sla.queries import calendar_versions, get_calendar
from guardia.kernel.vocabulary import Actor, Role
from guardia.reports.case_steps import target_words
from guardia.reports.clock_view import DASH, office_hours
from guardia.reports.quota_statement import last_day, own_contract, quota_of
from guardia.reports.showing import QuotaView

Choice = tuple[str, str]
"""A value and its word."""


@dataclass(frozen=True)
class ContactRow:
    """A named contact, present or former."""

    person_id: str
    name: str
    email: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class LicenceRow:
    """A licence. `state`: running, to_come, over, or unsupported (running, but the product's support has ended)."""

    id: str
    code: str
    product: str
    line: str
    seats: int
    first_day: date
    last_day: date
    phase: str
    phase_ends_on: date | None
    state: str


@dataclass(frozen=True)
class ChangeRow:
    """An act on the contract: what it was, what differs, who, when and why."""

    at: datetime
    kind: str
    detail: str
    who: str
    reason: str


@dataclass(frozen=True)
class ContractPage:
    """A contract. `state`: running, to_come or over. `targets` are by severity, for premium cases."""

    company: str
    number: str
    plan: str
    plan_code: str
    state: str
    starts_on: date
    last_day: date
    lane: str
    phone: bool
    region: str
    zone: str
    calendar: str
    hours: str
    quota: QuotaView
    targets: tuple[tuple[int, str], ...]
    has_premium: bool
    most_contacts: int
    contacts: tuple[ContactRow, ...]
    former_contacts: tuple[ContactRow, ...]
    nameable: tuple[Choice, ...]
    may_name: bool
    licences: tuple[LicenceRow, ...]
    account_manager: str
    account_manager_email: str
    carry_over: int
    renews: str
    renewed_by: str


@dataclass(frozen=True)
class OwnPromise:
    """A premium promise of the contract's own for one severity; `coverage` is empty where the plan's holds."""

    level: int
    target: str
    coverage: str
    phone: bool


def _own_promise(level: str, promise: Mapping[str, Any]) -> OwnPromise:
    return OwnPromise(
        int(level), words(promise.get("target")), promise.get("coverage", ""), promise.get("phone_opens_24x7", False)
    )


@dataclass(frozen=True)
class ConsoleContract:
    """What the vendor's staff see beside the page: own terms, history, and what may be chosen."""

    may_change: bool
    overrides: Mapping[str, Any]
    has_own_incidents: bool
    own_incidents: int | None
    override_targets: tuple[OwnPromise, ...]
    changes: tuple[ChangeRow, ...]
    plans: tuple[Choice, ...]
    products: tuple[Choice, ...]
    managers: tuple[Choice, ...]
    manager_id: str
    calendars: tuple[Choice, ...]
    calendar_id: str
    next_number: str
    next_last_day: date


@dataclass(frozen=True)
class ContractRow:
    """A contract in the console's list."""

    number: str
    company: str
    plan: str
    state: str
    starts_on: date
    last_day: date
    quota: QuotaView
    account_manager: str


def _state(contract: Contract, today: date) -> str:
    if is_in_term(contract, today):
        return "running"
    return "to_come" if today < contract.starts_on else "over"


def own_contract_page(actor: Actor, now: datetime) -> ContractPage:
    """Return the contract of the actor's company; raise NotFound where there is none."""
    return _page(actor, own_contract(actor, now), now)


def _page(actor: Actor, contract: Contract, now: datetime) -> ContractPage:
    today, terms, plan = contract_today(contract, now), terms_of(contract), contract.plan
    history = list(contact_history(contract))
    people = people_by_id([row.person_id for row in history])
    contacts = [_contact(row, people) for row in history]
    present = {row.person_id for row in history if row.until is None}
    manager = people_by_id([contract.account_manager_id] if contract.account_manager_id else [])
    calendar = get_calendar(contract.calendar_version_id)
    renewal = find_renewal(contract)
    chosen = next(iter(manager.values()), None)
    return ContractPage(
        company=contract.company.name,
        number=contract.number,
        plan=plan.name,
        plan_code=plan.code,
        state=_state(contract, today),
        starts_on=contract.starts_on,
        last_day=last_day(contract.ends_on),
        lane=plan.lane,
        phone=plan.has_phone,
        region=contract.region,
        zone=contract.zone,
        calendar=f"{calendar.name} v{calendar.version}",
        hours=office_hours(calendar.rules),
        quota=quota_of(contract, now),
        targets=tuple((int(level), target_words(dict(terms.response["premium"]), int(level))) for level in LEVELS),
        has_premium=terms.has_premium,
        most_contacts=terms.named_contacts,
        contacts=tuple(row for row in contacts if row.until is None),
        former_contacts=tuple(row for row in contacts if row.until is not None),
        nameable=tuple(
            (str(person.id), person.name) for person in people_of(contract.company_id) if person.id not in present
        ),
        may_name=actor.is_company_admin or bool(actor.roles & MANAGERS),
        licences=tuple(_licence(contract, row, today) for row in licences_of(contract)),
        account_manager=chosen.name if chosen else "",
        account_manager_email=chosen.email if chosen else "",
        carry_over=terms.allowance.carry_over,
        renews=contract.renews.number if contract.renews else "",
        renewed_by=renewal.number if renewal else "",
    )


def _contact(row: Any, people: Mapping[Any, Any]) -> ContactRow:
    person = people[row.person_id]
    return ContactRow(str(row.person_id), person.name, person.email, row.since, row.until)


def _licence(contract: Contract, row: Licence, today: date) -> LicenceRow:
    facts = product_facts(contract, row.product_id, today)
    state = "running" if row.starts_on <= today < row.ends_on else "to_come" if today < row.starts_on else "over"
    if state == "running" and facts and not facts.is_supported(today):
        state = "unsupported"
    product = row.product
    return LicenceRow(
        str(row.id), product.code, product.name, product.line, row.seats, row.starts_on, last_day(row.ends_on),
        product.phase, product.phase_ends_on, state,
    )  # fmt: skip


def console_contract(actor: Actor, now: datetime, number: str) -> tuple[ContractPage, ConsoleContract]:
    """Return a contract as the vendor's staff see it; raise NotFound."""
    contract = get_contract_for(actor, number)
    own = contract.overrides.get("response", {}).get("premium", {})
    targets = tuple(_own_promise(level, own.get(level, {})) for level in LEVELS)
    return _page(actor, contract, now), ConsoleContract(
        may_change=bool(actor.roles & MANAGERS),
        overrides=contract.overrides,
        has_own_incidents="premium_incidents" in contract.overrides,
        own_incidents=contract.overrides.get("premium_incidents"),
        override_targets=targets,
        changes=tuple(_change(row) for row in changes_of(contract)),
        plans=plan_choices(),
        products=tuple((row.code, row.name) for row in products()),
        managers=tuple((str(person.id), person.name) for person in staff_with(Role.ACCOUNT_MANAGER)),
        manager_id=str(contract.account_manager_id or ""),
        calendars=calendar_choices(),
        calendar_id=str(contract.calendar_version_id),
        next_number=_next_number(contract.number),
        next_last_day=last_day(contract.ends_on + (contract.ends_on - contract.starts_on)),
    )


def plan_choices() -> tuple[Choice, ...]:
    """Return the plans that contracts may choose."""
    return tuple((plan.code, plan.name) for plan in plans(also_retired=False))


def calendar_choices() -> tuple[Choice, ...]:
    """Return the calendar versions, by name, the newest first."""
    return tuple((str(row.id), f"{row.name} v{row.version}") for row in calendar_versions())


def _next_number(number: str) -> str:
    """`MSA-4071` → `MSA-4071-2` → `MSA-4071-3`: a proposal, which the person may change."""
    base, dash, last = number.rpartition("-")
    is_counted = bool(dash) and "-" in base and last.isdigit()
    return f"{base}-{int(last) + 1}" if is_counted else f"{number}-2"


def _change(row: ContractChange) -> ChangeRow:
    return ChangeRow(row.recorded_at, row.kind, _change_words(row), str(row.actor.get("name", "")), _(row.reason))


def _change_words(row: ContractChange) -> str:
    before, after = row.before, row.after
    told: Mapping[str, Callable[[], str]] = {
        "plan_changed": lambda: f"{before['plan_name']} → {after['plan_name']}",
        "plan_edited": lambda: _("Version %(before)s → %(after)s") % {
            "before": before["plan_version"], "after": after["plan_version"]
        },
        "overrides_changed": lambda: _("Premium incidents %(before)s → %(after)s") % {
            "before": _count(before["premium_incidents"]), "after": _count(after["premium_incidents"])
        },
        "contact_named": lambda: after["person"],
        "contact_ended": lambda: before["person"],
        "licence_added": lambda: _("%(product)s, %(seats)s seats") % after,
        "licence_ended": lambda: before["product"],
        "manager_set": lambda: f"{before['account_manager'] or DASH} → {after['account_manager'] or DASH}",
        "renewed": lambda: after["by"],
        "created": lambda: _("Plan %(plan_name)s, from %(starts_on)s") % after,
    }  # fmt: skip
    return str(told.get(row.kind, lambda: "")())


def _count(incidents: int | None) -> str:
    return _("unlimited") if incidents is None else str(incidents)


def contract_list(actor: Actor, now: datetime, search: str) -> tuple[ContractRow, ...]:
    """Return the contracts that the actor may see, by company."""
    rows = list(contracts_for(actor, search))
    managers = people_by_id({row.account_manager_id for row in rows if row.account_manager_id})
    return tuple(
        ContractRow(
            number=row.number,
            company=row.company.name,
            plan=row.plan.name,
            state=_state(row, contract_today(row, now)),
            starts_on=row.starts_on,
            last_day=last_day(row.ends_on),
            quota=quota_of(row, now),
            account_manager=managers[row.account_manager_id].name if row.account_manager_id in managers else "",
        )
        for row in rows
    )


@dataclass(frozen=True)
class NewContractPage:
    """What may be chosen for a new contract."""

    companies: tuple[Choice, ...]
    plans: tuple[Choice, ...]
    calendars: tuple[Choice, ...]
    may_change: bool


def new_contract_page(actor: Actor) -> NewContractPage:
    """Return the choices of the form for a new contract."""
    companies = tuple((str(company.id), company.name) for company in customer_companies())
    return NewContractPage(companies, plan_choices(), calendar_choices(), bool(actor.roles & MANAGERS))
