"""What the company keeps: its monthly statements, and the report of the service that it got."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from guardia.kernel import clock
from guardia.reports.monthly_statement import own_months, own_statement_of, table_of_cases
from guardia.reports.service_report import service_report, table_of
from guardia.ui.csv_answer import csv_answer
from guardia.ui.person import person_actor, portal_page
from guardia.ui.report_context import asked_of, report_context, statement_context


@portal_page
@require_GET
def statements(request: HttpRequest) -> HttpResponse:
    """List the months."""
    return render(request, "portal/statements.html", {"page": own_months(person_actor(request), clock.now())})


@portal_page
@require_GET
def statement(request: HttpRequest, month: str) -> HttpResponse:
    """Show one month, fit for printing."""
    found = own_statement_of(person_actor(request), clock.now(), month, request.GET.get("contract", ""))
    return render(request, "portal/statement.html", statement_context(found, reverse("portal:case_list")))


@portal_page
@require_GET
def statement_csv(request: HttpRequest, month: str) -> HttpResponse:
    """Hand out the cases of one month as a table."""
    found = own_statement_of(person_actor(request), clock.now(), month, request.GET.get("contract", ""))
    return csv_answer(f"guardia-{found.contract}-{found.period.text}.csv", table_of_cases(found))


@portal_page
@require_GET
def report(request: HttpRequest) -> HttpResponse:
    """Show the report of a period."""
    found = service_report(person_actor(request), clock.now(), asked_of(request))
    return render(request, "portal/report.html", report_context(found))


@portal_page
@require_GET
def report_csv(request: HttpRequest) -> HttpResponse:
    """Hand out the report of a period as a table."""
    found = service_report(person_actor(request), clock.now(), asked_of(request))
    return csv_answer(f"guardia-report-{found.period.text}.csv", table_of(found))
