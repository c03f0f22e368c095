"""Plans and products in the console: what is promised, as data that managers edit."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.contract_forms import day, plan_values
from guardia.doors.console.posting import Failure, Given, settle
from guardia.journeys import licences, write_plan
from guardia.kernel import clock
from guardia.kernel.vocabulary import Lane
from guardia.reports import plan_pages
from guardia.reports.plan_pages import PlanPage
from guardia.ui.person import console_page, person_actor


@console_page()
def plans(request: HttpRequest) -> HttpResponseBase:
    """List the plans."""
    rows, may_change = plan_pages.plan_list(person_actor(request), clock.now())
    return render(request, "console/plans.html", {"rows": rows, "may_change": may_change, "now": clock.now()})


@console_page()
def plan(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show what a plan promises."""
    return _show(request, code)


@console_page()
def edit(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show the form of a plan; save it in place, or as a new plan."""
    if request.method != "POST":
        return _show_form(request, code)
    is_new = request.POST.get("save") == "new"

    def do(given: Given) -> str:
        values, reason = plan_values(given), given.text("reason")
        if is_new:
            return write_plan.add_plan(
                given.actor, given.now, given.text("code"), values, reason, idempotency_key=given.token
            )
        write_plan.edit_plan(given.actor, given.now, code, values, reason, idempotency_key=given.token)
        return code

    return settle(
        request,
        "edit",
        do,
        page=reverse("console:plan_edit", args=[code]),
        done=_("The new plan is saved.") if is_new else _("The plan is changed."),
        forward=lambda saved: reverse("console:plan", args=[saved]),
        again=lambda failure: _show_form(request, code, failure),
    )


@console_page()
def retire(request: HttpRequest, code: str) -> HttpResponseBase:
    """Offer a plan to no further contract, or again."""
    is_retired = request.POST.get("retired") == "on"

    def do(given: Given) -> None:
        reason = given.text("reason")
        write_plan.retire_plan(given.actor, given.now, code, reason, is_retired=is_retired, idempotency_key=given.token)

    return settle(
        request,
        "retire",
        do,
        page=reverse("console:plan", args=[code]),
        done=_("The plan is retired: no further contract may choose it.") if is_retired else _("The plan is offered."),
        again=lambda failure: _show(request, code, failure),
    )


@console_page()
def products(request: HttpRequest) -> HttpResponseBase:
    """List the products; add one, or change it."""
    if request.method != "POST":
        return _show_products(request)

    def do(given: Given) -> None:
        licences.save_product(
            given.actor,
            given.now,
            given.text("code").lower(),
            given.text("name"),
            given.text("line"),
            given.text("phase"),
            day(given, "phase_ends_on"),
            idempotency_key=given.token,
        )

    return settle(
        request,
        "product",
        do,
        page=reverse("console:products"),
        done=_("The product is kept."),
        again=lambda failure: _show_products(request, failure),
    )


def _show(request: HttpRequest, code: str, failure: Failure | None = None) -> HttpResponse:
    page = plan_pages.plan_page(person_actor(request), clock.now(), code)
    return _render(request, "console/plan.html", {"page": page}, failure)


def _show_products(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    page = plan_pages.products_page(person_actor(request))
    chosen = request.GET.get("code", "")
    edited = next((row for row in page.rows if row.code == chosen), None)
    return _render(request, "console/products.html", {"page": page, "edited": edited}, failure)


def _show_form(request: HttpRequest, code: str, failure: Failure | None = None) -> HttpResponse:
    page = plan_pages.plan_page(person_actor(request), clock.now(), code)
    typed = failure.typed if failure else None
    faults = failure.error.fields if failure else {}
    shown = {
        "page": page,
        "rows": [_form_row(row, typed, faults) for row in page.promises],
        "general": _general(page) if typed is None else typed,
        "calendar": page.calendar if typed is None else typed.get("office.calendar", ""),
        "lanes": [lane.value for lane in Lane],
        "errors": faults,
    }
    return _render(request, "console/plan_edit.html", shown, failure)


def _general(page: PlanPage) -> dict[str, Any]:
    return {
        "name": page.name,
        "rank": page.rank,
        "premium_incidents": "" if page.incidents is None else page.incidents,
        "unlimited": "on" if page.incidents is None else "",
        "named_contacts": page.contacts,
        "lane": page.lane,
        "has_phone": "on" if page.has_phone else "",
        "escalation": page.escalation,
    }


def _form_row(row: Any, typed: Mapping[str, Any] | None, faults: Mapping[str, str]) -> dict[str, Any]:
    """The fields of one promise: name, value and fault of each."""
    promise, goal = f"response.{row.case_class}.{row.level}", f"objectives.{row.case_class}.{row.level}"
    kept = {
        f"{promise}.target": row.target,
        f"{promise}.coverage": row.coverage,
        f"{promise}.phone_opens_24x7": "on" if row.phone else "",
        f"{goal}.next_answer": row.next_answer,
        f"{goal}.resolution": row.resolution,
        f"{goal}.assignment": row.assignment,
    }
    fields = {
        name.rsplit(".", 1)[-1]: {
            "name": name,
            "value": typed.get(name, "") if typed is not None else value,
            "fault": faults.get(name, ""),
        }
        for name, value in kept.items()
    }
    return {"case_class": row.case_class, "level": row.level, "fields": fields}


def _render(request: HttpRequest, template: str, shown: dict[str, Any], failure: Failure | None) -> HttpResponse:
    context = shown | {"now": clock.now()} | (failure.as_context() if failure else {})
    return render(request, template, context, status=failure.status if failure else 200)
