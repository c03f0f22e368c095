"""Messages that left the quarantine are taken up again from their raw bytes, for the person that was proven."""

from datetime import datetime
from uuid import UUID

from guardia.features.mail import operations, queries
from guardia.features.mail.rules.deciding import Outcome
from guardia.kernel.transactions import journey


def accepted_mail(limit: int) -> list[tuple[UUID, UUID]]:
    """Return messages to take up, each with the person for whom it counts, in the order of their arrival."""
    return queries.to_take_up(limit)


def back_to_quarantine(mail_id: UUID, why: str, now: datetime) -> None:
    """Put a message that cannot be taken up back where a person sees it, with the reason."""
    with journey():
        row = operations.lock_mail(mail_id)
        if row.outcome != Outcome.ACCEPTED:
            return
        operations.save_mail(
            row,
            outcome=Outcome.QUARANTINED.value,
            reason="failed",
            recorded_at=now,
            settled_at=None,
            settled_how="",
            settled_by_name="",
            settled_why="",
            faults=[*row.faults, why[:300]],
        )
