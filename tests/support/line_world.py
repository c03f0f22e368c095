"""The whole line on the test's database: people with phones, an office that is closed, engineers who pick up.

Callers and engineers are test phones of the product or Debian's baresip, in threads and processes of their own.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings as given
from django.db import connection, transaction

from guardia.doors.voice.phone import AnswerOptions, CallOptions, place_call, take_calls
from guardia.doors.voice.phone_loop import Outcome
from guardia.doors.voice.script import Digits, Language, Piece, Prompt
from guardia.doors.voice.speech import Voice
from guardia.features.accounts.models import Person
from guardia.features.calls.models import Call
from guardia.features.contracts.models import Contract
from guardia.features.sla.models import CalendarVersion
from guardia.journeys.make_sample_data import PINS
from guardia.kernel import clock
from guardia.kernel.sound import wav_of
from tests.support.cast import EMAILS, Cast
from tests.support.hearing import heard
from tests.support.line_alone import share_prompts
from tests.support.line_peers import HOST
from tests.support.line_running import LineRunning
from tests.support.ports import free_port
from tests.support.processes import wait_until

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def close_office(cast: Cast) -> None:
    """Let every contract's office be closed now, and open on one day of the week, three days from now."""
    for contract in Contract.objects.across_companies("every contract of the test"):
        old = CalendarVersion.objects.get(id=contract.calendar_version_id)
        weekly = {WEEKDAYS[(cast.now + timedelta(days=3)).weekday()]: [["09:00", "19:00"]]}
        rules = {"zone": old.rules["zone"], "weekly": weekly}
        version = CalendarVersion.objects.create(
            name=old.name, version=old.version + 1, rules=rules, tzdata=old.tzdata, created_at=cast.now
        )
        contract.calendar_version_id = version.id
        contract.save(update_fields=["calendar_version_id"])


def give_phone(cast: Cast, part: str, address: str) -> None:
    """Say where somebody of the staff is called."""
    Person.objects.filter(id=cast.people[part].id).update(phone=address)


class Hands:
    """Somebody at a test phone, in a thread: keys are typed when the test says so, and the end is waited for."""

    def __init__(self, run: Callable[[Callable[[str], None], int], Outcome | None]) -> None:
        self.lines: list[str] = []
        """What the phone says of its call."""
        self._outcome: Outcome | None = None
        keyboard, self._typing = os.pipe()

        def work() -> None:
            try:
                self._outcome = run(self.lines.append, keyboard)
            finally:
                os.close(keyboard)

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def until(self, line: str, within_s: float = 60.0) -> None:
        """Wait until the phone says a line (`answered`, `waiting`)."""
        wait_until(f"{line}, not {self.lines}", lambda: any(said.startswith(line) for said in self.lines), within_s)

    def press(self, *keys: str) -> None:
        """Type keys once the call stands."""
        self.until("answered")
        os.write(self._typing, "".join(keys).encode())

    def hang_up(self) -> None:
        """Hang up, where nobody has yet."""
        if self._thread.is_alive():
            os.write(self._typing, b"h")

    def outcome(self, within_s: float = 60.0) -> Outcome:
        """Return how the call went, once it is over."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), f"the phone is still busy: {self.lines}"
        assert self._outcome is not None, f"there was no call: {self.lines}"
        return self._outcome

    def close(self) -> None:
        """Hang up, and put the phone away."""
        self.hang_up()
        self._thread.join(20.0)
        os.close(self._typing)


@dataclass
class World:
    """A running line, the people, and what the line says."""

    cast: Cast
    line: LineRunning
    voice: Voice
    folder: Path

    @contextmanager
    def calling(self, talk: bytes = b"", **options: Any) -> Iterator[Hands]:
        """Call the line; whoever calls speaks all the time where `talk` is given."""
        given = replace(CallOptions(self.line.target, caller="600100200", talk=self._file(talk)), **options)
        hands = Hands(lambda say, keyboard: place_call(given, say, keyboard))
        try:
            yield hands
        finally:
            hands.close()

    @contextmanager
    def engineer(self, part: str, talk: bytes = b"", **options: Any) -> Iterator[Hands]:
        """Let somebody of the staff have a phone that takes one call."""
        port = free_port()
        give_phone(self.cast, part, f"sip:{part}@{HOST}:{port}")
        given = replace(AnswerOptions(port=port, after_s=0.3, talk=self._file(talk), wait_s=90.0), **options)
        hands = Hands(lambda say, keyboard: next(iter(take_calls(given, say, keyboard)), None))
        hands.until("waiting")
        try:
            yield hands
        finally:
            hands.close()

    def _file(self, talk: bytes) -> Path | None:
        if not talk:
            return None
        path = self.folder / f"talk-{uuid4().hex}.wav"
        path.write_bytes(wav_of(talk))
        return path

    def known(self, part: str) -> str:
        """Return the keys of somebody who chooses English and gives contract and PIN."""
        contract = "4071" if part.startswith("plus") else "2210"
        return f"21{contract}#{PINS[EMAILS[part]]}"

    def says(self, outcome: Outcome, key: str, language: Language = "en") -> bool:
        """Whether a prompt was heard."""
        return self.hears(outcome, Prompt(key), language)

    def hears(self, outcome: Outcome, piece: Piece, language: Language = "en") -> bool:
        """Whether a piece was heard, by the sound of it."""
        return heard(outcome.heard, self.voice.render([piece], language).strip(b"\xff")) is not None

    def hears_number(self, outcome: Outcome, number: str, language: Language = "en") -> bool:
        """Whether a case's number was read out."""
        return self.hears(outcome, Digits(number), language)

    def until_noted(self, what: str, within_s: float = 60.0, times: int = 1) -> None:
        """Wait until something stands in the log of a call."""

        def noted() -> bool:
            log = [entry["what"] for call in Call.objects.all() for entry in call.log]
            return log.count(what) >= times

        wait_until(f"{what} is noted", noted, within_s)

    def until_step(self, step: str, within_s: float = 60.0) -> None:
        """Wait until a call is at a step."""
        wait_until(f"a call is {step}", lambda: Call.objects.filter(step=step).exists(), within_s)

    def handed_in(self, count: int = 1, direction: str = "in") -> list[Call]:
        """Return the calls that were handed in, once there are so many."""
        calls = Call.objects.filter(direction=direction, handed_in_at__isnull=False).order_by("started_at")
        wait_until(f"{count} calls are handed in", lambda: calls.all().count() >= count, 60.0)
        for call in calls.all():  # shown where a test fails
            print(call.direction, call.outcome, call.case_id, *call.log, sep="\n  ")  # noqa: T201  figures for the reader
        return list(calls.all())


@contextmanager
def line_world(cast: Cast, folder: Path, **settings: str) -> Iterator[World]:
    """Run a line on the test's database, with the office closed."""
    with transaction.atomic():
        close_office(cast)
    voice = share_prompts(folder / "var")
    connection.close()
    private = folder / "private"  # its own, so that no journal of another test is handed in
    private.mkdir(mode=0o700)
    for name in ("keys", "secrets"):
        (private / name).symlink_to(given.GUARDIA.private / name, target_is_directory=True)
    own = {"GUARDIA_PRIVATE": str(private), **settings}
    with LineRunning(folder / "var", own) as line:
        yield World(replace(cast, now=clock.now()), line, voice, folder)
