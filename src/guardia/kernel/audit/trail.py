"""The only writer of the audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Actor


@operation
def record(
    actor: Actor,
    now: datetime,
    act: str,
    thing: str,
    *,
    company_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep that `actor` did `act` to `thing` (such as `case 40000012`) at `now`."""
    AuditEntry.objects.create(
        recorded_at=now, actor=actor.as_json(), act=act, thing=thing, company_id=company_id, detail=dict(detail or {})
    )
