"""How the service kept its targets: volume, met and missed, and the times to the qualified answer.

Cases count in the period in which they were submitted, as of now. Times are the covered working time from the clock's
start to the qualified answer (`Case.answer_s`), of every answered case whether it had a target or not; a median of
nothing is None. The database counts; `outcomes` says what is counted as what.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from guardia.features.cases.models import Case
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.features.contracts.queries import balance, contract_today
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor
from guardia.kernel.zones import get_zone
from guardia.reports.outcomes import OUTCOMES, Percentile, outcome_in_sql, outcome_of, percentile
from guardia.reports.periods import Period, asked_period, month_of, months_until

TREND_MONTHS = 12
MOST_CONTRACTS = 500
P50, P90 = 0.5, 0.9


@dataclass(frozen=True)
class Figures:
    """Counts and times of some cases. Times are seconds of working time; `acknowledged_s` is elapsed time."""

    volume: int = 0
    met: int = 0
    breached: int = 0
    answered: int = 0
    running: int = 0
    waiting: int = 0
    ended: int = 0
    median_s: float | None = None
    p90_s: float | None = None
    acknowledged: int = 0
    acknowledged_s: float | None = None

    @property
    def with_target(self) -> int:
        """Cases whose target is decided: met or missed."""
        return self.met + self.breached

    @property
    def still_open(self) -> int:
        """Cases that wait for their answer, with a target or without."""
        return self.running + self.waiting

    @property
    def met_share(self) -> float | None:
        """Percent of the decided targets that were met; None where none is decided."""
        return 100 * self.met / self.with_target if self.with_target else None


@dataclass(frozen=True)
class Line:
    """Figures of one class and severity."""

    case_class: str
    severity: int
    figures: Figures


@dataclass(frozen=True)
class ContractLine:
    """Figures of one contract, with its premium incidents: spent in the period, left now (None: unlimited)."""

    number: str
    company: str
    plan: str
    figures: Figures
    premium_spent: int
    premium_left: int | None


@dataclass(frozen=True)
class MonthLine:
    """Figures of one month of the trend."""

    first_day: date
    text: str
    figures: Figures


@dataclass(frozen=True)
class ServiceReport:
    """The report of one period, for all contracts (`contract` is empty) or for one."""

    period: Period
    zone: str
    contract: str
    company: str
    plan: str
    made_at: datetime
    total: Figures
    lines: tuple[Line, ...]
    contracts: tuple[ContractLine, ...]
    trend: tuple[MonthLine, ...]
    choices: tuple[tuple[str, str], ...]
    months: tuple[Period, ...]
    is_own: bool


@dataclass(frozen=True)
class Asked:
    """What the address asks for: a written period or own dates, and a contract's number."""

    period: str = ""
    first: str = ""
    last: str = ""
    contract: str = ""


def service_report(actor: Actor, now: datetime, asked: Asked) -> ServiceReport:
    """Return the report: customers that of their own company, staff of any contract or of all.

    Raises NotFound for a contract that the actor may not see.
    """
    contracts = Contract.objects.visible_to(actor).select_related("plan", "company").order_by("number")
    chosen = _chosen(contracts, asked.contract)
    zone = get_zone(chosen.zone if chosen else _zone_of(actor, contracts))
    today = now.astimezone(zone).date()
    period = asked_period(asked.period, asked.first, asked.last, today)
    start, end = period.instants(zone)
    all_cases = Case.objects.visible_to(actor).annotate(outcome=outcome_in_sql(now)).order_by()
    all_cases = all_cases.filter(contract_id=chosen.id) if chosen else all_cases
    cases = all_cases.filter(submitted_at__gte=start, submitted_at__lt=end)
    listed = [chosen] if chosen else list(contracts[:MOST_CONTRACTS])
    return ServiceReport(
        period=period,
        zone=str(zone),
        contract=chosen.number if chosen else "",
        company=chosen.company.name if chosen else "",
        plan=chosen.plan.name if chosen else "",
        made_at=now,
        total=_figures(cases.aggregate(**_counted())),
        lines=tuple(
            Line(row["case_class"], row["severity"], _figures(row)) for row in _grouped(cases, "case_class", "severity")
        ),
        contracts=_contract_lines(listed, cases, start, end, now),
        trend=_trend(all_cases, period, zone),
        choices=tuple((contract.number, contract.company.name) for contract in contracts[:MOST_CONTRACTS]),
        months=tuple(reversed(months_until(month_of(today), TREND_MONTHS))),
        is_own=not actor.is_staff,
    )


def _chosen(contracts: QuerySet[Contract], number: str) -> Contract | None:
    if not number:
        return None
    contract = contracts.filter(number=number).first()
    if contract is None:
        raise NotFound("contract_unknown", _("There is no such contract."))
    return contract


def _zone_of(actor: Actor, contracts: QuerySet[Contract]) -> str:
    """Customers read their own contract's months, the vendor its office's."""
    own = None if actor.is_staff else contracts.order_by("-ends_on").first()
    return own.zone if own else str(settings.TIME_ZONE)


def _counted() -> dict[str, Any]:
    acknowledging = ExpressionWrapper(F("acknowledged_at") - F("submitted_at"), output_field=DurationField())
    return {
        "volume": Count("id"),
        **{outcome: Count("id", filter=Q(outcome=outcome)) for outcome in OUTCOMES},
        "median_s": Percentile("answer_s", P50),
        "p90_s": Percentile("answer_s", P90),
        "acknowledged": Count("acknowledged_at"),
        "acknowledged_s": Percentile(acknowledging, P50, of_time=True),
    }


def _grouped(cases: QuerySet[Case], *names: str) -> Iterable[dict[str, Any]]:
    rows: Iterable[dict[str, Any]] = cases.values(*names).annotate(**_counted()).order_by(*names)
    return rows


def _figures(row: Mapping[str, Any]) -> Figures:
    acknowledged = row["acknowledged_s"]
    return Figures(
        volume=row["volume"],
        **{outcome: row[outcome] for outcome in OUTCOMES},
        median_s=row["median_s"],
        p90_s=row["p90_s"],
        acknowledged=row["acknowledged"],
        acknowledged_s=acknowledged.total_seconds() if acknowledged is not None else None,
    )


def figures_of(cases: Sequence[Case], now: datetime) -> Figures:
    """Return the same figures of cases in hand, as the database would count them."""
    outcomes = Counter(outcome_of(case, now) for case in cases)
    taken = [case.answer_s for case in cases if case.answer_s is not None]
    noticed = [case.acknowledged_at - case.submitted_at for case in cases if case.acknowledged_at is not None]
    return Figures(
        volume=len(cases),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        median_s=percentile(taken, P50),
        p90_s=percentile(taken, P90),
        acknowledged=len(noticed),
        acknowledged_s=percentile([span.total_seconds() for span in noticed], P50),
    )


def _contract_lines(
    contracts: Sequence[Contract], cases: QuerySet[Case], start: datetime, end: datetime, now: datetime
) -> tuple[ContractLine, ...]:
    figures = {row["contract_id"]: _figures(row) for row in _grouped(cases, "contract_id")}
    spent = _spent(contracts, start, end)
    return tuple(
        ContractLine(
            number=contract.number,
            company=contract.company.name,
            plan=contract.plan.name,
            figures=figures.get(contract.id, Figures()),
            premium_spent=spent.get(contract.id, 0),
            premium_left=balance(contract, contract_today(contract, now))[0],
        )
        for contract in contracts
        if contract.id in figures or contract.id in spent or len(contracts) == 1
    )


def _spent(contracts: Sequence[Contract], start: datetime, end: datetime) -> dict[UUID, int]:
    """Return the premium incidents that the ledger charged, less those given back, between two instants."""
    rows = QuotaEntry.objects.across_companies("the contracts in hand were access-checked").filter(
        contract_id__in=[contract.id for contract in contracts],
        kind__in=["reserve", "refund"],
        recorded_at__gte=start,
        recorded_at__lt=end,
    )
    sums = rows.order_by().values("contract_id").annotate(spent=Sum("amount"))
    return {row["contract_id"]: -row["spent"] for row in sums}


def _trend(cases: QuerySet[Case], period: Period, zone: Any) -> tuple[MonthLine, ...]:
    months = months_until(period, TREND_MONTHS)
    start, end = months[0].instants(zone)[0], months[-1].instants(zone)[1]
    within = cases.filter(submitted_at__gte=start, submitted_at__lt=end)
    rows = within.annotate(month=TruncMonth("submitted_at", tzinfo=zone))
    found = {f"{row['month']:%Y-%m}": _figures(row) for row in _grouped(rows, "month")}
    return tuple(MonthLine(month.first_day, month.text, found.get(month.text, Figures())) for month in months)


def table_of(report: ServiceReport) -> list[list[object]]:
    """Return the report as a table, its header first: every class and severity, then the whole."""
    head: list[object] = [
        _("Class"),
        _("Severity"),
        _("Cases"),
        _("Met"),
        _("Missed"),
        _("Share met, %"),
        _("Answered, no target"),
    ]
    head += [_("Running"), _("Best effort, open"), _("Ended unanswered"), _("Median, s"), _("90th percentile, s")]
    head += [_("Acknowledged"), _("Median to acknowledgement, s")]
    rows: list[list[object]] = [[line.case_class, line.severity, *_cells(line.figures)] for line in report.lines]
    return [head, *rows, [_("All"), "", *_cells(report.total)]]


def _cells(figures: Figures) -> list[object]:
    share, times = figures.met_share, (figures.median_s, figures.p90_s, figures.acknowledged_s)
    median, p90, acknowledged = (None if seconds is None else round(seconds) for seconds in times)
    return [
        figures.volume,
        figures.met,
        figures.breached,
        None if share is None else round(share, 1),
        figures.answered,
        figures.running,
        figures.waiting,
        figures.ended,
        median,
        p90,
        figures.acknowledged,
        acknowledged,
    ]
