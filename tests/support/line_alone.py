"""A real line whose database is away, with folders of its own: for what concerns signals, sound and journals alone.

Its prompts are made once and kept under `build/`, as set-up does; what callers keyed is read back from the journals.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from guardia.adapters.call_journal import FolderJournals
from guardia.adapters.lab_keys import LabKeys
from guardia.doors.voice.speech import Voice
from guardia.kernel.outside import CallRecord
from tests.support.database import PROJECT
from tests.support.line_running import LineRunning

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
PROMPTS = PROJECT / "build" / "line-prompts"


def share_prompts(var: Path) -> Voice:
    """Put the prompts, made where they are missing, into a line's folder; return their voice."""
    PROMPTS.mkdir(parents=True, exist_ok=True)
    voice = Voice(PROMPTS, None)
    voice.prepare()
    (var / "line").mkdir(parents=True, exist_ok=True)
    if not (var / "line" / "prompts").exists():
        (var / "line" / "prompts").symlink_to(PROMPTS, target_is_directory=True)
    return voice


class LineAlone(LineRunning):
    """The line, and what it has written."""

    def __init__(self, folder: Path, **settings: str) -> None:
        private = folder / "private"
        (private / "keys").mkdir(parents=True, mode=0o700)
        LabKeys.make(private / "keys" / "lab.json", "dev-1")
        self.voice = share_prompts(folder / "var")
        self._journals = FolderJournals(
            private / "calls", LabKeys.read(private / "keys" / "lab.json", production=False)
        )
        super().__init__(
            folder / "var",
            {"DATABASE_URL": NOWHERE, "GUARDIA_PRIVATE": str(private), **settings},
            rtp_ports=400,
        )

    def records(self) -> list[CallRecord]:
        """Return every call that was written, the earliest first."""
        return [self._journals.read(call_id) for call_id in sorted(self._ids())]

    def _ids(self) -> Iterator[UUID]:
        for folder in ("begun", "new"):
            for path in (self._journals.folder / folder).glob("*-*"):
                yield UUID(path.name.split(".")[0])

    def keyed(self) -> list[tuple[str, str]]:
        """Return contract and PIN as each caller keyed them, in order of size."""
        notes = [note for record in self.records() for note in record.notes if note.what == "identify_later"]
        return sorted((note.data["contract"], note.data["pin"]) for note in notes)


@contextmanager
def line_alone(folder: Path, **settings: str) -> Iterator[LineAlone]:
    """Run a line whose database is away."""
    with LineAlone(folder, **settings) as line:
        yield line


def numbered(count: int) -> Sequence[tuple[str, str]]:
    """Return a contract and a PIN for each of so many callers, no two alike, every digit among them."""
    return [(f"{4000 + number}", f"{(123457 * (number + 1)) % 1_000_000:06d}") for number in range(count)]
