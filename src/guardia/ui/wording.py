"""The contract's words for values (kinds, classes, states, severities, lanes, roles), in both languages."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Words = Mapping[str, str | Promise]

KINDS: Words = {
    "incident": _("Incident"),
    "service_request": _("Service request"),
    "signature_change": _("Signature change"),
}
CLASSES: Words = {
    "premium": _("Premium incident"),
    "standard": _("Standard incident"),
    "undecided": _("Class undecided"),
}
GROUPS: Words = {
    "first_line": pgettext_lazy("group", "First line"),
    "lab": pgettext_lazy("group", "Lab"),
    "release": pgettext_lazy("group", "Release"),
}
CLAIMS: Words = {"FN": _("False negative"), "FP": _("False positive")}
SEVERITIES: Words = {
    "1": pgettext_lazy("severity", "Critical"),
    "2": pgettext_lazy("severity", "High"),
    "3": pgettext_lazy("severity", "Medium"),
    "4": pgettext_lazy("severity", "Low"),
}
LANES: Words = {"accelerated": pgettext_lazy("lane", "Accelerated"), "standard": pgettext_lazy("lane", "Standard")}
STATES: Words = {
    "submitted": pgettext_lazy("state", "Submitted"),
    "triaged": pgettext_lazy("state", "Triaged"),
    "in_progress": pgettext_lazy("state", "In progress"),
    "waiting_customer": pgettext_lazy("state", "Waiting for customer"),
    "with_lab": pgettext_lazy("state", "With the lab"),
    "solution_offered": pgettext_lazy("state", "Solution offered"),
    "closed": pgettext_lazy("state", "Closed"),
    "reopened": pgettext_lazy("state", "Reopened"),
    "rejected": pgettext_lazy("state", "Rejected"),
}
STATE_LOOKS: Mapping[str, tuple[str, str]] = {
    "submitted": ("", "inbox"),
    "triaged": ("", "list-check"),
    "in_progress": ("accent", "progress"),
    "waiting_customer": ("warn", "message-question"),
    "with_lab": ("accent", "flask"),
    "solution_offered": ("accent", "bulb"),
    "closed": ("good", "circle-check"),
    "reopened": ("warn", "rotate-clockwise"),
    "rejected": ("crit", "circle-x"),
}
CHANNELS: Words = {
    "portal": pgettext_lazy("channel", "through the portal"),
    "api": pgettext_lazy("channel", "through the API"),
    "phone": pgettext_lazy("channel", "by phone"),
    "email": pgettext_lazy("channel", "by email"),
}
ROLES: Words = {
    "engineer": pgettext_lazy("role", "Engineer"),
    "analyst": pgettext_lazy("role", "Analyst"),
    "reviewer": pgettext_lazy("role", "Reviewer"),
    "releaser": pgettext_lazy("role", "Releaser"),
    "duty_manager": pgettext_lazy("role", "Duty manager"),
    "account_manager": pgettext_lazy("role", "Account manager"),
    "author": pgettext_lazy("role", "Author"),
}
OUTCOMES: Words = {
    "detected": pgettext_lazy("outcome", "detected"),
    "not_detected": pgettext_lazy("outcome", "not detected"),
    "not_scanned": pgettext_lazy("outcome", "not scanned"),
}
TARGET_OUTCOMES: Words = {
    "met": pgettext_lazy("target", "met"),
    "breached": pgettext_lazy("target", "missed"),
    "answered": pgettext_lazy("target", "answered, no target"),
    "running": pgettext_lazy("target", "open, running"),
    "waiting": pgettext_lazy("target", "open, best effort"),
    "ended": pgettext_lazy("target", "ended unanswered"),
}
SIDES: Words = {
    "customer": pgettext_lazy("side", "customer"),
    "staff": pgettext_lazy("side", "support"),
    "lab": pgettext_lazy("side", "lab"),
    "machine": pgettext_lazy("side", "machine"),
    "system": "Guardia",
}
ENGINES: Words = {"yara-x": "YARA-X", "clamav": "ClamAV"}
MOVEMENTS: Words = {
    "grant": pgettext_lazy("ledger", "Granted"),
    "renew": pgettext_lazy("ledger", "Renewed"),
    "reserve": pgettext_lazy("ledger", "Reserved"),
    "consume": pgettext_lazy("ledger", "Spent"),
    "refund": pgettext_lazy("ledger", "Returned"),
    "adjust": pgettext_lazy("ledger", "Adjusted"),
}

TERMS: Words = {
    "running": pgettext_lazy("term", "In term"),
    "to_come": pgettext_lazy("term", "To come"),
    "over": pgettext_lazy("term", "Over"),
    "unsupported": pgettext_lazy("term", "Support ended"),
}
PHASES: Words = {
    "full": pgettext_lazy("support phase", "Full support"),
    "limited": pgettext_lazy("support phase", "Limited support"),
    "ended": pgettext_lazy("support phase", "Support ended"),
}
COVERAGES: Words = {
    "calendar": pgettext_lazy("coverage", "working hours"),
    "always": pgettext_lazy("coverage", "always"),
}
CONTRACT_CHANGES: Words = {
    "created": pgettext_lazy("contract", "Made"),
    "renewed": pgettext_lazy("contract", "Renewed"),
    "plan_changed": pgettext_lazy("contract", "Plan changed"),
    "plan_edited": pgettext_lazy("contract", "Plan edited"),
    "overrides_changed": pgettext_lazy("contract", "Own terms changed"),
    "manager_set": pgettext_lazy("contract", "Account manager set"),
    "calendar_set": pgettext_lazy("contract", "Calendar set"),
    "contact_named": pgettext_lazy("contract", "Contact named"),
    "contact_ended": pgettext_lazy("contract", "Contact ended"),
    "licence_added": pgettext_lazy("contract", "Licence added"),
    "licence_ended": pgettext_lazy("contract", "Licence ended"),
}


def word(words: Words, value: object) -> str:
    """Return the word for `value` in the reader's language; a value without one is shown as it is."""
    return str(words.get(str(value), value))
