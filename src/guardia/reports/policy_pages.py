"""Escalation policies as pages show them: a readable table of steps, and the versions before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.contracts.queries import plans
from guardia.features.sla.queries import policies
from guardia.features.sla.rules.default_escalation import DEFAULT_CODE, DEFAULT_NAME, DEFAULT_STEPS
from guardia.features.sla.rules.escalation import Step, parse_steps
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor, Role
from guardia.reports.alarm_words import clock_name, target_name, way_name
from guardia.reports.timeline import span_words

MOST_VERSIONS = 20


@dataclass(frozen=True)
class StepRow:
    """A step in words."""

    when: str
    clock: str
    severities: tuple[int, ...]
    classes: tuple[str, ...]
    to: str
    by: tuple[str, ...]
    again: str


@dataclass(frozen=True)
class PolicyVersion:
    """A version in the audit trail."""

    version: int
    at: datetime
    by: str
    steps: int


@dataclass(frozen=True)
class PolicyPage:
    """One policy, in words and as it is kept."""

    code: str
    name: str
    version: int
    changed_at: datetime | None
    changed_by: str
    rows: tuple[StepRow, ...]
    steps: tuple[dict[str, Any], ...]
    plans: tuple[str, ...]
    history: tuple[PolicyVersion, ...]
    may_change: bool


@dataclass(frozen=True)
class PolicyRow:
    """A policy in the list."""

    code: str
    name: str
    version: int
    steps: int
    plans: tuple[str, ...]
    changed_at: datetime | None


def policy_list(actor: Actor) -> tuple[tuple[PolicyRow, ...], bool]:
    """Return every policy, and whether the actor may change them."""
    used = _plans_of()
    rows = [
        PolicyRow(row.code, row.name, row.version, len(row.steps), used.get(row.code, ()), row.changed_at)
        for row in policies().values()
    ]
    if not rows:
        rows = [PolicyRow(DEFAULT_CODE, DEFAULT_NAME, 0, len(DEFAULT_STEPS), used.get(DEFAULT_CODE, ()), None)]
    return tuple(rows), Role.DUTY_MANAGER in actor.roles


def policy_page(actor: Actor, code: str) -> PolicyPage:
    """Return one policy; raise NotFound."""
    row = policies().get(code)
    if row is None and code != DEFAULT_CODE:
        raise NotFound("policy_unknown", _("There is no such escalation policy."))
    steps = row.steps if row else DEFAULT_STEPS
    return PolicyPage(
        code=code,
        name=row.name if row else DEFAULT_NAME,
        version=row.version if row else 0,
        changed_at=row.changed_at if row else None,
        changed_by=(row.changed_by or {}).get("name", "") if row else "",
        rows=tuple(_in_words(step) for step in parse_steps(steps)),
        steps=tuple(step.as_json() for step in parse_steps(steps)),
        plans=_plans_of().get(code, ()),
        history=_history(code),
        may_change=Role.DUTY_MANAGER in actor.roles,
    )


def mark_words(on: str) -> str:
    """Return when a step is taken, without its clock."""
    words = {
        "breach": _("target missed"),
        "unassigned": _("nobody has taken it in time"),
        "called": _("the customer has phoned"),
    }
    return words.get(on) or _("%(share)s %% used") % {"share": on}


def _in_words(step: Step) -> StepRow:
    when = mark_words(step.on)
    if step.after:
        when = _("%(mark)s, %(span)s later") % {"mark": when, "span": span_words(step.after)}
    again = ""
    if step.repeat:
        span = {"span": span_words(step.repeat), "times": step.at_most}
        again = _("every %(span)s, %(times)d times in all") % span
    return StepRow(
        when,
        clock_name(step.clock),
        tuple(sorted(step.severities)),
        tuple(sorted(step.classes)),
        target_name(step.to),
        tuple(map(way_name, step.by)),
        again,
    )


def _plans_of() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for plan in plans():
        found[plan.escalation] = (*found.get(plan.escalation, ()), plan.name)
    return found


def _history(code: str) -> tuple[PolicyVersion, ...]:
    rows = AuditEntry.objects.filter(act="escalation_policy", thing=f"escalation policy {code}").order_by("-id")
    return tuple(
        PolicyVersion(row.detail["version"], row.recorded_at, row.actor["name"], len(row.detail["steps"]))
        for row in rows[:MOST_VERSIONS]
    )
