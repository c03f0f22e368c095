"""What the stories about the promise tell again and again: instants in Madrid, and what a case looks like then."""

from datetime import datetime
from typing import Any

from tests.support.cast import Cast

from guardia.features.cases.queries import events_of, get_case_for
from guardia.features.mail.models import OutboundMail
from guardia.features.sla.queries import policy_of, read_clock
from guardia.features.sla.rules.clock import Reading
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.kernel.audit.models import AuditEntry


def at(text: str) -> datetime:
    """An instant of Madrid's winter: `2026-11-23 10:00`."""
    return datetime.fromisoformat(f"{text}:00+01:00")


def row(cast: Cast, number: str) -> Any:
    """The case as it is stored."""
    return get_case_for(cast.engineer, number)


def reading(cast: Cast, number: str, as_of: datetime) -> Reading:
    """The response clock of a case as of an instant."""
    case = row(cast, number)
    policy = policy_of(case.terms, case.case_class)
    return read_clock(case.calendar_version_id, policy, list(events_of(case)), as_of)


def types(cast: Cast, number: str) -> list[str]:
    """The types of its events, in order."""
    return [event.type for event in events_of(row(cast, number))]


def last(cast: Cast, number: str) -> Any:
    """Its last event."""
    return events_of(row(cast, number)).last()


def mails_to(address: str) -> list[str]:
    """Subject and body of each mail to somebody, in the order of writing."""
    rows = OutboundMail.objects.filter(address=address).order_by("id")
    return ["\n".join([mail.subject, *(part["text"] for part in mail.paragraphs)]) for mail in rows]


def audited(act: str) -> list[dict[str, Any]]:
    """What the audit trail keeps of an act."""
    return list(AuditEntry.objects.filter(act=act).order_by("id").values_list("detail", flat=True))


def demand_rebuilt_alike() -> None:
    """What is stored of every case is what its events add up to."""
    assert [(number, columns) for number, columns in rebuild_projections(repair=False) if columns] == []
