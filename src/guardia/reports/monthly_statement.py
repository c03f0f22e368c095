"""The monthly statement of a contract: every case of the month with what was promised and what was done.

It is meant to be kept: it says when it was made and under which zone and hours, names people and instants, tells missed
targets plainly, and holds no relative time. Months are those of the contract's zone; a case belongs to the month of its
submission. Until the month is over the statement says that it is not final; a case that is still open says so as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import get_company
from guardia.features.cases.models import Case, CaseEvent
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import contract_today, contracts_for, get_contract_for, terms_of
from guardia.features.sla.queries import get_calendar, policy_of
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor
from guardia.kernel.zones import get_zone
from guardia.reports.case_steps import target_words
from guardia.reports.clock_view import office_hours
from guardia.reports.outcomes import outcome_of
from guardia.reports.periods import Period, find_period, month_of, months_until
from guardia.reports.quota_statement import Movement, Statement, statement_of
from guardia.reports.service_report import Figures, Line, figures_of

MOST_MONTHS = 120
MONTHS_IN_YEAR = 12


@dataclass(frozen=True)
class StatementCase:
    """A case of the month. `taken_s` is the covered time to the qualified answer; `over_s` how long past the target."""

    number: str
    subject: str
    kind: str
    severity: int
    case_class: str
    submitted_at: datetime
    submitted_by: str
    target: str
    has_target: bool
    due_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    taken_s: int | None
    outcome: str


@dataclass(frozen=True)
class MonthLink:
    """A month that has a statement. `is_final`: the month is over."""

    text: str
    first_day: date
    contract: str
    cases: int
    is_final: bool


@dataclass(frozen=True)
class MonthlyStatement:
    """Everything on the statement. `premium_left` is None where the contract was unlimited."""

    company: str
    contract: str
    plan: str
    starts_on: date
    last_day: date
    period: Period
    zone: str
    hours: str
    is_final: bool
    made_at: datetime
    targets: tuple[tuple[int, str], ...]
    cases: tuple[StatementCase, ...]
    missed: tuple[StatementCase, ...]
    total: Figures
    lines: tuple[Line, ...]
    movements: tuple[Movement, ...]
    premium_opened: int
    premium_used: int
    premium_left: int | None
    year_first_day: date
    year_last_day: date


@dataclass(frozen=True)
class StatementList:
    """The months of the contracts that a reader may see."""

    company: str
    contract: str
    months: tuple[MonthLink, ...]


def own_months(actor: Actor, now: datetime) -> StatementList:
    """Return the months of the actor's company, the newest first; raise NotFound where it has no contract."""
    contracts = list(contracts_for(actor)) if actor.company_id else []
    if not contracts:
        raise NotFound("no_contract", _("The company has no support contract."))
    months = [link for contract in contracts for link in _months(actor, contract, now)]
    ordered = sorted(months, key=lambda link: (link.first_day, link.contract), reverse=True)
    return StatementList(get_company(contracts[0].company_id).name, "", tuple(ordered))


def months_of(actor: Actor, now: datetime, number: str) -> StatementList:
    """Return the months of one contract that the actor may see, the newest first; raise NotFound."""
    contract = get_contract_for(actor, number)
    return StatementList(contract.company.name, contract.number, tuple(_months(actor, contract, now)))


def own_statement_of(actor: Actor, now: datetime, month: str, number: str = "") -> MonthlyStatement:
    """Return the statement of the contract that the actor's company had in a month; raise NotFound.

    Where one contract followed another within the month, `number` says which; else it is the later one.
    """
    period = _month(month)
    contracts = (
        [contract for contract in contracts_for(actor) if _overlaps(contract, period)] if actor.company_id else []
    )
    chosen = [contract for contract in contracts if number in {"", contract.number}]
    if not chosen:
        raise _no_statement()
    return _statement(actor, now, max(chosen, key=lambda contract: contract.starts_on), period)


def statement_of_month(actor: Actor, now: datetime, number: str, month: str) -> MonthlyStatement:
    """Return the statement of a contract that the actor may see; raise NotFound."""
    contract, period = get_contract_for(actor, number), _month(month)
    if not _overlaps(contract, period):
        raise _no_statement()
    return _statement(actor, now, contract, period)


def _no_statement() -> NotFound:
    return NotFound("no_statement", _("There is no statement of this month."))


def _month(text: str) -> Period:
    period = find_period(text)
    if period is None or not period.is_month:
        raise _no_statement()
    return period


def _overlaps(contract: Contract, period: Period) -> bool:
    return contract.starts_on <= period.last_day and period.first_day < contract.ends_on


def _months(actor: Actor, contract: Contract, now: datetime) -> list[MonthLink]:
    today = contract_today(contract, now)
    last = min(today, contract.ends_on - timedelta(days=1))
    if last < contract.starts_on:
        return []
    count = (last.year - contract.starts_on.year) * MONTHS_IN_YEAR + last.month - contract.starts_on.month + 1
    rows = Case.objects.visible_to(actor).filter(contract_id=contract.id).order_by()
    by_month = rows.annotate(month=TruncMonth("submitted_at", tzinfo=get_zone(contract.zone))).values("month")
    cases = {f"{row['month']:%Y-%m}": row["cases"] for row in by_month.annotate(cases=Count("id"))}
    return [
        MonthLink(month.text, month.first_day, contract.number, cases.get(month.text, 0), month.last_day < today)
        for month in reversed(months_until(month_of(last), min(count, MOST_MONTHS)))
    ]


def _statement(actor: Actor, now: datetime, contract: Contract, period: Period) -> MonthlyStatement:
    today = contract_today(contract, now)
    if period.first_day > today:
        raise _no_statement()
    start, end = period.instants(get_zone(contract.zone))
    rows = Case.objects.visible_to(actor).filter(contract_id=contract.id).defer("words")
    found = list(rows.filter(submitted_at__gte=start, submitted_at__lt=end).order_by("submitted_at", "number"))
    cases = _cases(found, now)
    book = _book(statement_of(actor, contract, now), start, end)
    response = terms_of(contract).response["premium"]
    return MonthlyStatement(
        company=get_company(contract.company_id).name,
        contract=contract.number,
        plan=contract.plan.name,
        starts_on=contract.starts_on,
        last_day=contract.ends_on - timedelta(days=1),
        period=period,
        zone=contract.zone,
        hours=office_hours(get_calendar(contract.calendar_version_id).rules),
        is_final=period.last_day < today,
        made_at=now,
        targets=tuple((severity, target_words(response, severity)) for severity in (1, 2, 3, 4)),
        cases=cases,
        missed=tuple(case for case in cases if case.outcome == "breached"),
        total=figures_of(found, now),
        lines=_lines(found, now),
        movements=book.movements,
        premium_opened=book.opened,
        premium_used=book.used,
        premium_left=book.left,
        year_first_day=book.first_day,
        year_last_day=book.last_day,
    )


def _cases(found: Sequence[Case], now: datetime) -> tuple[StatementCase, ...]:
    by = _answered_by(found)
    shown = []
    for case in found:
        policy = policy_of(case.terms, case.case_class)
        shown.append(
            StatementCase(
                number=case.number,
                subject=case.subject,
                kind=case.kind,
                severity=case.severity,
                case_class=case.case_class,
                submitted_at=case.submitted_at,
                submitted_by=case.opened_by_name,
                target=target_words(policy, case.severity),
                has_target=case.due_at is not None,
                due_at=case.due_at,
                answered_at=case.answered_at,
                answered_by=by.get(case.id, ""),
                taken_s=case.answer_s,
                outcome=outcome_of(case, now),
            )
        )
    return tuple(shown)


def _answered_by(found: Sequence[Case]) -> dict[UUID, str]:
    """Return who gave the answer that counts: the one at the instant at which the clock stopped."""
    answered = {case.id: case.answered_at for case in found if case.answered_at}
    rows = CaseEvent.objects.across_companies("the cases in hand were access-checked")
    events = rows.filter(case_id__in=answered, type="answered").order_by("seq")
    named = events.values_list("case_id", "occurred_at", "actor__name")
    return {case_id: name for case_id, at, name in named if at == answered[case_id]}


def _lines(found: Sequence[Case], now: datetime) -> tuple[Line, ...]:
    kinds = sorted({(case.case_class, case.severity) for case in found})
    return tuple(
        Line(
            name, level, figures_of([case for case in found if (case.case_class, case.severity) == (name, level)], now)
        )
        for name, level in kinds
    )


@dataclass(frozen=True)
class _Book:
    """What the ledger says at the end of a month."""

    movements: tuple[Movement, ...]
    opened: int
    used: int
    left: int | None
    first_day: date
    last_day: date


def _book(ledger: Statement, start: datetime, end: datetime) -> _Book:
    """Return the month's movements, and the contract year's account as it stood when the month ended."""
    last_day = (end.astimezone(get_zone(ledger.zone)) - timedelta(seconds=1)).date()
    years = [year for year in ledger.years if year.first_day <= last_day] or list(ledger.years[-1:])
    year = max(years, key=lambda some: some.first_day)
    until = [move for move in year.movements if move.at < end] or list(year.movements[:1])
    return _Book(
        movements=tuple(
            sorted((move for some in ledger.years for move in some.movements if start <= move.at < end), key=_at)
        ),
        opened=year.opened,
        used=-sum(move.amount for move in until if move.kind in {"reserve", "refund"}),
        left=until[-1].left if until else year.left,
        first_day=year.first_day,
        last_day=year.last_day,
    )


def _at(move: Movement) -> datetime:
    return move.at


def table_of_cases(statement: MonthlyStatement) -> list[list[object]]:
    """Return the statement's cases as a table, its header first; instants in the contract's zone with their offset."""
    zone = get_zone(statement.zone)

    def told(instant: datetime | None) -> str:
        return instant.astimezone(zone).isoformat(timespec="seconds") if instant else ""

    head: list[object] = [
        _("Contract"),
        _("Month"),
        _("Case"),
        _("Subject"),
        _("Kind"),
        _("Severity"),
        _("Class"),
        _("Submitted"),
    ]
    head += [_("Submitted by"), _("Target"), _("Due"), _("Qualified answer"), _("Answered by"), _("Time taken, s")]
    head += [_("Outcome"), _("Made at")]
    rows: list[list[object]] = [
        [
            statement.contract,
            statement.period.text,
            case.number,
            case.subject,
            case.kind,
            case.severity,
            case.case_class,
            told(case.submitted_at),
            case.submitted_by,
            case.target,
            told(case.due_at),
            told(case.answered_at),
            case.answered_by,
            case.taken_s,
            case.outcome,
            told(statement.made_at),
        ]
        for case in statement.cases
    ]
    return [head, *rows]
