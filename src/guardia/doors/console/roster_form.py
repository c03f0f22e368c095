"""The form of a rotation: between its fields and the written rules of a roster, in both directions.

It works without script: the buttons beside a person (up, down, remove) and below a list (add) send the whole form, and
the same page comes back with everything that was typed. Only *Save* asks the journey.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.http import QueryDict

from guardia.kernel.plain_text import plain_text

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_LAYERS, MOST_PEOPLE = 5, 50
_DASH = re.compile(r"\s*[-\N{EN DASH}]\s*")


@dataclass(frozen=True)
class RotationForm:
    """The fields of one rotation: the base one (no prefix), or a layer's with its name and hours."""

    prefix: str = ""
    people: tuple[str, ...] = ()
    every: str = "P1W"
    weekday: str = "mon"
    time: str = "09:00"
    starts_on: str = ""
    name: str = ""
    hours: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where the rules speak of this rotation: `layers.0.` for the first layer's."""
        return f"layers.{self.prefix[1:-1]}." if self.prefix else ""

    @property
    def days(self) -> list[tuple[str, str, str]]:
        """Each weekday with its hours as typed, and where the rules speak of them."""
        return [(day, self.hours.get(day, ""), f"{self.place}weekly.{day}") for day in WEEKDAYS]


@dataclass(frozen=True)
class RosterForm:
    """All fields of the page."""

    base: RotationForm
    layers: tuple[RotationForm, ...] = ()
    zone: str = "Europe/Madrid"
    holiday_by: str = "none"
    country: str = "ES"
    region: str = ""
    holiday_people: tuple[str, ...] = ()
    holds_from: str = ""
    reason: str = ""


def from_rules(rules: dict[str, Any] | None, today: date) -> RosterForm:
    """Return the form of the version that holds, or of a roster that has none yet."""
    if rules is None:
        return RosterForm(RotationForm(starts_on=today.isoformat()))
    free = rules.get("holidays") or {}
    return RosterForm(
        base=_rotation_of(rules, ""),
        layers=tuple(_rotation_of(layer, f"l{number}-") for number, layer in enumerate(rules.get("layers", ()))),
        zone=rules["zone"],
        holiday_by=free.get("by", "none"),
        country=free.get("country") or "ES",
        region=free.get("region", ""),
        holiday_people=tuple(free.get("people") or ()),
    )


def _rotation_of(written: dict[str, Any], prefix: str) -> RotationForm:
    weekly = written.get("weekly", {})
    return RotationForm(
        prefix=prefix,
        people=tuple(written["people"]),
        every=written["hand_over"]["every"],
        weekday=written["hand_over"].get("weekday") or "mon",
        time=written["hand_over"]["time"],
        starts_on=written["starts_on"],
        name=written.get("name", ""),
        hours={day: ", ".join("-".join(window) for window in windows) for day, windows in weekly.items()},
    )


def from_post(sent: QueryDict) -> RosterForm:
    """Return the form as it was sent."""
    number = sent.get("layers", "0")
    count = min(int(number), MOST_LAYERS) if number.isascii() and number.isdigit() and len(number) < 3 else 0  # noqa: PLR2004
    return RosterForm(
        base=_rotation_sent(sent, ""),
        layers=tuple(_rotation_sent(sent, f"l{number}-") for number in range(count)),
        zone=_text(sent, "zone"),
        holiday_by=_text(sent, "holidays-by"),
        country=_text(sent, "holidays-country").upper(),
        region=_text(sent, "holidays-region").upper(),
        holiday_people=_people(sent, "holidays-people"),
        holds_from=_text(sent, "holds_from"),
        reason=_text(sent, "reason"),
    )


def _rotation_sent(sent: QueryDict, prefix: str) -> RotationForm:
    return RotationForm(
        prefix=prefix,
        people=_people(sent, f"{prefix}people"),
        every=_text(sent, f"{prefix}every"),
        weekday=_text(sent, f"{prefix}weekday"),
        time=_text(sent, f"{prefix}time"),
        starts_on=_text(sent, f"{prefix}starts_on"),
        name=_text(sent, f"{prefix}name"),
        hours={day: _text(sent, f"{prefix}{day}") for day in WEEKDAYS},
    )


def _text(sent: QueryDict, name: str) -> str:
    return plain_text(sent.get(name, "")).strip()[:400]


def _people(sent: QueryDict, name: str) -> tuple[str, ...]:
    return tuple(plain_text(value)[:40] for value in sent.getlist(name)[: MOST_PEOPLE + 1])


def changed(form: RosterForm, do: str, sent: QueryDict, today: date) -> RosterForm:
    """Return the form after one of its own buttons: `up:LIST:2`, `down:LIST:2`, `drop:LIST:2`, `add:LIST`,
    `add-layer`, `drop-layer:1`. LIST is `people`, `l0-people` or `holidays-people`. Any other changes nothing.
    """
    act, _, rest = do.partition(":")
    name, _, position = rest.partition(":")
    if act == "add-layer" and len(form.layers) < MOST_LAYERS:
        fresh = RotationForm(prefix=f"l{len(form.layers)}-", starts_on=today.isoformat())
        return replace(form, layers=(*form.layers, fresh))
    if act == "drop-layer":
        kept = [layer for number, layer in enumerate(form.layers) if str(number) != name]
        return replace(form, layers=tuple(replace(layer, prefix=f"l{n}-") for n, layer in enumerate(kept)))
    people = list(_list_of(form, name))
    if act == "add" and (added := _text(sent, f"{name}-add")):
        people.append(added)
    index = int(position) if position.isascii() and position.isdigit() and len(position) <= 2 else len(people)  # noqa: PLR2004
    if act == "drop" and index < len(people):
        people.pop(index)
    if act == "up" and 0 < index < len(people):
        people[index - 1], people[index] = people[index], people[index - 1]
    if act == "down" and index + 1 < len(people):
        people[index], people[index + 1] = people[index + 1], people[index]
    return _with_list(form, name, tuple(people[:MOST_PEOPLE]))


def _list_of(form: RosterForm, name: str) -> tuple[str, ...]:
    lists = {"people": form.base.people, "holidays-people": form.holiday_people}
    lists |= {f"{layer.prefix}people": layer.people for layer in form.layers}
    return lists.get(name, ())


def _with_list(form: RosterForm, name: str, people: tuple[str, ...]) -> RosterForm:
    if name == "people":
        return replace(form, base=replace(form.base, people=people))
    if name == "holidays-people":
        return replace(form, holiday_people=people)
    layers = (replace(one, people=people) if f"{one.prefix}people" == name else one for one in form.layers)
    return replace(form, layers=tuple(layers))


def as_rules(form: RosterForm) -> dict[str, Any]:
    """Return the written rules that the form says; the rules themselves judge them."""
    layers = [
        {**_written(layer), "name": layer.name, "weekly": {day: _windows(layer.hours.get(day, "")) for day in WEEKDAYS}}
        for layer in form.layers
    ]
    free = {"by": form.holiday_by, "country": form.country, "region": form.region, "people": list(form.holiday_people)}
    return {**_written(form.base), "zone": form.zone, "layers": layers, "holidays": free}


def _written(form: RotationForm) -> dict[str, Any]:
    return {
        "people": list(form.people),
        "hand_over": {"every": form.every, "weekday": form.weekday, "time": form.time},
        "starts_on": form.starts_on,
    }


def _windows(typed: str) -> list[list[str]]:
    """Return the windows of one day: `09:00-14:00, 15:00-19:00`. What is no window is left to the rules to refuse."""
    windows = [_DASH.split(part.strip(), maxsplit=1) for part in typed.split(",") if part.strip()]
    return [window if len(window) > 1 else [*window, ""] for window in windows]
