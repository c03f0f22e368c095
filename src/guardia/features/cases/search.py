"""How cases are found: by their words, in Spanish and English, newest first; by likeness; by what a mail names.

Rules of the full-text search (`words`):
- Both sides bring words to one form (`rules/words.py`); no input of a reader is an error.
- A page is bounded whatever is asked: a common word is found among the newest cases; a rarer one by the index, which
  knows all of up to 5,000 matches; what is common, but not among the newest, is looked for further back, a stretch for
  each page, and the page says so.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import Case as Choice
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value, When

from guardia.features.cases.models import Case, CaseEvent, CaseFile, Report
from guardia.features.cases.queries import NEWEST, PAGE_SIZE, Listed, Narrowing, cases_for, in_scope, page_of
from guardia.features.cases.rules import words
from guardia.features.cases.rules.duplicates import Alike
from guardia.kernel.ids import is_case_number
from guardia.kernel.keyset import Key, window
from guardia.kernel.vocabulary import Actor

MOST_JOINS: Final = 4
"""How often a case that was joined with another is followed."""
MOST_FOUND: Final = 5_000
"""A search that matches no more cases than this knows all of them."""
_NEAR, _FAR = 2_000, 50_000
"""How many cases, newest first, are looked through one by one: before the index is asked; where it finds too many."""


def _asked(terms: Sequence[words.Term]) -> Any:
    """Return the query that wants every term; safe for every input, since its words are letters and digits only."""
    return reduce(and_, map(_asked_term, terms))


def _asked_term(term: words.Term) -> Any:
    """Return the query for one term: in any of its forms; excluded, in none of them."""
    forms = [("spanish", term.text), ("spanish", term.plain), ("english", term.plain)]
    ways = [
        SearchQuery(text, config=config, search_type="phrase", invert=term.is_excluded)
        for config, text in dict.fromkeys(forms)
    ]
    return reduce(and_ if term.is_excluded else or_, ways)


def search_for(
    actor: Actor, text: str, narrowing: Narrowing | None = None, *, start: Key | None = None, backwards: bool = False
) -> Listed:
    """Return one page of the cases that match a search, newest first.

    A case number is found exactly. Words: first the newest cases are looked through, where a common word is found soon;
    then the index is asked, and up to `MOST_FOUND` cases are all known; where it finds more, the search goes back
    through the cases and says how far it came.
    """
    narrowing = narrowing or Narrowing("all")
    base = in_scope(cases_for(actor), narrowing.scope)
    number = words.asked_number(text)
    by_number = list(narrowing.narrow(base).filter(number=number)) if is_case_number(number) else []
    terms = words.asked(text)
    if by_number or not terms:
        return Listed(by_number, NEWEST, None, None, len(by_number))
    query = _asked(terms)

    def matches(rows: QuerySet[Case]) -> QuerySet[Case]:
        return narrowing.narrow(rows).filter(words=query)

    return _search(base, matches, start, backwards=backwards)


# -- cases that may be about the same problem --

ALIKE_WITHIN: Final = timedelta(days=30)
CLOSED_WITHIN: Final = timedelta(days=7)
MOST_LOOKED_AT: Final = 500
"""How many cases of the company, the nearest before and after, are compared: a page costs the same in any company."""
_MOST_WORDS: Final = 12


def alike_cases(case: Any, now: datetime) -> list[Alike]:
    """Return the cases of the same company that have something in common with a case in hand: one query.

    Open ones, and those closed within a week, that arrived within 30 days of it; joined ones stand for themselves no
    more. A stretch of the company's index bounds what is read, whatever is asked of the words.
    """
    rows = Case.objects.of_company(case.company_id).exclude(id=case.id).filter(merged_into_id=None)
    rows = rows.filter(submitted_at__range=(case.submitted_at - ALIKE_WITHIN, case.submitted_at + ALIKE_WITHIN))
    rows = rows.filter(Q(closed_at=None) | Q(closed_at__gte=now - CLOSED_WITHIN))
    near = rows.order_by("-submitted_at").values("id")[:MOST_LOOKED_AT]
    asked = list(dict.fromkeys(words.normal(case.subject).split()))[:_MOST_WORDS]
    shared: Any = Value(0)
    for word in asked:
        shared += Choice(When(words=_asked_term(words.Term(word)), then=1), default=0)
    files = CaseFile.objects.of_company(case.company_id)
    reports = Report.objects.of_company(case.company_id).exclude(detection_name="")
    detections = reports.filter(case=case.id).values("detection_name")
    found = (
        Case.objects.of_company(case.company_id)
        .filter(id__in=near)
        .annotate(
            is_same_file=Exists(
                files.filter(case=OuterRef("pk"), sha256__in=files.filter(case=case.id).values("sha256"))
            ),
            is_same_detection=Exists(reports.filter(case=OuterRef("pk"), detection_name__in=detections)),
            shared=shared,
        )
    )
    columns: Iterable[Any] = found.values_list(
        "id", "number", "submitted_at", "is_same_file", "is_same_detection", "shared", "opened_by_id", "channel"
    )
    return [
        Alike(
            case_id,
            number,
            submitted_at,
            is_file,
            is_detection,
            count,
            len(asked),
            opened_by == case.opened_by_id,
            channel != case.channel,
        )
        for case_id, number, submitted_at, is_file, is_detection, count, opened_by, channel in columns
    ]


def _search(
    base: QuerySet[Case], matches: Callable[[QuerySet[Case]], QuerySet[Case]], start: Key | None, *, backwards: bool
) -> Listed:
    def looked_through(length: int) -> tuple[list[Case], Key | None]:
        ahead, end = window(base, NEWEST, start, length, backwards=backwards)
        return list(NEWEST.sort(matches(ahead), backwards=backwards)[: PAGE_SIZE + 1]), end

    near, end = looked_through(_NEAR)
    if len(near) > PAGE_SIZE or end is None:
        is_all = start is None and len(near) <= PAGE_SIZE
        return page_of(near, NEWEST, start, backwards=backwards, found=len(near) if is_all else None)
    wanted, count = _found_by_index(matches(base), start, backwards=backwards)
    if count > MOST_FOUND:
        far, end = looked_through(_FAR)
        return page_of(far, NEWEST, start, backwards=backwards, end=end)
    rows = list(NEWEST.sort(base.filter(id__in=wanted), backwards=backwards))
    return page_of(rows, NEWEST, start, backwards=backwards, found=count)


def _found_by_index(matching: QuerySet[Case], start: Key | None, *, backwards: bool) -> tuple[list[UUID], int]:
    """Return the ids of the next page among the cases that match, and how many match, at most one above `MOST_FOUND`.

    Left alone, the planner reads the whole table for two common words that hardly ever meet: it takes them for
    independent. The index knows better, whatever the statistics say. All are counted and sorted where they are found.
    """
    inner, values = matching.order_by().values_list(*NEWEST.keys)[: MOST_FOUND + 1].query.sql_with_params()
    way, sign = ("ASC", ">") if backwards else ("DESC", "<")
    beyond = f"WHERE (submitted_at, id) {sign} (%s, %s)" if start else ""
    asked = (
        f"WITH found (submitted_at, id) AS MATERIALIZED ({inner}) "  # noqa: S608  Django's own SQL, its values apart
        "SELECT (SELECT count(*) FROM found), ARRAY("
        f"SELECT id FROM found {beyond} ORDER BY submitted_at {way}, id {way} LIMIT {PAGE_SIZE + 1})"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(asked, [*values, *(start or ())])
        count, wanted = cursor.fetchone()
        cursor.execute("SET LOCAL enable_seqscan = on")
    return wanted, count


# -- what a mail names --


def cases_of_numbers(numbers: Iterable[str]) -> dict[str, Case]:
    """Return cases by number, whoever's they are; of one that was joined with another, the one that goes on."""
    rows = Case.objects.across_companies("the mail door decides whether a sender may continue a case").defer("words")
    found = {case.number: case for case in rows.filter(number__in=list(numbers))}
    for _hop in range(MOST_JOINS):
        joined = {case.merged_into_id for case in found.values() if case.merged_into_id}
        goes_on = {case.id: case for case in rows.filter(id__in=joined)} if joined else {}
        found = {number: goes_on.get(case.merged_into_id or case.id, case) for number, case in found.items()}
    return found


def has_written(case: Case, person_id: str) -> bool:
    """Whether a person has written on a case."""
    rows = CaseEvent.objects.of_company(case.company_id).filter(case=case, type__in=["submitted", "message"])
    return rows.filter(actor__id=person_id).exists()


def reopened_by_mail(case_ids: Sequence[UUID], since: datetime) -> dict[UUID, int]:
    """Return how often each case was opened again by a mail since an instant."""
    rows = CaseEvent.objects.across_companies("the mail door limits how often a case is opened again")
    rows = rows.filter(case_id__in=case_ids, type="reopened", recorded_at__gte=since, payload__channel="email")
    return dict(rows.values_list("case_id").annotate(Count("id")))
