"""What happens next with a case, and what its reader has to do: customers and staff read words of their own."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from guardia.features.cases.models import Case, Report
from guardia.features.cases.rules.projection import EventFact
from guardia.reports.kept_sentences import told
from guardia.reports.promise import PromiseView

Told = tuple[str, str]


def next_step(
    case: Case, report: Report | None, events: Sequence[EventFact], promise: PromiseView, *, is_staff: bool
) -> Told:
    """Return what happens next as a title and a text; what waits for the reader's own word comes first."""
    if case.closed_at is not None:
        return _("The request is closed."), _end(case, report)
    waiting = _staff_waits(promise) if is_staff else _customer_waits(promise)
    return waiting or (_for_staff(case, report, events) if is_staff else _for_customer(case, report, events))


def _end(case: Case, report: Report | None) -> str:
    return _restore_words(report) if case.closed_how == "machine_proved" else told(case.state_reason)


def _restore_words(report: Report | None) -> str:
    if report is None:
        return ""
    if report.claim == "FP":
        return _("The file can be restored from quarantine: the machine's database no longer detects it.")
    return _("Scan the machines once more and remove what is now detected.")


def _last(events: Sequence[EventFact], *types: str) -> EventFact | None:
    return next((event for event in reversed(events) if event.type in types), None)


# ---- what waits for somebody's word ----


def _customer_waits(promise: PromiseView) -> Told | None:
    if promise.call.is_awaited:
        title = _("Phone the request in as well.")
        return title, _(
            "From the call on, the response clock runs around the clock. Without it, the office's hours count."
        )
    if promise.proposal is not None:
        title = _("Severity %(to)d is proposed: agree or decline.") % {"to": promise.proposal.to}
        return title, promise.proposal.reason
    if promise.dispute is not None:
        return _("The vendor answers the dispute about the severity."), _("The response clock goes on as it is.")
    return None


def _staff_waits(promise: PromiseView) -> Told | None:
    if promise.dispute is not None:
        wanted = {"wanted": promise.dispute.wanted}
        return _("The customer disputes the severity: settle it."), _("Wanted: severity %(wanted)d.") % wanted
    if promise.late_entries:
        return _("A late entry waits for a duty manager."), ""
    if promise.proposal is not None:
        to = {"to": promise.proposal.to}
        return _("The customer agrees to severity %(to)d, or declines it.") % to, promise.proposal.reason
    return None


# ---- the case's own course ----


def _for_customer(case: Case, report: Report | None, events: Sequence[EventFact]) -> Told:
    nothing = _("Nothing has to be done for now.")
    if case.state == "waiting_customer":
        return _("Your data is awaited."), told(case.state_reason)
    if case.fixed_in:
        return _("Update and verify on your machine."), _("The command is beside. Its proof closes the request.")
    if case.state == "solution_offered":
        return _("A solution was offered."), _("Close the request if it holds, or write what does not.")
    found = _precheck_for_customer(events) if report is not None else None
    return found or (_work(case, report, events), nothing)


def _for_staff(case: Case, report: Report | None, events: Sequence[EventFact]) -> Told:
    if case.state == "waiting_customer":
        return _("The customer's data is awaited."), told(case.state_reason)
    if case.fixed_in:
        return _("The customer's machine proves the correction."), _("Its proof closes the request.")
    if case.state == "solution_offered":
        return _("The customer confirms the solution, or says what does not hold."), ""
    found = _precheck_for_staff(events) if report is not None else None
    return found or (_work(case, report, events), "")


def _work(case: Case, report: Report | None, events: Sequence[EventFact]) -> str:
    if report is not None:
        return _lab_work(case, events)
    if case.holder_name:
        return _("%(name)s works on the request.") % {"name": case.holder_name}
    return _("A specialist takes the request next.")


def _precheck_for_customer(events: Sequence[EventFact]) -> Told | None:
    said = _precheck(events)
    if said is None:
        return None
    outcome, label = said
    titles = {
        "fixed_in": _("Fixed in %(label)s: update and scan again."),
        "not_reproducible": _("Not reproducible with %(label)s."),
        "not_scanned": _("An engine could not scan the sample."),
    }
    texts = {
        "fixed_in": _("A specialist confirms this finding."),
        "not_reproducible": _("A specialist looks at it. Check the database version and the detection name."),
        "not_scanned": _("A specialist looks at it."),
    }
    return titles[outcome] % {"label": label}, texts[outcome]


def _precheck_for_staff(events: Sequence[EventFact]) -> Told | None:
    said = _precheck(events)
    if said is None:
        return None
    outcome, label = said
    titles = {
        "fixed_in": _("The precheck says: fixed in %(label)s."),
        "not_reproducible": _("Not reproducible with %(label)s."),
        "not_scanned": _("An engine could not scan the sample."),
    }
    return titles[outcome] % {"label": label}, _(
        "A specialist adopts it as the qualified answer, or says what follows."
    )


def _precheck(events: Sequence[EventFact]) -> tuple[str, str] | None:
    """The precheck's outcome and release, where it is the last word so far; None where the lab goes on."""
    precheck = _last(events, "precheck")
    if precheck is None or precheck.payload["outcome"] == "confirmed":
        return None
    return str(precheck.payload["outcome"]), str(precheck.payload["label"])


def _lab_work(case: Case, events: Sequence[EventFact]) -> str:
    if _last(events, "precheck") is None:
        return _("The lab scans the sample with the newest database.")
    if _last(events, "joined"):
        return _("The correction comes with the next batch of the standard lane.")
    if _last(events, "approved"):
        return _("The correction is being published.")
    newest = _last(events, "drafted", "gates_finished")
    if newest and newest.type == "drafted":
        return _("The correction runs through the gates.")
    if newest:
        return _after_gates(newest)
    who = case.holder_name or _("The lab")
    return _("%(who)s prepares the determination and a correction.") % {"who": who}


def _after_gates(gates: EventFact) -> str:
    if gates.payload["passed"]:
        return _("Two more people approve the correction.")
    return _("A gate failed: the lab corrects the draft.")
