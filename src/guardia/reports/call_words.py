"""What happens in a phone call, and how it ended, as staff read it: outcomes, steps, notes of the log, recordings."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from guardia.reports.clock_view import DASH

Say = Callable[[], str]
Tell = Callable[[Mapping[str, Any]], str]

DIRECTIONS: Mapping[str, Say] = {
    "in": lambda: _("Incoming call"),
    "page": lambda: _("Paging an engineer"),
}
OUTCOMES: Mapping[str, Say] = {
    "confirmed": lambda: _("Case confirmed"),
    "opened": lambda: _("Case opened by voice"),
    "heard": lambda: _("State of the case heard"),
    "proved": lambda: _("Sender proved"),
    "message": lambda: _("Message left"),
    "connected": lambda: _("Spoke with an engineer"),
    "unidentified": lambda: _("Caller not identified"),
    "refused": lambda: _("Not granted by the contract"),
    "away": lambda: _("Our records were out of reach"),
    "silent": lambda: _("Nobody was heard"),
    "hung_up": lambda: _("Hung up"),
    "interrupted": lambda: _("Interrupted: the line stopped"),
    "busy": lambda: _("Line busy"),
    "acknowledged": lambda: _("Acknowledged by digit"),
    "declined": lambda: _("Declined by digit"),
    "no_answer": lambda: _("Nobody picked up"),
    "failed": lambda: _("The call could not be made"),
    "withdrawn": lambda: _("No longer needed: the alarm was over"),
    "ended": lambda: _("Ended"),
}
STEPS: Mapping[str, Say] = {
    "greeting": lambda: _("Greeting"),
    "identifying": lambda: _("Saying who calls"),
    "choosing": lambda: _("Choosing what for"),
    "recording": lambda: _("Being recorded"),
    "waiting": lambda: _("Waiting for a person"),
    "ringing": lambda: _("An engineer is rung"),
    "talking": lambda: _("Talking"),
    "paging": lambda: _("Hearing the alarm"),
}
DETAILED: Mapping[str, Callable[[str], str]] = {
    "waiting": lambda place: _("Waiting, place %(place)s in the queue") % {"place": place},
    "ringing": lambda name: _("Ringing %(name)s") % {"name": name},
    "talking": lambda name: _("Talking with %(name)s") % {"name": name},
    "paging": lambda name: _("%(name)s hears the alarm") % {"name": name},
}
"""The steps that have a detail: a place in the queue, or a name."""
KINDS: Mapping[str, Say] = {
    "description": lambda: _("Spoken description"),
    "message": lambda: _("Voice message"),
    "conversation": lambda: _("Conversation"),
}
LANGUAGES: Mapping[str, Say] = {"es": lambda: _("Spanish"), "en": lambda: _("English")}
KNOWN_BY: Mapping[str, Say] = {
    "pin": lambda: _("known by contract and PIN"),
    "code": lambda: _("known by the one-time code of the case"),
}
NOTES: Mapping[str, tuple[str, Tell]] = {
    "arrived": ("phone", lambda _data: _("The call arrived")),
    "language": ("message", lambda data: _("Language: %(language)s") % {"language": _language(data)}),
    "identified": ("user-check", lambda _data: _("The caller is known")),
    "not_identified": ("lock", lambda _data: _("Nobody by these digits")),
    "confirmed": ("phone-check", lambda _data: _("The call was registered as the phone confirmation")),
    "wanted": ("plus", lambda data: _("A new case is wanted, severity %(severity)s") % _with(data, "severity")),
    "opened": ("plus", lambda _data: _("A case was opened")),
    "heard": ("eye", lambda _data: _("The state of a case was read out")),
    "mail_settled": ("mail", lambda _data: _("A message in quarantine was settled")),
    "message": ("message", lambda _data: _("A message was left")),
    "away": ("alert-triangle", lambda _data: _("Our records could not be reached")),
    "queued": ("clock", lambda data: _("In the queue, at place %(place)s") % _with(data, "place")),
    "ringing": ("bell", lambda data: _("Rang %(name)s") % _with(data, "name")),
    "paging": ("bell", lambda data: _("Calling %(name)s about an alarm") % _with(data, "name")),
    "answered": ("phone", lambda data: _("%(name)s picked up") % _with(data, "name")),
    "acknowledged": ("check", lambda data: _("%(name)s acknowledged the alarm") % _with(data, "name")),
    "silent": ("phone-off", lambda data: _("%(name)s pressed no key") % _with(data, "name")),
    "failed": ("phone-off", lambda data: _("%(name)s could not be called") % _with(data, "name")),
    "withdrawn": ("phone-off", lambda _data: _("The alarm was over elsewhere, and the phone rang no longer")),
    "connected": ("phone", lambda data: _("%(name)s took the call") % _with(data, "name")),
    "no_answer": ("phone-off", lambda data: _("%(name)s did not pick up") % _with(data, "name")),
    "declined": ("phone-off", lambda data: _("%(name)s did not take the call") % _with(data, "name")),
    "busy": ("phone-off", lambda data: _("%(name)s was busy") % _with(data, "name")),
    "nobody": ("alert-triangle", lambda _data: _("Everybody was tried, and nobody took the call")),
    "key": ("point", lambda _data: _("A key was pressed")),
    "recording": ("player-play", lambda data: _("Recording %(number)s begins: %(kind)s") % _of_recording(data)),
    "recorded": ("check", lambda data: _("Recording %(number)s ended after %(seconds)s s") % _of_recording(data)),
    "bridge_ended": ("phone-off", lambda _data: _("The engineer hung up")),
    "hung_up": ("phone-off", lambda _data: _("The other end hung up")),
    "too_long": ("phone-off", lambda _data: _("The call went on for too long")),
    "later": ("history", lambda data: _("To be done when our records are back: %(do)s") % {"do": _later(data)}),
    "damaged": ("alert-triangle", lambda _data: _("A part of the call's record is damaged and lost")),
    "refused": ("ban", lambda data: _("Refused (%(code)s)") % _with(data, "code")),
}
"""Each note's icon and words."""
LATER: Mapping[str, Say] = {
    "confirm": lambda: _("confirm the case"),
    "open": lambda: _("open a case"),
    "message": lambda: _("hand in the message"),
}


def direction_title(direction: str) -> str:
    """Return who called whom."""
    return _said(DIRECTIONS, direction)


def outcome_title(outcome: str) -> str:
    """Return how a call ended; the name itself of an outcome that has no words here."""
    return _said(OUTCOMES, outcome)


def step_title(step: str, detail: str = "") -> str:
    """Return what happens in a call now, with the place in the queue or the engineer."""
    tell = DETAILED.get(step) if detail else None
    return tell(detail) if tell else _said(STEPS, step)


def kind_title(kind: str) -> str:
    """Return what was recorded."""
    return _said(KINDS, kind)


def known_by_title(known_by: str) -> str:
    """Return how the caller was known."""
    return _said(KNOWN_BY, known_by)


def note_line(note: Mapping[str, Any]) -> tuple[str, str]:
    """Return the icon and the words of a note; one that nobody knows here is shown by its name alone."""
    what = str(note.get("what", ""))
    icon, tell = NOTES.get(what, ("point", lambda _data: what))
    return icon, tell(note)


def _said(words: Mapping[str, Say], code: str) -> str:
    say = words.get(code)
    return say() if say else code


def _with(data: Mapping[str, Any], name: str) -> Mapping[str, str]:
    return {name: str(data.get(name) or DASH)}


def _language(data: Mapping[str, Any]) -> str:
    return _said(LANGUAGES, str(data.get("language") or DASH))


def _later(data: Mapping[str, Any]) -> str:
    return _said(LATER, str(data.get("do") or DASH))


def _of_recording(data: Mapping[str, Any]) -> Mapping[str, Any]:
    seconds = data.get("seconds")
    return {
        "number": data.get("number", DASH),
        "kind": kind_title(str(data.get("kind") or DASH)),
        "seconds": round(seconds) if isinstance(seconds, int | float) else DASH,
    }
