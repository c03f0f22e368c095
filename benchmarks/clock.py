"""How fast the response clock reckons, on one core: `python benchmarks/clock.py`.

Prints a table and writes `var/benchmarks/clock.json`. Exit code 1 when a target is missed. Each line is the best of
several runs, so that a neighbour on the machine is not measured; calendars are compiled once, before. A second table
puts plain `advance` beside two well-known packages (`clock_others.py`).
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from clock_others import STARTS, Row, compared

from guardia.features.sla.rules.calendars import Calendar
from guardia.features.sla.rules.clock import evaluate
from guardia.features.sla.rules.scenario import Scenario, read_scenarios

ROOT = Path(__file__).parents[1]
VECTORS = ROOT / "tests" / "vectors" / "response-clock.json"
REPORT = ROOT / "var" / "benchmarks" / "clock.json"
RUNS = 7
ADVANCES = 50_000
ROUNDS = 40
FOUR_HOURS = timedelta(hours=4)
TEN_YEARS_OF_OFFICE_HOURS = timedelta(hours=10 * 2_500)


class Measure(NamedTuple):
    what: str
    value: float
    unit: str
    target: float | None
    more_is_better: bool = True

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.more_is_better else self.value <= self.target


def best_seconds(act: Callable[[], None], runs: int = RUNS) -> float:
    """The shortest of several runs."""
    taken: list[float] = []
    for _ in range(runs):
        began = perf_counter()
        act()
        taken.append(perf_counter() - began)
    return min(taken)


def advances_a_second(calendar: Calendar, offset: timezone) -> float:
    starts = [datetime(2026, 1, 1, tzinfo=offset) + timedelta(minutes=37 * n) for n in range(1_000)]

    def act() -> None:
        for _ in range(ADVANCES // len(starts)):
            for start in starts:
                calendar.advance(start, FOUR_HOURS)

    act()
    return ADVANCES / best_seconds(act)


def evaluations_a_second(scenarios: list[Scenario], *, keep_histories: bool) -> float:
    cases = [
        (s.calendar, s.policy, s.history if keep_histories else list(s.history.events), s.as_of) for s in scenarios
    ]

    def act() -> None:
        for _ in range(ROUNDS):
            for calendar, policy, events, as_of in cases:
                evaluate(calendar, policy, events, as_of)

    act()
    return ROUNDS * len(cases) / best_seconds(act)


def ten_years_ms(written: dict[str, Any], *, compiled: bool) -> float:
    start = datetime(2026, 11, 23, 9, tzinfo=UTC)
    calendars = [Calendar.parse(written) for _ in range(RUNS)]
    if compiled:
        calendars = [calendars[0]] * RUNS
        calendars[0].advance(start, TEN_YEARS_OF_OFFICE_HOURS)
    waiting = iter(calendars)
    return best_seconds(lambda: discard(next(waiting).advance(start, TEN_YEARS_OF_OFFICE_HOURS))) * 1_000


def discard(_: datetime) -> None:
    """The end itself is not asked for here."""


def measures() -> list[Measure]:
    text = VECTORS.read_text(encoding="utf-8")
    scenarios = read_scenarios(text)
    office = json.loads(text)[0]["calendar"]
    calendar = Calendar.parse(office)
    return [
        Measure("advance by 4 h, instants in UTC", advances_a_second(calendar, UTC), "/s", 500_000),
        Measure(
            "advance by 4 h, instants of another offset",
            advances_a_second(calendar, timezone(timedelta(hours=1))),
            "/s",
            None,
        ),
        Measure("evaluations, mix of the vectors", evaluations_a_second(scenarios, keep_histories=False), "/s", 50_000),
        Measure("the same, histories kept", evaluations_a_second(scenarios, keep_histories=True), "/s", None),
        Measure("advance over ten years", ten_years_ms(office, compiled=True), "ms", 1, more_is_better=False),
        Measure("the same, compiling them first", ten_years_ms(office, compiled=False), "ms", None),
    ]


def show(others: list[Row]) -> None:
    """Print the second table."""
    print(f"\n{'plain advance, the same office':<44} {'4 h, /s':>14} {'ten years, ms':>15} {'other ends':>11}")
    for what, a_second, ten_years, other_ends in others:
        print(f"{what:<44} {a_second:>14,.0f} {ten_years:>15,.3f} {other_ends:>4} / {len(STARTS)}")


def main() -> int:
    found = measures()
    for measure in found:
        target = "" if measure.target is None else f"target {measure.target:,.0f}{'' if measure.is_met else '  MISSED'}"
        print(f"{measure.what:<44} {measure.value:>14,.3f} {measure.unit:<3} {target}")
    others = compared()
    show(others)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**measure._asdict(), "is_met": measure.is_met} for measure in found]
    REPORT.write_text(
        json.dumps(
            {"python": sys.version.split()[0], "measures": rows, "others": [row._asdict() for row in others]}, indent=2
        )
        + "\n",
        encoding="utf-8",
    )
    print(f"written to {REPORT.relative_to(ROOT)}")
    return 0 if all(measure.is_met for measure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
