"""What the reader of a case can do now, and why not."""

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case
from guardia.features.cases.rules import life
from guardia.features.cases.rules.projection import EventFact
from guardia.kernel.vocabulary import Actor, CaseState
from guardia.reports.promise_acts import promise_acts
from guardia.reports.showing import Act, Acts

_CUSTOMER = ("message", "close", "reopen")


def case_acts(actor: Actor, case: Case, events: list[EventFact]) -> Acts:
    """Return the acts of a case for one reader."""
    acts = {}
    for name in life.MOVES:
        why = life.refusal(name, CaseState(case.state))
        if why:
            acts[name] = Act(name, _(why))
        elif not actor.is_staff and name not in _CUSTOMER:
            acts[name] = Act(name, _("Only the vendor's staff do this."))
        else:
            acts[name] = Act(name)
    if case.merged_into_id is not None:
        elsewhere = _("This request was joined with another one, and goes on there.")
        acts |= {name: Act(name, elsewhere) for name in ("reopen", "message")}
    if acts["answer"].is_open and str(case.holder_id) != actor.id:
        acts["answer"] = Act(
            "answer", _("A qualified answer is given by the specialist who has the case. Take it first.")
        )
    if acts["take"].is_open and str(case.holder_id) == actor.id:
        acts["take"] = Act("take", _("You have this case."))
    if acts["put_back"].is_open and case.holder_id is None:
        acts["put_back"] = Act("put_back", _("Nobody holds this case."))
    if not any(event.type == "precheck" for event in events):
        acts["adopt_precheck"] = Act("adopt_precheck", _("There is no precheck to adopt yet."))
    else:
        acts["adopt_precheck"] = Act("adopt_precheck")
    return Acts({**acts, **promise_acts(actor, case, events), **_joining(actor, case)})


def _joining(actor: Actor, case: Case) -> dict[str, Act]:
    """Joining and splitting are for staff, on open cases."""
    why = life.refusal("message", CaseState(case.state))
    refusal = _("Only the vendor's staff do this.") if not actor.is_staff else _(why) if why else ""
    acts = {name: Act(name, refusal) for name in ("merge", "split")}
    parting = _("Only the vendor's staff do this.") if not actor.is_staff else ""
    if case.merged_into_id is None:
        parting = _("This case is not joined with another one; there is nothing to undo.")
    return {**acts, "undo_merge": Act("undo_merge", parting)}
