"""The counts in the console's navigation: of how many cases the reader was told something that nobody acknowledged, and
how many messages wait in quarantine, or were left by phone and wait.
"""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from guardia.kernel import clock
from guardia.reports.alerts_page import unread_count
from guardia.reports.calls_page import messages_waiting
from guardia.reports.mail_health import quarantine_count


def bell_context(request: HttpRequest) -> dict[str, Any]:
    """Give `bell`, `waiting_mail` and `waiting_calls` to staff; a page that does not show them costs no query."""
    person = getattr(request, "user", None)
    if person is None or not person.is_authenticated or not person.is_staff:
        return {}
    return {
        "bell": SimpleLazyObject(lambda: unread_count(person.pk)),
        "waiting_mail": SimpleLazyObject(lambda: quarantine_count(clock.now())),
        "waiting_calls": SimpleLazyObject(lambda: messages_waiting(clock.now())),
    }
