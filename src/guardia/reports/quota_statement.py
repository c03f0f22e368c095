"""Every movement of a contract's premium incidents, by contract year: what each year opened with, and what was left.

A year that nothing has moved in yet shows what it opens with; the ledger writes it with the first movement. While a
contract is unlimited nothing is counted down, so that no number is shown as left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import get_company
from guardia.features.cases.models import Case
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.features.contracts.queries import (
    all_movements,
    balance,
    changes_of,
    contract_today,
    find_contract,
    get_contract_for,
    standing_charges,
    terms_of,
    year_accounts,
    year_of,
)
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor
from guardia.kernel.zones import get_zone
from guardia.reports.showing import QuotaView


@dataclass(frozen=True)
class Movement:
    """One line of the ledger. `left` is None while the contract is unlimited; `may_refund`: the case is charged now."""

    at: datetime
    kind: str
    amount: int
    left: int | None
    case_number: str
    who: str
    reason: str
    may_refund: bool = False


@dataclass(frozen=True)
class StatementYear:
    """A contract year, its sums and its movements, oldest first."""

    first_day: date
    last_day: date
    opened: int
    adjusted: int
    spent: int
    left: int | None
    is_running: bool
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class Statement:
    """A contract's statement, the newest year first."""

    company: str
    number: str
    plan: str
    zone: str
    quota: QuotaView
    years: tuple[StatementYear, ...]


def own_contract(actor: Actor, now: datetime) -> Contract:
    """Return the contract of the actor's company; raise NotFound where there is none."""
    contract = find_contract(actor.company_id, now) if actor.company_id else None
    if contract is None:
        raise NotFound("no_contract", _("The company has no support contract."))
    return contract


def own_statement(actor: Actor, now: datetime) -> Statement:
    """Return the statement of the contract of the actor's company; raise NotFound where there is none."""
    return statement_of(actor, own_contract(actor, now), now)


def statement(actor: Actor, now: datetime, number: str) -> Statement:
    """Return the statement of a contract that the actor may see; raise NotFound."""
    return statement_of(actor, get_contract_for(actor, number), now)


def statement_of(actor: Actor, contract: Contract, now: datetime) -> Statement:
    """Return the statement of a contract in hand."""
    today = contract_today(contract, now)
    entries = list(all_movements(contract))
    tell = _Teller(actor, contract, entries)
    years = []
    for first_day, account in year_accounts(contract, today).items():
        own = [entry for entry in entries if entry.year_starts_on == first_day]
        movements = tell.year(first_day, account.opened, own)
        years.append(
            StatementYear(
                first_day=first_day,
                last_day=year_of(contract, first_day)[1],
                opened=account.opened,
                adjusted=account.left + account.spent - account.opened,
                spent=account.spent,
                left=movements[-1].left,
                is_running=year_of(contract, today)[0] == first_day,
                movements=movements,
            )
        )
    company = get_company(contract.company_id).name
    quota = quota_of(contract, now)
    return Statement(company, contract.number, contract.plan.name, contract.zone, quota, tuple(reversed(years)))


def quota_of(contract: Contract, now: datetime) -> QuotaView:
    """Return the premium incidents of a contract's present year."""
    today = contract_today(contract, now)
    left, used = balance(contract, today)
    total = None if left is None else left + used
    return QuotaView(total=total, used=used, left=left, year_ends_on=year_of(contract, today)[1].isoformat())


class _Teller:
    """Tells ledger entries to one reader."""

    def __init__(self, actor: Actor, contract: Contract, entries: Sequence[QuotaEntry]) -> None:
        self.contract = contract
        ids = {entry.case_id for entry in entries if entry.case_id}
        rows = Case.objects.visible_to(actor).filter(id__in=ids)
        self.numbers: dict[Any, str] = dict(rows.values_list("id", "number"))
        self.charged = standing_charges(entries)
        self.is_unlimited_at = _unlimited(contract)

    def year(self, first_day: date, opened: int, entries: Sequence[QuotaEntry]) -> tuple[Movement, ...]:
        """Return a year's lines with the running balance."""
        lines: list[Movement] = []
        left = 0
        if not any(entry.kind in {"grant", "renew"} for entry in entries):
            left = opened
            lines.append(self._opening(first_day, opened))
        for entry in entries:
            left += entry.amount
            lines.append(self._line(entry, left))
        return tuple(lines)

    def _opening(self, first_day: date, opened: int) -> Movement:
        at = datetime.combine(first_day, time.min, tzinfo=get_zone(self.contract.zone))
        kind = "grant" if first_day == self.contract.starts_on else "renew"
        is_unlimited = terms_of(self.contract).allowance.incidents is None
        return Movement(at, kind, opened, None if is_unlimited else opened, "", "", _by_plan(self.contract.plan.name))

    def _line(self, entry: QuotaEntry, left: int) -> Movement:
        opens = entry.kind in {"grant", "renew"}
        return Movement(
            at=entry.recorded_at,
            kind=entry.kind,
            amount=entry.amount,
            left=None if self.is_unlimited_at(entry.recorded_at) else left,
            case_number=self.numbers.get(entry.case_id, "") if entry.case_id else "",
            # A year's opening comes with the contract, whoever's request was the first to need it.
            who="" if opens else str(entry.actor.get("name", "")),
            reason=_by_plan(entry.reason) if opens else entry.reason,
            may_refund=entry.id in self.charged,
        )


def _by_plan(plan: str) -> str:
    return _("By contract, plan %(plan)s") % {"plan": plan}


def _unlimited(contract: Contract) -> Callable[[datetime], bool]:
    """Return whether the contract was unlimited at an instant, from the changes of its terms."""
    known = [
        (change.recorded_at, change.before["premium_incidents"] is None)
        for change in changes_of(contract)
        if "premium_incidents" in change.before
    ][::-1]
    is_now = terms_of(contract).allowance.incidents is None

    def at(instant: datetime) -> bool:
        return next((was for changed_at, was in known if changed_at > instant), is_now)

    return at


# -- as a file --


def csv_rows(shown: Statement) -> list[list[str]]:
    """Return the statement as rows for a spreadsheet, with a heading; instants in the contract's zone."""
    heading = [
        _("Contract"), _("Contract year from"), _("Contract year until"), _("Date"), _("Time"), _("Movement"),
        _("Amount"), _("Left"), _("Case"), _("Who"), _("Reason"),
    ]  # fmt: skip
    zone = get_zone(shown.zone)
    rows = [heading]
    for year in reversed(shown.years):
        for line in year.movements:
            at = line.at.astimezone(zone)
            left = _("unlimited") if line.left is None else str(line.left)
            days = [year.first_day.isoformat(), year.last_day.isoformat(), at.date().isoformat(), f"{at:%H:%M:%S}"]
            rows.append(
                [shown.number, *days, line.kind, str(line.amount), left, line.case_number, line.who, line.reason]
            )
    return rows


def last_day(ends_on: date) -> date:
    """Return the last day of a term that ends before `ends_on`."""
    return ends_on - timedelta(days=1)
