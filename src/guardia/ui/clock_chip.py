"""The response clock in one line: ring or icon, words, and the instant that it is about.

Drawn here and not in a template: a page of the queue has fifty of them.
"""

from datetime import datetime

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from guardia.reports.showing import ClockView
from guardia.ui import moments

_RING = (
    '<svg class="g-ring" viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="7.5"/>'
    '<circle cx="10" cy="10" r="7.5" pathLength="100" stroke-dasharray="{} 100"/></svg>'
)


def draw(clock: ClockView, *, has_ended: bool) -> SafeString:
    """Return the chip. `has_ended`: the case ended before anybody answered, so that nothing is due any more."""
    if has_ended:
        return _chip("none", _icon("minus"), _("Ended"))
    if clock.state == "breached":
        said = _("%(time)s over") % {"time": moments.duration(clock.over_s)}
        return _chip("over", _icon("alert-triangle"), said, clock.due_at)
    if clock.state == "met":
        return _chip("met", _icon("circle-check"), _("Met %(at)s") % {"at": _time(clock.answered_at)}, clock.due_at)
    if clock.state == "answered":
        return _chip("none", _icon("circle-check"), _("Answered %(at)s") % {"at": _time(clock.answered_at)})
    if clock.state == "running":
        left = "" if clock.remaining_s is None else moments.duration(clock.remaining_s)
        return _chip("soon" if clock.is_soon else "run", format_html(_RING, clock.share), left, clock.due_at)
    return _chip("none", _icon("minus"), _("Best effort"))


def _chip(kind: str, mark: SafeString, said: str, due_at: datetime | None = None) -> SafeString:
    due = format_html(" <small>{}</small>", _("due %(at)s") % {"at": _time(due_at)}) if due_at else ""
    return format_html('<span class="g-clock g-clock--{}">{}<span>{}</span>{}</span>', kind, mark, said, due)


def _icon(name: str) -> SafeString:
    sprite = static("guardia_ui/icons.svg")
    return format_html('<svg class="icon " aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


def _time(instant: datetime | None) -> str:
    return "" if instant is None else moments.clock_time(instant)
