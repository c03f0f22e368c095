"""Which severity plain answers point to. A suggestion with its reason: the customer chooses, nothing is chosen before.

By the service's own definitions, the first that holds speaks:

- S-1 Business is interrupted: critical.
- S-2 Data is lost or damaged, or systems are down: critical.
- S-3 The antivirus takes a critical application for malware: critical.
- S-4 None of these, but more than 100 machines are affected: high.
- S-5 More than 10: medium. Fewer: low.

One "yes" among the first three is enough; else every question has to be answered before anything is suggested.
"""

from dataclasses import dataclass
from enum import StrEnum

from guardia.kernel.vocabulary import Severity
from guardia.kernel.words import gettext_noop


class Machines(StrEnum):
    """How many machines are affected: up to 10, up to 100, more."""

    FEW = "few"
    SOME = "some"
    MANY = "many"


@dataclass(frozen=True)
class Answers:
    """What was answered; None where a question was left open."""

    interrupted: bool | None = None
    data_lost: bool | None = None
    critical_false_positive: bool | None = None
    machines: Machines | None = None


@dataclass(frozen=True)
class Suggestion:
    """The severity that the answers point to (None: not enough of them) and why, as a sentence to be translated."""

    severity: Severity | None
    why: str


INTERRUPTED = gettext_noop("the company's business is interrupted")
DATA_LOST = gettext_noop("data is lost or damaged, or systems are down")
CRITICAL_APPLICATION = gettext_noop("a critical application is taken for malware")
MANY = gettext_noop("no business is interrupted and no data lost, but more than 100 machines are affected")
SOME = gettext_noop("no business is interrupted and no data lost, and up to 100 machines are affected")
FEW = gettext_noop("no business is interrupted and no data lost, and at most 10 machines are affected")
INCOMPLETE = gettext_noop("Answer the four questions, and a level is suggested.")

_BY_MACHINES = {
    Machines.MANY: Suggestion(Severity.HIGH, MANY),
    Machines.SOME: Suggestion(Severity.MEDIUM, SOME),
    Machines.FEW: Suggestion(Severity.LOW, FEW),
}


def suggest(answers: Answers) -> Suggestion:
    """Return what the answers point to (S-1 to S-5)."""
    if answers.interrupted:
        return Suggestion(Severity.CRITICAL, INTERRUPTED)
    if answers.data_lost:
        return Suggestion(Severity.CRITICAL, DATA_LOST)
    if answers.critical_false_positive:
        return Suggestion(Severity.CRITICAL, CRITICAL_APPLICATION)
    if answers.machines is None or None in (answers.interrupted, answers.data_lost, answers.critical_false_positive):
        return Suggestion(None, INCOMPLETE)
    return _BY_MACHINES[answers.machines]
