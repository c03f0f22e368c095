"""What the forms of a case's page offer: severities with the due time that each would make, people, groups.

A change of severity is judged here by the same fold as afterwards, with the change put at this instant: what the form
foretells is what the clock then says, as long as nothing else happens before it is sent.
"""

from dataclasses import dataclass
from datetime import datetime

from guardia.features.accounts.queries import present_staff
from guardia.features.cases import queries
from guardia.features.cases.models import Case
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla.queries import (
    policy_of,
    read_clock_under,
    steps_to_come,
    takes_target_away,
    unread_notices,
)
from guardia.kernel.vocabulary import Actor, Group, Role, Severity
from guardia.reports.case_steps import target_words


@dataclass(frozen=True)
class SeverityChoice:
    """A severity and what it would do to the clock now. `due_at` None: no end; `is_moot`: the clock stands already."""

    level: int
    target: str
    due_at: datetime | None
    is_same_due: bool
    is_moot: bool
    needs_agreement: bool


@dataclass(frozen=True)
class CaseForms:
    """`people` as (id, name, roles); `alarms` is whether something was told that nobody has acknowledged."""

    severities: tuple[SeverityChoice, ...]
    people: tuple[tuple[str, str, tuple[str, ...]], ...]
    groups: tuple[str, ...]
    group: str
    has_alarm: bool
    merged_into: str


def severity_choices(actor: Actor, case: Case, events: list[EventFact], now: datetime) -> tuple[SeverityChoice, ...]:
    """Return every other severity with its consequence."""
    policy = policy_of(case.terms, case.case_class)
    as_of = max(now, *(event.occurred_at for event in events))
    before = read_clock_under(case.calendar_version_id, policy, events, as_of)
    found = []
    for level in Severity:
        if level == case.severity:
            continue
        change = EventFact(case.last_seq + 1, "severity_changed", {}, as_of, {"from": case.severity, "to": level})
        after = read_clock_under(case.calendar_version_id, policy, [*events, change], as_of)
        is_lead = Role.DUTY_MANAGER in actor.roles or not actor.is_staff
        taken = takes_target_away(policy, case.severity, level, is_answered=case.answered_at is not None)
        found.append(
            SeverityChoice(
                level=int(level),
                target=target_words(policy, level),
                due_at=after.due_at,
                is_same_due=after.due_at == before.due_at,
                is_moot=before.answered_at is not None or before.breached_at is not None,
                needs_agreement=taken and not is_lead,
            )
        )
    return tuple(found)


def case_forms(actor: Actor, now: datetime, number: str) -> CaseForms:
    """Return what the forms of a case that the actor may see offer."""
    case = queries.get_case_for(actor, number)
    events = queries.facts_of(case)
    people = present_staff() if actor.is_staff else ()
    merged = queries.find_case_for(actor, case.merged_into_id) if case.merged_into_id else None
    return CaseForms(
        severities=severity_choices(actor, case, events, now),
        people=tuple((str(person.id), person.name, tuple(person.roles)) for person in people),
        groups=tuple(group.value for group in Group),
        group=case.group,
        has_alarm=actor.is_staff and bool(steps_to_come([case.id]) or unread_notices(case.id)),
        merged_into=merged.number if merged else "",
    )
