"""What the form for a new case must say before it is sent."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.conf import settings

from guardia.features.accounts.queries import get_company
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import (
    contract_today,
    facts_for,
    find_contract,
    licences_of,
    product_facts,
    refusal_words,
    terms_of,
)
from guardia.features.contracts.rules.entitlement import Granted, NotGranted, decide, unserved
from guardia.features.releases.queries import pointer
from guardia.features.sla.queries import compiled_calendar
from guardia.features.sla.rules.policies import Policy
from guardia.kernel.vocabulary import Actor, CaseClass, Lane
from guardia.reports.case_page import quota_view
from guardia.reports.case_steps import target_words
from guardia.reports.showing import QuotaView


@dataclass(frozen=True)
class LevelTarget:
    """The premium target of one severity, in words of the reader's language, and when it would be due if sent now."""

    severity: int
    target: str
    due_at: datetime | None


@dataclass(frozen=True)
class NewCasePage:
    """The contract's terms for the one who opens the form. `refusal` is set where nothing can be sent at all.

    `is_none_left`: only the consent to standard is missing. `products`: code, name, and why a request for it would be
    refused. `must_phone_level_1`: the office is closed, and a call opens the premium clock of level 1.
    """

    company: str
    plan: str
    quota: QuotaView
    may_spend_premium: bool
    premium_refusal: str
    is_none_left: bool
    products: tuple[tuple[str, str, str], ...]
    must_phone_level_1: bool
    refusal: str
    lane: str
    phone: str
    office_open_now: bool
    office_opens_at: datetime | None
    targets: tuple[LevelTarget, ...]
    newest_release: str
    upload_limit: int


def new_case_page(actor: Actor, now: datetime) -> NewCasePage:
    """Return the terms of the actor's contract for the form."""
    company = get_company(actor.company_id) if actor.company_id else None
    contract = find_contract(company.id, now) if company else None
    facts = facts_for(contract, UUID(actor.id), now)
    today = contract_today(contract, now) if contract else now.date()
    refusal = decide(facts, CaseClass.STANDARD, consents_to_standard=False, today=today)
    premium = decide(facts, CaseClass.PREMIUM, consents_to_standard=False, today=today)
    head = pointer(Lane(contract.plan.lane)) if contract else None
    calendar = compiled_calendar(contract.calendar_version_id) if contract else None
    is_open = calendar.is_open(now) if calendar else False
    return NewCasePage(
        company=company.name if company else "",
        plan=contract.plan.name if contract else "",
        quota=quota_view(contract.id, now) if contract else QuotaView(0, 0, 0, ""),
        may_spend_premium=isinstance(premium, Granted),
        is_none_left=isinstance(premium, NotGranted) and premium.check == "E-9",
        products=_products(contract, today) if contract else (),
        must_phone_level_1=contract is not None and not is_open and _is_opened_by_call(contract),
        premium_refusal="" if isinstance(premium, Granted) else refusal_words(premium),
        refusal="" if isinstance(refusal, Granted) else refusal_words(refusal),
        lane=contract.plan.lane if contract else "standard",
        phone=settings.GUARDIA.phone,
        office_open_now=is_open,
        office_opens_at=None if is_open or calendar is None else calendar.next_opening(now),
        targets=_targets(contract, now) if contract else (),
        newest_release=head.release.label if head else "",
        upload_limit=settings.GUARDIA.upload_limit,
    )


def _products(contract: Contract, today: date) -> tuple[tuple[str, str, str], ...]:
    """The contract's products; a named one is judged by E-4 to E-6 alone."""
    found = {}
    for licence in licences_of(contract):
        product = product_facts(contract, licence.product_id, today)
        refused = unserved(product, today) if product else None
        found[licence.product_id] = (
            licence.product_id, licence.product.name, refusal_words(refused) if refused else ""
        )  # fmt: skip
    return tuple(found.values())


def _is_opened_by_call(contract: Contract) -> bool:
    return Policy.parse(dict(terms_of(contract).response["premium"]))[1].phone_opens_24x7


def _targets(contract: Contract, now: datetime) -> tuple[LevelTarget, ...]:
    policy = dict(terms_of(contract).response["premium"])
    parsed = Policy.parse(policy)
    calendar = compiled_calendar(contract.calendar_version_id)
    targets = []
    for severity in (1, 2, 3, 4):
        promise = parsed[severity]
        due = None
        if promise.target is not None:
            due = now + promise.target if promise.coverage == "always" else calendar.advance(now, promise.target)
        targets.append(LevelTarget(severity, target_words(policy, severity), due))
    return tuple(targets)
