"""The customer's own pages beside cases: machines and contract."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import codes_for, get_company, machines_for, own_tokens, people_by_id
from guardia.features.cases.queries import cases_for
from guardia.features.contracts.models import QuotaEntry
from guardia.features.contracts.queries import contacts_of, find_contract, is_in_term, lane_of, movements
from guardia.features.releases.queries import log, pointer
from guardia.features.sla.queries import get_calendar
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Lane
from guardia.reports.case_page import quota_view
from guardia.reports.case_steps import target_words
from guardia.reports.clock_view import office_hours
from guardia.reports.showing import QuotaView


@dataclass(frozen=True)
class MachineRow:
    """An enrolled machine and the release that it last reported."""

    id: str
    name: str
    lane: str
    release_label: str
    enrolled_at: datetime
    seen_at: datetime | None
    is_revoked: bool


@dataclass(frozen=True)
class MachinesPage:
    """The company's machines; `may_enrol` is true for its administrators."""

    rows: tuple[MachineRow, ...]
    open_codes: tuple[tuple[str, datetime], ...]
    may_enrol: bool
    server_url: str
    lane: str
    lane_release: str


@dataclass(frozen=True)
class QuotaMovement:
    """One line of the ledger."""

    at: datetime
    kind: str
    amount: int
    balance: int
    case_number: str
    who: str
    reason: str


@dataclass(frozen=True)
class ContractPage:
    """The contract and every movement of its premium incidents."""

    company: str
    number: str
    plan: str
    starts_on: date
    last_day: date
    is_over: bool
    lane: str
    phone: bool
    quota: QuotaView
    movements: tuple[QuotaMovement, ...]
    contacts: tuple[str, ...]
    targets: tuple[tuple[int, str], ...]
    hours: str


@dataclass(frozen=True)
class TokenRow:
    """One of a person's own API tokens; the token itself is kept nowhere."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime
    state: str


def tokens_page(actor: Actor, now: datetime) -> tuple[TokenRow, ...]:
    """Return the actor's own tokens, newest first. `state`: open, over or revoked."""
    return tuple(
        TokenRow(
            str(token.id),
            token.name,
            token.created_at,
            token.expires_at,
            "revoked" if token.revoked_at else "open" if token.expires_at > now else "over",
        )
        for token in own_tokens(actor)
    )


def machines_page(actor: Actor, now: datetime) -> MachinesPage:
    """Return the machines of the actor's company."""
    lane = lane_of(actor.company_id, now.date()) if actor.company_id else Lane.STANDARD
    shown = pointer(lane)
    labels = dict(log().values_list("number", "label"))
    rows = tuple(
        MachineRow(
            str(machine.id),
            machine.name,
            machine.lane,
            labels.get(machine.release_number or 0, ""),
            machine.enrolled_at,
            machine.seen_at,
            machine.revoked_at is not None,
        )
        for machine in machines_for(actor)
    )
    return MachinesPage(
        rows=rows,
        open_codes=tuple((code.machine_name, code.expires_at) for code in codes_for(actor, now)),
        may_enrol=actor.is_company_admin,
        server_url=settings.GUARDIA.public_url,
        lane=lane.value,
        lane_release=shown.release.label if shown else "",
    )


def _who_moved(entry: QuotaEntry) -> str:
    """A year's grant comes with the contract, whoever's request was the first to need it."""
    return "" if entry.kind == "grant" else str(entry.actor["name"])


def _why_moved(entry: QuotaEntry) -> str:
    return _("By contract, plan %(plan)s") % {"plan": entry.reason} if entry.kind == "grant" else entry.reason


def contract_page(actor: Actor, now: datetime) -> ContractPage:
    """Return the contract of the actor's company with its ledger; raise NotFound where there is none."""
    contract = find_contract(actor.company_id, now.date()) if actor.company_id else None
    if contract is None:
        raise NotFound("no_contract", _("The company has no support contract."))
    numbers = {case.id: case.number for case in cases_for(actor)}
    balance, lines = 0, []
    for entry in movements(contract, now.date()):
        balance += entry.amount
        number = numbers.get(entry.case_id, "") if entry.case_id else ""
        lines.append(
            QuotaMovement(
                entry.recorded_at, entry.kind, entry.amount, balance, number, _who_moved(entry), _why_moved(entry)
            )
        )
    people = people_by_id(contacts_of(contract))
    policy = contract.plan.response["premium"]
    return ContractPage(
        company=get_company(contract.company_id).name,
        number=contract.number,
        plan=contract.plan.name,
        starts_on=contract.starts_on,
        last_day=contract.ends_on - timedelta(days=1),
        is_over=not is_in_term(contract, now.date()),
        lane=contract.plan.lane,
        phone=contract.plan.has_phone,
        quota=quota_view(contract.id, now),
        movements=tuple(lines),
        contacts=tuple(person.name for person in people.values()),
        targets=tuple((severity, target_words(policy, severity)) for severity in (1, 2, 3, 4)),
        hours=office_hours(get_calendar(contract.calendar_version_id).rules),
    )
