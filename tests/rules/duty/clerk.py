"""The slow model: a clerk who watches the wall clock of the zone every five minutes and keeps the roster by hand.

Written from the rules' sentences, not from their code: no search, no instants of wall times, only what the clock shows.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from guardia.features.duty.rules.rotation import Override, Rotation, Rules

STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
WARM_UP = timedelta(days=40)


class Clerk:
    """Walks through `[start, end)` and says at each step who has the duty."""

    def __init__(self, rules: Rules, overrides: Sequence[Override] = ()) -> None:
        self.rules, self.overrides = rules, overrides

    def walk(self, start: datetime, end: datetime, *, warm_up: timedelta = WARM_UP) -> Iterator[tuple[datetime, UUID]]:
        at, latest_shown = start - warm_up, datetime.min  # noqa: DTZ901  a wall time
        while at < end:
            shown = at.astimezone(self.rules.zone).replace(tzinfo=None)
            latest_shown = max(latest_shown, shown)
            if at >= start:
                yield at, self.person(at, shown, latest_shown)
            at += STEP

    def person(self, at: datetime, shown: datetime, latest_shown: datetime) -> UUID:
        over = [row for row in self.overrides if row.starts_at <= at < min(row.ends_at, row.revoked_at or row.ends_at)]
        if over:
            return max(over, key=lambda row: (row.made_at, row.id)).person
        holidays = self.rules.holidays
        if holidays.people and shown.date() in holidays.dates:
            return holidays.people[sorted(holidays.dates).index(shown.date()) % len(holidays.people)]
        for layer in self.rules.layers:
            since = shown - datetime.combine(shown.date(), time.min)
            if any(start <= since < end for start, end in layer.weekly[shown.weekday()]):
                return self.turn(layer.rotation, latest_shown)
        return self.turn(self.rules.base, latest_shown)

    def turn(self, rotation: Rotation, latest_shown: datetime) -> UUID:
        """Whose name stands at the last hand-over that the wall clock has ever reached."""
        number = (latest_shown.date() - rotation.first_on).days // rotation.hand_over.every_days + 2
        while self.planned(rotation, number) > latest_shown:
            number -= 1
        return rotation.people[number % len(rotation.people)]

    def planned(self, rotation: Rotation, number: int) -> datetime:
        day = rotation.first_on + number * rotation.hand_over.every_days * DAY
        if self.rules.holidays.moves_hand_over and day in self.rules.holidays.dates:
            day += DAY
            while day.weekday() in {5, 6} or day in self.rules.holidays.dates:
                day += DAY
        return datetime.combine(day, time.min) + rotation.hand_over.at
