"""Open a case: accept first, then decide.

One transaction: the entitlement is decided and frozen (RC-12), a premium incident reserved on the locked ledger, the
case numbered, its files taken, the first event written, the lab's precheck queued for a signature change. A repetition
with the same key gives the same case.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.contracts import operations as ledger
from guardia.features.contracts.queries import (
    contract_today,
    facts_for,
    find_contract,
    product_facts,
    refusal_words,
)
from guardia.features.contracts.rules.entitlement import NO_CONTRACT, Granted, NotGranted, decide
from guardia.journeys.add_cases import FIRST_SEQ, Opening, add_openings
from guardia.journeys.attach_files import take_uploads
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.journeys.phone_line import phone_line
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseClass, CaseKind, Channel, Claim, Severity

LONGEST = {
    "subject": 200,
    "description": 20_000,
    "product": 120,
    "engine": 40,
    "database_version": 40,
    "detection_name": 200,
    "product_code": 40,
}
FIELD_OF_CHECK = {
    **dict.fromkeys(("E-4", "E-5", "E-6"), "product_code"),
    **dict.fromkeys(("E-7", "E-8", "E-9"), "case_class"),
}
"""Where on the form a refusal of the entitlement belongs; those of the contract itself belong to none."""
MOST_FILES = 20


@dataclass(frozen=True)
class CaseRequest:
    """What the customer filled in; `uploads` are ids of files that have arrived already.

    `product_code` is that of one of the contract's licences, or empty for another product.
    """

    kind: str
    case_class: str
    severity: int
    subject: str
    description: str
    claim: str = ""
    product: str = ""
    engine: str = ""
    database_version: str = ""
    detection_name: str = ""
    uploads: tuple[UUID, ...] = ()
    product_code: str = ""
    consent_standard: bool = False
    channel: Channel = Channel.PORTAL


@dataclass(frozen=True)
class OpenedCase:
    """The case that was opened, now or by an earlier request with the same key."""

    id: str
    number: str
    case_class: str


@dataclass
class _Complaints:
    fields: dict[str, str] = field(default_factory=dict)

    def need(self, name: str, value: str, sentence: str) -> None:
        if not one_line(value):
            self.fields[name] = sentence
        else:
            self.fit(name, value)

    def fit(self, name: str, value: str) -> None:
        if len(value) > LONGEST[name]:
            self.fields[name] = _("At most %(limit)d characters, got %(length)d.") % {
                "limit": LONGEST[name],
                "length": len(value),
            }

    def check(self, name: str, value: Any, allowed: Any, sentence: str) -> None:
        if value not in allowed:
            self.fields[name] = sentence


def complaints_of(request: CaseRequest) -> Mapping[str, str]:
    """Return what is wrong with a request, by field; empty where it can be opened."""
    found = _Complaints()
    found.check("kind", request.kind, list(CaseKind), _("Choose incident, service request or signature change."))
    found.check("case_class", request.case_class, ["premium", "standard"], _("Choose premium or standard."))
    found.check("severity", request.severity, list(Severity), _("Choose a severity from 1 (critical) to 4 (low)."))
    found.need("subject", request.subject, _("Say in one line what is wrong."))
    found.fit("product_code", request.product_code)
    found.need("description", request.description, _("Say what happened, since when, and on how many machines."))
    if request.kind == CaseKind.SIGNATURE_CHANGE:
        found.check("claim", request.claim, list(Claim), _("Choose false negative or false positive."))
        found.need("product", request.product, _("Name the product and its version. Example: Atalaya Endpoint 8.2"))
        found.need("engine", request.engine, _("Name the engine. Example: ClamAV 1.4.6"))
        found.need(
            "database_version",
            request.database_version,
            _("Give the antivirus database's version. Example: 20261121.7"),
        )
        if request.claim == Claim.FALSE_POSITIVE:
            found.need(
                "detection_name",
                request.detection_name,
                _("Give the name under which the file is detected, as the product shows it."),
            )
        else:
            found.fit("detection_name", request.detection_name)
        if not request.uploads:
            found.fields["files"] = _("Add the file that is detected wrongly, or missed.")
    if len(request.uploads) > MOST_FILES:
        found.fields["files"] = _("At most %(limit)d files in one request.") % {"limit": MOST_FILES}
    return found.fields


def open_case(actor: Actor, now: datetime, request: CaseRequest, idempotency_key: str | None = None) -> OpenedCase:
    """Open a case for the actor's company. Raise Invalid (fields), Refused (entitlement, upload), Forbidden (staff)."""
    if actor.company_id is None:
        raise Forbidden("staff_open_none", _("Requests are opened by people of a company."))
    fields = complaints_of(request)
    if fields:
        raise Invalid(
            "request_incomplete", _("The request was not sent: some answers are missing or too long."), fields
        )
    with journey():
        answer = once(actor, now, idempotency_key, "open_case", asdict(request), lambda: _open(actor, now, request))
    return OpenedCase(**answer)


def _grant(actor: Actor, now: datetime, request: CaseRequest) -> tuple[Any, Granted]:
    contract = find_contract(actor.company_id, now) if actor.company_id else None
    if contract is None:
        raise _refused(NO_CONTRACT)
    # Locked for every class: the terms that are frozen into the case are in force until it stands.
    contract = ledger.lock_contract(contract)
    today = contract_today(contract, now)
    decision = decide(
        facts_for(contract, UUID(actor.id), now),
        CaseClass(request.case_class),
        consents_to_standard=request.consent_standard,
        today=today,
        product=product_facts(contract, request.product_code, today),
    )
    if isinstance(decision, NotGranted):
        raise _refused(decision)
    return contract, decision


def _refused(decision: NotGranted) -> Refused:
    sentence = refusal_words(decision)
    field_name = FIELD_OF_CHECK.get(decision.check)
    return Refused(decision.code, sentence, {field_name: sentence} if field_name else None)


def _open(actor: Actor, now: datetime, request: CaseRequest) -> dict[str, str]:
    contract, granted = _grant(actor, now, request)
    files = take_uploads(actor, request.uploads, now)
    (case,) = add_openings([Opening(actor, request, contract, granted, now, files)], now)
    notify_customer(case, "opened", FIRST_SEQ, now, phone_line(case, now))
    return {"id": str(case.id), "number": case.number, "case_class": granted.case_class.value}
