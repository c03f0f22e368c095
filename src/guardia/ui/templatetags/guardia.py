"""Tags and filters of every page: components with their words, and values as people read them."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from guardia.kernel.ids import CASE_NUMBER_DIGITS, spoken
from guardia.kernel.zones import get_zone
from guardia.reports.kept_sentences import is_foreign
from guardia.reports.kept_sentences import told as told_sentence
from guardia.reports.showing import ClockView, QuotaView
from guardia.ui import clock_bar, moments, wording
from guardia.ui import clock_chip as chip

register = template.Library()

SHORT_HASH = 20


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """Show one icon of the sprite; it never stands without a word beside it."""
    sprite = static("guardia_ui/icons.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', kind, sprite, name)


@register.simple_tag
def form_token(value: str = "") -> SafeString:
    """Show the hidden field that makes sending a form twice the same as once."""
    return format_html('<input type="hidden" name="form_token" value="{}">', value or uuid.uuid4())


@register.simple_tag
def severity(level: int) -> SafeString:
    """Show the severity's mark: number, weight and word."""
    return format_html(
        '<span class="g-sev g-sev--{}"><b>{}</b><span class="w">{}</span></span>',
        level,
        level,
        wording.word(wording.SEVERITIES, level),
    )


@register.simple_tag
def tag(text: str, kind: str = "", icon_name: str = "") -> SafeString:
    """Show a tag; `kind` is empty (a neutral fact), accent, good, warn or crit."""
    modifier = f"g-tag--{kind}" if kind else ""
    return format_html('<span class="g-tag {}">{}{}</span>', modifier, icon(icon_name) if icon_name else "", text)


@register.simple_tag
def state_tag(state: str) -> SafeString:
    """Show where a case stands."""
    kind, icon_name = wording.STATE_LOOKS.get(str(state), ("", ""))
    return tag(wording.word(wording.STATES, state), kind, icon_name)


@register.simple_tag
def avatar(name: str) -> SafeString:
    """Show a person's initials; without a name, a dashed ring."""
    if not name:
        return format_html('<span class="g-avatar g-avatar--none" title="{}"></span>', _("Unassigned"))
    words = name.split()
    initials = words[0][:1] + (words[-1][:1] if len(words) > 1 else "")
    return format_html('<span class="g-avatar" title="{}" aria-hidden="true">{}</span>', name, initials.upper())


@register.simple_tag
def clock_chip(clock: ClockView, case_state: str = "") -> SafeString:
    """Show the response clock in a line: ring and words."""
    return chip.draw(clock, has_ended=_has_ended(clock, case_state))


@register.inclusion_tag("guardia/pieces/clock_panel.html")
def clock_panel(clock: ClockView, case_state: str = "") -> dict[str, Any]:
    """Show the response clock with its arithmetic."""
    return {
        "clock": clock,
        "has_ended": _has_ended(clock, case_state),
        "bar": clock_bar.draw([stretch.seconds for stretch in clock.stretches], clock.used_s),
    }


def _has_ended(clock: ClockView, case_state: str) -> bool:
    """Whether the case was closed or rejected before anybody answered, so that nothing is due any more."""
    return case_state in {"closed", "rejected"} and clock.state in {"running", "best_effort"}


@register.inclusion_tag("guardia/pieces/quota.html")
def quota(quota: QuotaView, spending: int = 0) -> dict[str, Any]:
    """Show premium incidents as ticks; `spending` of the free ones are outlined."""
    total, used = quota.total or 0, quota.used
    ticks = ["used" if n < used else "now" if n < used + spending else "" for n in range(total)]
    return {"quota": quota, "ticks": ticks, "left_after": None if quota.left is None else quota.left - spending}


@register.inclusion_tag("guardia/pieces/field_error.html")
def field_error(errors: Mapping[str, str] | None, name: str) -> dict[str, Any]:
    """Show what is wrong with the field `name`, where something is."""
    return {"sentence": (errors or {}).get(name, ""), "name": name}


@register.simple_tag
def invalid(errors: Mapping[str, str] | None, name: str) -> SafeString:
    """Return the attributes that mark the field `name` as wrong."""
    if not (errors or {}).get(name):
        return SafeString()
    return format_html('aria-invalid="true" aria-describedby="{}-error"', name)


@register.inclusion_tag("guardia/pieces/copy_button.html")
def copy_button(value: str, label: str = "") -> dict[str, Any]:
    """Show a button that copies `value` whole."""
    return {"value": value, "label": label}


@register.filter
def case_number(number: str) -> str:
    """Return the number as it is read aloud, with a hard space."""
    text = str(number)
    return spoken(text).replace(" ", moments.HARD_SPACE) if len(text) == CASE_NUMBER_DIGITS else text


@register.filter
def phone_code(code: str) -> str:
    """Return a one-time code as it is read aloud, 2 + 2 + 2, with hard spaces."""
    return moments.HARD_SPACE.join(code[start : start + 2] for start in range(0, len(code), 2))


@register.filter
def duration(seconds: float | None) -> str:
    """See `moments.duration`; nothing for None."""
    return "" if seconds is None else moments.duration(seconds)


@register.filter
def when(instant: datetime | None) -> str:
    """See `moments.when`; nothing for None."""
    return "" if instant is None else moments.when(instant)


@register.filter
def short_when(instant: datetime | None) -> str:
    """Return the time alone for today, else with the short weekday."""
    return "" if instant is None else moments.clock_time(instant)


@register.filter
def instant(value: datetime | None) -> str:
    """See `moments.full_instant`; nothing for None."""
    return "" if value is None else moments.full_instant(value)


@register.filter
def full_time(value: datetime | None, since: datetime) -> str:
    """See `moments.full_time`; nothing for None."""
    return "" if value is None else moments.full_time(value, since)


@register.filter
def stamp(value: datetime | None, zone: str) -> str:
    """See `moments.stamp`; nothing for None."""
    return "" if value is None else moments.stamp(value, get_zone(zone))


@register.filter
def target_word(value: str) -> str:
    """Return "missed" for `breached`: what became of a response target."""
    return wording.word(wording.TARGET_OUTCOMES, value)


@register.filter
def short_month(day: date) -> str:
    """See `moments.short_month`."""
    return moments.short_month(day)


@register.filter
def on_date(value: date | str | None) -> str:
    """See `moments.on_date`; a date may also come as its ISO text. Nothing for None or an empty text."""
    if not value:
        return ""
    return moments.on_date(date.fromisoformat(value) if isinstance(value, str) else value)


@register.filter
def span(stretch: Any) -> str:
    """Return a stretch of the clock with its day."""
    return moments.span(stretch.start, stretch.end)


@register.filter("bytes")
def bytes_(octets: int | None) -> str:
    """See `moments.size`; nothing for None."""
    return "" if octets is None else moments.size(octets)


@register.filter("hash")
def hash_(digest: str) -> SafeString:
    """Show a digest shortened, with the button that copies it whole."""
    shown = digest if len(digest) <= SHORT_HASH else f"{digest[:8]}…{digest[-8:]}"
    return format_html(
        '<span class="g-hash"><code title="{}">{}</code>'
        '<button type="button" class="g-copy" data-copy="{}" aria-label="{}" hidden>{}</button></span>',
        digest,
        shown,
        digest,
        _("Copy %(what)s") % {"what": shown},
        icon("copy"),
    )


@register.filter
def told(sentence: str) -> str:
    """Return a sentence that an automatic step kept, in the reader's language (see `kept_sentences`)."""
    return told_sentence(sentence)


@register.filter
def told_by_lab(sentence: str) -> str:
    """As `told`; what the lab worker says and has no form for is marked as English, so that it is read out as such."""
    if not sentence or not is_foreign(sentence):
        return told_sentence(sentence)
    return format_html('<span lang="en">{}</span>', sentence)


@register.filter
def signed(amount: int) -> str:
    """Return a movement with its sign; the minus is the real one, as wide as the plus."""
    return f"{amount:+d}".replace("-", "\u2212") if amount else "0"


@register.filter
def claim_word(value: str) -> str:
    """Return "False positive" for `FP`."""
    return wording.word(wording.CLAIMS, value)


@register.filter
def class_word(value: str) -> str:
    """Return "Premium incident" for `premium`."""
    return wording.word(wording.CLASSES, value)


@register.filter
def group_word(value: str) -> str:
    """Return "First line" for `first_line`."""
    return wording.word(wording.GROUPS, value)


@register.filter
def kind_word(value: str) -> str:
    """Return "Signature change" for `signature_change`."""
    return wording.word(wording.KINDS, value)


@register.filter
def lane_word(value: str) -> str:
    """Return "Accelerated" for `accelerated`."""
    return wording.word(wording.LANES, value)


@register.filter
def severity_word(value: int) -> str:
    """Return "Critical" for 1."""
    return wording.word(wording.SEVERITIES, value)


@register.filter
def state_word(value: str) -> str:
    """Return "In progress" for `in_progress`."""
    return wording.word(wording.STATES, value)


@register.filter
def channel_word(value: str) -> str:
    """Return "through the portal" for `portal`."""
    return wording.word(wording.CHANNELS, value)


@register.filter
def role_word(value: str) -> str:
    """Return "Reviewer" for `reviewer`."""
    return wording.word(wording.ROLES, value)


@register.filter
def outcome_word(value: str) -> str:
    """Return "not detected" for `not_detected`."""
    return wording.word(wording.OUTCOMES, value)


@register.filter
def engine_word(value: str) -> str:
    """Return "YARA-X" for `yara-x`."""
    return wording.word(wording.ENGINES, value)


@register.filter
def side_word(value: str) -> str:
    """Return "support" for `staff`."""
    return wording.word(wording.SIDES, value)


@register.filter
def term_word(value: str) -> str:
    """Return "In term" for `running`."""
    return wording.word(wording.TERMS, value)


@register.filter
def phase_word(value: str) -> str:
    """Return "Full support" for `full`."""
    return wording.word(wording.PHASES, value)


@register.filter
def coverage_word(value: str) -> str:
    """Return "working hours" for `calendar`."""
    return wording.word(wording.COVERAGES, value)


@register.filter
def contract_change_word(value: str) -> str:
    """Return "Plan changed" for `plan_changed`."""
    return wording.word(wording.CONTRACT_CHANGES, value)


@register.filter
def movement_word(value: str) -> str:
    """Return "Reserved" for `reserve`."""
    return wording.word(wording.MOVEMENTS, value)
