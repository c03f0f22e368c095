"""The evidence chain of a signature change, and what happens next, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case, Report
from guardia.features.cases.rules.projection import EventFact
from guardia.features.sla.rules.policies import Policy
from guardia.reports.kept_sentences import told
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


def next_step(case: Case, report: Report | None, events: list[EventFact]) -> tuple[str, str]:
    """Return what happens next and what the customer has to do, as a title and a text."""
    if case.closed_at is not None:
        return _("The request is closed."), _restore_words(report) if case.closed_how == "machine_proved" else told(
            case.state_reason
        )
    if case.state == "waiting_customer":
        return _("Your data is awaited."), told(case.state_reason)
    if case.fixed_in:
        return _("Update and verify on your machine."), _("The command is beside. Its proof closes the request.")
    if case.state == "solution_offered":
        return _("A solution was offered."), _("Close the request if it holds, or write what does not.")
    if report is not None:
        return _next_in_lab(case, events)
    if case.holder_name:
        return _("%(name)s works on the request.") % {"name": case.holder_name}, _("Nothing has to be done for now.")
    return _("A specialist takes the request next."), _("Nothing has to be done for now.")


def _next_in_lab(case: Case, events: list[EventFact]) -> tuple[str, str]:
    precheck = _last(events, "precheck")
    nothing = _("Nothing has to be done for now.")
    if precheck is None:
        return _("The lab scans the sample with the newest database."), nothing
    outcome, label = precheck.payload["outcome"], precheck.payload["label"]
    if outcome == "fixed_in":
        return _("Fixed in %(label)s: update and scan again.") % {"label": label}, _(
            "A specialist confirms this finding."
        )
    if outcome == "not_reproducible":
        return _("Not reproducible with %(label)s.") % {"label": label}, _(
            "A specialist looks at it. Check the database version and the detection name."
        )
    if outcome == "not_scanned":
        return _("An engine could not scan the sample."), _("A specialist looks at it.")
    if _last(events, "joined"):
        return _("The correction comes with the next batch of the standard lane."), nothing
    if _last(events, "approved"):
        return _("The correction is being published."), nothing
    newest = _last(events, "drafted", "gates_finished")
    if newest and newest.type == "drafted":
        return _("The correction runs through the gates."), nothing
    if newest:
        return _after_gates(newest), nothing
    who = case.holder_name or _("The lab")
    return _("%(who)s prepares the determination and a correction.") % {"who": who}, nothing


def _after_gates(gates: EventFact) -> str:
    if gates.payload["passed"]:
        return _("Two more people approve the correction.")
    return _("A gate failed: the lab corrects the draft.")


def _restore_words(report: Report | None) -> str:
    if report is None:
        return ""
    if report.claim == "FP":
        return _("The file can be restored from quarantine: the machine's database no longer detects it.")
    return _("Scan the machines once more and remove what is now detected.")
