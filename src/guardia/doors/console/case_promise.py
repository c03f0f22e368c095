"""Acts of staff about a case's promise: severity, class, the call, answers that are voided or entered late, alarms."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from guardia.doors.console.cases import settle_case
from guardia.doors.console.posting import Given
from guardia.journeys import acknowledge_alarm, change_class, change_severity, confirm_call, late_entries, void_answer
from guardia.kernel.errors import Invalid
from guardia.ui.moments import when
from guardia.ui.person import console_page


@console_page()
def severity(request: HttpRequest, number: str) -> HttpResponseBase:
    """Change the severity, or propose it to the customer."""

    def do(given: Given) -> Any:
        to = given.number("severity") or 0
        return change_severity.change_severity(
            given.actor, given.now, number, to, given.text("reason"), idempotency_key=given.token
        )

    def done(outcome: str) -> str:
        if outcome == "proposed":
            return _("The severity is proposed to the customer; it stays until they agree.")
        return _("The severity was changed, and the customer was told.")

    return settle_case(request, number, "change_severity", do, done)


@console_page()
def dispute(request: HttpRequest, number: str) -> HttpResponseBase:
    """Settle a dispute: the severity stays."""

    def do(given: Given) -> Any:
        reason = given.text("reason")
        return change_severity.settle_dispute(given.actor, given.now, number, reason, idempotency_key=given.token)

    return settle_case(request, number, "settle_dispute", do, _("The severity stays, and the customer was told why."))


@console_page()
def call(request: HttpRequest, number: str) -> HttpResponseBase:
    """Register a confirmed call."""

    def do(given: Given) -> Any:
        return confirm_call.confirm_call(
            given.actor,
            given.now,
            number,
            how=given.text("how"),
            code=given.text("code"),
            occurred_at=given.instant("occurred_at"),
            reason=given.text("reason"),
            idempotency_key=given.token,
        )

    def done(call: confirm_call.ConfirmedCall) -> str:
        if not call.is_first:
            return _("The call was confirmed before.")
        if call.due_at is None:
            return _("The call is confirmed.")
        return _("The call is confirmed; due %(when)s.") % {"when": when(call.due_at)}

    return settle_case(request, number, "confirm_call", do, done)


@console_page()
def void(request: HttpRequest, number: str) -> HttpResponseBase:
    """Void the qualified answer that stands."""

    def do(given: Given) -> Any:
        if given.text("confirm").replace(" ", "") != number:
            sentence = _("Give the number of the case: it says which one is meant.")
            raise Invalid("number_missing", sentence, {"confirm": sentence})
        return void_answer.void_answer(
            given.actor, given.now, number, given.text("reason"), idempotency_key=given.token
        )

    done = _("The answer is voided: the response clock counts as if it had not been given. The customer was told.")
    return settle_case(request, number, "void_answer", do, done)


@console_page()
def late(request: HttpRequest, number: str) -> HttpResponseBase:
    """Enter a fact that happened earlier."""

    def do(given: Given) -> Any:
        at = given.instant("occurred_at")
        if at is None:
            sentence = _("Give the instant at which it happened.")
            raise Invalid("instant_missing", sentence, {"occurred_at": sentence})
        return late_entries.enter_late(
            given.actor,
            given.now,
            number,
            given.text("kind"),
            at,
            given.text("text"),
            given.text("reason"),
            idempotency_key=given.token,
        )

    def done(holds: bool) -> str:  # noqa: FBT001  the journey's answer
        if holds:
            return _("The entry holds, with its instant and the instant of recording.")
        return _("The entry would undo a breach that was announced: it waits for a duty manager.")

    return settle_case(request, number, "enter_late", do, done)


@console_page()
def settle_late(request: HttpRequest, number: str, seq: int) -> HttpResponseBase:
    """Let a late entry hold, or refuse it."""

    def do(given: Given) -> Any:
        decision = given.text("decision")
        if decision not in {"accept", "refuse"}:
            raise Invalid("decision_missing", _("Choose one."), {"decision": _("Choose one.")})
        return late_entries.settle_late(
            given.actor,
            given.now,
            number,
            seq,
            decision == "accept",
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle_case(request, number, "settle_late", do, _("The late entry is settled."))


@console_page()
def class_(request: HttpRequest, number: str) -> HttpResponseBase:
    """Change the class."""

    def do(given: Given) -> Any:
        return change_class.change_class(
            given.actor,
            given.now,
            number,
            given.text("case_class"),
            given.text("reason"),
            idempotency_key=given.token,
        )

    return settle_case(request, number, "change_class", do, _("The class was changed."))


@console_page()
def alarm(request: HttpRequest, number: str) -> HttpResponseBase:
    """Acknowledge what the case's clocks have told."""

    def do(given: Given) -> Any:
        return acknowledge_alarm.acknowledge_alarm(given.actor, given.now, number, idempotency_key=given.token)

    def done(was_new: bool) -> str:  # noqa: FBT001  the journey's answer
        return _("The alarm is acknowledged.") if was_new else _("There was nothing left to acknowledge.")

    return settle_case(request, number, "acknowledge", do, done)
