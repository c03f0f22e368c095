"""Cases and their events, access checked; the queue in its order.

The words of a case (`words`) are for the database alone: no query here loads them.
"""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KT
from django.utils.translation import gettext as _

from guardia.features.cases.models import NEVER_DUE, Case, CaseEvent, CaseFile, IdempotencyKey, Report, SavedView
from guardia.features.cases.rules.phone_code import phone_code
from guardia.features.cases.rules.projection import EventFact, fold
from guardia.features.cases.rules.queue_order import PREMIUM_TIER, QUEUE_KEYS, SEGMENTS, Guard, QueueKey
from guardia.kernel.errors import NotFound
from guardia.kernel.ids import is_case_number
from guardia.kernel.keyset import Key, Order, window
from guardia.kernel.vocabulary import Actor, Channel

QUEUE: Final = Order("queue", QUEUE_KEYS)
CLOSED: Final = Order("closed", {"closed_at": datetime, "id": UUID}, is_descending=True)
NEWEST: Final = Order("newest", {"submitted_at": datetime, "id": UUID}, is_descending=True)
ORDERS: Final = {"open": QUEUE, "closed": CLOSED, "all": NEWEST}

PAGE_SIZE: Final = 50
MOST_COUNTED: Final = 1_000
"""Counts end here, so that a page costs the same however many cases there are."""
_WINDOW: Final = 10_000
"""How many closed cases one page of a narrowed list looks through."""
_CANDIDATES: Final = 20


def _unknown() -> NotFound:
    return NotFound(
        "case_unknown",
        _("There is no such case in this account. Check the number: its last digit is a check digit."),
    )


def get_case_for(actor: Actor, number: str) -> Case:
    """Return a case that the actor may see; raise NotFound, for a stranger's just as for none."""
    rows = cases_for(actor)
    case = rows.filter(number=number).first() if is_case_number(number) else None
    if case is None:
        raise _unknown()
    return case


def find_case_for(actor: Actor, case_id: UUID) -> Case | None:
    """Return a case that the actor may see, or None."""
    return Case.objects.visible_to(actor).defer("words").filter(id=case_id).first()


def cases_for(actor: Actor) -> QuerySet[Case]:
    """Return the cases that the actor may see, newest first."""
    return NEWEST.sort(Case.objects.visible_to(actor).select_related("company").defer("words"))


def queue_for(actor: Actor) -> QuerySet[Case]:
    """Return open cases in the contract's order: tier, severity, due (none last), plan rank, arrival."""
    return QUEUE.sort(cases_for(actor).filter(closed_at=None))


def events_of(case: Case) -> QuerySet[CaseEvent]:
    """Return the events of a case that the caller may see, in order."""
    return CaseEvent.objects.of_company(case.company_id).filter(case=case).order_by("seq")


def facts_of(case: Case) -> list[EventFact]:
    """Return the events as the folds read them."""
    return [
        EventFact(event.seq, event.type, event.actor, event.occurred_at, event.payload) for event in events_of(case)
    ]


def find_event(case: Case, event_type: str, **payload: Any) -> CaseEvent | None:
    """Return the latest event of a type whose payload has these values."""
    filters = {f"payload__{name}": value for name, value in payload.items()}
    return events_of(case).filter(type=event_type, **filters).last()


def files_of(case: Case, role: str | None = None) -> QuerySet[CaseFile]:
    """Return the files of a case, in the order in which they came."""
    rows = CaseFile.objects.of_company(case.company_id).filter(case=case).order_by("added_at", "id")
    return rows.filter(role=role) if role else rows


def get_file(case: Case, file_id: UUID) -> CaseFile:
    """Return one file of a case that the caller may see."""
    row = files_of(case).filter(id=file_id).first()
    if row is None:
        raise NotFound("file_unknown", _("There is no such file in this case."))
    return row


def find_report(case: Case) -> Report | None:
    """Return what a signature change request says, or None for other kinds."""
    return Report.objects.of_company(case.company_id).filter(case=case).first()


def get_report(case: Case) -> Report:
    """Return what a signature change request says; raise Report.DoesNotExist for other kinds."""
    return Report.objects.of_company(case.company_id).get(case=case)


def reports_of(cases: Sequence[Case]) -> dict[UUID, Report]:
    """Return the reports of cases that the caller may see, by case."""
    rows = Report.objects.across_companies("the cases in hand were access-checked")
    return {report.case_id: report for report in rows.filter(case_id__in=[case.id for case in cases])}


def proven_cases() -> QuerySet[Case]:
    """Return closed signature changes with a released correction: the memory that later releases are tested on."""
    rows = Case.objects.across_companies("each closed case is a test of every later release")
    return rows.filter(kind="signature_change", state="closed", fixed_in__isnull=False).order_by("closed_at")


def get_case_of_company(company_id: UUID, number: str) -> Case:
    """Return a case of one company by its number."""
    rows = Case.objects.of_company(company_id).select_related("company").defer("words")
    case = rows.filter(number=number).first() if is_case_number(number) else None
    if case is None:
        raise _unknown()
    return case


def get_case_for_lab(case_id: UUID) -> Case:
    """Return the case of a lab job."""
    return Case.objects.across_companies("the lab job in hand names its case").select_related("company").get(id=case_id)


def find_case_of_mail(case_id: UUID) -> Case | None:
    """Return the case that a mail of ours is about, or None."""
    rows = Case.objects.across_companies("a mail of ours names its case").defer("words")
    return rows.filter(id=case_id).first()


def find_case_of_number(number: str) -> Case | None:
    """Return the case of a number, or None: a code that is right has yet to say that it may be spoken of."""
    rows = Case.objects.across_companies("who phones says by number and code which case is meant")
    return rows.defer("words").filter(number=number).first()


def find_opened_by_call(company_id: UUID, call_id: UUID, recording: int) -> Case | None:
    """Return the company's case that a recording of a call opened, or None."""
    spoken = {"payload__call": str(call_id), "payload__recording": recording}
    rows = CaseEvent.objects.of_company(company_id).filter(type="submitted", case__channel=Channel.PHONE, **spoken)
    event = rows.select_related("case").first()
    return event.case if event is not None else None


def all_cases() -> QuerySet[Case]:
    """Return every case, for computing projections again."""
    return Case.objects.across_companies("projections are computed again for all").defer("words").order_by("id")


def open_changes_on(lane: str) -> QuerySet[Case]:
    """Return open signature changes whose terms name `lane`, oldest first: a publication may concern them."""
    rows = Case.objects.across_companies("a lane's publication concerns every company on it").select_related("company")
    return rows.filter(terms__lane=lane, closed_at=None, kind="signature_change").order_by("submitted_at")


def count_open_under_plan(code: str) -> int:
    """Return how many open cases were opened under a plan and are served under its terms."""
    rows = Case.objects.across_companies("a plan is changed only while nobody is served under it")
    return rows.filter(closed_at=None, terms__plan=code).count()


def phone_code_of(case: Case) -> str:
    """Return the six digits that a caller gives for this case; see `rules/phone_code.py`."""
    return phone_code(case.id, settings.SECRET_KEY)


def is_unphoned(case: Case) -> bool:
    """Whether a call about the case could still open its clock: open, unanswered, and none was confirmed."""
    return case.closed_at is None and case.answered_at is None and case.called_at is None


def find_answer(owner: str, key: str, *, since: datetime) -> IdempotencyKey | None:
    """Return the kept answer of an earlier request with this key."""
    return IdempotencyKey.objects.filter(owner=owner, key=key, created_at__gte=since).first()


# -- calendars --


def movable_cases(version_ids: Sequence[UUID], until: datetime, now: datetime) -> QuerySet[Case]:
    """Return the cases whose response clock still runs under these calendar versions: open, unanswered, not breached.

    Only those submitted by `until`: an act on open cases means those that were open when it was done.
    """
    rows = Case.objects.across_companies("a calendar's open cases move together, whosoever they are")
    is_ahead = Q(due_at=None) | Q(due_at__gte=now)
    waiting = rows.filter(closed_at=None, answered_at=None, clock_state__in=["running", "best_effort"])
    return waiting.filter(is_ahead, calendar_version_id__in=version_ids, submitted_at__lte=until).order_by("id")


def open_cases_by_calendar() -> dict[UUID, int]:
    """Return how many open cases stand on each calendar version."""
    rows = Case.objects.across_companies("the calendars' page counts the cases of all").filter(closed_at=None)
    return dict(rows.values_list("calendar_version_id").annotate(count=Count("id")).order_by())


def facts_of_many(cases: Sequence[UUID], types: Sequence[str]) -> dict[UUID, list[EventFact]]:
    """Return the events of these types of cases that the caller may see, in order, by case."""
    rows = CaseEvent.objects.across_companies("the cases in hand were chosen by the vendor's own act")
    facts: dict[UUID, list[EventFact]] = {case: [] for case in cases}
    found = rows.filter(case_id__in=cases, type__in=types).order_by("case_id", "seq")
    for case_id, seq, kind, occurred_at, payload in found.values_list(
        "case_id", "seq", "type", "occurred_at", "payload"
    ):
        facts[case_id].append(EventFact(seq, kind, {}, occurred_at, payload))
    return facts


def logs_of(cases: Sequence[UUID]) -> dict[UUID, list[EventFact]]:
    """Return the whole logs of cases in hand, in order, by case."""
    rows = CaseEvent.objects.across_companies("the cases in hand were chosen by the vendor's own act")
    logs: dict[UUID, list[EventFact]] = {case: [] for case in cases}
    found = rows.filter(case_id__in=cases).order_by("case_id", "seq")
    for case_id, *facts in found.values_list("case_id", "seq", "type", "actor", "occurred_at", "payload"):
        logs[case_id].append(EventFact(*facts))
    return logs


def group_of(case: Case) -> list[UUID]:
    """Return the ids of a case in hand and of all that stand joined with it, through others too."""
    found: list[UUID] = []
    waiting = [case.id]
    while waiting:
        found += waiting
        logs = facts_of_many(waiting, ("submitted", "merged_from", "merge_taken_back"))
        joined = [UUID(one.case) for log in logs.values() for one in fold(log).joined]
        waiting = [one for one in joined if one not in found]
    return found


def open_ids(after: UUID | None, limit: int) -> list[UUID]:
    """Return the ids of open cases behind `after`, in order."""
    rows = Case.objects.across_companies("the clocks of every open case are watched").filter(closed_at=None)
    rows = rows.filter(id__gt=after) if after else rows
    return list(rows.order_by("id").values_list("id", flat=True)[:limit])


# ---- the queue ----


@dataclass(frozen=True)
class Narrowing:
    """What a list is narrowed to; what is empty or None narrows nothing. `due_before` is for targets that still run."""

    scope: str = "open"
    groups: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    severity: int | None = None
    tier: int | None = None
    case_class: str = ""
    kind: str = ""
    state: str = ""
    holder_id: UUID | None = None
    is_unheld: bool = False
    company_ids: tuple[UUID, ...] | None = None
    plan: str = ""
    due_before: datetime | None = None

    def narrow(self, rows: QuerySet[Case]) -> QuerySet[Case]:
        """Return those of the rows that fit."""
        equal = {name: value for name in ("severity", "tier", "case_class", "kind", "state", "holder_id")
                 if (value := getattr(self, name))}  # fmt: skip
        rows = rows.filter(**equal) if equal else rows
        for name in ("groups", "languages"):
            rows = _among(rows, name[:-1], getattr(self, name))
        if self.company_ids is not None:
            rows = _among(rows, "company_id", self.company_ids) if self.company_ids else rows.none()
        if self.is_unheld:
            rows = rows.filter(holder_id=None)
        if self.due_before is not None:
            rows = rows.filter(queue_due_at__lte=self.due_before)
        return rows.alias(plan_code=KT("terms__plan")).filter(plan_code=self.plan) if self.plan else rows


def _among(rows: QuerySet[Case], name: str, values: Sequence[object]) -> QuerySet[Case]:
    """Equality for one value: an index answers it in its order, which it does not for several."""
    if not values:
        return rows
    return rows.filter(**{name: values[0]}) if len(values) == 1 else rows.filter(**{f"{name}__in": values})


@dataclass(frozen=True)
class Listed:
    """A page of cases. `before` and `after` are the places where the pages around it begin, None where there is none.

    `is_partial`: the page ends at `after` because enough was looked through, not because it is full. `found` is how
    many a search matches, None where they were not counted.
    """

    rows: list[Case]
    order: Order
    before: Key | None
    after: Key | None
    found: int | None = None
    is_partial: bool = False


def in_scope(rows: QuerySet[Case], scope: str) -> QuerySet[Case]:
    """Return the open ones, the closed ones or all of the rows."""
    return rows if scope == "all" else rows.filter(closed_at__isnull=scope == "open")


def scope_for(actor: Actor, view: str) -> QuerySet[Case]:
    """Return the cases that a view looks at: closed ones, all, or open ones."""
    return in_scope(cases_for(actor), view if view in ORDERS else "open")


def guard_at(starved_before: datetime) -> Guard:
    """Return the starvation guard as the queue stands: behind whom nobody may be set back."""
    rows = Case.objects.across_companies("the queue is one for all companies")
    promised = rows.filter(closed_at=None, tier=PREMIUM_TIER, queue_due_at__lt=NEVER_DUE)
    last = QUEUE.sort(promised, backwards=True).values_list(*QUEUE_KEYS).first()
    return Guard(starved_before, last)


def _segment(rows: QuerySet[Case], guard: Guard, segment: int) -> QuerySet[Case]:
    if segment in {2, 4}:
        standard = rows.filter(tier__gt=PREMIUM_TIER)
        before = Q(submitted_at__lt=guard.starved_before)
        return standard.filter(before if segment == 2 else ~before)  # noqa: PLR2004  as the rules number them
    premium, last = rows.filter(tier=PREMIUM_TIER), guard.last_promise
    if last is None:
        return premium if segment == 3 else premium.none()  # noqa: PLR2004
    beyond = QUEUE.beyond(last) if segment == 3 else QUEUE.beyond(last, backwards=True, inclusive=True)  # noqa: PLR2004
    return premium.filter(beyond)


def _segments(
    rows: QuerySet[Case], order: Order, guard: Guard | None, start: Key | None, *, backwards: bool = False
) -> Iterator[QuerySet[Case]]:
    """Yield what stands beyond `start`, segment by segment; without a guard the queue is one segment."""
    if guard is None or order is not QUEUE:
        yield rows.filter(order.beyond(start, backwards=backwards)) if start else rows
        return
    of_start = guard.segment_of(cast("QueueKey", start)) if start else None
    for segment in reversed(SEGMENTS) if backwards else SEGMENTS:
        part = _segment(rows, guard, segment)
        if of_start is None or (segment < of_start if backwards else segment > of_start):
            yield part
        elif segment == of_start and start:
            yield part.filter(order.beyond(start, backwards=backwards))


def page_of(
    rows: list[Case],
    order: Order,
    start: Key | None,
    *,
    backwards: bool,
    end: Key | None = None,
    found: int | None = None,
) -> Listed:
    """Return a page of rows as they were read: one more than fits says that there is more. `end`: looked no further."""
    is_full = len(rows) > PAGE_SIZE
    shown = rows[:PAGE_SIZE][:: -1 if backwards else 1]
    onward = order.key_of(rows[PAGE_SIZE - 1]) if is_full else end
    behind = (order.key_of(rows[0]) if rows else start) if start else None
    before, after = (onward, behind) if backwards else (behind, onward)
    return Listed(shown, order, before, after, found, is_partial=not is_full and end is not None)


def list_for(
    actor: Actor,
    narrowing: Narrowing,
    *,
    start: Key | None = None,
    backwards: bool = False,
    guard: Guard | None = None,
) -> Listed:
    """Return one page: open cases as the queue orders them, closed ones latest first, all by arrival, newest first."""
    order, base = ORDERS[narrowing.scope], in_scope(cases_for(actor), narrowing.scope)
    rows: list[Case] = []
    if narrowing.scope != "open" and narrowing != Narrowing(narrowing.scope):
        ahead, end = window(base, order, start, _WINDOW, backwards=backwards)
        rows = list(order.sort(narrowing.narrow(ahead), backwards=backwards)[: PAGE_SIZE + 1])
        return page_of(rows, order, start, backwards=backwards, end=end)
    for part in _segments(narrowing.narrow(base), order, guard, start, backwards=backwards):
        rows += order.sort(part, backwards=backwards)[: PAGE_SIZE + 1 - len(rows)]
        if len(rows) > PAGE_SIZE:
            break
    return page_of(rows, order, start, backwards=backwards)


def newest_for(actor: Actor, narrowing: Narrowing, *, start: Key | None = None, backwards: bool = False) -> Listed:
    """Return one page of a company's cases, newest first, whether open or closed."""
    rows = narrowing.narrow(in_scope(cases_for(actor), narrowing.scope))
    ahead = rows.filter(NEWEST.beyond(start, backwards=backwards)) if start else rows
    return page_of(list(NEWEST.sort(ahead, backwards=backwards)[: PAGE_SIZE + 1]), NEWEST, start, backwards=backwards)


def next_unheld(
    actor: Actor, groups: Sequence[str] = (), languages: Sequence[str] = (), guard: Guard | None = None
) -> Case | None:
    """Return and lock the first case that nobody holds, of these groups and languages (none given: of all).

    Others who ask at once get the next one: a row that somebody else has locked, or taken since, is passed over.
    """
    mine = Case.objects.visible_to(actor).defer("words").filter(closed_at=None, holder_id=None)
    for segment in _segments(mine, QUEUE, guard, None):
        for ids in _candidates(segment, groups, languages):
            case = QUEUE.sort(mine.filter(id__in=ids)).select_for_update(skip_locked=True).first()
            if case is not None:
                return case
    return None


def _candidates(rows: QuerySet[Case], groups: Sequence[str], languages: Sequence[str]) -> Iterator[list[UUID]]:
    """Yield ids in the order of the queue, a few at a time; every group and language is read from the index's order."""
    start: Key | None = None
    while True:
        ahead = rows.filter(QUEUE.beyond(start)) if start else rows
        parts = [
            QUEUE.sort(_among(_among(ahead, "group", group), "language", language)).values_list(*QUEUE_KEYS)[
                :_CANDIDATES
            ]
            for group, language in product([[g] for g in groups] or [[]], [[t] for t in languages] or [[]])
        ]
        keys: list[Key] = list(heapq.merge(*parts))[:_CANDIDATES]
        if not keys:
            return
        yield [key[-1] for key in keys]
        start = keys[-1]


def count_up_to(rows: QuerySet[Case]) -> int:
    """Return how many rows there are, `MOST_COUNTED` for that many and more."""
    return counts_up_to([rows])[0]


def counts_up_to(lists: Sequence[QuerySet[Case]]) -> list[int]:
    """Return how many rows each list has, `MOST_COUNTED` for that many and more; one query counts them all."""
    asked = [rows.order_by().values("id")[:MOST_COUNTED].query.sql_with_params() for rows in lists]
    parts = ", ".join(f"(SELECT count(*) FROM ({sql}) AS part)" for sql, _values in asked)  # noqa: S608  ours
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {parts}", [value for _sql, values in asked for value in values])
        return list(cursor.fetchone())


def load_of_holders(now: datetime) -> dict[UUID, tuple[int, int, int]]:
    """Return by holder: open cases, those of them with a target that still runs, those past theirs."""
    rows = Case.objects.across_companies("the load of the vendor's staff").filter(closed_at=None)
    held = rows.filter(holder_id__isnull=False).order_by().values("holder_id")
    loads = held.annotate(
        cases=Count("queue_due_at"),
        running=Count("queue_due_at", filter=Q(queue_due_at__gt=now, queue_due_at__lt=NEVER_DUE)),
        breached=Count("queue_due_at", filter=Q(queue_due_at__lte=now)),
    )
    found = loads.values_list("holder_id", "cases", "running", "breached")
    return {holder: (cases, running, breached) for holder, cases, running, breached in found if holder}


def holder_names(holders: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of holders of open cases."""
    rows = Case.objects.across_companies("the load of the vendor's staff").filter(closed_at=None)
    named = rows.filter(holder_id__in=holders).order_by("holder_id").distinct("holder_id")
    return {holder: name for holder, name in named.values_list("holder_id", "holder_name") if holder}


# ---- saved views ----


def views_of(person_id: UUID) -> QuerySet[SavedView]:
    """Return a person's own views, in the order that the person gave them."""
    return SavedView.objects.filter(person_id=person_id).order_by("position", "created_at", "id")


def get_view(person_id: UUID, view_id: UUID) -> SavedView:
    """Return one of a person's own views; raise NotFound for every other."""
    view = views_of(person_id).filter(id=view_id).first()
    if view is None:
        raise NotFound("view_unknown", _("There is no such view of yours. It may have been deleted meanwhile."))
    return view
