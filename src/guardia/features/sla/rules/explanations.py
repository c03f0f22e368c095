"""Why the end is where it is, as `guardia clock explain` prints it and as a page may show it.

Rules:
- Instants are printed with the offset of the calendar's zone.
- `steps` are the covered intervals that make up the end in force; their seconds add up to the target, or to the rest
  of it that a raise left (RC-6), and `total_s` is the sum so far.
"""

from datetime import datetime, timedelta
from typing import Final, TypedDict
from zoneinfo import ZoneInfo

from guardia.features.sla.rules.clock import Reading, State
from guardia.features.sla.rules.instants import NOTHING, seconds_of
from guardia.features.sla.rules.scenario import Scenario
from guardia.features.sla.rules.timetable import Why

ExplainedStep = TypedDict(
    "ExplainedStep", {"from": str, "to": str, "seconds": int | float, "total_s": int | float, "why": Why}
)


class Explanation(TypedDict):
    """One object of the command's output."""

    name: str
    state: State
    due_at: str | None
    breached_at: str | None
    answered_at: str | None
    remaining_s: int | float | None
    steps: list[ExplainedStep]


_WHY_IN_WORDS: Final[dict[Why, str]] = {
    "calendar": "working hours",
    "opening": "opened for this date",
    "call": "every hour, since the call",
    "always": "every hour",
}


def explain(scenario: Scenario) -> Explanation:
    """The clock of a scenario and its arithmetic. Raises Malformed."""
    return explain_reading(scenario.name, scenario.read(), scenario.calendar.tzinfo)


def explain_reading(name: str, reading: Reading, zone: ZoneInfo) -> Explanation:
    """A reading and its arithmetic, in the wall time of this zone."""
    return {
        "name": name,
        "state": reading.state,
        "due_at": _written(reading.due_at, zone),
        "breached_at": _written(reading.breached_at, zone),
        "answered_at": _written(reading.answered_at, zone),
        "remaining_s": None if reading.remaining is None else seconds_of(reading.remaining),
        "steps": _explained_steps(reading, zone),
    }


def _explained_steps(reading: Reading, zone: ZoneInfo) -> list[ExplainedStep]:
    steps: list[ExplainedStep] = []
    total = NOTHING
    for step in reading.steps:
        total += step.ends_at - step.starts_at
        steps.append(
            {
                "from": step.starts_at.astimezone(zone).isoformat(),
                "to": step.ends_at.astimezone(zone).isoformat(),
                "seconds": seconds_of(step.ends_at - step.starts_at),
                "total_s": seconds_of(total),
                "why": step.why,
            }
        )
    return steps


def _written(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else instant.astimezone(zone).isoformat()


def as_text(explanation: Explanation) -> str:
    """The same for reading: a heading, the facts, and a line for each step with the sum so far."""
    facts = [
        ("state", explanation["state"].replace("_", " ")),
        ("due", _for_reading(explanation["due_at"])),
        ("breached", _for_reading(explanation["breached_at"])),
        ("answered", _for_reading(explanation["answered_at"])),
        ("remaining", _duration(explanation["remaining_s"])),
    ]
    lines = [printable(explanation["name"]), *(f"  {label:<10} {said}" for label, said in facts)]
    if explanation["steps"]:
        lines.append("  the time that counts, up to the end in force:")
    lines += [
        f"    {_for_reading(step['from'])} to {_for_reading(step['to'])}"
        f"  {_duration(step['seconds']):>12}  in all {_duration(step['total_s']):>12}  {_WHY_IN_WORDS[step['why']]}"
        for step in explanation["steps"]
    ]
    return "\n".join(lines)


def printable(text: str) -> str:
    """The text as one line that a terminal only shows, whatever a name in a file may hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _for_reading(instant: str | None) -> str:
    if instant is None:
        return "none"
    at = datetime.fromisoformat(instant)
    return f"{at:%a} {at.date().isoformat()} {at.timetz().isoformat()}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    whole = timedelta(seconds=seconds)
    hours, rest = divmod(whole, timedelta(hours=1))
    minutes, rest = divmod(rest, timedelta(minutes=1))
    parts = [(hours, "h"), (minutes, "min"), (seconds_of(rest), "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
