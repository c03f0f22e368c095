"""The bell in the console's navigation: of how many cases the reader was told something that nobody acknowledged."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from guardia.reports.alerts_page import unread_count


def bell_context(request: HttpRequest) -> dict[str, Any]:
    """Give `bell` to staff; a page that does not show it costs no query."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated or not person.is_staff:
        return {}
    return {"bell": SimpleLazyObject(lambda: unread_count(person.pk))}
