"""What was mailed about a case: what, when, to whom, why, and what became of it, in words.

Customers see the mails to people of their own company; staff see all, with addresses and the servers' words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.queries import people_by_id
from guardia.features.cases.queries import get_case_for
from guardia.features.mail.queries import sent_of_case
from guardia.features.mail.rules.topics import ACCOUNT
from guardia.kernel.vocabulary import Actor
from guardia.reports.mail_topics import topic_title
from guardia.reports.own_letters import why_sent

MOST_SHOWN: Final = 200
_NOT_SENT: Final = ("failed", "withheld", "uncertain")
_FATES: Final[Mapping[str, Callable[[], str]]] = {
    "delayed": lambda: _("Taken, but the receiver's server says that it is delayed"),
    "bounced": lambda: _("Came back: not delivered"),
    "complained": lambda: _("Delivered, and marked as spam by its reader"),
    "auto_replied": lambda: _("Delivered; a machine answered"),
    "delivered": lambda: _("Delivered"),
}
_STATES: Final[Mapping[str, Callable[[], str]]] = {
    "waiting": lambda: _("On its way"),
    "handing_over": lambda: _("Being handed over"),
    "sent": lambda: _("Taken by the mail server"),
    "failed": lambda: _("Not delivered: given up"),
    "uncertain": lambda: _("Perhaps delivered: the server's answer is missing"),
    "withheld": lambda: _("Not sent: withheld"),
}
_WITHHELD: Final[Mapping[str, Callable[[], str]]] = {
    "limit": lambda: _("Too many automatic mails to this address within an hour."),
    "failing": lambda: _("Mail to this address comes back."),
    "complained": lambda: _("The reader marked our mail as spam."),
}


@dataclass(frozen=True)
class MailedLine:
    """One mail. `tone` is `bad` where somebody must act, `soon` where it waits, else empty; `address` is for staff."""

    id: UUID
    title: str
    to: str
    address: str
    why: str
    written_at: datetime
    sent_at: datetime | None
    outcome: str
    outcome_at: datetime | None
    detail: str
    next_attempt_at: datetime | None
    tone: str
    may_be_sent_again: bool


def case_mail(actor: Actor, number: str) -> tuple[MailedLine, ...]:
    """Return the newest mails about a case that the actor may see, oldest first; raise NotFound for a stranger's."""
    case = get_case_for(actor, number)
    rows = list(reversed(sent_of_case(case.id).reverse()[:MOST_SHOWN]))
    people = people_by_id({row.person_id for row in rows if row.person_id})
    if not actor.is_staff:
        own = {person.id for person in people.values() if person.company_id == case.company_id}
        rows = [row for row in rows if row.person_id in own]
    return tuple(_line(actor, row, people.get(row.person_id) if row.person_id else None) for row in rows)


def _line(actor: Actor, row: Any, person: Any) -> MailedLine:
    is_over = row.state == "sent" and row.fate
    outcome = (_FATES if is_over else _STATES).get(row.fate if is_over else row.state)
    return MailedLine(
        id=row.id,
        title=topic_title(row.topic),
        to=person.name if person else (row.address if actor.is_staff else ""),
        address=row.address if actor.is_staff else "",
        why=why_sent(row.why),
        written_at=row.created_at,
        sent_at=row.sent_at,
        outcome=outcome() if outcome else row.state,
        outcome_at=row.fate_at if is_over else row.sent_at,
        detail=_detail(actor, row),
        next_attempt_at=row.next_attempt_at if row.attempts else None,
        tone=_tone(row),
        may_be_sent_again=actor.is_staff and row.state in _NOT_SENT and row.topic != ACCOUNT,
    )


def _detail(actor: Actor, row: Any) -> str:
    """The servers' words are for staff; why a mail was withheld is for everybody."""
    if row.state == "withheld":
        say = _WITHHELD.get(row.last_reply)
        return say() if say else ""
    if not actor.is_staff or (row.state == "sent" and not row.fate):
        return ""
    return str(row.fate_detail or row.last_reply)


def _tone(row: Any) -> str:
    if row.state in {"failed", "uncertain"} or row.fate in {"bounced", "complained"}:
        return "bad"
    return "soon" if row.state == "withheld" or row.fate == "delayed" or (row.attempts and not row.sent_at) else ""
