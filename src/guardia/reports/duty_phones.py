"""Where the line calls the people on duty: one's own phone, and who of a roster cannot be called."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.models import Person
from guardia.features.duty import queries
from guardia.features.duty.rules.written import everybody
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class OwnPhone:
    """Where the line calls the reader, and the rosters whose rotation names the reader."""

    phone: str
    rosters: tuple[str, ...]


def own_phone(actor: Actor, now: datetime) -> OwnPhone:
    """Return where the line calls the actor."""
    own = UUID(actor.id)
    phone = Person.objects.filter(id=own).values_list("phone", flat=True).first()
    rosters = tuple(_(name) for code, name in queries.NAMES.items() if own in _rotation(code, now))
    return OwnPhone(phone or "", rosters)


def without_phone(code: str, now: datetime, others: Iterable[UUID] = ()) -> tuple[str, ...]:
    """Return the names of a roster's present people, and of `others`, whom the line cannot call, in their order."""
    wanted = _rotation(code, now) | set(others)
    rows = Person.objects.filter(id__in=wanted, company=None, is_active=True, phone="")
    return tuple(rows.order_by("name", "id").values_list("name", flat=True))


def _rotation(code: str, now: datetime) -> frozenset[UUID]:
    _row, rules = queries.find_rules(code, now)
    return everybody(rules) if rules else frozenset()
