"""Plans as data: edited in place while nobody is served under them, else saved as a new plan.

An edit changes the promises of every contract on the plan at once, and the running year of each follows. Open cases
keep their frozen terms, yet a plan that was edited would then say something else than the case that names it; so an
edit is refused while there are any. The way on is a new plan, to which contracts change one by one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guardia.features.cases.queries import count_open_under_plan
from guardia.features.contracts import operations as contracts
from guardia.features.contracts import queries
from guardia.features.contracts.rules.plan_terms import code_faults, plan_faults
from guardia.features.sla.queries import find_calendar_version
from guardia.features.sla.queries import policies as escalation_policies
from guardia.journeys.change_contract import demand_manager
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM, Actor


def edit_plan(
    actor: Actor,
    now: datetime,
    code: str,
    values: Mapping[str, Any],
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> None:
    """Change a plan. Raise Forbidden, Invalid (faults by place), Refused (open cases are served under it), NotFound."""
    _demand_may(actor)
    reason = checked_reason(reason)
    with journey():
        plan = queries.get_plan(code)
        _demand_whole(values)

        def edit() -> dict[str, str]:
            _edit(actor, now, plan, values, reason)
            return {"code": code}

        once(actor, now, idempotency_key, "edit_plan", {"code": code, "values": values}, edit)


def add_plan(
    actor: Actor,
    now: datetime,
    code: str,
    values: Mapping[str, Any],
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> str:
    """Make a plan and return its code. Raise Forbidden, Invalid (faults by place), Refused (the code is taken)."""
    _demand_may(actor)
    reason = checked_reason(reason)
    _demand_whole(values, code)
    with journey():

        def add() -> dict[str, str]:
            if queries.plans().filter(code=code).exists():
                sentence = _("There is a plan of this code already.")
                raise Refused("plan_taken", sentence, {"code": sentence})
            contracts.save_plan(code, values)
            _record(actor, now, "plan_added", code, {"after": dict(values), "reason": reason})
            return {"code": code}

        once(actor, now, idempotency_key, "add_plan", {"code": code, "values": values}, add)
    return code


def retire_plan(
    actor: Actor, now: datetime, code: str, reason: str, *, is_retired: bool, idempotency_key: str | None = None
) -> None:
    """Offer a plan to no further contract, or again; the contracts that have it keep it."""
    demand_manager(actor)
    reason = checked_reason(reason)
    with journey():
        plan = queries.get_plan(code)

        def retire() -> dict[str, str]:
            contracts.retire_plan(contracts.lock_plan(plan), is_retired=is_retired)
            _record(actor, now, "plan_retired" if is_retired else "plan_offered", code, {"reason": reason})
            return {"code": code}

        once(actor, now, idempotency_key, "retire_plan", {"code": code, "is_retired": is_retired}, retire)


def import_plans(now: datetime, written: Sequence[tuple[str, Mapping[str, Any]]], reason: str) -> list[tuple[str, str]]:
    """Add or change several plans, all or none; return each code with `added`, `changed` or `same`.

    Raise Invalid and Refused as `add_plan` and `edit_plan` do, with the plan's code before each place.
    """
    done = []
    with journey():
        for code, values in written:
            _demand_whole(values, code)
            if not queries.plans().filter(code=code).exists():
                contracts.save_plan(code, values)
                _record(SYSTEM, now, "plan_added", code, {"after": dict(values), "reason": reason})
                done.append((code, "added"))
            elif plan_values(queries.get_plan(code)) == dict(values):
                done.append((code, "same"))
            else:
                _edit(SYSTEM, now, queries.get_plan(code), values, reason)
                done.append((code, "changed"))
    return done


def _edit(actor: Actor, now: datetime, plan: Any, values: Mapping[str, Any], reason: str) -> None:
    plan = contracts.lock_plan(plan)
    # Each case locks its contract while it freezes the terms: none is opened under the plan from here on.
    on_it = contracts.lock_contracts_on(plan)
    open_cases = count_open_under_plan(plan.code)
    if open_cases:
        raise Refused("plan_in_use", _in_use(open_cases))
    before = plan_values(plan)
    contracts.edit_plan(plan, values, on_it, actor, now, reason)
    _record(actor, now, "plan_edited", plan.code, {"before": before, "after": dict(values), "reason": reason})


def _in_use(count: int) -> str:
    return ngettext(
        "%(count)d open case is served under this plan, so it was not changed. Save it as a new plan, then move the "
        "contracts there by a change of plan.",
        "%(count)d open cases are served under this plan, so it was not changed. Save it as a new plan, then move the "
        "contracts there by a change of plan.",
        count,
    ) % {"count": count}


def plan_values(plan: Any) -> dict[str, Any]:
    """Return a plan as data: what an edit may change."""
    names = (
        "name", "rank", "premium_incidents", "named_contacts", "lane", "has_phone", "response", "objectives",
        "escalation", "office",
    )  # fmt: skip
    return {name: getattr(plan, name) for name in names}


def _demand_may(actor: Actor) -> None:
    if actor is not SYSTEM:
        demand_manager(actor)


def _demand_whole(values: Mapping[str, Any], code: str | None = None) -> None:
    """Raise Invalid with everything that is wrong, by place."""
    faults = plan_faults(dict(values)) + (code_faults(code) if code is not None else [])
    found = dict(queries.fault_words(faults))
    if not found:
        if find_calendar_version(values["office"]["calendar"]) is None:
            found["office.calendar"] = _("There is no calendar of this name. Make it first.")
        known = escalation_policies()
        if values["escalation"] not in known and not (values["escalation"] == "default" and not known):
            found["escalation"] = _("There is no escalation policy of this code. Make it first.")
    if found:
        raise Invalid("plan_malformed", _("The plan was not kept: some of it is not possible."), found)


def _record(actor: Actor, now: datetime, act: str, code: str, detail: Mapping[str, Any]) -> None:
    record(actor, now, act, f"plan {code}", detail=detail)
