"""Playing a dialogue without a line: keys and events in, what was said, asked and noted out.

A script is a sequence of strings and events. A string is keys, typed without listening, or `-` for silence until the
timer runs out. Before each entry but a `Key` or a hang-up everything said is heard to its end. The desk answers by the
kind of question: each answer once, the last one for ever; None is a desk that is away. When the script is through, what
is being said is heard to its end, and then the caller hangs up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guardia.doors.voice.questions import Answer, Question
from guardia.doors.voice.script import (
    Ask,
    Command,
    DeskAway,
    Dialogue,
    Digits,
    Event,
    HungUp,
    Key,
    Listen,
    Note,
    Piece,
    Played,
    Prompt,
    Quiet,
    Record,
    Recorded,
    Say,
    Text,
    Told,
)

Desk = Mapping[type[Question], Answer | Sequence[Answer | None] | None]
MOST_TURNS = 500


@dataclass
class Play:
    """What came of a play."""

    commands: list[Command] = field(default_factory=list)
    outcome: str | None = None

    @property
    def says(self) -> list[Say]:
        return [command for command in self.commands if isinstance(command, Say)]

    @property
    def pieces(self) -> list[Piece]:
        return [piece for say in self.says for piece in say.pieces]

    @property
    def heard(self) -> list[str]:
        """The keys of the prompts that were said."""
        return [piece.key for piece in self.pieces if isinstance(piece, Prompt)]

    @property
    def digits(self) -> list[str]:
        return [piece.text for piece in self.pieces if isinstance(piece, Digits)]

    @property
    def texts(self) -> list[str]:
        return [piece.text for piece in self.pieces if isinstance(piece, Text)]

    @property
    def asked(self) -> list[Question]:
        return [command.question for command in self.commands if isinstance(command, Ask)]

    def notes(self, what: str) -> list[Mapping[str, object]]:
        return [command.data for command in self.commands if isinstance(command, Note) and command.what == what]

    @property
    def steps(self) -> list[str]:
        return [str(data["step"]) for data in self.notes("step")]


class Player:
    """A dialogue that is played."""

    def __init__(self, dialogue: Dialogue, desk: Desk | None = None) -> None:
        self.play = Play()
        self._dialogue, self._desk = dialogue, dict(desk or {})
        self._answered: dict[type[Question], int] = {}
        self._is_saying = self._listens = False
        self._turns = 0
        self._feed(None)

    @property
    def is_over(self) -> bool:
        return self.play.outcome is not None

    def send(self, event: Event) -> None:
        """Let something happen, and the desk answer what is asked for it."""
        assert not self.is_over, f"the dialogue had ended before {event}"
        if isinstance(event, Key | Quiet):
            self._listens = False
        self._feed(event)

    def _feed(self, event: Event | None) -> None:
        while True:
            self._turns += 1
            assert self._turns < MOST_TURNS, "the dialogue turns in a circle"
            try:
                commands = next(self._dialogue) if event is None else self._dialogue.send(event)
            except StopIteration as end:
                self.play.outcome = end.value
                return
            self.play.commands += commands
            for command in commands:
                if isinstance(command, Say):
                    self._is_saying = not command.is_looped
                elif isinstance(command, Listen):
                    self._listens = True
            asked = [command.question for command in commands if isinstance(command, Ask)]
            if not asked or isinstance(event, HungUp):
                return
            event = self._answer(asked[-1])

    def _answer(self, question: Question) -> Event:
        answers = self._desk[type(question)]
        if answers is None:
            return DeskAway()
        if not isinstance(answers, Sequence):
            return Told(answers)
        turn = self._answered.get(type(question), 0)
        self._answered[type(question)] = turn + 1
        answer = answers[min(turn, len(answers) - 1)]
        return DeskAway() if answer is None else Told(answer)

    def hear_out(self) -> None:
        """Let everything be said to its end."""
        while self._is_saying and not self.is_over:
            self._is_saying = False
            self.send(Played())

    def quiet(self) -> None:
        """Press nothing until the timer has run out."""
        self.hear_out()
        assert self._listens, "nothing is waited for"
        self.send(Quiet())

    def run(self, script: Sequence[str | Event]) -> Play:
        """Play a script to the end of the call."""
        for entry in script:
            if not isinstance(entry, HungUp | Key):
                self.hear_out()
            if isinstance(entry, Recorded):
                assert any(isinstance(command, Record) for command in self.play.commands)
            if isinstance(entry, str):
                self._press(entry)
            else:
                self.send(entry)
        self.hear_out()
        for _ in range(2):
            if not self.is_over:
                self._feed(HungUp())
        assert self.is_over, "the dialogue does not end although the caller has gone"
        return self.play

    def _press(self, keys: str) -> None:
        for key in keys:
            if key == "-":
                self.quiet()
            else:
                self._is_saying = False
                self.send(Key(key))
