"""The editor's form as a draft: every field as it was typed, rows that are wholly empty left out."""

import re
from dataclasses import dataclass

from django.http import QueryDict

from guardia.features.sla.rules.calendars import WEEKDAYS
from guardia.features.sla.rules.draft_calendar import Closure, DraftCalendar, OtherHours
from guardia.kernel.plain_text import plain_text

MOST_ROWS = 420
_PREVIEW_OF = re.compile(r"preview:(\d{4})-(\d{1,2})", re.ASCII)


@dataclass(frozen=True)
class NextStep:
    """What the pressed button asks for: save, preview (of a month), or the form again with more to fill in."""

    what: str
    year: int | None = None
    month: int | None = None


def next_step(form: QueryDict) -> NextStep:
    """Return what the pressed button asks for; a form sent without one is only looked at."""
    asked = form.get("do", "preview")
    month = _PREVIEW_OF.fullmatch(asked)
    if month:
        return NextStep("preview", int(month[1]), int(month[2]))
    return NextStep(asked if asked in {"save", "preview", "more", "holidays"} else "preview")


def draft_from(form: QueryDict, name: str = "") -> DraftCalendar:
    """Return the form as a draft; `name` is that of the calendar whose next version it is."""
    known, kept = set(form.getlist("known")), set(form.getlist("keep"))
    return DraftCalendar(
        name=name or _text(form, "name"),
        zone=_text(form, "zone"),
        weekly={day: _text(form, day) for day in WEEKDAYS},
        first_year=_text(form, "first_year"),
        last_year=_text(form, "last_year"),
        country=_text(form, "country"),
        region=_text(form, "region"),
        removed=frozenset(known - kept),
        closures=tuple(Closure(on, label) for on, label, _windows in _rows(form, "closure")),
        exceptions=tuple(OtherHours(on, windows, label) for on, label, windows in _rows(form, "exception")),
        note=_text(form, "note"),
    )


def _rows(form: QueryDict, kind: str) -> list[tuple[str, str, str]]:
    rows = []
    for index in range(MOST_ROWS):
        key = f"{kind}-{index}"
        if f"{key}-on" not in form:
            break
        row = (_text(form, f"{key}-on"), _text(form, f"{key}-label"), _text(form, f"{key}-windows"))
        if any(row):
            rows.append(row)
    return rows


def _text(form: QueryDict, name: str) -> str:
    return plain_text(form.get(name, "")).strip()
