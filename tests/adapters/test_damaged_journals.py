"""Journals that are damaged, locked, or lie among foreign files: what can be is read, and each is erased in time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.adapters.test_call_journal import KEYS, VOICE, at, facts, frame_starts, path_of, write_whole
from tests.support.growth import assert_linear

from guardia.adapters.call_journal import FolderJournals, MemoryJournals
from guardia.adapters.lab_keys import LabKeys, LabKeysRefused
from guardia.kernel.outside import CallJournals, JournalLocked

OTHER = LabKeys("dev-2", {"dev-2": b"o" * 32})
BOTH = LabKeys("dev-2", {"dev-1": b"k" * 32, "dev-2": b"o" * 32})


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)  # noqa: TID251  the ids tell the real time


@pytest.fixture(params=["folder", "memory"])
def journals(request: pytest.FixtureRequest, tmp_path: Path) -> CallJournals:
    return FolderJournals(tmp_path / "calls", KEYS) if request.param == "folder" else MemoryJournals()


@pytest.fixture
def folder(tmp_path: Path) -> FolderJournals:
    return FolderJournals(tmp_path / "calls", KEYS)


def test_a_key_that_came_back_is_read_anew_and_opens_the_journal(folder: FolderJournals) -> None:
    call_id = write_whole(folder)
    files = [OTHER]
    worker = FolderJournals(folder.folder, OTHER, lambda: files[-1])
    with pytest.raises(JournalLocked):
        worker.read(call_id)
    assert (worker.count_locked(), worker.count_unreadable()) == (1, 0)
    files.append(BOTH)
    assert (worker.count_locked(), worker.read(call_id).ended_at) == (0, at(9))


def test_a_key_file_that_cannot_be_read_leaves_journals_locked(folder: FolderJournals) -> None:
    def broken() -> LabKeys:
        raise LabKeysRefused("no readable lab key file")

    call_id = write_whole(folder)
    worker = FolderJournals(folder.folder, OTHER, broken)
    with pytest.raises(JournalLocked):
        worker.read(call_id)
    assert worker.count_locked() == 1


@pytest.mark.parametrize("sectors", [1, 3, 15])
def test_lost_sectors_cost_the_frames_in_them_and_nothing_before_or_after(folder: FolderJournals, sectors: int) -> None:
    journal = folder.open(facts())
    for count in range(200):
        journal.note("counted", at(count), {"count": count})
    journal.finish(at(200))
    content = path_of(folder, journal.id).read_bytes()
    lost = slice(4096, 4096 + sectors * 512)
    path_of(folder, journal.id).write_bytes(content[: lost.start] + bytes(sectors * 512) + content[lost.stop :])
    record, starts = folder.read(journal.id), frame_starts(content)
    whole = [number - 1 for number in range(1, 201) if starts[number + 1] <= lost.start or starts[number] >= lost.stop]
    assert [note.data["count"] for note in record.notes if note.what == "counted"] == whole
    assert [note.what for note in record.notes].count("damaged") == 1
    assert (record.is_damaged, record.ended_at) == (True, at(200))


def test_sound_whose_beginning_is_lost_is_a_message(folder: FolderJournals) -> None:
    content = bytearray(path_of(folder, call_id := write_whole(folder)).read_bytes())
    content[frame_starts(bytes(content))[2] + 20] ^= 1
    path_of(folder, call_id).write_bytes(bytes(content))
    (sound,) = folder.read(call_id).sounds
    assert (sound.kind, sound.started_at) == ("message", at(3))
    assert folder.read_sound(call_id, 1) == VOICE + VOICE[:80]


def test_what_was_set_aside_is_forgotten_in_time_too(journals: CallJournals) -> None:
    old, wanted = write_whole(journals), write_whole(journals)
    for call_id in (old, wanted):
        journals.set_aside(call_id)
    assert journals.forget(later() - timedelta(hours=1)) == []
    assert journals.forget(later(), keep={wanted}) == [old]
    assert (journals.has(old), journals.has(wanted), journals.count_unreadable()) == (False, True, 1)


def test_a_foreign_file_is_not_counted_and_stops_no_erasure(folder: FolderJournals) -> None:
    kept, aside = write_whole(folder), write_whole(folder)
    folder.settle(kept)
    folder.set_aside(aside)
    (month,) = (folder.folder / "kept").iterdir()
    foreign = [
        folder.folder / "kept" / ".nfs000000000001",
        month / ".nfs000000000002",
        month / "read me",
        month / "ffffffff-ffff-7fff-8fff-ffffffffffff",
        folder.folder / "unreadable" / "a note",
    ]
    for path in foreign:
        path.write_text("not ours")
    (month / "00000000-0000-7000-8000-000000000000").mkdir()
    assert folder.count_unreadable() == 1
    assert set(folder.forget(later())) == {kept, aside}
    assert (folder.has(kept), folder.has(aside)) == (False, False)
    assert all(path.exists() for path in foreign)


def test_a_plain_file_in_the_place_of_a_month_is_no_journal_and_stops_no_erasure(folder: FolderJournals) -> None:
    call_id, aside = write_whole(folder), write_whole(folder)
    folder.settle(call_id)
    folder.set_aside(aside)
    (month,) = (folder.folder / "kept").iterdir()
    (month / str(call_id)).unlink()
    month.rmdir()
    month.write_text("not ours")
    with pytest.raises(FileNotFoundError):
        folder.read(call_id)
    assert folder.read(aside).ended_at == at(9)
    assert (folder.has(call_id), folder.forget(later()), month.exists()) == (False, [aside], True)


def test_a_name_that_tells_no_time_is_no_journal_that_waits(folder: FolderJournals) -> None:
    call_id = write_whole(folder)
    stranger = path_of(folder, call_id).with_name("ffffffff-ffff-7fff-8fff-ffffffffffff")
    stranger.write_text("not ours")
    (claim,) = folder.take(5, at(99))
    claim.release()
    assert (claim.id, folder.count_waiting(), stranger.exists()) == (call_id, 1, True)


def test_a_file_with_every_second_frame_damaged_is_read_in_linear_time(folder: FolderJournals) -> None:
    def damaged(frames: int) -> UUID:
        journal = folder.open(facts())
        number = journal.begin_sound("message", at(0))
        for count in range(frames):
            journal.sound(number, b"v" * 40, 0.1, at(count))
        journal.finish(at(frames))
        content = bytearray(path_of(folder, journal.id).read_bytes())
        for start in frame_starts(bytes(content))[2:-2:2]:
            content[start] ^= 1
        path_of(folder, journal.id).write_bytes(bytes(content))
        return journal.id

    assert len(folder.read_sound(damaged(100), 1)) == 50 * 40
    assert_linear(folder.read, damaged(8000), damaged(4000))
