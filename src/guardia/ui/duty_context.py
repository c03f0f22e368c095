"""Who is on duty, on every console page: a context processor that asks only where a page shows it."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from guardia.kernel import clock
from guardia.reports.duty_view import DutyView, duty_now


def duty_context(request: HttpRequest) -> dict[str, Any]:
    """Give `duties` to staff; a page that does not show them costs no query."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated or not person.is_staff:
        return {}

    def read() -> list[tuple[DutyView, bool]]:
        return [(view, view.is_of(str(person.pk))) for view in duty_now(clock.now())]

    return {"duties": SimpleLazyObject(read)}
