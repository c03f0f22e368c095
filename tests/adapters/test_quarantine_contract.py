"""One contract for the real quarantine and its twin, and what only a folder can show: modes and sealed bytes."""

import os
import secrets
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.adapters.quarantine import FolderQuarantine, MemoryQuarantine
from guardia.kernel.outside import Quarantine
from labkit.wire.sealed import CHUNK_BYTES, SealBroken, open_sealed

KEY = b"k" * 32
PLAIN = b"these very bytes lie nowhere in the clear; "


@pytest.fixture(params=["folder", "memory"])
def quarantine(request: pytest.FixtureRequest, tmp_path: Path) -> Quarantine:
    return FolderQuarantine(tmp_path / "quarantine") if request.param == "folder" else MemoryQuarantine()


def keep(quarantine: Quarantine, *chunks: bytes, key: bytes = KEY) -> str:
    intake = quarantine.intake(key)
    for chunk in chunks:
        intake.write(chunk)
    intake.finish()
    return intake.name


@pytest.mark.parametrize("size", [1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_went_in_comes_out_with_its_key(quarantine: Quarantine, size: int) -> None:
    content = os.urandom(size)
    name = keep(quarantine, content[: size // 2], content[size // 2 :])
    assert b"".join(quarantine.read_clear(name, KEY)) == content


def test_what_lies_there_is_sealed(quarantine: Quarantine) -> None:
    with quarantine.open(keep(quarantine, PLAIN * 1000)) as sealed:
        raw = sealed.read()
    assert PLAIN[:12] not in raw
    assert len(raw) > len(PLAIN) * 1000


def test_another_key_opens_nothing(quarantine: Quarantine) -> None:
    name = keep(quarantine, PLAIN)
    with pytest.raises(SealBroken):
        list(quarantine.read_clear(name, b"x" * 32))


def test_two_objects_of_the_same_bytes_look_different(quarantine: Quarantine) -> None:
    first, second = keep(quarantine, PLAIN), keep(quarantine, PLAIN)
    assert first != second
    with quarantine.open(first) as one, quarantine.open(second) as other:
        assert one.read() != other.read()


def test_what_is_not_finished_is_not_there(quarantine: Quarantine) -> None:
    intake = quarantine.intake(KEY)
    intake.write(PLAIN)
    with pytest.raises(FileNotFoundError):
        quarantine.open(intake.name)
    intake.abandon()
    with pytest.raises(FileNotFoundError):
        quarantine.open(intake.name)


def test_removing_is_for_good_and_twice_is_no_error(quarantine: Quarantine) -> None:
    name, other = keep(quarantine, PLAIN), keep(quarantine, PLAIN)
    for _ in range(2):
        quarantine.remove(name)
    with pytest.raises(FileNotFoundError):
        quarantine.open(name)
    assert b"".join(quarantine.read_clear(other, KEY)) == PLAIN


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "..", "/etc/passwd", "a/b", "0" * 40, "x\x00y"])
def test_a_name_that_is_none_is_not_found(quarantine: Quarantine, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        quarantine.open(name)


def test_sweeping_leaves_finished_objects_alone(quarantine: Quarantine) -> None:
    name = keep(quarantine, PLAIN)
    assert quarantine.sweep(datetime.now(UTC) + timedelta(days=9)) == 0  # noqa: TID251  file times are the machine's
    assert b"".join(quarantine.read_clear(name, KEY)) == PLAIN


@settings(max_examples=30, deadline=None)
@given(chunks=st.lists(st.binary(max_size=5000), max_size=6))
def test_any_chunks_come_out_as_they_went_in(chunks: list[bytes]) -> None:
    quarantine = MemoryQuarantine()
    assert b"".join(quarantine.read_clear(keep(quarantine, *chunks), KEY)) == b"".join(chunks)


def test_a_changed_object_is_not_handed_out(tmp_path: Path) -> None:
    quarantine = FolderQuarantine(tmp_path)
    name = keep(quarantine, PLAIN * 100)
    path = tmp_path / "objects" / name[:2] / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(SealBroken):
        list(quarantine.read_clear(name, KEY))


def test_folders_are_for_the_server_alone_and_so_are_files(tmp_path: Path) -> None:
    folder = tmp_path / "quarantine"
    folder.mkdir(mode=0o755)
    previous = os.umask(0)
    try:
        quarantine = FolderQuarantine(folder)
        open_intake = quarantine.intake(KEY)
        open_intake.write(PLAIN)
        keep(quarantine, PLAIN)
    finally:
        os.umask(previous)
    for path in [folder, *folder.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
    open_intake.abandon()


def test_a_killed_upload_is_swept_when_it_is_old_and_not_before(tmp_path: Path) -> None:
    quarantine = FolderQuarantine(tmp_path)
    left = quarantine.intake(KEY)
    left.write(PLAIN)
    written = datetime.fromtimestamp((tmp_path / "incoming" / left.name).stat().st_mtime, UTC)
    assert quarantine.sweep(written - timedelta(seconds=1)) == 0
    assert quarantine.sweep(written + timedelta(seconds=1)) == 1
    assert not list((tmp_path / "incoming").iterdir())


def test_names_say_nothing_of_the_content(tmp_path: Path) -> None:
    names = {keep(FolderQuarantine(tmp_path), PLAIN) for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) == 40 for name in names)


def test_sealed_bytes_can_be_opened_by_the_lab_with_the_samples_own_key(tmp_path: Path) -> None:
    quarantine, key = FolderQuarantine(tmp_path), secrets.token_bytes(32)
    with quarantine.open(keep(quarantine, PLAIN, key=key)) as sealed:
        assert b"".join(open_sealed(sealed, key)) == PLAIN
