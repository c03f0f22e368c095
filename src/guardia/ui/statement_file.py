"""A statement as a file that a spreadsheet opens with a double click.

Semicolons, a byte order mark and Windows line ends: what Excel with Spanish regional settings expects, and what every
other spreadsheet asks about once. Text that begins like a formula gets an apostrophe before it: it was typed by people.
"""

import csv
import io
import re

from django.http import HttpResponse

from guardia.reports.quota_statement import Statement, csv_rows
from guardia.ui.wording import MOVEMENTS, word

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
MOVEMENT_COLUMN = 5


def statement_file(shown: Statement) -> HttpResponse:
    """Return the statement as `guardia-NUMBER-statement.csv`, in the reader's language."""
    heading, *rows = csv_rows(shown)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(heading)
    for row in rows:
        told = [word(MOVEMENTS, cell) if at == MOVEMENT_COLUMN else cell for at, cell in enumerate(row)]
        writer.writerow([_plain(cell) for cell in told])
    name = f"guardia-{shown.number}-statement.csv"
    return HttpResponse(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-cache"},
    )


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
