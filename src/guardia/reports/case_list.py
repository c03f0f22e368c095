"""The customer's list of cases, the vendor's queue, and the load of its staff.

A page costs the same however many cases there are: it is one step along an index, its counts end at 1,000, and a search
knows when it has looked far enough.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from guardia.features.accounts.models import Company
from guardia.features.accounts.queries import languages_of, present_staff
from guardia.features.accounts.rules.groups import groups_of
from guardia.features.cases import queries
from guardia.features.cases.models import NEVER_DUE, Case
from guardia.features.cases.queries import Listed, Narrowing
from guardia.features.cases.rules.queue_filter import LANGUAGES, QueueFilter
from guardia.features.cases.search import search_for
from guardia.features.contracts.models import Plan
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER, STANDARD_TIER
from guardia.features.sla.queries import starved_before
from guardia.kernel.keyset import Key, Order
from guardia.kernel.vocabulary import Actor, Group
from guardia.reports.clock_view import clock_of_row
from guardia.reports.showing import ClockView

COUNTED_VIEWS = ("open", "mine", "unassigned", "due", "signature", "waiting", "closed")
MOST_COUNTED = queries.MOST_COUNTED
_DUE_SOON = timedelta(hours=1)
_MOST_COMPANIES = 50


@dataclass(frozen=True)
class CaseRow:
    """One row: `tier` is premium or standard, the first sort key of the queue."""

    number: str
    subject: str
    company: str
    plan: str
    kind: str
    claim: str
    case_class: str
    severity: int
    state: str
    holder: str
    clock: ClockView
    submitted_at: datetime
    tier: str
    group: str = "first_line"
    language: str = "es"
    is_called: bool = False


@dataclass(frozen=True)
class Choice:
    """A value to choose, with its name."""

    value: str
    name: str


@dataclass(frozen=True)
class ViewLink:
    """A person's own view, by its id, name and filter."""

    id: UUID
    name: str
    wanted: QueueFilter


@dataclass(frozen=True)
class QueuePage:
    """One page of the queue, with the figures of its duty strip and the counts of its views.

    `before` and `after` are the addresses' texts for the pages around it. `found` says how many a search matches where
    that is known; `is_partial` that the list ends here because enough was looked through. `is_lost`: the address held a
    place that cannot be read, so this is the first page.
    """

    rows: tuple[CaseRow, ...]
    wanted: QueueFilter
    counts: dict[str, int]
    due_next: CaseRow | None = None
    breached: tuple[CaseRow, ...] = ()
    breached_count: int = 0
    running: int = 0
    unassigned: int = 0
    order: str = "queue"
    before: str = ""
    after: str = ""
    found: int | None = None
    is_partial: bool = False
    is_lost: bool = False
    views: tuple[ViewLink, ...] = ()
    staff: tuple[Choice, ...] = ()
    plans: tuple[Choice, ...] = ()
    own_languages: tuple[str, ...] = LANGUAGES

    @property
    def view(self) -> str:
        """The name of the view."""
        return self.wanted.view

    @property
    def search(self) -> str:
        """What is searched for."""
        return self.wanted["search"]


@dataclass(frozen=True)
class CaseListPage:
    """One page of the company's own cases."""

    rows: tuple[CaseRow, ...]
    view: str
    counts: dict[str, int]
    search: str = ""
    before: str = ""
    after: str = ""
    found: int | None = None
    is_partial: bool = False
    is_lost: bool = False


@dataclass(frozen=True)
class HolderLoad:
    """What one member of staff has in hand: open cases, those with a target that still runs, those past it."""

    person_id: UUID
    name: str
    open: int
    running: int
    breached: int


def _row(case: Case, claims: dict[UUID, str], now: datetime) -> CaseRow:
    return CaseRow(
        number=case.number,
        subject=case.subject,
        company=case.company.name,
        plan=case.terms["plan_name"],
        kind=case.kind,
        claim=claims.get(case.id, ""),
        case_class=case.case_class,
        severity=case.severity,
        state=case.state,
        holder=case.holder_name,
        clock=clock_of_row(case, now),
        submitted_at=case.submitted_at,
        tier="premium" if case.tier == PREMIUM_TIER else "standard",
        group=case.group,
        language=case.language,
        is_called=case.called_at is not None,
    )


def case_rows(cases: list[Case], now: datetime) -> tuple[CaseRow, ...]:
    """Return rows for cases that the caller may see."""
    reported = [case for case in cases if case.kind == "signature_change"]
    claims = {case_id: report.claim for case_id, report in queries.reports_of(reported).items()} if reported else {}
    return tuple(_row(case, claims, now) for case in cases)


def _place(order: Order, after: str, before: str) -> tuple[Key | None, bool, bool]:
    """Return where the page starts, whether it is read backwards, and whether its address could not be read."""
    if not (after or before):
        return None, False, False
    try:
        return order.read(after or before), not after, False
    except ValueError:
        return None, False, True


def _texts(listed: Listed) -> dict[str, Any]:
    places = {"before": listed.before, "after": listed.after}
    return {name: listed.order.text_of(key) if key else "" for name, key in places.items()}


# ---- customers ----


def customer_cases(
    actor: Actor,
    now: datetime,
    view: str,
    language: str,  # noqa: ARG001  the door's signature
    *,
    search: str = "",
    after: str = "",
    before: str = "",
) -> CaseListPage:
    """Return a page of the cases of the actor's company, newest first."""
    rows = queries.cases_for(actor)
    views = {"open": rows.filter(closed_at=None), "closed": rows.exclude(closed_at=None), "all": rows}
    chosen = view if view in views else "open"
    start, backwards, is_lost = _place(queries.NEWEST, after, before)
    scope = Narrowing(chosen)
    if search:
        listed = search_for(actor, search, scope, start=start, backwards=backwards)
    else:
        listed = queries.newest_for(actor, scope, start=start, backwards=backwards)
    return CaseListPage(
        case_rows(listed.rows, now),
        chosen,
        dict(zip(views, queries.counts_up_to([*views.values()]), strict=True)),
        search,
        **_texts(listed),
        found=listed.found,
        is_partial=listed.is_partial,
        is_lost=is_lost,
    )


# ---- the queue ----


def narrowing_of(wanted: QueueFilter, actor: Actor, now: datetime) -> Narrowing:
    """Return what a filter means for one reader at one instant; where view and filter exclude each other, nothing."""
    of_view = _narrowing_of_view(wanted, actor, now)
    holder, due = wanted["holder"], wanted["due"]
    asked: dict[str, Any] = {
        "severity": int(wanted["severity"] or 0),
        "tier": {"premium": PREMIUM_TIER, "standard": STANDARD_TIER}.get(wanted["tier"]),
        "case_class": wanted["class"],
        "kind": wanted["kind"],
        "state": wanted["state"],
        "holder_id": UUID(actor.id) if holder == "me" else UUID(holder) if holder not in {"", "none"} else None,
        "is_unheld": holder == "none",
        "plan": wanted["plan"],
        "due_before": (now if due == "over" else now + timedelta(hours=int(due))) if due else None,
        "groups": _groups(wanted["group"], actor),
        "languages": _languages(wanted["language"], actor),
    }
    set_parts = {name: value for name, value in asked.items() if value}
    is_nothing = any(getattr(of_view, name) not in {None, "", value} for name, value in set_parts.items()
                     if name in {"kind", "state", "holder_id"})  # fmt: skip
    companies = () if is_nothing else _companies(wanted["company"])
    return replace(of_view, **set_parts, company_ids=companies)


def _narrowing_of_view(wanted: QueueFilter, actor: Actor, now: datetime) -> Narrowing:
    presets = {
        "mine": partial(Narrowing, holder_id=UUID(actor.id)),
        "unassigned": partial(Narrowing, is_unheld=True),
        "due": partial(Narrowing, due_before=now + _DUE_SOON),
        "signature": partial(Narrowing, kind="signature_change"),
        "waiting": partial(Narrowing, state="waiting_customer"),
    }
    return presets.get(wanted.view, partial(Narrowing, wanted.scope))()


def _groups(asked: str, actor: Actor) -> tuple[str, ...]:
    if asked != "mine":
        return (asked,) if asked else ()
    own = groups_of(actor.roles)
    return () if len(own) == len(Group) else tuple(group.value for group in own)


def _languages(asked: str, actor: Actor) -> tuple[str, ...]:
    if asked != "mine":
        return (asked,) if asked else ()
    own = languages_of(UUID(actor.id))
    return () if set(LANGUAGES) <= set(own) else own


def _companies(name: str) -> tuple[UUID, ...] | None:
    if not name:
        return None
    ids = Company.objects.values_list("id", flat=True)
    return tuple(ids.filter(name__iexact=name)[:1]) or tuple(ids.filter(name__icontains=name)[:_MOST_COMPANIES])


def queue_page(actor: Actor, now: datetime, wanted: QueueFilter, *, after: str = "", before: str = "") -> QueuePage:
    """Return one page of the queue in its order, with the duty strip's figures."""
    narrowing = narrowing_of(wanted, actor, now)
    order = queries.NEWEST if wanted["search"] else queries.ORDERS[narrowing.scope]
    start, backwards, is_lost = _place(order, after, before)
    if wanted["search"]:
        listed = search_for(actor, wanted["search"], narrowing, start=start, backwards=backwards)
    else:
        starved = starved_before(now, settings.GUARDIA.starvation_working_days)
        guard = queries.guard_at(starved) if starved and narrowing.scope == "open" else None
        listed = queries.list_for(actor, narrowing, start=start, backwards=backwards, guard=guard)
    return replace(
        _strip(actor, now, wanted),
        rows=case_rows(listed.rows, now),
        order=listed.order.name,
        **_texts(listed),
        found=listed.found,
        is_partial=listed.is_partial,
        is_lost=is_lost,
        views=_own_views(actor),
        staff=tuple(Choice(str(person.id), person.name) for person in present_staff().only("id", "name")),
        plans=tuple(Choice(code, name) for code, name in Plan.objects.order_by("rank").values_list("code", "name")),
        own_languages=languages_of(UUID(actor.id)),
    )


def _own_views(actor: Actor) -> tuple[ViewLink, ...]:
    views = queries.views_of(UUID(actor.id))
    return tuple(ViewLink(view.id, view.name, QueueFilter.read(view.filters)) for view in views)


def _strip(actor: Actor, now: datetime, wanted: QueueFilter) -> QueuePage:
    """Return the figures above the queue; its rows are still to come."""
    queue = queries.queue_for(actor)
    promised = queue.filter(queue_due_at__lt=NEVER_DUE)
    ahead, over = promised.filter(queue_due_at__gt=now), promised.filter(queue_due_at__lte=now)
    open_cases, closed = queue.order_by(), queries.scope_for(actor, "closed").order_by()
    lists = [
        _narrowing_of_view(QueueFilter(view), actor, now).narrow(closed if view == "closed" else open_cases)
        for view in COUNTED_VIEWS
    ]
    *counted, over_count, ahead_count = queries.counts_up_to([*lists, over, ahead])
    counts = dict(zip(COUNTED_VIEWS, counted, strict=True))
    nearest = case_rows([*ahead.order_by("queue_due_at")[:1], *over.order_by("queue_due_at")[:5]], now)
    return QueuePage(
        rows=(),
        wanted=wanted,
        counts=counts,
        due_next=next((row for row in nearest if row.clock.due_at and row.clock.due_at > now), None),
        breached=tuple(row for row in nearest if row.clock.due_at and row.clock.due_at <= now),
        breached_count=over_count,
        running=ahead_count,
        unassigned=counts["unassigned"],
    )


def load_by_holder(now: datetime) -> tuple[HolderLoad, ...]:
    """Return what each of the present staff has in hand, and who left with cases in hand; the fullest hands first."""
    loads = queries.load_of_holders(now)
    names = {person.id: person.name for person in present_staff().only("id", "name")}
    gone = queries.holder_names(set(loads) - set(names))
    everybody = {**names, **gone}.items()
    held = [HolderLoad(person_id, name, *loads.get(person_id, (0, 0, 0))) for person_id, name in everybody]
    return tuple(sorted(held, key=lambda load: (-load.open, load.name)))
