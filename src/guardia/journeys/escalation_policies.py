"""Escalation policies are data that duty managers edit; every version stands whole in the audit trail."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.sla import operations, queries
from guardia.features.sla.rules.escalation import parse_steps
from guardia.features.sla.rules.expectations import Malformed
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role

CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,19}", re.ASCII)
LONGEST_NAME = 60


def save_policy(actor: Actor, now: datetime, code: str, name: str, steps: Sequence[Any], seen: int) -> int:
    """Save a policy's next version and return its number; `seen` is the version that was edited, 0 for a new policy.

    What is under way keeps the steps that set it off. Raises Forbidden, Invalid (fields `code`, `name`, `steps`, or
    `steps.N.FIELD`), Refused where somebody else has changed it meanwhile.
    """
    if Role.DUTY_MANAGER not in actor.roles:
        raise Forbidden("duty_manager_only", _("Only duty managers change who is told what when."))
    name = " ".join(name.split())
    fields = {}
    if not CODE.fullmatch(code):
        fields["code"] = _("From 2 to 20 lower-case letters, digits and hyphens.")
    if not 0 < len(name) <= LONGEST_NAME:
        fields["name"] = _("Give it a name of at most %(limit)d characters.") % {"limit": LONGEST_NAME}
    try:
        parsed = [step.as_json() for step in parse_steps(list(steps))]
    except Malformed as error:
        fields |= _complaint(error)
    if fields:
        raise Invalid("policy_malformed", _("The policy was not saved."), fields)
    with journey():
        before = queries.lock_policy(code)
        if (before.version if before else 0) != seen:
            raise Refused(
                "policy_changed", _("Somebody else has changed this policy meanwhile. Look at it again, then repeat.")
            )
        version = operations.save_policy(code, name, parsed, actor, now)
        detail = {"version": version, "name": name, "steps": parsed, "before": list(before.steps) if before else []}
        record(actor, now, "escalation_policy", f"escalation policy {code}", detail=detail)
    return version


def _complaint(error: Malformed) -> dict[str, str]:
    """A refusal of the rules, at the form's field that it names: `steps[2].after` is `steps.2.after`."""
    found = re.fullmatch(r"steps\[(\d+)\](?:\.(\w+))?", error.place)
    if found is None:
        return {"steps": _("A policy has from 1 to 40 steps.")}
    number, name = found.groups()
    if name is None:
        return {f"steps.{number}.to": _("An earlier step tells the same at the same time.")}
    sentences = {
        "on": _("Choose a mark."),
        "clock": _("This mark does not belong to this clock."),
        "to": _("Choose who is told."),
        "by": _("Choose at least one way."),
        "severities": _("Choose at least one severity."),
        "classes": _("Choose at least one class."),
        "after": _("A time up to 30 days, such as 15 min or 2 h; empty: at once."),
        "repeat": _("A time from 1 minute to 30 days, such as 30 min; empty: once."),
        "at_most": _("How often in all: from 2 to 12 where it repeats, else 1."),
    }
    return {f"steps.{number}.{name}": sentences.get(name, str(error))}
