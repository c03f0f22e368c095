"""Tell members of staff that a case waits for them, where no clock says it: a disputed severity, a declined proposal, a
late entry that a lead must settle. The same notices and mails as the alarms', on the same page; settled, they are read.
"""

from datetime import datetime
from typing import Any, Final

from guardia.features.accounts.queries import staff_with
from guardia.features.sla import operations
from guardia.journeys.escalate import MAIL, Person, Telling
from guardia.kernel.outbox.post import Intention
from guardia.kernel.vocabulary import Actor, Role

SEVERITY, LATE_ENTRY = "severity", "late_entry"
TOPICS: Final = (SEVERITY, LATE_ENTRY)
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
        telling.posts[key] = Intention(MAIL, f"escalation:{key}", {**facts, "to": person.id}, str(case.company_id))
    telling.save()
