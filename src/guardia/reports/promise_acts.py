"""What the reader of a case can do about its promise now, and why not."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case
from guardia.features.cases.rules import life
from guardia.features.cases.rules.pending import open_dispute, open_proposal, standing_answer, waiting_entries
from guardia.features.cases.rules.projection import EventFact
from guardia.kernel.vocabulary import Actor, CaseState, Role
from guardia.reports.showing import Act

OF_STAFF = ("change_severity", "settle_dispute", "confirm_call", "enter_late")
OF_LEADS = ("void_answer", "settle_late")
OF_CUSTOMERS = ("answer_proposal", "dispute")


def promise_acts(actor: Actor, case: Case, events: list[EventFact]) -> Mapping[str, Act]:
    """Return the acts about severity, class, calls and answers for one reader."""
    refusals = _by_state(case, events) | _by_role(actor, case)
    names = (*OF_STAFF, *OF_LEADS, *OF_CUSTOMERS, "change_class")
    return {name: Act(name, refusals.get(name, "")) for name in names}


def _by_role(actor: Actor, case: Case) -> dict[str, str]:
    if not actor.is_staff:
        return dict.fromkeys((*OF_STAFF, *OF_LEADS), _("Only the vendor's staff do this.")) | _class_of_customer(case)
    found = dict.fromkeys(OF_CUSTOMERS, _("Only the customer does this."))
    if Role.DUTY_MANAGER not in actor.roles:
        found |= dict.fromkeys(OF_LEADS, _("Only a duty manager does this."))
    if case.case_class != "premium":
        found["change_class"] = _("Only the customer does this.")
    if str(case.holder_id) != actor.id:
        found["enter_late"] = _("A qualified answer is given by the specialist who has the case. Take it first.")
    return found


def _class_of_customer(case: Case) -> dict[str, str]:
    if case.case_class == "premium":
        return {"change_class": _("Only the vendor's staff do this.")}
    if case.case_class == "standard" and case.answered_at is not None:
        why = _("The request has its qualified answer: premium would change nothing. Open a new one.")
        return {"change_class": why}
    return {}


def _by_state(case: Case, events: list[EventFact]) -> dict[str, str]:
    found: dict[str, str] = {}
    why = life.refusal("message", CaseState(case.state))
    if why:
        names = ("change_severity", "void_answer", "confirm_call", "answer_proposal", "dispute", "change_class")
        found = dict.fromkeys(names, _(why))
    if open_proposal(events) is None:
        found["answer_proposal"] = _("No other severity is proposed for this request now.")
    if open_dispute(events) is None:
        found["settle_dispute"] = _("The severity of this request is not disputed.")
    else:
        found["dispute"] = _("The severity is disputed already. The vendor's answer is awaited.")
    if standing_answer(events) is None:
        found["void_answer"] = _("No qualified answer stands on this request.")
    if not waiting_entries(events):
        found["settle_late"] = _("No such entry waits for confirmation on this request.")
    if case.called_at is not None:
        found["confirm_call"] = _("The call was confirmed already.")
    return found
