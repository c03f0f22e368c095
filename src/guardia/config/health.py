"""`/healthz`: 200 once the server can do its work: database there, migrated, baseline published. Says what lacks,
how the ticker keeps up, whether mail flows, and whether the phone line is at work (null where none is configured).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from guardia.kernel import clock
from guardia.reports.line_health import line_part
from guardia.reports.mail_health import mail_part
from guardia.reports.ticker_health import ticker_health


def _lacks() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM releases_lanepointer")
            (lanes,) = cursor.fetchone()
    except DatabaseError as error:
        return f"database: {str(error).splitlines()[0]}"
    return "" if lanes == 2 else "the lanes have no release yet: run `guardia run` or publish a baseline"  # noqa: PLR2004  two lanes


def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  a view
    """Answer 200 when ready, else 503 with the reason."""
    lacks = _lacks()
    try:
        # A ticker that is silent or late is told, and alarmed on; the pages work all the same.
        ticker = {} if lacks else ticker_health(clock.now())
    except DatabaseError as error:
        lacks, ticker = f"database: {str(error).splitlines()[0]}", {}
    mail, line = ({}, {}) if lacks else (_told(mail_part), _told(line_part))
    told = {"ok": not lacks, "lacks": lacks, "ticker": ticker, "mail": mail, "line": line}
    return JsonResponse(told, status=503 if lacks else 200)


def _told(part: Callable[[datetime], Mapping[str, Any] | None]) -> Mapping[str, Any] | None:
    """A channel that fails is told here; the pages work all the same, so it never makes the answer a failure."""
    try:
        return part(clock.now())
    except (DatabaseError, OSError) as error:
        return {"ok": False, "lacks": str(error).splitlines()[0] if str(error) else type(error).__name__}
