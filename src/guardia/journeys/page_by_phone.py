"""Page by phone: alarms that the line reads to people until somebody acknowledges.

1. A worker claims pages that are due, the gravest first, and holds each for a lease; of one case never two.
2. Whom a page calls is asked of the rule (`rules/paging.py`) at that instant: who has a duty may have changed.
   People without a phone are noted and passed over.
3. The worker calls, and reports how it ended; the same call reported again changes nothing. Where a worker was killed
   the lease runs out, and the page is called again.
4. An acknowledgement is that of the alarm: the steps to come are stopped, other pages of the case are over too, and who
   acknowledged has the case unless somebody has it.
5. Where nobody could be reached the duty managers are told by console and mail.
An answer, an end or an acknowledgement elsewhere ends pages at once (`watch_clocks.py`, `acknowledge_alarm.py`); the
worker asks which are over (`pages_over`), and lets phones ring no longer.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from guardia.features.accounts.queries import actor_of, present_staff
from guardia.features.cases import operations as cases
from guardia.features.sla import operations, queries
from guardia.features.sla.rules.paging import ACKNOWLEDGED, OUTCOMES, ROUNDS, Attempt, Next, in_order, next_call
from guardia.journeys import case_log, take_case
from guardia.journeys.acknowledge_alarm import acknowledge_locked
from guardia.journeys.tell_staff import PHONE, tell_leads
from guardia.journeys.whom_to_ring import whom_to_ring
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM, Actor

HELD_BACK: Final = timedelta(seconds=3)
"""For so long a page that could not be made is left out: of many that wait for one engineer none may hold up others."""
Page = Any
"""A row of the sla feature; held without knowing its table."""


@dataclass(frozen=True)
class PageToMake:
    """A call to make: whom, about what. `phone` is a number or a SIP address."""

    page_id: UUID
    company_id: UUID
    company: str
    case_id: UUID
    number: str
    severity: int
    clock: str
    mark: str
    person_id: UUID
    name: str
    phone: str
    language: str


def claim_pages(now: datetime, limit: int, lease: timedelta) -> list[PageToMake]:
    """Return calls to make, each of which is the caller's until the lease runs out; report them by `end_attempt`."""
    with journey():
        rows = queries.claim_pages(now, limit)
        if not rows:
            return []
        order = _Order(rows, now)
        calls = [call for page in rows if (call := _call(page, order, now, lease)) is not None]
        operations.save_pages(rows)
    return calls


def end_attempt(
    page_id: UUID, person_id: UUID, outcome: str, now: datetime, *, started_at: datetime | None = None
) -> bool:
    """Record how a call ended and say when the next is due; False where it was reported before.

    `started_at` tells calls of one person apart (the end, where it is left out). An acknowledgement counts even where
    the page is over. Raises ValueError for an unknown outcome or page.
    """
    if outcome not in OUTCOMES:
        raise ValueError(f"a call to a member of staff ends as one of {', '.join(OUTCOMES)}, got {outcome!r}")
    with journey():
        found = queries.find_page(page_id)
        if found is None:
            raise ValueError(f"there is no page {page_id}")
        case = cases.lock_case(found.case)
        page = queries.find_page(page_id, lock=True)
        started = (started_at or now).isoformat()
        if page is None or any((one["person"], one["at"]) == (str(person_id), started) for one in page.tried):
            return False
        order = _Order([page], now)
        person = order.people.get(str(person_id))
        if person is None:  # Who has left meanwhile acknowledges nothing.
            outcome = "failed"
        _note(page, order, str(person_id), outcome, started, now)
        page.leased_until = None
        if outcome == ACKNOWLEDGED and person is not None:
            operations.save_pages([page])
            _acknowledge(actor_of(person), now, case)
            return True
        _log(case, SYSTEM, now, str(person_id), person.name if person else "", outcome)
        _go_on(page, case, order, now)
        operations.save_pages([page])
    return True


def release_page(page_id: UUID, now: datetime) -> None:
    """Give a lease back: the call could not be made now, and may be made by anybody once others had their turn."""
    with journey():
        page = queries.find_page(page_id, lock=True)
        if page is not None and page.ended_at is None:
            page.leased_until = now + HELD_BACK
            operations.save_pages([page])


def pages_over(page_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these pages nobody need be called about any more."""
    return queries.pages_over(page_ids)


def hold_if_free(actor: Actor, now: datetime, case: case_log.Case) -> None:
    """Let who sees to a locked case have it, unless somebody has it or it is over."""
    if case.holder_id is None and case.closed_at is None:
        take_case.give(actor, now, case, "taken", {"reason": ""})


# ---- one page ----


class _Order:
    """Whom pages call, in their order, at one instant; `people` are those of them who are present."""

    def __init__(self, pages: Sequence[Page], now: datetime) -> None:
        self._on_duty = [str(phone.person_id) for phone in whom_to_ring(now)]
        tried = {one["person"] for page in pages for one in page.tried}
        asked = {*self._on_duty, *tried, *(person for page in pages for person in page.people)}
        self.people: Mapping[str, Any] = {str(one.id): one for one in present_staff().filter(id__in=asked)}

    def of(self, page: Page) -> tuple[str, ...]:
        return tuple(person for person in in_order(page.people, self._on_duty) if person in self.people)


def _call(page: Page, order: _Order, now: datetime, lease: timedelta) -> PageToMake | None:
    """Return whom a locked page calls now, or None where it waits or is over; the row in hand says so."""
    while (person_id := _go_on(page, page.case, order, now)) is not None:
        person = order.people[person_id]
        if person.phone:
            page.leased_until = now + lease
            return _to_make(page, person)
        _note(page, order, person_id, "no_phone", now.isoformat(), now)
        _log(page.case, SYSTEM, now, person_id, person.name, "no_phone")
    return None


def _to_make(page: Page, person: Any) -> PageToMake:
    case = page.case
    return PageToMake(
        page_id=page.id,
        company_id=case.company_id,
        company=case.company.name,
        case_id=case.id,
        number=case.number,
        severity=case.severity,
        clock=page.clock,
        mark=page.mark,
        person_id=person.id,
        name=person.name,
        phone=person.phone,
        language=person.language,
    )


def _go_on(page: Page, case: case_log.Case, order: _Order, now: datetime) -> str | None:
    """Let the row in hand wait for its next call, or be over; return whom to call where that is now."""
    if page.ended_at is not None:
        return None
    said = next_call(order.of(page), _attempts(page.tried), page.created_at)
    if isinstance(said, Next):
        page.next_at = said.at
        return said.person if said.at <= now else None
    operations.end_page(page, said.outcome, now)
    names = list(dict.fromkeys(one["name"] for one in page.tried))
    _tell_that_nobody_was_reached(case, now, names)
    return None


def _note(page: Page, order: _Order, person_id: str, outcome: str, started: str, now: datetime) -> None:
    said = next_call(order.of(page), _attempts(page.tried), page.created_at)
    person = order.people.get(person_id)
    page.tried = [
        *page.tried,
        {
            "at": started,
            "ended_at": now.isoformat(),
            "person": person_id,
            "name": person.name if person else "",
            "outcome": outcome,
            "round": said.round if isinstance(said, Next) else ROUNDS,
        },
    ]


def _attempts(tried: Iterable[Mapping[str, Any]]) -> list[Attempt]:
    return [
        Attempt(one["person"], one["outcome"], datetime.fromisoformat(one["ended_at"]), one["round"]) for one in tried
    ]


# ---- what the case's log and people are told ----


def _log(case: case_log.Case, actor: Actor, now: datetime, person_id: str, name: str, outcome: str) -> None:
    case_log.add(case, "paged", actor, now, {"by": "phone", "person": person_id, "name": name, "outcome": outcome})


def _acknowledge(actor: Actor, now: datetime, case: case_log.Case) -> None:
    _log(case, actor, now, actor.id, actor.name, ACKNOWLEDGED)
    acknowledge_locked(actor, now, case, is_by_phone=True)
    hold_if_free(actor, now, case)


def _tell_that_nobody_was_reached(case: case_log.Case, now: datetime, names: Sequence[str]) -> None:
    payload = {"by": "phone", "outcome": "nobody", "people": list(names)}
    seq = case_log.add(case, "paged", SYSTEM, now, payload)
    tell_leads(case, SYSTEM, PHONE, "nobody_reached", seq, now)
