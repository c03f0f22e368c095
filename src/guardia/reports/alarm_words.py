"""The words of alarms: what a mark of a clock means, who was told as what, why a step was stopped."""

from django.utils.translation import gettext as _

MISSED_ENDS = ("breach", "unassigned")


def mark_title(clock: str, mark: str) -> str:
    """Return what a passed mark, or something that waits for somebody, means; in one line."""
    waiting = {
        "called": _("The customer has phoned"),
        "disputed": _("The customer disputes the severity"),
        "declined": _("The customer declined the proposed severity"),
        "waiting": _("A late entry waits for a duty manager"),
        "critical_words": _("A message by email sounds like level 1"),
        "nobody_reached": _("Nobody could be reached by phone"),
        "mail_failed": _("A mail about the case was not delivered"),
        "mail_complained": _("The reader of a mail about the case marked it as spam"),
    }
    if mark in waiting:
        return waiting[mark]
    if mark == "unassigned":
        return _("Nobody has taken the case")
    titles = {
        ("response", True): _("The response target was missed"),
        ("next_answer", True): _("The next answer is overdue"),
        ("resolution", True): _("The resolution goal was missed"),
    }
    if mark == "breach":
        return titles.get((clock, True), _("The goal was missed"))
    shares = {
        "response": _("%(percent)s %% of the response target have passed"),
        "next_answer": _("%(percent)s %% of the time for the next answer have passed"),
        "resolution": _("%(percent)s %% of the resolution goal have passed"),
    }
    return shares.get(clock, _("%(percent)s %% have passed")) % {"percent": mark}


def target_name(to: str) -> str:
    """Return whom a step means."""
    names = {
        "holder": _("the holder"),
        "group": _("the group"),
        "on_duty": _("the engineer on duty"),
        "duty_manager": _("the duty manager"),
        "account_manager": _("the account manager"),
    }
    return names.get(to, to)


def role_of_reader(to: str) -> str:
    """Return why somebody is told, to the one who is told."""
    names = {
        "holder": _("holder of the case"),
        "group": _("member of the group"),
        "on_duty": _("engineer on duty"),
        "duty_manager": _("duty manager"),
        "account_manager": _("account manager"),
    }
    return names.get(to, to)


def way_name(way: str) -> str:
    """Return by what somebody is told."""
    return {"console": _("console"), "mail": _("mail"), "webhook": _("webhook"), "phone": _("phone call")}.get(way, way)


def call_outcome(outcome: str) -> str:
    """Return how a call to a member of staff ended."""
    names = {
        "acknowledged": _("acknowledged"),
        "no_answer": _("no answer"),
        "busy": _("busy"),
        "silent": _("picked up and pressed no key"),
        "declined": _("declined"),
        "failed": _("the call failed"),
        "withdrawn": _("no longer needed while it rang"),
        "no_phone": _("no phone number is entered"),
    }
    return names.get(outcome, outcome)


def clock_name(clock: str) -> str:
    """Return a clock's name."""
    names = {
        "response": _("response"),
        "next_answer": _("next answer"),
        "resolution": _("resolution"),
        "assignment": _("assignment"),
    }
    return names.get(clock, clock)
