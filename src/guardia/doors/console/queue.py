"""The queue: open cases in the order in which they are to be served; filters, own views, and acts on many rows."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from guardia.doors.console.posting import Failure, Given, see_other, settle
from guardia.features.cases.rules.queue_filter import LANGUAGES, PARTS, QueueFilter
from guardia.journeys import saved_views, take_case
from guardia.journeys.bulk_cases import BulkResult, bulk
from guardia.kernel import clock
from guardia.kernel.ids import spoken
from guardia.kernel.plain_text import plain_text
from guardia.kernel.vocabulary import CaseClass, CaseKind
from guardia.reports import case_list
from guardia.ui import wording
from guardia.ui.person import console_page, person_actor

VIEWS = case_list.COUNTED_VIEWS
OPEN_STATES = ("submitted", "triaged", "in_progress", "waiting_customer", "with_lab", "solution_offered", "reopened")
MOST_REASONS = 5


@console_page()
def home(_request: HttpRequest) -> HttpResponse:
    """Start where the work is."""
    return see_other(reverse("console:queue"))


@console_page()
def queue(request: HttpRequest) -> HttpResponseBase:
    """Show one page of the queue."""
    return _show(request)


@console_page()
def take_next(request: HttpRequest) -> HttpResponseBase:
    """Take the first case that nobody holds, of the reader's groups and languages."""
    return settle(
        request,
        "take_next",
        lambda given: take_case.take_next(given.actor, given.now, idempotency_key=given.token),
        page=reverse("console:queue"),
        done=lambda number: _("The case is yours.") if number else _nothing_waits(),
        forward=lambda number: reverse("console:case", args=[number]) if number else reverse("console:queue"),
        again=lambda failure: _show(request, failure),
    )


def _nothing_waits() -> str:
    return _("Nothing waits for you: every open case of your groups and languages has a holder.")


@console_page()
def take_row(request: HttpRequest, number: str) -> HttpResponseBase:
    """Take a case from its row, and stay in the same view of the queue."""

    def do(given: Given) -> Any:
        return take_case.take_case(given.actor, given.now, number, idempotency_key=given.token)

    done = _("Case %(number)s is yours.") % {"number": spoken(number)}
    return settle(request, "take", do, page=_here(request), done=done, again=lambda failure: _show(request, failure))


@console_page()
def act_on_rows(request: HttpRequest) -> HttpResponseBase:
    """Do one act on the chosen rows; each has its own result."""

    def do(given: Given) -> BulkResult:
        act = given.text("act")
        target = given.text({"assign": "person", "change_group": "group"}.get(act, "act"))
        numbers = [plain_text(number) for number in given.form.getlist("case")]
        return bulk(given.actor, given.now, act, numbers, target, given.text("reason"), token=given.token)

    def done(result: BulkResult) -> str:
        for number, why in result.refused[:MOST_REASONS]:
            messages.warning(request, f"{spoken(number)}: {why}")
        if len(result.refused) > MOST_REASONS:
            more = len(result.refused) - MOST_REASONS
            messages.warning(
                request, ngettext("%(more)d more was refused.", "%(more)d more were refused.", more) % {"more": more}
            )
        return _told(result)

    return settle(request, "bulk", do, page=_here(request), done=done, again=lambda failure: _show(request, failure))


def _told(result: BulkResult) -> str:
    done, refused = len(result.done), len(result.refused)
    said = ngettext("%(done)d case moved", "%(done)d cases moved", done) % {"done": done}
    if not refused:
        return said + "."
    return said + ngettext(", %(refused)d refused:", ", %(refused)d refused:", refused) % {"refused": refused}


@console_page()
def save_view(request: HttpRequest) -> HttpResponseBase:
    """Keep the filters of this page under a name."""

    def do(given: Given) -> Any:
        return saved_views.save_view(given.actor, given.now, given.text("name"), _wanted(request))

    done = _("The view is saved.")
    return settle(request, "view", do, page=_here(request), done=done, again=lambda failure: _show(request, failure))


@console_page()
def change_view(request: HttpRequest, view_id: UUID) -> HttpResponseBase:
    """Rename, move or delete one of the reader's own views."""

    def do(given: Given) -> str:
        act = given.text("act")
        if act == "delete":
            return _("The view “%(name)s” is deleted.") % {"name": saved_views.delete_view(given.actor, view_id)}
        if act in {"up", "down"}:
            saved_views.move_view(given.actor, view_id, up=act == "up")
            return _("The views are in their new order.")
        saved_views.rename_view(given.actor, view_id, given.text("name"))
        return _("The view has its new name.")

    return settle(request, "views", do, page=_here(request), done=str, again=lambda failure: _show(request, failure))


@console_page()
def languages(request: HttpRequest) -> HttpResponseBase:
    """Say in which languages the reader answers customers."""

    def do(given: Given) -> None:
        saved_views.choose_languages(given.actor, given.form.getlist("languages"))

    done = _("“Take next” gives you cases in these languages.")
    return settle(
        request, "languages", do, page=_here(request), done=done, again=lambda failure: _show(request, failure)
    )


# ---- showing it ----


def _wanted(request: HttpRequest) -> QueueFilter:
    return QueueFilter.read({name: plain_text(str(value)) for name, value in request.GET.items()})


def _here(request: HttpRequest) -> str:
    """Return the address of the page that a form stands on: its query string is that of the form's own address."""
    return f"{reverse('console:queue')}?{request.GET.urlencode()}"


def _show(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    now = clock.now()
    places = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = case_list.queue_page(person_actor(request), now, _wanted(request), **places)
    context = queue_context(page) | {"now": now}
    if failure:
        chosen = failure.typed.getlist("case")
        context |= failure.as_context() | {"chosen": chosen}
    return render(request, "console/queue.html", context, status=failure.status if failure else 200)


def queue_context(page: case_list.QueuePage) -> dict[str, Any]:
    """Return what the queue's template reads beside the page itself."""
    written = page.wanted.written()
    return {
        "page": page,
        "views": _views(page),
        "own_views": [(view, _address(view.wanted.written()), view.wanted == page.wanted) for view in page.views],
        "filters": _filters(page),
        "query": urlencode(written),
        "here": reverse("console:queue"),
        "cases": reverse("console:case", args=["-"]).removesuffix("-/"),  # a row's address without a look-up for each
        "bare": _address({"view": page.view}),
        "is_filtered": bool(page.wanted.parts),
        "next_href": _address({**written, "after": page.after}) if page.after else "",
        "previous_href": _address({**written, "before": page.before}) if page.before else "",
        "figures": {name: counted(getattr(page, name)) for name in ("breached_count", "running", "unassigned")}
        | {"open": counted(page.counts["open"])},
        "found": _found(page),
        "languages": [(code, name, code in page.own_languages) for code, name in _languages()],
        "groups": list(wording.GROUPS.items()),
    }


def counted(number: int) -> str:
    """Return a count as people read it: it ends at 999."""
    return str(number) if number < case_list.MOST_COUNTED else f"{case_list.MOST_COUNTED - 1}+"


def _found(page: case_list.QueuePage) -> str:
    if page.found is None:
        return ""
    return ngettext("%(found)d case matches.", "%(found)d cases match.", page.found) % {"found": page.found}


def _address(parts: dict[str, str]) -> str:
    return f"{reverse('console:queue')}?{urlencode(parts)}"


def _languages() -> list[tuple[str, str]]:
    names = {"es": _("Spanish"), "en": _("English")}
    return [(code, names[code]) for code in LANGUAGES]


def _views(page: case_list.QueuePage) -> list[tuple[str, str, str]]:
    titles = {
        "open": pgettext("view", "Open"),
        "mine": _("Mine"),
        "unassigned": _("Unassigned"),
        "due": _("Due in 1 h"),
        "signature": _("Signature changes"),
        "waiting": pgettext("view", "Waiting"),
        "closed": _("Closed"),
    }
    return [(view, titles[view], counted(page.counts.get(view, 0))) for view in VIEWS]


def _filters(page: case_list.QueuePage) -> list[dict[str, Any]]:
    """Return the fields of the filter form: name, label, present value, and the choices (none: a text)."""
    named: dict[str, tuple[str, list[tuple[str, Any]] | None]] = {
        "group": (_("Group"), [("mine", _("My groups")), *wording.GROUPS.items()]),
        "severity": (_("Severity"), list(wording.SEVERITIES.items())),
        "class": (_("Class"), [(value, wording.word(wording.CLASSES, value)) for value in CaseClass]),
        "kind": (_("Kind"), [(value, wording.word(wording.KINDS, value)) for value in CaseKind]),
        "state": (_("State"), [(value, wording.word(wording.STATES, value)) for value in OPEN_STATES]),
        "holder": (
            _("Holder"),
            [("me", _("Me")), ("none", _("Nobody")), *((person.value, person.name) for person in page.staff)],
        ),
        "company": (_("Company"), None),
        "plan": (_("Plan"), [(plan.value, plan.name) for plan in page.plans]),
        "language": (_("Language"), [("mine", _("My languages")), *_languages()]),
        "due": (
            _("Target"),
            [
                ("over", _("Overdue")),
                ("1", _("Due within 1 h")),
                ("4", _("Due within 4 h")),
                ("24", _("Due within 24 h")),
            ],
        ),
        "tier": (_("Support"), [("premium", _("Premium")), ("standard", _("Standard"))]),
        "search": (_("Words"), None),
    }
    return [
        {"name": name, "label": named[name][0], "choices": named[name][1], "value": page.wanted[name]} for name in PARTS
    ]
