"""Plans and products as the console shows them: promises by class and severity, and the form that edits them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from guardia.features.cases.queries import count_open_under_plan
from guardia.features.contracts.models import Plan
from guardia.features.contracts.queries import contract_today, contracts_on, get_plan, is_in_term, plans, products
from guardia.features.contracts.rules.durations import words
from guardia.features.contracts.rules.entitlement import Phase
from guardia.features.contracts.rules.plan_terms import CLASSES, LEVELS, OBJECTIVES, PLAN_FIELDS
from guardia.features.contracts.rules.who_changes import MANAGERS
from guardia.features.sla.queries import calendar_versions
from guardia.features.sla.queries import policies as escalation_policies
from guardia.kernel.vocabulary import Actor


@dataclass(frozen=True)
class PromiseRow:
    """What a plan promises for one class and severity; durations as a person types them, empty for none."""

    case_class: str
    level: int
    target: str
    coverage: str
    phone: bool
    next_answer: str
    resolution: str
    assignment: str


@dataclass(frozen=True)
class PlanRow:
    """A plan in the list."""

    code: str
    name: str
    rank: int
    incidents: int | None
    contacts: int
    lane: str
    version: int
    is_retired: bool
    contracts: int
    level_1: str


@dataclass(frozen=True)
class PlanPage:
    """A plan with all that it promises; `open_cases` keep it from being edited in place."""

    code: str
    name: str
    rank: int
    incidents: int | None
    contacts: int
    lane: str
    has_phone: bool
    calendar: str
    escalation: str
    version: int
    is_retired: bool
    promises: tuple[PromiseRow, ...]
    contracts: tuple[tuple[str, str], ...]
    open_cases: int
    may_change: bool
    calendars: tuple[str, ...]
    escalations: tuple[str, ...]


@dataclass(frozen=True)
class ProductRow:
    """A product of the vendor."""

    code: str
    name: str
    line: str
    phase: str
    phase_ends_on: date | None


@dataclass(frozen=True)
class ProductsPage:
    """The vendor's products."""

    rows: tuple[ProductRow, ...]
    phases: tuple[str, ...]
    may_change: bool


def _promises(plan: Plan) -> tuple[PromiseRow, ...]:
    return tuple(_promise(plan, case_class, level) for case_class in CLASSES for level in LEVELS)


def _promise(plan: Plan, case_class: str, level: str) -> PromiseRow:
    promise = plan.response[case_class][level]
    goals: Mapping[str, Any] = plan.objectives.get(case_class, {}).get(level, {})
    next_answer, resolution, assignment = (words(goals.get(name)) for name in OBJECTIVES)
    return PromiseRow(
        case_class=case_class,
        level=int(level),
        target=words(promise["target"]),
        coverage=promise["coverage"],
        phone=bool(promise.get("phone_opens_24x7", False)),
        next_answer=next_answer,
        resolution=resolution,
        assignment=assignment,
    )


def plan_list(actor: Actor, now: datetime) -> tuple[tuple[PlanRow, ...], bool]:
    """Return every plan by rank, and whether the actor may change them."""
    rows = tuple(
        PlanRow(
            code=plan.code,
            name=plan.name,
            rank=plan.rank,
            incidents=plan.premium_incidents,
            contacts=plan.named_contacts,
            lane=plan.lane,
            version=plan.version,
            is_retired=plan.is_retired,
            contracts=len(_running(plan, now)),
            level_1=_promise(plan, "premium", "1").target,
        )
        for plan in plans()
    )
    return rows, bool(actor.roles & MANAGERS)


def _running(plan: Plan, now: datetime) -> list[Any]:
    rows = contracts_on(plan).select_related("company").order_by("company__name")
    return [row for row in rows if is_in_term(row, contract_today(row, now))]


def plan_page(actor: Actor, now: datetime, code: str) -> PlanPage:
    """Return a plan; raise NotFound."""
    plan = get_plan(code)
    return PlanPage(
        code=plan.code,
        name=plan.name,
        rank=plan.rank,
        incidents=plan.premium_incidents,
        contacts=plan.named_contacts,
        lane=plan.lane,
        has_phone=plan.has_phone,
        calendar=plan.office["calendar"],
        escalation=plan.escalation,
        version=plan.version,
        is_retired=plan.is_retired,
        promises=_promises(plan),
        contracts=tuple((row.number, row.company.name) for row in _running(plan, now)),
        open_cases=count_open_under_plan(code),
        may_change=bool(actor.roles & MANAGERS),
        calendars=tuple(dict.fromkeys(row.name for row in calendar_versions())),
        escalations=tuple(sorted({"default", *escalation_policies()})),
    )


def products_page(actor: Actor) -> ProductsPage:
    """Return the vendor's products."""
    rows = tuple(ProductRow(row.code, row.name, row.line, row.phase, row.phase_ends_on) for row in products())
    return ProductsPage(rows, tuple(phase.value for phase in Phase), bool(actor.roles & MANAGERS))


def plans_as_data(codes: list[str]) -> list[dict[str, Any]]:
    """Return plans as data that `guardia plans import` takes; every one of them where no code is given."""
    wanted = [get_plan(code) for code in codes] or list(plans())
    return [{"code": plan.code, **{name: getattr(plan, name) for name in PLAN_FIELDS}} for plan in wanted]
