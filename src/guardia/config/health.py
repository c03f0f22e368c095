"""`/healthz`: 200 once the server can do its work: database there, migrated, baseline published. Says what lacks."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse


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
    return JsonResponse({"ok": not lacks, "lacks": lacks}, status=503 if lacks else 200)
