"""One contract for the real spool and its twin, and what only a folder can show: modes, sealed bytes, locks, kills."""

import errno
import multiprocessing
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.adapters.lab_keys import LabKeys
from guardia.adapters.mail_spool import FolderSpool, MemorySpool
from guardia.kernel import clock
from guardia.kernel.outside import MailFacts, MailSpool, MailUnreadable

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
KEYS = LabKeys("dev-1", {"dev-1": b"k" * 32})
PLAIN = b"Subject: these very bytes lie nowhere in the clear\r\n\r\n" + b"EICAR " * 500
FACTS = MailFacts("smtp", NOON, "192.0.2.7", "mx.example", "ana@astilleros.example", ("soporte@guardia.example",))
FIXED = UUID("019a9bfe-8000-8000-8000-000000000001")


@pytest.fixture(params=["folder", "memory"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> MailSpool:
    return FolderSpool(tmp_path / "mail", KEYS) if request.param == "folder" else MemorySpool()


@pytest.fixture
def folder(tmp_path: Path) -> FolderSpool:
    return FolderSpool(tmp_path / "mail", KEYS)


def again(spool: FolderSpool) -> FolderSpool:
    """Return the spool as another process sees it."""
    return FolderSpool(spool.folder, KEYS)


@pytest.mark.parametrize("raw", [b"", b"\n", PLAIN, b"\x00\xff" * 2_000_000], ids=["nothing", "a line", "mail", "4 MB"])
def test_what_was_kept_is_read_as_it_came(spool: MailSpool, raw: bytes) -> None:
    kept = spool.keep(FACTS, raw)
    envelope, read = spool.read(kept.id)
    assert read == raw
    assert envelope == kept
    assert (envelope.arrived_at, envelope.peer, envelope.helo) == (NOON, FACTS.peer, FACTS.helo)
    assert (envelope.door, envelope.sender, envelope.recipients) == ("smtp", FACTS.sender, FACTS.recipients)
    assert envelope.size == len(raw)


def test_mail_waits_in_the_order_in_which_it_came(spool: MailSpool) -> None:
    ids = [spool.keep(FACTS, b"%d" % number).id for number in range(20)]
    assert spool.waiting(100, LATER) == ids
    assert spool.waiting(3, LATER) == ids[:3]
    assert spool.count_waiting() == 20
    oldest = spool.oldest_waiting()
    assert oldest is not None
    assert abs(oldest - clock.now()) < timedelta(minutes=1)


def test_one_wait_for_the_disk_keeps_many(spool: MailSpool) -> None:
    done = spool.keep_many([(FACTS, b"one"), (FACTS, b"two")])
    assert [spool.read(one.id)[1] for one in done] == [b"one", b"two"]


def test_the_same_id_is_kept_once_whether_it_waits_or_was_dealt_with(spool: MailSpool) -> None:
    fetched = MailFacts("imap", NOON, id=FIXED)
    first = spool.keep(fetched, b"fetched")
    assert spool.keep(fetched, b"fetched") == first
    assert spool.count_waiting() == 1
    spool.settle(FIXED)
    assert spool.keep(fetched, b"fetched") == first
    assert spool.count_waiting() == 0


def test_two_claims_of_one_message_are_not_given(spool: MailSpool) -> None:
    mail_id = spool.keep(FACTS, PLAIN).id
    first = spool.claim(mail_id)
    assert first is not None
    assert spool.claim(mail_id) is None
    first.release()
    first.release()
    second = spool.claim(mail_id)
    assert second is not None
    second.release()


def test_two_workers_take_different_mail(spool: MailSpool) -> None:
    ids = [spool.keep(FACTS, b"%d" % number).id for number in range(5)]
    first, second = spool.take(3, LATER), spool.take(3, LATER)
    assert [claim.id for claim in first] == ids[:3]
    assert [claim.id for claim in second] == ids[3:]
    assert spool.take(3, LATER) == []
    for claim in [*first, *second]:
        claim.release()


def test_what_was_settled_waits_no_more_and_can_be_read(spool: MailSpool) -> None:
    mail_id = spool.keep(FACTS, PLAIN).id
    claim = spool.claim(mail_id)
    assert claim is not None
    for _ in range(2):
        spool.settle(mail_id)
    claim.release()
    assert spool.waiting(10, LATER) == []
    assert spool.claim(mail_id) is None
    assert spool.read_kept(mail_id)[1] == PLAIN
    with pytest.raises(FileNotFoundError):
        spool.read(mail_id)
    assert spool.oldest_waiting() is None


def test_what_was_set_aside_is_counted_and_waits_no_more(spool: MailSpool) -> None:
    mail_id = spool.keep(FACTS, PLAIN).id
    for _ in range(2):
        spool.set_aside(mail_id)
    assert (spool.count_waiting(), spool.count_unreadable()) == (0, 1)


def test_what_was_deferred_waits_until_then(spool: MailSpool) -> None:
    first, second = (spool.keep(FACTS, raw).id for raw in (b"one", b"two"))
    spool.defer(first, NOON + timedelta(minutes=5))
    assert spool.waiting(10, NOON) == [second]
    assert spool.waiting(10, NOON + timedelta(minutes=5)) == [first, second]
    assert spool.count_waiting() == 2


def test_a_deferral_of_settled_mail_is_no_error(spool: MailSpool) -> None:
    mail_id = spool.keep(FACTS, PLAIN).id
    spool.settle(mail_id)
    spool.defer(mail_id, LATER)
    assert spool.count_waiting() == 0


def test_kept_mail_is_forgotten_by_when_it_was_dealt_with(spool: MailSpool) -> None:
    old, young, waiting = (spool.keep(FACTS, raw).id for raw in (b"old", b"young", b"waiting"))
    with clock.frozen_at(NOON):
        spool.settle(old)
    with clock.frozen_at(NOON + timedelta(days=2)):
        spool.settle(young)
    assert spool.forget(NOON + timedelta(days=1)) == 1
    with pytest.raises(FileNotFoundError):
        spool.read_kept(old)
    assert spool.read_kept(young)[1] == b"young"
    assert spool.read(waiting)[1] == b"waiting"


@settings(max_examples=30, deadline=None)
@given(raw=st.binary(max_size=3000), sender=st.text(max_size=50))
def test_any_bytes_of_any_sender_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, sender: str
) -> None:
    spool = FolderSpool(tmp_path_factory.mktemp("any"), KEYS)
    envelope, read = spool.read(spool.keep(MailFacts("smtp", NOON, sender=sender), raw).id)
    assert (envelope.sender, read) == (sender, raw)


# ---- what only a folder can show ----


def test_mail_is_nowhere_in_the_clear_and_for_the_server_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        spool = FolderSpool(tmp_path / "mail", KEYS)
        spool.keep(FACTS, PLAIN)
        spool.settle(spool.keep(FACTS, PLAIN).id)
    finally:
        os.umask(previous)
    files = [path for path in spool.folder.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"EICAR" not in path.read_bytes()
        assert b"astilleros" not in path.read_bytes()
    for path in [spool.folder, *(path for path in spool.folder.rglob("*") if path.is_dir())]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.parametrize("where", [0, 9, 40, 400, -1])
def test_a_changed_file_is_not_handed_out(folder: FolderSpool, where: int) -> None:
    mail_id = folder.keep(FACTS, PLAIN).id
    path = folder.folder / "new" / str(mail_id)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(MailUnreadable):
        folder.read(mail_id)


@pytest.mark.parametrize("content", [b"", b"GRDMAIL1", b"GRDMAIL1\xff\xff\xff\xff", b"GRDMAIL1\x00\x00\x00\x02[]"])
def test_a_cut_file_is_not_handed_out(folder: FolderSpool, content: bytes) -> None:
    mail_id = folder.keep(FACTS, PLAIN).id
    (folder.folder / "new" / str(mail_id)).write_bytes(content)
    with pytest.raises(MailUnreadable):
        folder.read(mail_id)


def test_a_file_under_anothers_name_is_not_handed_out(folder: FolderSpool) -> None:
    one, other = folder.keep(FACTS, b"one").id, folder.keep(FACTS, b"other").id
    (folder.folder / "new" / str(one)).rename(folder.folder / "new" / str(other))
    with pytest.raises(MailUnreadable):
        folder.read(other)


def test_a_file_that_a_person_left_there_is_no_mail(folder: FolderSpool) -> None:
    (folder.folder / "new" / "README").write_text("hello")
    mail_id = folder.keep(FACTS, PLAIN).id
    assert folder.waiting(10, LATER) == [mail_id]


def test_a_deferral_outlives_the_process(folder: FolderSpool) -> None:
    mail_id = folder.keep(FACTS, PLAIN).id
    folder.defer(mail_id, NOON + timedelta(minutes=5))
    assert again(folder).waiting(10, NOON) == []
    assert again(folder).waiting(10, NOON + timedelta(minutes=5)) == [mail_id]


def test_what_a_killed_writer_left_is_swept_when_it_is_old(folder: FolderSpool) -> None:
    left = folder.folder / "incoming" / "half"
    left.write_bytes(b"half")
    os.utime(left, (NOON.timestamp(),) * 2)
    assert folder.sweep(NOON) == 0
    assert folder.sweep(NOON + timedelta(seconds=1)) == 1
    assert not left.exists()


def _hold(path: Path, mail_id: UUID, ready: "multiprocessing.synchronize.Event") -> None:
    claim = FolderSpool(path, KEYS).claim(mail_id)
    assert claim is not None
    ready.set()
    time.sleep(60)


def test_the_claim_of_a_killed_worker_ends_with_it(folder: FolderSpool) -> None:
    mail_id = folder.keep(FACTS, PLAIN).id
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    worker = context.Process(target=_hold, args=(folder.folder, mail_id, ready))
    worker.start()
    assert ready.wait(30)
    assert folder.claim(mail_id) is None
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    claim = folder.claim(mail_id)
    assert claim is not None
    claim.release()


def _write_for_ever(path: Path, told: int) -> None:
    spool = FolderSpool(path, KEYS)
    number = 0
    while True:
        mail_id = spool.keep(FACTS, b"%d " % number + PLAIN).id
        os.write(told, str(mail_id).encode() + b"\n")
        number += 1


def test_nothing_that_was_told_to_be_kept_is_lost_or_broken_by_kill_9(folder: FolderSpool) -> None:
    context = multiprocessing.get_context("fork")
    told: list[bytes] = []
    for pause_s in (0.05, 0.11, 0.17, 0.23):
        read_end, write_end = os.pipe()
        writer = context.Process(target=_write_for_ever, args=(folder.folder, write_end))
        writer.start()
        os.close(write_end)
        time.sleep(pause_s)
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with os.fdopen(read_end, "rb") as pipe:
            told += [line for line in pipe.read().split(b"\n") if len(line) == 36]
    assert len(told) > 4
    waiting = set(folder.waiting(100_000, LATER))
    assert {UUID(line.decode()) for line in told} <= waiting
    assert len(waiting) - len(told) <= 4, "at most the one that each killed writer could not tell of"
    for mail_id in waiting:
        assert folder.read(mail_id)[1].endswith(PLAIN)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_nothing_half(small_disk: Path) -> None:
    spool = FolderSpool(small_disk / "mail", KEYS)
    first = spool.keep(FACTS, b"x" * 400_000)
    with pytest.raises(OSError, match="No space left") as full:
        spool.keep(FACTS, b"x" * 900_000)
    assert full.value.errno == errno.ENOSPC
    assert list((spool.folder / "incoming").iterdir()) == []
    assert spool.waiting(10, LATER) == [first.id]
    assert spool.read(spool.keep(FACTS, b"small").id)[1] == b"small"
