"""Split a second problem off a case: a case of its own, of the same class, under the same frozen terms, not charged.

The vendor splits, so the customer pays nothing for it. Its response clock begins with the split: what is split off was
asked in one request, and is now answered on its own.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.journeys import case_log
from guardia.journeys.move_case import checked_reason
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.journeys.write_message import checked_text, demand_open
from guardia.kernel.errors import Forbidden, Invalid
from guardia.kernel.ids import uuid7
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, CaseKind

LONGEST_SUBJECT = 200


def split_case(
    actor: Actor,
    now: datetime,
    number: str,
    subject: str,
    text: str,
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> str:
    """Split a case off an open one and return its number. Raise Forbidden (no staff), Invalid (fields), Refused."""
    if not actor.is_staff:
        raise Forbidden("staff_only", _("Only the vendor's staff split cases."))
    subject, text, reason = _checked_subject(subject), checked_text(text), checked_reason(reason)
    with journey():
        case = queries.get_case_for(actor, number)
        request = {"number": number, "subject": subject, "text": text, "reason": reason}

        def split() -> dict[str, str]:
            whole = cases.lock_case(case)
            demand_open("message", whole.state)
            return {"number": _split(actor, now, whole, subject, text, reason)}

        answer = once(actor, now, idempotency_key, "split_case", request, split)
    return str(answer["number"])


def _checked_subject(subject: str) -> str:
    cleaned = one_line(subject)
    if not 0 < len(cleaned) <= LONGEST_SUBJECT:
        sentence = _("Say in one line, of at most %(limit)d characters, what the new case is about.") % {
            "limit": LONGEST_SUBJECT
        }
        raise Invalid("subject_missing", sentence, {"subject": sentence})
    return cleaned


def _split(actor: Actor, now: datetime, whole: case_log.Case, subject: str, text: str, reason: str) -> str:
    part = _part_of(whole, subject, now)
    cases.add_case(part)
    facts = {
        "class": whole.case_class,
        "asked_class": whole.case_class,
        "consented": False,
        "severity": whole.severity,
        "tier": whole.tier,
        "plan_rank": whole.plan_rank,
        "channel": whole.channel,
        "group": whole.group,
        "text": text,
        "files": [],
    }
    seq = case_log.add(part, "submitted", actor, now, facts)
    case_log.add(part, "split_from", actor, now, {"case": str(whole.id), "number": whole.number, "reason": reason})
    case_log.add(whole, "split_to", actor, now, {"case": str(part.id), "number": part.number, "reason": reason})
    notify_customer(part, "split", seq, now, reason)
    return str(part.number)


def _part_of(whole: case_log.Case, subject: str, now: datetime) -> Any:
    """A signature change keeps its report and sample; what is split off it is an incident."""
    kind = CaseKind.INCIDENT.value if whole.kind == CaseKind.SIGNATURE_CHANGE else whole.kind
    return cases.new_case(
        id=uuid7(),
        company_id=whole.company_id,
        number=cases.next_case_numbers(1)[0],
        kind=kind,
        channel=whole.channel,
        subject=subject,
        opened_by_id=whole.opened_by_id,
        opened_by_name=whole.opened_by_name,
        contract_id=whole.contract_id,
        calendar_version_id=whole.calendar_version_id,
        terms=whole.terms,
        submitted_at=now,
        language=whole.language,
        product_code=whole.product_code,
    )
