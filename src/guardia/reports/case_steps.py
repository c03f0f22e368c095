"""The evidence chain of a signature change, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla.rules.policies import Policy
from guardia.reports.showing import Step
from guardia.reports.timeline import DETERMINATIONS, span_words


def target_words(policy: Mapping[str, Any], severity: int) -> str:
    """Return a severity's target in words: `4 working hours`, `30 min, always`, or that it is best effort."""
    promise = Policy.parse(dict(policy))[severity]
    if promise.target is None:
        return _("Best effort")
    span = span_words(promise.target)
    if promise.coverage == "always":
        return _("%(span)s, 24 hours a day") % {"span": span}
    if promise.phone_opens_24x7:
        return _("%(span)s of office time, 24 hours a day once phoned") % {"span": span}
    return _("%(span)s of office time") % {"span": span}


def _last(events: list[EventFact], *types: str) -> EventFact | None:
    return next((event for event in reversed(events) if event.type in types), None)


def evidence_steps(case: Case, events: list[EventFact]) -> tuple[Step, ...]:
    """Return the chain from the sample to the machine's proof: done, now, to come."""
    precheck, determined = _last(events, "precheck"), _last(events, "determined")
    drafted, joined = _last(events, "drafted"), _last(events, "joined")
    gates, approved = _last(events, "gates_finished"), _last(events, "approved")
    released, proved = _last(events, "released"), _last(events, "proved")
    verdict = DETERMINATIONS.get(determined.payload["verdict"]) if determined else None
    people = (
        len({event.actor["id"] for event in events if event.type in {"drafted", "reviewed", "approved"}})
        if approved
        else 0
    )
    names = len({event.type for event in events if event.type in {"drafted", "reviewed", "approved"}})
    correction = joined or drafted
    chain: list[tuple[bool, str, str]] = [
        (True, _("Sample received"), ""),
        (precheck is not None, _("Precheck"), _precheck_words(precheck)),
        (determined is not None, _("Determination"), verdict() if verdict else ""),
        (correction is not None, _("Correction"), str(correction.payload.get("label", "")) if correction else ""),
        (bool(gates and gates.payload["passed"]) or bool(joined), _("Gates"), _gate_words(gates, joined)),
        (
            bool(approved or joined),
            _("Approval"),
            _("%(count)d of 3 people") % {"count": people or names} if not joined else "",
        ),
        (released is not None, _("Release"), str(released.payload["label"]) if released else ""),
        (proved is not None, _("Verified on your machine"), str(proved.payload["machine"]) if proved else ""),
    ]
    if precheck and precheck.payload["outcome"] != "confirmed" and not drafted and not joined:
        chain = chain[:3] + chain[-1:]
    steps, is_now_set = [], case.closed_at is not None
    for is_done, title, detail in chain:
        state = "done" if is_done else "to_come"
        if not is_done and not is_now_set:
            state, is_now_set = "now", True
        steps.append(Step(state, title, detail))
    return tuple(steps)


def _precheck_words(precheck: EventFact | None) -> str:
    if precheck is None:
        return ""
    label = precheck.payload["label"]
    words = {
        "confirmed": _("Reproduced with %(label)s"),
        "fixed_in": _("Fixed already"),
        "not_reproducible": _("Not reproducible with %(label)s"),
        "not_scanned": _("Not scanned with %(label)s"),
    }
    return words.get(precheck.payload["outcome"], "%(label)s") % {"label": label}


def _gate_words(gates: EventFact | None, joined: EventFact | None) -> str:
    if joined:
        return _("Passed with that release")
    if gates is None:
        return _("0 of 6")
    return _("6 of 6 passed") if gates.payload["passed"] else _("A gate failed; the lab corrects the draft")
