"""Escalation policies: who is told what when, as a table that duty managers edit."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.doors.console.posting import Failure, Given, settle
from guardia.features.contracts.rules.durations import iso, parse_words, words
from guardia.features.sla.rules.escalation import CLASSES, TARGETS, WAYS
from guardia.features.sla.rules.expectations import SEVERITIES
from guardia.journeys.escalation_policies import save_policy
from guardia.kernel import clock
from guardia.reports import policy_pages
from guardia.reports.alarm_words import clock_name, target_name, way_name
from guardia.reports.policy_pages import mark_words
from guardia.ui.person import console_page, person_actor

BLANK_ROWS: Final = 2
MOST_ROWS: Final = 60
MOMENTS: Final = (
    *[(clock, mark) for clock in ("response", "next_answer", "resolution") for mark in ("50", "75", "90", "breach")],
    ("assignment", "unassigned"),
    ("response", "called"),
)
_BLANK: Final[Mapping[str, Any]] = {
    "when": "",
    "severities": [str(one) for one in SEVERITIES],
    "classes": list(CLASSES),
    "after": "",
    "to": "",
    "by": [],
    "repeat": "",
    "at_most": "",
}


@console_page()
def policies(request: HttpRequest) -> HttpResponseBase:
    """List the policies."""
    rows, may_change = policy_pages.policy_list(person_actor(request))
    return render(request, "console/policies.html", {"rows": rows, "may_change": may_change, "now": clock.now()})


@console_page()
def policy(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show a policy in words, with the versions before it."""
    page = policy_pages.policy_page(person_actor(request), code)
    return render(request, "console/policy.html", {"page": page, "now": clock.now()})


@console_page()
def edit(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show the form of a policy; save it as its next version, or as a policy of its own."""
    if request.method != "POST":
        return _show_form(request, code)
    is_new = request.POST.get("save") == "new"

    def do(given: Given) -> str:
        target, seen = (given.text("code").lower(), 0) if is_new else (code, given.number("seen") or 0)
        steps = [_step(row) for row in _typed_rows(given.form)]
        save_policy(given.actor, given.now, target, given.text("name"), steps, seen)
        return target

    return settle(
        request,
        "edit",
        do,
        page=reverse("console:policy_edit", args=[code]),
        done=_("The policy is saved. What is under way keeps the steps that set it off."),
        forward=lambda saved: reverse("console:policy", args=[saved]),
        again=lambda failure: _show_form(request, code, failure),
    )


def _typed_rows(form: QueryDict) -> list[dict[str, Any]]:
    """The rows of the form that say when, in their order: their places are those of the steps."""
    rows = []
    for number in range(MOST_ROWS):
        place = f"steps.{number}."
        if form.get(f"{place}when") and not form.get(f"{place}gone"):
            row: dict[str, Any] = {name: form.get(place + name, "").strip() for name in _BLANK}
            row |= {name: form.getlist(place + name) for name in ("severities", "classes", "by")}
            rows.append(row)
    return rows


def _step(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a step; what cannot be read stays as it was typed, for the journey to refuse at its place."""
    clock_code, _dot, mark = row["when"].partition(".")
    times = row["at_most"]
    return {
        "on": mark,
        "clock": clock_code,
        "severities": [int(one) if one.isdigit() else one for one in row["severities"]],
        "classes": row["classes"],
        "after": _span(row["after"]) or "PT0S",
        "to": row["to"],
        "by": row["by"],
        "repeat": _span(row["repeat"]),
        "at_most": int(times) if times.isascii() and times.isdigit() and len(times) < 4 else times or 1,  # noqa: PLR2004
    }


def _span(typed: str) -> str | None:
    span = parse_words(typed) if typed else None
    if span is None:
        return typed or None
    return iso(span) if span else None


def _row_of(step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "when": f"{step['clock']}.{step['on']}",
        "severities": [str(one) for one in step["severities"]],
        "classes": step["classes"],
        "after": words(step["after"]) if step["after"] != "PT0S" else "",
        "to": step["to"],
        "by": step["by"],
        "repeat": words(step["repeat"]),
        "at_most": str(step["at_most"]) if step["repeat"] else "",
    }


def _show_form(request: HttpRequest, code: str, failure: Failure | None = None) -> HttpResponse:
    page = policy_pages.policy_page(person_actor(request), code)
    rows = _typed_rows(failure.typed) if failure else [_row_of(step) for step in page.steps]
    faults = failure.error.fields if failure else {}
    context: dict[str, Any] = {
        "page": page,
        "rows": _numbered([*rows, *[_BLANK] * BLANK_ROWS], faults),
        "name": failure.typed.get("name", "") if failure else page.name,
        "seen": failure.typed.get("seen", "") if failure else page.version,
        "moments": [(f"{one}.{mark}", f"{clock_name(one)}: {mark_words(mark)}") for one, mark in MOMENTS],
        "targets": [(one, target_name(one)) for one in TARGETS],
        "ways": [(one, way_name(one)) for one in WAYS],
        "severities": [str(one) for one in SEVERITIES],
        "classes": CLASSES,
        "errors": faults,
        "now": clock.now(),
    }
    context |= failure.as_context() if failure else {}
    return render(request, "console/policy_edit.html", context, status=failure.status if failure else 200)


def _numbered(rows: Sequence[Mapping[str, Any]], faults: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows with their place in the form, and what is wrong in them by field."""
    shown = []
    for number, row in enumerate(rows):
        place = f"steps.{number}."
        wrong = {name.removeprefix(place): why for name, why in faults.items() if name.startswith(place)}
        wrong["when"] = wrong.get("on", "") or wrong.get("clock", "")
        shown.append({**row, "n_text": str(number), "wrong": wrong, "is_blank": not row["when"]})
    return shown
