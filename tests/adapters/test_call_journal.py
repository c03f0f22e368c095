"""One contract for the real journals and their twin, and what only files can show: modes, seals, locks, kills, room."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.database import PROJECT

from guardia.adapters import call_journal
from guardia.adapters.call_frames import MAGIC
from guardia.adapters.call_journal import FileJournal, FolderJournals, MemoryJournals
from guardia.adapters.lab_keys import LabKeys
from guardia.kernel.ids import uuid7
from guardia.kernel.outside import CallFacts, CallJournal, CallJournals, JournalLocked, JournalUnreadable

NIGHT = datetime(2026, 11, 28, 2, 10, 3, 141592, tzinfo=UTC)
KEYS = LabKeys("dev-1", {"dev-1": b"k" * 32})
PIN = "739155"
VOICE = bytes(range(256)) * 40


def at(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


def facts() -> CallFacts:
    return CallFacts(uuid7(), "in", NIGHT, "+34910000001")


@pytest.fixture(params=["folder", "memory"])
def journals(request: pytest.FixtureRequest, tmp_path: Path) -> CallJournals:
    return FolderJournals(tmp_path / "calls", KEYS) if request.param == "folder" else MemoryJournals()


@pytest.fixture
def folder(tmp_path: Path) -> FolderJournals:
    return FolderJournals(tmp_path / "calls", KEYS)


def write_whole(journals: CallJournals) -> UUID:
    journal = journals.open(facts())
    write_some(journal)
    journal.finish(at(9))
    return journal.id


def write_some(journal: CallJournal) -> None:
    journal.note("identify_later", at(1), {"contract": "4001", "pin": PIN})
    number = journal.begin_sound("description", at(2))
    journal.sound(number, VOICE, 0.5, at(3))
    journal.sound(number, VOICE[:80], 0.01, at(4))
    journal.note("recorded", at(5))


def path_of(folder: FolderJournals, call_id: UUID) -> Path:
    return folder.folder / "new" / str(call_id)


# ---- the contract ----


def test_a_journal_is_read_back_as_it_was_written(journals: CallJournals) -> None:
    record = journals.read(call_id := write_whole(journals))
    assert (record.facts.id, record.facts.direction, record.facts.caller) == (call_id, "in", "+34910000001")
    assert (record.facts.started_at, record.ended_at, record.last_at) == (NIGHT, at(9), at(9))
    assert [(note.at, note.what, note.data) for note in record.notes] == [
        (at(1), "identify_later", {"contract": "4001", "pin": PIN}),
        (at(5), "recorded", {}),
    ]
    (sound,) = record.sounds
    assert (sound.number, sound.kind, sound.started_at, sound.voiced_s) == (1, "description", at(2), 0.51)
    assert sound.seconds == len(VOICE + VOICE[:80]) / 8000
    assert journals.read_sound(call_id, 1) == VOICE + VOICE[:80]


def test_a_journal_can_be_read_while_its_call_lives(journals: CallJournals) -> None:
    journal = journals.open(facts())
    assert journals.read(journal.id).last_at == NIGHT
    write_some(journal)
    record = journals.read(journal.id)
    assert (len(record.notes), record.ended_at, record.last_at) == (2, None, at(5))
    assert journals.read_sound(journal.id, 1).startswith(VOICE)
    journal.finish(at(9))


def test_recordings_are_counted_from_one_and_kept_apart(journals: CallJournals) -> None:
    journal = journals.open(facts())
    assert [journal.begin_sound(kind, NIGHT) for kind in ("description", "message")] == [1, 2]
    journal.sound(2, b"second", 0, NIGHT)
    journal.sound(1, b"first", 0, NIGHT)
    assert [journals.read_sound(journal.id, number) for number in (1, 2)] == [b"first", b"second"]
    with pytest.raises(FileNotFoundError):
        journals.read_sound(journal.id, 3)
    with pytest.raises(ValueError, match="was not begun"):
        journal.sound(3, b"third", 0, NIGHT)
    journal.finish(at(1))


def test_a_living_call_is_not_taken_and_a_finished_one_is(journals: CallJournals) -> None:
    journal = journals.open(facts())
    assert journals.take(5, NIGHT) == []
    assert journals.count_waiting() == 1
    for _ in range(2):
        journal.finish(at(1))
    (claim,) = journals.take(5, NIGHT)
    assert claim.id == journal.id
    assert journals.take(5, NIGHT) == []
    claim.release()
    (again,) = journals.take(5, NIGHT)
    again.release()


def test_journals_are_taken_in_the_order_in_which_the_calls_began(journals: CallJournals) -> None:
    ids = [write_whole(journals) for _ in range(5)]
    first, second = journals.take(3, NIGHT), journals.take(3, NIGHT)
    assert [claim.id for claim in (*first, *second)] == ids
    for claim in (*first, *second):
        claim.release()


def test_a_journal_that_was_handed_in_waits_no_more_and_can_still_be_heard(journals: CallJournals) -> None:
    call_id = write_whole(journals)
    journals.defer(call_id, at(60))
    (claim,) = journals.take(5, at(60))
    for _ in range(2):
        journals.settle(call_id)
    claim.release()
    assert (journals.take(5, at(99)), journals.count_waiting()) == ([], 0)
    assert journals.read(call_id).ended_at == at(9)
    assert journals.read_sound(call_id, 1).startswith(VOICE)


def test_a_journal_that_was_set_aside_is_counted(journals: CallJournals) -> None:
    call_id = write_whole(journals)
    for _ in range(2):
        journals.set_aside(call_id)
    assert (journals.take(5, at(99)), journals.count_waiting(), journals.count_unreadable()) == ([], 0, 1)
    assert journals.read(call_id).ended_at == at(9)


def test_a_journal_that_was_put_off_waits_until_then(journals: CallJournals) -> None:
    call_id = write_whole(journals)
    journals.defer(call_id, at(60))
    assert journals.take(5, at(59)) == []
    (claim,) = journals.take(5, at(60))
    assert claim.id == call_id
    claim.release()
    journals.defer(uuid7(), at(60))
    assert journals.count_waiting() == 1


def test_only_what_was_handed_in_is_forgotten_and_not_what_is_to_be_kept(journals: CallJournals) -> None:
    old, wanted, waiting = (write_whole(journals) for _ in range(3))
    for call_id in (old, wanted):
        journals.settle(call_id)
    later = datetime.now(UTC) + timedelta(minutes=1)  # noqa: TID251  the ids tell the real time
    assert journals.forget(later - timedelta(hours=1)) == []
    assert journals.forget(later, keep={wanted}) == [old]
    for gone in (old, uuid7()):
        with pytest.raises(FileNotFoundError):
            journals.read(gone)
    assert journals.read(wanted).notes
    assert journals.read(waiting).notes


def test_nothing_is_written_after_the_end(journals: CallJournals) -> None:
    journal = journals.open(facts())
    journal.finish(at(1))
    with pytest.raises(OSError, match="finished"):
        journal.note("late", at(2))
    assert journals.read(journal.id).last_at == at(1)


def test_a_call_has_one_journal(journals: CallJournals) -> None:
    begun = facts()
    journal = journals.open(begun)
    with pytest.raises(FileExistsError):
        journals.open(begun)
    journal.note("it is still written", at(1))
    assert len(journals.read(begun.id).notes) == 1
    journal.finish(at(2))


def test_a_journal_that_is_full_takes_notes_but_no_sound(
    journals: CallJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_journal, "MOST_BYTES", 20_000)
    journal = journals.open(facts())
    number = journal.begin_sound("message", NIGHT)
    journal.sound(number, b"v" * 15_000, 1, NIGHT)
    with pytest.raises(OSError, match="at most") as refused:
        journal.sound(number, b"v" * 15_000, 1, NIGHT)
    assert refused.value.errno == errno.EFBIG
    journal.note("recorded", at(1))
    journal.finish(at(2))
    assert len(journals.read_sound(journal.id, number)) == 15_000
    assert journals.read(journal.id).ended_at == at(2)


# ---- files ----


def test_files_and_folders_are_their_owners_alone(folder: FolderJournals) -> None:
    write_whole(folder)
    folder.settle(write_whole(folder))
    folder.set_aside(write_whole(folder))
    folder.defer(write_whole(folder), at(5))
    paths = [folder.folder, *folder.folder.rglob("*")]
    assert sum(path.is_file() for path in paths) == 5
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_lies_in_the_clear(folder: FolderJournals) -> None:
    content = path_of(folder, write_whole(folder)).read_bytes()
    for part in (PIN.encode(), b"identify_later", b"+34910000001", VOICE[:64]):
        assert part not in content


def test_a_journal_of_another_key_is_locked_and_says_nothing_of_it(folder: FolderJournals) -> None:
    call_id = write_whole(folder)
    for keys in ({"dev-1": b"x" * 32}, {"dev-2": b"k" * 32}):
        with pytest.raises(JournalLocked):
            FolderJournals(folder.folder, LabKeys(next(iter(keys)), keys)).read(call_id)


def test_a_file_under_another_calls_name_is_unreadable(folder: FolderJournals) -> None:
    path, other = path_of(folder, write_whole(folder)), uuid7()
    path.rename(path.with_name(str(other)))
    with pytest.raises(JournalUnreadable):
        folder.read(other)


@pytest.mark.parametrize("content", [b"", b"GRDMAIL1", MAGIC, MAGIC + b"\0\0\0\x02{}", b"\0" * 5000])
def test_what_is_no_journal_is_unreadable(folder: FolderJournals, content: bytes) -> None:
    path_of(folder, call_id := write_whole(folder)).write_bytes(content)
    with pytest.raises(JournalUnreadable):
        folder.read(call_id)


def frame_starts(content: bytes) -> list[int]:
    """Return where each frame begins, and the end."""
    start = 12 + int.from_bytes(content[8:12], "big")
    starts = [start]
    while start < len(content):
        start += 16 + int.from_bytes(content[start : start + 4], "big")
        starts.append(start)
    return starts


@dataclass
class Written:
    """A journal, and its file as it was written."""

    folder: FolderJournals
    call_id: UUID
    content: bytes = field(repr=False)

    def with_content(self, content: bytes) -> FolderJournals:
        path_of(self.folder, self.call_id).write_bytes(content)
        return self.folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = FolderJournals(tmp_path_factory.mktemp("written"), KEYS)
    call_id = write_whole(folder)
    return Written(folder, call_id, path_of(folder, call_id).read_bytes())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_changed_byte_costs_its_own_frame_and_is_told(written: Written, where: float, flip: int) -> None:
    changed = bytearray(written.content)
    place = int(where * len(changed))
    changed[place] ^= flip
    folder, starts = written.with_content(bytes(changed)), frame_starts(written.content)
    if place < starts[1]:
        with pytest.raises(JournalUnreadable):
            folder.read(written.call_id)
        return
    record, lost = folder.read(written.call_id), sum(start <= place for start in starts) - 1
    assert record.is_damaged
    assert [note.what for note in record.notes if note.what != "damaged"] == [
        what for number, what in ((1, "identify_later"), (5, "recorded")) if number != lost
    ]
    pieces = [piece for number, piece in ((3, VOICE), (4, VOICE[:80])) if number != lost]
    assert folder.read_sound(written.call_id, 1) == b"".join(pieces)
    assert (record.ended_at is None) == (lost == 6)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), lost=st.integers(0, 3))
def test_a_torn_end_is_left_out_and_everything_before_it_is_read(written: Written, where: float, lost: int) -> None:
    """Torn anywhere after the first frame, with or without the zeros that a power cut leaves from a sector on."""
    starts = frame_starts(written.content)
    cut = starts[1] + int(where * (len(written.content) - starts[1]))
    if lost:
        cut = min(cut // 512 * 512 + 512, len(written.content))
    record = written.with_content(written.content[:cut] + bytes(lost * 512)).read(written.call_id)
    whole = sum(start <= cut for start in starts[1:])
    assert len(record.notes) == (whole >= 2) + (whole >= 6)
    assert (record.ended_at is not None) == (whole >= 7)


@pytest.mark.parametrize("change", ["removed", "swapped", "doubled", "of another call"])
def test_frames_cannot_be_moved_about(folder: FolderJournals, change: str) -> None:
    content = path_of(folder, call_id := write_whole(folder)).read_bytes()
    starts = frame_starts(content)
    frames = [content[a:b] for a, b in pairwise(starts)]
    stranger = path_of(folder, write_whole(folder)).read_bytes()
    others = [stranger[a:b] for a, b in pairwise(frame_starts(stranger))]
    changed = {
        "removed": [*frames[:2], *frames[3:]],
        "swapped": [frames[0], frames[2], frames[1], *frames[3:]],
        "doubled": [*frames[:3], frames[2], *frames[3:]],
        "of another call": [*frames[:2], others[2], *frames[3:]],
    }[change]
    path_of(folder, call_id).write_bytes(content[: starts[0]] + b"".join(changed))
    record = folder.read(call_id)
    assert record.is_damaged
    in_order = ["recorded"] if change == "swapped" else ["identify_later", "recorded"]
    assert [note.what for note in record.notes if note.what != "damaged"] == in_order
    assert folder.read_sound(call_id, 1) == VOICE + VOICE[:80]
    assert record.ended_at == at(9)


# ---- disks and kills ----

_FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.adapters.test_call_journal import KEYS, NIGHT, FolderJournals, at, facts
journal = FolderJournals(Path(sys.argv[1]), KEYS).open(facts())
number = journal.begin_sound("message", NIGHT)
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, resource.RLIM_INFINITY))
refused = 0
for second in range(20):
    try:
        journal.sound(number, b"v" * 3_000, 1, at(second))
    except OSError:
        refused += 1
try:
    journal.note("too much", at(20), {"text": "x" * 3_000})
except OSError:
    refused += 1
journal.note("small", at(21))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.note("there is room again", at(22))
journal.finish(at(23))
print(journal.id, refused)
"""


def child(text: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT)])}
    return subprocess.Popen(
        [sys.executable, "-c", text, str(folder)], env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )


def test_a_full_disk_costs_only_what_it_does_not_take(folder: FolderJournals) -> None:
    """The limit on a file's size stands for the disk's: the system writes half a frame, then says that it is full."""
    process = child(_FULL_DISK, folder.folder)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    call_id, refused = UUID(said.split()[0]), int(said.split()[1])
    record = folder.read(call_id)
    assert refused == 19
    assert [note.what for note in record.notes] == ["small", "there is room again"]
    assert len(folder.read_sound(call_id, 1)) == 6_000
    assert record.ended_at == at(23)


def test_the_end_that_a_full_disk_refuses_leaves_the_journal_to_be_taken(
    folder: FolderJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = folder.open(facts())
    journal.note("kept", at(1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="no space"):
            journal.finish(at(2))
    (claim,) = folder.take(5, at(3))
    assert (folder.read(claim.id).ended_at, folder.read(claim.id).last_at) == (None, at(1))
    claim.release()


def test_a_disk_without_room_for_a_journal_leaves_nothing_behind(
    folder: FolderJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="no space"):
        folder.open(facts())
    assert not [path for path in folder.folder.rglob("*") if path.is_file()]


_WRITER = """
import sys
from pathlib import Path
from tests.adapters.test_call_journal import KEYS, NIGHT, FolderJournals, at, facts
journals = FolderJournals(Path(sys.argv[1]), KEYS)
while True:
    journal = journals.open(facts())
    print(journal.id, 0, flush=True)
    number = journal.begin_sound("message", NIGHT)
    for count in range(1, 400):
        journal.sound(number, b"v" * 1600, 0.2, at(count))
        journal.note("counted", at(count), {"count": count})
        print(journal.id, count, flush=True)
"""


@pytest.fixture
def chance() -> random.Random:
    return random.Random(5)


def test_every_note_outlives_kill_9_at_fifty_random_instants(folder: FolderJournals, chance: random.Random) -> None:
    for _ in range(50):
        process = child(_WRITER, folder.folder)
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        lines = [first, *process.stdout.readlines()]
        assert process.wait(30) == -signal.SIGKILL
        call_id, told = next(line.split() for line in reversed(lines) if line.endswith("\n"))
        (claim,) = folder.take(5, NIGHT)
        record = folder.read(claim.id)
        assert (str(claim.id), record.ended_at) == (call_id, None)
        counts = [note.data["count"] for note in record.notes]
        assert counts == list(range(1, len(counts) + 1))
        assert int(told) <= len(counts) <= int(told) + 1
        assert len(folder.read_sound(claim.id, 1) if record.sounds else b"") >= 1600 * len(counts)
        folder.settle(claim.id)
        claim.release()


def test_sound_is_synced_once_a_second_and_notes_at_once(
    folder: FolderJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = folder.open(facts())
    assert isinstance(journal, FileJournal)
    synced: list[int] = []
    passed = [time.monotonic() + 10]
    monkeypatch.setattr(os, "fdatasync", synced.append)
    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    number = journal.begin_sound("message", NIGHT)
    synced.clear()
    for _ in range(100):
        passed[0] += 0.02
        journal.sound(number, b"v" * 160, 0, NIGHT)
    assert len(synced) in (1, 2)
    synced.clear()
    journal.note("known", at(2))
    assert len(synced) == 1
    journal.finish(at(3))
