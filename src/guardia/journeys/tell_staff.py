"""Tell members of staff that a case waits for them, where no clock says it: a disputed severity, a declined proposal, a
late entry that a lead must settle, an alarm that nobody took by phone. The same notices and mails as the
alarms', on the same page; settled, they are read.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from guardia.features.accounts.queries import staff_with
from guardia.features.sla import operations
from guardia.journeys import escalate
from guardia.journeys.escalate import Person, Telling
from guardia.kernel.outbox.post import Intention
from guardia.kernel.vocabulary import Actor, Role

SEVERITY, LATE_ENTRY, MAIL, PHONE = "severity", "late_entry", "mail", "phone"
TOPICS: Final = (SEVERITY, LATE_ENTRY, MAIL, PHONE)
Case = Any


def tell_holder(case: Case, topic: str, mark: str, seq: int, now: datetime) -> None:
    """Tell who has the case, or the next sensible people, of the case's event `seq`."""
    telling = Telling(now)
    why, people = telling.behind("holder", case)
    _tell(telling, case, topic, mark, seq, why, people)


def tell_leads(case: Case, actor: Actor, topic: str, mark: str, seq: int, now: datetime) -> None:
    """Tell every duty manager but the actor, who cannot settle the own entry."""
    people = [Person(str(one.id), one.name) for one in staff_with(Role.DUTY_MANAGER) if str(one.id) != actor.id]
    _tell(Telling(now), case, topic, mark, seq, "duty_manager", people)


def tell_critical_mail(case: Case, seq: int, now: datetime) -> None:
    """Tell who has the case, and who is on duty, that a message of the customer's has words of a level 1."""
    telling = Telling(now)
    names = ["on_duty", *(["holder"] if case.holder_id else [])]
    for name in names:
        why, people = telling.behind(name, case)
        _tell(telling, case, MAIL, "critical_words", seq, why, people)


def tell_mail_fate(case: Case, mark: str, mail_id: UUID, now: datetime) -> None:
    """Tell who has the case that a mail about it was not delivered (`mail_failed`) or taken for spam."""
    seq = crc32(f"{mail_id} {mark} {now.isoformat()}".encode())  # no event tells of it, so it has a number of its own
    tell_holder(case, MAIL, mark, seq, now)


def settled(case: Case, topic: str, now: datetime) -> None:
    """Let what was told of a topic be read: it is settled."""
    operations.read_notices(case.id, [topic], now, is_settled=True)


def _tell(telling: Telling, case: Case, topic: str, mark: str, seq: int, why: str, people: list[Person]) -> None:
    facts = {
        "case": str(case.id),
        "number": case.number,
        "severity": case.severity,
        "clock": topic,
        "mark": mark,
        "due_at": telling.now.isoformat(),
        "why": why,
    }
    for person in people:
        key = f"{topic}:{case.id}:{seq}:{person.id}"
        telling.notices[key] = operations.new_notice(str(case.company_id), person.id, key, facts)
        telling.posts[key] = Intention(
            escalate.MAIL, f"escalation:{key}", {**facts, "to": person.id}, str(case.company_id)
        )
    telling.save()
