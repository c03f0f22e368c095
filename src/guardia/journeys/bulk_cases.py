"""One act on many cases: each has its own transaction and its own result, and a form sent twice does it once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.journeys.assign_case import assign_case, change_group, put_back
from guardia.journeys.move_case import checked_reason
from guardia.journeys.take_case import demand_staff, take_case
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused
from guardia.kernel.vocabulary import Actor

ACTS: Final = ("take", "assign", "put_back", "change_group")
MOST: Final = 200


@dataclass(frozen=True)
class BulkResult:
    """The numbers of the cases that were moved, and of those that were not, each with the reason."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def bulk(
    actor: Actor, now: datetime, act: str, numbers: Iterable[str], target: str, reason: str, *, token: str
) -> BulkResult:
    """Do one act on many cases. `target` is the person or group, where the act has one.

    Raises Invalid where the request itself cannot be used, Forbidden for customers: then nothing was done.
    """
    demand_staff(actor)
    wanted = tuple(dict.fromkeys(numbers))
    do = _checked(actor, now, act, wanted, target, reason)
    done, refused = [], []
    for number in wanted:
        try:
            do(number, f"{token}:{number}"[:120])
        except (Refused, NotFound, Forbidden, Invalid) as error:
            refused.append((number, error.sentence))
        else:
            done.append(number)
    return BulkResult(tuple(done), tuple(refused))


def _checked(
    actor: Actor, now: datetime, act: str, numbers: tuple[str, ...], target: str, reason: str
) -> Callable[[str, str], None]:
    if act not in ACTS:
        raise Invalid("act_unknown", _("Choose what is to be done."), {"act": _("Choose one.")})
    if not numbers:
        raise Invalid("nothing_chosen", _("No case was chosen. Tick the rows, or press X on them."))
    if len(numbers) > MOST:
        raise Invalid("too_many", _("At most %(limit)d cases at once.") % {"limit": MOST})
    if act == "take":
        return lambda number, key: take_case(actor, now, number, reason, idempotency_key=key)
    reason = checked_reason(reason)
    if act == "put_back":
        return lambda number, key: put_back(actor, now, number, reason, idempotency_key=key)
    if act == "change_group":
        return lambda number, key: change_group(actor, now, number, target, reason, idempotency_key=key)
    try:
        person_id = UUID(target)
    except ValueError:
        sentence = _("Choose one of the vendor's present staff.")
        raise Invalid("not_of_staff", sentence, {"person": sentence}) from None
    return lambda number, key: assign_case(actor, now, number, person_id, reason, idempotency_key=key)
