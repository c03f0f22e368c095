"""Set new cases up, as many at once as there are: accepted requests become rows, events, watched clocks and lab work.

One transaction, a few statements for all of them. The terms are frozen into each case (RC-12), a premium incident is
reserved on the locked ledger, and a case counts from the arrival of its request, whenever it is set up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases.rules import words
from guardia.features.cases.rules.projection import EventFact
from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import terms_of
from guardia.features.contracts.rules.entitlement import Granted
from guardia.features.sla.queries import calendar_named
from guardia.journeys import case_log
from guardia.journeys.attach_files import described
from guardia.journeys.precheck_case import queue_precheck
from guardia.journeys.watch_clocks import watch_many
from guardia.kernel.errors import Refused
from guardia.kernel.ids import spoken, uuid7
from guardia.kernel.plain_text import one_line
from guardia.kernel.vocabulary import Actor, CaseClass, CaseKind

REPORT_FIELDS: Final = ("claim", "product", "engine", "database_version", "detection_name")
FIRST_SEQ: Final = 1


@dataclass(frozen=True)
class Opening:
    """An accepted request: who asks what (`journeys.open_case.CaseRequest`), what is granted, since when it counts.

    `said` is what the first event keeps besides; `arrived_at` is when the request had come in.
    """

    actor: Actor
    request: Any
    contract: Any
    granted: Granted
    arrived_at: datetime
    files: Sequence[cases.ArrivedFile] = ()
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_report(self) -> bool:
        """Whether it is a signature change request."""
        return bool(self.request.kind == CaseKind.SIGNATURE_CHANGE)

    @property
    def is_premium(self) -> bool:
        """Whether a premium incident is reserved for it."""
        return self.granted.case_class is CaseClass.PREMIUM


def add_openings(openings: Sequence[Opening], now: datetime) -> list[Any]:
    """Set up a case for each opening and return them in order; raise Refused where no premium incident is left.

    Needs a transaction with every premium opening's contract locked.
    """
    numbers = cases.next_case_numbers(len(openings))
    new = [_first_events(opening, number) for opening, number in zip(openings, numbers, strict=True)]
    cases.add_cases(new, now)
    for opening, one in zip(openings, new, strict=True):
        if opening.is_report:
            cases.add_report(one.case, _report(opening))
        if opening.files:
            cases.add_files(one.case, opening.files, "sample" if opening.is_report else "attachment", FIRST_SEQ, now)
        if opening.is_premium and not ledger.reserve(opening.contract, one.case.id, opening.actor, now, ""):
            # The contract is locked since the decision, so this cannot be; fail closed rather than charge nothing.
            raise Refused("no_premium_left", _("No premium incidents are left in this contract year."))
    watch_many([one.case for one in new], now, {one.case.id: one.facts for one in new})
    for opening, one in zip(openings, new, strict=True):
        if opening.is_report:
            queue_precheck(one.case, now)
    return [one.case for one in new]


def frozen_terms(contract: Any, granted: Granted, request: Any) -> dict[str, Any]:
    """Return what a case keeps of its contract, whatever becomes of the contract later (RC-12)."""
    plan, response = contract.plan, terms_of(contract).response
    served_as = CaseClass.STANDARD if granted.case_class is CaseClass.UNDECIDED else granted.case_class
    return {
        "contract": contract.number,
        "plan": plan.code,
        "plan_name": plan.name,
        "plan_version": plan.version,
        "lane": plan.lane,
        "policy": response[served_as.value],
        "policies": dict(response),
        "objectives": plan.objectives,
        "escalation": plan.escalation,
        "calendar": dict(calendar_named(contract.calendar_version_id)),
        "entitlement": {
            "checks": list(granted.checks),
            "asked": request.case_class,
            "granted": granted.case_class.value,
            "overrides": contract.overrides,
            "product": request.product_code,
        },
    }


def _first_events(opening: Opening, number: str) -> cases.FirstEvents:
    actor, request, granted = opening.actor, opening.request, opening.granted
    case = cases.new_case(
        id=uuid7(),
        company=opening.contract.company,
        number=number,
        kind=request.kind,
        channel=request.channel.value,
        subject=one_line(request.subject),
        opened_by_id=UUID(actor.id),
        opened_by_name=actor.name,
        contract_id=opening.contract.id,
        calendar_version_id=opening.contract.calendar_version_id,
        terms=frozen_terms(opening.contract, granted, request),
        submitted_at=opening.arrived_at,
        language=actor.language,
        product_code=request.product_code,
    )
    submitted = {
        "class": granted.case_class.value,
        "asked_class": request.case_class,
        "consented": request.consent_standard and granted.case_class is CaseClass.STANDARD,
        "severity": request.severity,
        "tier": granted.tier,
        "plan_rank": granted.plan_rank,
        "channel": request.channel.value,
        "text": request.description,
        "files": described(opening.files),
        **opening.said,
    }
    by = actor.as_json()
    facts = [EventFact(FIRST_SEQ, "submitted", by, opening.arrived_at, submitted)]
    if opening.is_premium:
        reserved = {"movement": "reserve", "amount": 1}
        facts.append(EventFact(FIRST_SEQ + 1, "quota", by, opening.arrived_at, reserved))
    case_log.projected(case, facts)
    titles = [case.subject, opening.contract.company.name, case.product_code, number, spoken(number)]
    if opening.is_report:
        report = _report(opening)
        titles += [report["product"], report["detection_name"]]
    return cases.FirstEvents(case, facts, words.text_of(titles, facts))


def _report(opening: Opening) -> dict[str, str]:
    return {name: one_line(getattr(opening.request, name)) for name in REPORT_FIELDS}
