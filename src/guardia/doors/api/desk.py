"""The vendor's own programs, such as the phone line: they send the token of a member of staff."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from guardia.doors.api.asked import Asked
from guardia.doors.api.authentication import StaffToken, staff_of
from guardia.doors.api.cases import Key
from guardia.journeys.confirm_call import confirm_call
from guardia.kernel import clock

router = Router(auth=StaffToken(), tags=["desk"])


class PhoneCall(Asked):
    """A call about the case. `how`: code (six digits that its page and mail tell), or known (then `reason` says how).

    `occurred_at` is the call's instant, with its offset, where it is registered later.
    """

    how: str
    code: str = ""
    occurred_at: datetime | None = None
    reason: str = ""


class CallAnswer(Schema):
    """The first confirmed call of the case, and the end of its response clock since. `is_first`: it is this one."""

    confirmed_at: datetime
    is_first: bool
    due_at: datetime | None


@router.post("/cases/{number}/phone-confirmation", response=CallAnswer, summary="Register a confirmed call")
def phone_confirmation(request: HttpRequest, number: str, body: PhoneCall, idempotency_key: Key = None) -> CallAnswer:
    """Open the 24x7 clock of a case whose promise says so; wrong codes are refused, and after five for an hour."""
    told = confirm_call(
        staff_of(request),
        clock.now(),
        number,
        body.how,
        body.code,
        body.occurred_at,
        body.reason,
        idempotency_key=idempotency_key,
    )
    return CallAnswer(confirmed_at=told.confirmed_at, is_first=told.is_first, due_at=told.due_at)
