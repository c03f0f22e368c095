"""Take escalation steps: find the people behind a name, and tell them by console, mail, webhook and phone.

`Telling` gathers what a batch of steps comes to, so that it is written in a few statements. One person is told of a
case's mark by one notice and at most one mail, however many names lead to the same person, and however often a step
repeats (P25). What is mailed is composed at delivery, from the facts of then (P21). A step by phone makes one page,
which the line calls out (`page_by_phone.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from guardia.features.accounts.queries import active_people_by_id, staff_with
from guardia.features.cases import operations as cases
from guardia.features.contracts.queries import account_manager_of
from guardia.features.duty.queries import who_has
from guardia.features.sla import operations, queries
from guardia.features.sla.rules.escalation import INSTEAD, Coverage
from guardia.features.sla.rules.timetable import EARLIEST
from guardia.kernel.outbox.post import Intention, post_many
from guardia.kernel.outside import outside
from guardia.kernel.vocabulary import ROLES_OF_GROUP, SYSTEM, Group, Role

MAIL, WEBHOOK = "escalation_mail", "escalation_webhook"
DUTIES = ("on_duty", "duty_manager")


class Person(NamedTuple):
    """Who is told: the id as text, which is quicker to write many times."""

    id: str
    name: str


@dataclass
class Telling:
    """What the steps of one batch come to, at one instant."""

    now: datetime
    additions: list[cases.Addition] = field(default_factory=list)
    new_steps: list[Any] = field(default_factory=list)
    notices: dict[str, Any] = field(default_factory=dict)
    posts: dict[str, Intention] = field(default_factory=dict)
    pages: list[dict[str, Any]] = field(default_factory=list)
    _managers: dict[UUID, list[Person]] = field(default_factory=dict)
    _holders: dict[UUID, list[Person]] = field(default_factory=dict)
    _groups: dict[str, list[Person]] = field(default_factory=dict)

    def take(self, case: Any, firing: Any, steps: Sequence[Any], late_by: timedelta) -> None:
        """Take steps of one firing of a locked case, in the rows in hand: one event tells of all of them."""
        found = [(step, *self.behind(step.to, case)) for step in steps]
        self.new_steps += [self._again(case, step) for step in steps if step.repeat and step.round + 1 < step.at_most]
        facts = _facts(case, firing)
        for step, told, people in found:
            step.fired_at, step.people = self.now, [person.id for person in people]
            self._tell(firing, step, {**facts, "why": told}, people)
        payload = {
            "clock": firing.clock,
            "mark": firing.mark,
            "late_by_s": round(late_by.total_seconds(), 3),
            "steps": [
                {
                    "step": step.step,
                    "round": step.round,
                    "to": told,
                    "meant": step.to,
                    "by": step.by,
                    "people": [person.name for person in people],
                }
                for step, told, people in found
            ],
        }
        self.additions.append(cases.Addition(case, "escalated", payload))

    def behind(self, name: str, case: Any) -> tuple[str, list[Person]]:
        """Return the people behind a name, or behind the next sensible one that has somebody, and that name."""
        while True:
            people = self._people(name, case)
            if people or name not in INSTEAD:
                return name, people
            name = INSTEAD[name]

    def save(self) -> int:
        """Write everything but the steps and firings themselves; return how many messages wait for delivery."""
        cases.append_to_many(self.additions, SYSTEM, self.now)
        operations.add_notices(list(self.notices.values()), self.now)
        operations.add_pages(self.pages, self.now)
        return post_many(list(self.posts.values()), self.now)

    def _tell(self, firing: Any, step: Any, facts: Mapping[str, Any], people: Sequence[Person]) -> None:
        by_console, by_mail = "console" in step.by, "mail" in step.by
        for person in people:
            key = f"{firing.id}:{person.id}"
            if by_console and key not in self.notices:
                self.notices[key] = operations.new_notice(firing.company_id, person.id, key, facts)
            if by_mail and key not in self.posts:
                payload = {**facts, "to": person.id}
                self.posts[key] = Intention(MAIL, f"escalation:{key}", payload, firing.company_id)
        if "phone" in step.by:
            self.pages.append(operations.new_page(firing, step, facts["severity"], [person.id for person in people]))
        if "webhook" in step.by and outside().webhook.is_set:
            key = f"webhook:{step.id}"
            payload = {**facts, "to": "webhook", "id": key}
            self.posts[key] = Intention(WEBHOOK, key, payload, firing.company_id)

    def _again(self, case: Any, step: Any) -> Any:
        coverage = coverage_of(case, step.firing.clock)
        at = self.now + step.repeat if step.firing.mark == "called" else coverage.advance(self.now, step.repeat)
        return operations.next_round(step, at)

    def _people(self, name: str, case: Any) -> list[Person]:
        if name == "holder":
            return self._cached(self._holders, case.holder_id)
        if name == "group":
            if case.group not in self._groups:
                self._groups[case.group] = group_members(case.group)
            return self._groups[case.group]
        if name == "account_manager":
            return self._manager_of(case.contract_id)
        return self._on_duty[name]

    def _manager_of(self, contract_id: UUID) -> list[Person]:
        if contract_id not in self._managers:
            manager = account_manager_of(contract_id)
            self._managers[contract_id] = _people(active_people_by_id([manager]).values()) if manager else []
        return self._managers[contract_id]

    def _cached(self, known: dict[UUID, list[Person]], person_id: UUID | None) -> list[Person]:
        if person_id is None:
            return []
        if person_id not in known:
            known[person_id] = _people(active_people_by_id([person_id]).values())
        return known[person_id]

    @cached_property
    def _on_duty(self) -> Mapping[str, list[Person]]:
        found = {code: who_has(code, self.now) for code in DUTIES}
        people = active_people_by_id([person for person in found.values() if person is not None])
        on_duty = {code: _people([people[person]]) if person in people else [] for code, person in found.items()}
        # Without a roster a breach still reaches somebody: everybody who leads.
        on_duty["duty_manager"] = on_duty["duty_manager"] or _people(staff_with(Role.DUTY_MANAGER))
        return on_duty


def group_members(group: str) -> list[Person]:
    """Return the present members of a group, each once."""
    members = {person.id: person for role in sorted(ROLES_OF_GROUP[Group(group)]) for person in staff_with(role)}
    return _people(members.values())


def _people(rows: Iterable[Any]) -> list[Person]:
    return [Person(str(row.id), row.name) for row in rows]


def coverage_of(case: Any, clock: str) -> Coverage:
    """Return which instants count for a clock of a case: its calendar's, or every one that a call or promise opens."""
    calendar = queries.compiled_calendar(case.calendar_version_id)
    if clock != "response":
        return Coverage(calendar)
    promise = queries.policy_of(case.terms, case.case_class)[str(case.severity)]
    if promise["coverage"] == "always":
        return Coverage(calendar, EARLIEST)
    return Coverage(calendar, case.called_at if promise.get("phone_opens_24x7") else None)


def _facts(case: Any, firing: Any) -> dict[str, Any]:
    return {
        "case": str(firing.case_id),
        "number": case.number,
        "severity": case.severity,
        "clock": firing.clock,
        "mark": firing.mark,
        "due_at": firing.due_at.isoformat(),
    }
