"""What a mail says where a request must also be phoned in: the number, the code, and when the office opens."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guardia.features.cases.queries import is_unphoned, phone_code_of
from guardia.features.cases.rules.phone_code import spoken_code
from guardia.features.sla.queries import awaited_opening, compiled_calendar, policy_of
from guardia.journeys import case_log


def phone_line(case: case_log.Case, now: datetime) -> Callable[[], str]:
    """Return what says the line in the language in force then; it says nothing where no call is needed."""
    policy = policy_of(case.terms, case.case_class)
    opens_at = awaited_opening(case.calendar_version_id, policy, case.severity, now) if is_unphoned(case) else None
    if opens_at is None:
        return lambda: ""
    zone = compiled_calendar(case.calendar_version_id).tzinfo

    def line() -> str:
        return _(
            "The office is closed: also phone %(phone)s and give the code %(code)s. From the call on, the "
            "response clock runs around the clock. Without it, it starts when the office opens: %(opens)s (%(zone)s)."
        ) % {
            "phone": settings.GUARDIA.phone,
            "code": spoken_code(phone_code_of(case)),
            "opens": date_format(opens_at.astimezone(zone), "DATETIME_FORMAT"),
            "zone": zone.key,
        }

    return line
