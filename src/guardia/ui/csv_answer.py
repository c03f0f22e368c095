"""Tables as CSV: UTF-8 with its mark, so that spreadsheets read accents, and no cell that is taken for a formula.

A text that begins like a formula gets an apostrophe before it; numbers stay numbers. Semicolons part the cells, as
Excel with Spanish regional settings expects and every other asks about; a Spanish reader's numbers have a comma.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.utils.formats import localize

from guardia.ui.attachments import attachment_header

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """Return a cell as it may stand in a file that a spreadsheet opens."""
    if isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA):
        return f"'{value}"
    if isinstance(value, float):
        return localize(value, use_l10n=True)
    return "" if value is None else value


def csv_answer(filename: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """Answer with a table, its header first."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([safe_cell(cell) for cell in row] for row in rows)
    answer = HttpResponse(MARK + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = attachment_header(filename)
    return answer
