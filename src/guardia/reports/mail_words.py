"""What happened to a message, and why, as people read it: outcomes, reasons, verdicts, signals."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

Say = Callable[[], str]
OUTCOMES: Mapping[str, Say] = {
    "case": lambda: _("Opened a case"),
    "reply": lambda: _("Reply on a case"),
    "refused": lambda: _("Refused"),
    "quarantined": lambda: _("In quarantine"),
    "accepted": lambda: _("Accepted, on its way"),
}
REASONS: Mapping[str, Say] = {
    "opened": lambda: _("A new case of a contact."),
    "follows": lambda: _("A new case that follows one that does not go on."),
    "threaded": lambda: _("It answers a case."),
    "reopened": lambda: _("It answers a closed case, which is open again."),
    "delivery_report": lambda: _("A mail server reports on a mail of ours."),
    "complaint": lambda: _("A complaint about a mail of ours."),
    "repeated": lambda: _("The same bytes came before from the same sender."),
    "automatic": lambda: _("A machine answered by itself."),
    "own_address": lambda: _("It says that it comes from our own address."),
    "by_machine": lambda: _("A machine wrote it, not a person."),
    "no_sender": lambda: _("It names no sender, or several."),
    "forged": lambda: _("The domain of the sender says that it is forged."),
    "staff_sender": lambda: _("It names one of our own staff as its sender."),
    "unknown_sender": lambda: _("The address of the sender is unknown here."),
    "unproven": lambda: _("It bears the address of a contact, but nothing proves that the contact wrote."),
    "foreign_thread": lambda: _("It claims to answer a case of another company."),
    "too_many": lambda: _("Too many new cases within an hour from this address."),
    "denied": lambda: _("The contact says: that was not me."),
    "failed": lambda: _("It could not be taken in; a person has to look."),
}
HOW_SETTLED: Mapping[str, Say] = {
    "proved": lambda: _("Proved by the sender"),
    "vouched": lambda: _("A contact vouched for it"),
    "accepted": lambda: _("Accepted by staff"),
    "refused": lambda: _("Refused"),
}
SIGNALS: Mapping[str, Say] = {
    "auto_replied": lambda: _("an automatic answer"),
    "auto_generated": lambda: _("written by a machine"),
    "precedence": lambda: _("bulk mail"),
    "list": lambda: _("a mailing list"),
    "own_header": lambda: _("a mail of ours that came back"),
    "out_of_office": lambda: _("an absence"),
    "null_sender": lambda: _("no return path"),
    "delivery_report": lambda: _("a delivery report"),
    "complaint": lambda: _("a complaint"),
    "calendar_reply": lambda: _("an answer to an invitation"),
    "receipt": lambda: _("a receipt"),
}
STATED: Mapping[str, Say] = {
    "severity": lambda: _("Severity"),
    "class": lambda: _("Class"),
    "kind": lambda: _("Kind"),
    "claim": lambda: _("Claim"),
    "product": lambda: _("Product"),
    "engine": lambda: _("Engine"),
    "database_version": lambda: _("Database"),
    "detection_name": lambda: _("Detection"),
    "contract": lambda: _("Contract"),
    "company": lambda: _("Company"),
}
RESULTS: Mapping[str, Say] = {
    "pass": lambda: _("passed"),
    "fail": lambda: _("failed"),
    "softfail": lambda: _("failed, softly"),
    "neutral": lambda: _("says nothing"),
    "none": lambda: _("not there"),
    "temperror": lambda: _("DNS did not answer"),
    "permerror": lambda: _("cannot be read"),
}


def outcome_title(outcome: str) -> str:
    """Return what a message became."""
    return _said(OUTCOMES, outcome)


def reason_sentence(reason: str) -> str:
    """Return why; a contract's refusal, which has its own code, is told as that."""
    if reason in REASONS or not reason:
        return _said(REASONS, reason)
    return _("The contract does not grant it (%(code)s).") % {"code": reason}


def settled_title(how: str) -> str:
    """Return how a message left the quarantine."""
    return _said(HOW_SETTLED, how)


def signal_word(signal: str) -> str:
    """Return what a signal says of a message."""
    return _said(SIGNALS, signal)


def stated_name(key: str) -> str:
    """Return the name of a fact that a message states."""
    return _said(STATED, key)


def verdict_lines(verdict: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return each check: its name, its result in words, its code."""
    names = (("SPF", "spf"), ("DKIM", "dkim"), ("DMARC", "dmarc"))
    found = [(name, str(verdict.get(key, "none")) or "none") for name, key in names]
    return tuple((name, _said(RESULTS, code), code) for name, code in found)


def verdict_sentence(verdict: Mapping[str, Any]) -> str:
    """Return what the checks come to."""
    if verdict.get("is_proven"):
        return _("Proven: the domain of the sender stands behind the message.")
    if verdict.get("is_forged"):
        return _("Forged: the domain of the sender disowns the message.")
    if verdict.get("is_unsure"):
        return _("Not proven: DNS did not answer.")
    return _("Not proven: nothing shows that the domain of the sender sent it.")


def _said(words: Mapping[str, Say], code: str) -> str:
    say = words.get(code)
    return say() if say else code
