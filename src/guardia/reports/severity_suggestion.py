"""The severity that plain answers point to, in the reader's language."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from guardia.features.cases.rules.severity_questions import Answers, Machines, suggest
from guardia.kernel.errors import Invalid


@dataclass(frozen=True)
class SeveritySuggestion:
    """`severity` is None while the answers do not suffice; `sentence` says why, ready to show."""

    severity: int | None
    sentence: str


def severity_suggestion(
    *, interrupted: bool | None, data_lost: bool | None, critical_false_positive: bool | None, machines: str
) -> SeveritySuggestion:
    """Return what is suggested. `machines`: few, some, many or empty; anything else is Invalid."""
    if machines and machines not in list(Machines):
        sentence = _("machines is few (up to 10), some (up to 100) or many.")
        raise Invalid("machines_unknown", sentence, {"machines": sentence})
    found = suggest(Answers(interrupted, data_lost, critical_false_positive, Machines(machines) if machines else None))
    if found.severity is None:
        return SeveritySuggestion(None, _(found.why))
    sentence = _("Level %(level)s is suggested: %(why)s. Another level can be chosen.") % {
        "level": found.severity.value,
        "why": _(found.why),
    }
    return SeveritySuggestion(found.severity.value, sentence)
