"""Whose phones ring: the engineer on duty, then the next of the rotation, then the duty manager.

Only present staff, each once. Who has no phone is listed with an empty one, so that a log can say why it did not ring;
of the rotation people are listed up to the first who has one. Without a roster everybody who leads is the duty manager,
as for escalations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.accounts.queries import present_staff, staff_with
from guardia.features.duty.queries import who_has, who_may_follow
from guardia.kernel.vocabulary import Role

ON_DUTY, NEXT, DUTY_MANAGER = "on_duty", "next", "duty_manager"


@dataclass(frozen=True)
class DutyPhone:
    """A phone that may ring. `duty`: `on_duty`, `next` or `duty_manager`."""

    person_id: UUID
    name: str
    phone: str
    language: str
    duty: str


def whom_to_ring(now: datetime) -> list[DutyPhone]:
    """Return whose phones ring now, in their order."""
    on_duty, manager = who_has(ON_DUTY, now), who_has(DUTY_MANAGER, now)
    following = who_may_follow(ON_DUTY, now)
    asked = {person for person in (on_duty, manager, *following) if person is not None}
    staff = {person.id: person for person in present_staff().filter(id__in=asked)}
    leads = [staff[manager]] if manager in staff else list(staff_with(Role.DUTY_MANAGER))
    found = [
        *_phones(ON_DUTY, [staff[on_duty]] if on_duty in staff else []),
        *_phones(NEXT, _until_a_phone(following, staff)),
        *_phones(DUTY_MANAGER, leads),
    ]
    return list({phone.person_id: phone for phone in reversed(found)}.values())[::-1]


def _phones(duty: str, people: Iterable[Any]) -> list[DutyPhone]:
    return [DutyPhone(person.id, person.name, person.phone, person.language, duty) for person in people]


def _until_a_phone(ids: Iterable[UUID], staff: Mapping[UUID, Any]) -> list[Any]:
    found = []
    for person_id in ids:
        if person_id in staff:
            found.append(staff[person_id])
            if staff[person_id].phone:
                break
    return found
