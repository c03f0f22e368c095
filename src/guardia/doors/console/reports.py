"""Reports of the service over all contracts or for one, and the monthly statements of a contract."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from guardia.kernel import clock
from guardia.reports.monthly_statement import months_of, statement_of_month, table_of_cases
from guardia.reports.service_report import service_report, table_of
from guardia.ui.csv_answer import csv_answer
from guardia.ui.person import console_page, person_actor
from guardia.ui.report_context import asked_of, report_context, statement_context


@console_page()
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """Show the report of a period."""
    now = clock.now()
    found = service_report(person_actor(request), now, asked_of(request))
    return render(request, "console/reports.html", {**report_context(found), "now": now})


@console_page()
@require_GET
def report_csv(request: HttpRequest) -> HttpResponse:
    """Hand out the report of a period as a table."""
    found = service_report(person_actor(request), clock.now(), asked_of(request))
    return csv_answer(f"guardia-report-{found.contract or 'all'}-{found.period.text}.csv", table_of(found))


@console_page()
@require_GET
def statements(request: HttpRequest, number: str) -> HttpResponse:
    """List the months of a contract."""
    now = clock.now()
    page = months_of(person_actor(request), now, number)
    return render(request, "console/statements.html", {"page": page, "now": now})


@console_page()
@require_GET
def statement(request: HttpRequest, number: str, month: str) -> HttpResponse:
    """Show one month of a contract, as the customer reads it."""
    now = clock.now()
    found = statement_of_month(person_actor(request), now, number, month)
    context = statement_context(found, f"{reverse('console:home')}cases/")
    return render(request, "console/statement.html", {**context, "now": now})


@console_page()
@require_GET
def statement_csv(request: HttpRequest, number: str, month: str) -> HttpResponse:
    """Hand out the cases of one month as a table."""
    found = statement_of_month(person_actor(request), clock.now(), number, month)
    return csv_answer(f"guardia-{found.contract}-{found.period.text}.csv", table_of_cases(found))
