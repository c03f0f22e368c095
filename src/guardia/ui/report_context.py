"""What the templates of a service report need beside the report: its plots, and the words of its address."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from guardia.kernel.plain_text import plain_text
from guardia.reports.monthly_statement import MonthlyStatement
from guardia.reports.service_report import Asked, MonthLine, ServiceReport
from guardia.ui.report_plot import PlotPoint, plot_targets, plot_times

HOUR_S = 3600


def asked_of(request: HttpRequest) -> Asked:
    """Return what the address asks for."""
    names = ("period", "from", "to", "contract")
    return Asked(*(plain_text(request.GET.get(name, "")).strip()[:40] for name in names))


def report_context(report: ServiceReport) -> dict[str, Any]:
    """Return the context of a report's page."""
    points = [_point(line) for line in report.trend]
    return {
        "report": report,
        "targets_plot": plot_targets(points),
        "times_plot": plot_times(points),
        "quarters": _quarters(report),
        "own_dates": "_" in report.period.text,
    }


def _point(line: MonthLine) -> PlotPoint:
    figures = line.figures
    still = figures.running + figures.waiting + figures.ended
    return PlotPoint(
        line.first_day,
        (figures.met, figures.breached, figures.answered, still),
        None if figures.median_s is None else figures.median_s / HOUR_S,
        None if figures.p90_s is None else figures.p90_s / HOUR_S,
    )


def statement_context(statement: MonthlyStatement, case_url: str) -> dict[str, Any]:
    """Return the context of a statement's page; a case's number follows `case_url`."""
    return {"s": statement, "case_url": case_url}


def _quarters(report: ServiceReport) -> list[tuple[str, str]]:
    """Return the quarters and years that the listed months touch, the newest first, with their words."""
    months = [month.first_day for month in report.months]
    quarters = dict.fromkeys((day.year, (day.month - 1) // 3 + 1) for day in months)
    named = [(f"{year}-Q{n}", _("Quarter %(n)s, %(year)s") % {"n": n, "year": year}) for year, n in quarters]
    return [*named, *((str(year), str(year)) for year in dict.fromkeys(day.year for day in months))]
