"""Full-text search over the words of cases (`words`), in Spanish and English, newest first.

Rules:
- Both sides bring words to one form (`rules/words.py`); no input of a reader is an error.
- A page is bounded whatever is asked: a common word is found among the newest cases; a rarer one by the index, which
  knows all of up to 5,000 matches; what is common, but not among the newest, is looked for further back, a stretch for
  each page, and the page says so.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import QuerySet

from guardia.features.cases.models import Case
from guardia.features.cases.queries import NEWEST, PAGE_SIZE, Listed, Narrowing, cases_for, in_scope, page_of
from guardia.features.cases.rules import words
from guardia.kernel.ids import is_case_number
from guardia.kernel.keyset import Key, window
from guardia.kernel.vocabulary import Actor

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
