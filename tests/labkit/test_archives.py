"""Zip archives that mean harm."""

import io
import time
import zipfile
from pathlib import Path

import pytest

from engines import Verdict
from labkit.analysers import archives
from labkit.analysers.archives import look_into
from labkit.analysers.facts import entropy, facts_of, strings
from labkit.analysers.scans import ArchiveGuard


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def _changed_inside(blob: bytes) -> bytes:
    """Another byte of the first member's content, after a header of 30 bytes and a name of 1."""
    return blob[:36] + bytes([blob[36] ^ 0x10]) + blob[37:]


def write(folder: Path, content: bytes) -> Path:
    path = folder / "sample"
    path.write_bytes(content)
    return path


def test_members_are_listed_with_kind_and_depth(tmp_path: Path) -> None:
    inner = zipped({"tool": b"#!/bin/sh\n", "empty": b""})
    listing = look_into(write(tmp_path, zipped({"inner.zip": inner, "note.txt": b"hello hello"})))
    assert listing is not None
    assert listing.reason is None
    found = [(member.name, member.kind, member.depth) for member in listing.members]
    assert found == [("inner.zip", "zip", 1), ("tool", "script", 2), ("empty", "empty", 2), ("note.txt", "text", 1)]


def test_a_file_that_is_no_archive_has_no_listing(tmp_path: Path) -> None:
    assert look_into(write(tmp_path, b"just text")) is None
    assert look_into(write(tmp_path, b"")) is None


def test_a_zip_bomb_is_left_at_the_limit_and_soon(tmp_path: Path) -> None:
    bomb = zipped({"zeros": bytes(96 * 2**20)})
    start = time.monotonic()
    listing = look_into(write(tmp_path, zipped({f"layer{at}.zip": bomb for at in range(20)})))
    assert listing is not None
    assert "unpacks to more than" in (listing.reason or "")
    assert time.monotonic() - start < 15


def test_a_bomb_inside_a_bomb_is_left_at_its_depth(tmp_path: Path) -> None:
    content = b"core"
    for at in range(8):
        content = zipped({f"layer{at}": content})
    listing = look_into(write(tmp_path, content))
    assert listing is not None
    assert "deep" in (listing.reason or "")


def test_more_members_than_allowed_are_refused_before_they_are_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 5)
    listing = look_into(write(tmp_path, zipped({str(at): b"x" for at in range(6)})))
    assert listing is not None
    assert (listing.reason, listing.members) == ("the archive has more than 5 members", ())


def test_an_end_record_that_lies_about_the_number_is_caught_by_counting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 5)
    blob = bytearray(zipped({str(at): b"x" for at in range(9)}))
    at = blob.rfind(b"PK\x05\x06")
    blob[at + 8 : at + 12] = b"\x01\x00\x01\x00"
    listing = look_into(write(tmp_path, bytes(blob)))
    assert listing is not None
    assert "more than 5 members" in (listing.reason or "")


def test_time_is_a_limit_too(tmp_path: Path) -> None:
    moments = iter([0.0, *[99.0] * 10])
    listing = look_into(write(tmp_path, zipped({"a": b"content"})), lambda: next(moments))
    assert listing is not None
    assert "takes more than" in (listing.reason or "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 and then nothing of a zip", "no directory"),
        (zipped({"a": b"x" * 900})[:-30], "no directory"),
        (_changed_inside(zipped({"a": b"some words " * 9})), "damaged"),
    ],
    ids=["no zip at all", "cut off", "changed inside"],
)
def test_a_damaged_archive_is_not_scanned(tmp_path: Path, content: bytes, reason: str) -> None:
    listing = look_into(write(tmp_path, content))
    assert listing is not None
    assert reason in (listing.reason or "")


def test_an_encrypted_archive_is_not_scanned(tmp_path: Path) -> None:
    blob = bytearray(zipped({"a": b"content"}))
    blob[6] |= 1
    blob[blob.rfind(b"PK\x01\x02") + 8] |= 1
    listing = look_into(write(tmp_path, bytes(blob)))
    assert listing is not None
    assert listing.reason == "the archive is encrypted"


def test_a_member_called_like_a_path_is_only_a_word(tmp_path: Path) -> None:
    listing = look_into(write(tmp_path, zipped({"../../etc/passwd": b"x", "/abs": b"y"})))
    assert listing is not None
    assert [member.name for member in listing.members] == ["../../etc/passwd", "/abs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample"]


def test_an_archive_over_a_limit_is_never_called_clean(tmp_path: Path) -> None:
    path = write(tmp_path, zipped({"zeros": bytes(200 * 2**20)}))
    verdict = ArchiveGuard().guarded(path, Verdict("yara-x", "1", "not_detected"))
    assert verdict.outcome == "not_scanned"
    assert "300 times" in (verdict.reason or "")
    detected = Verdict("yara-x", "1", "detected", ("x",))
    assert ArchiveGuard().guarded(path, detected) is detected


def test_facts_are_bounded_and_tell_the_kind(tmp_path: Path) -> None:
    path = write(tmp_path, b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + b"readable words " * 1000)
    facts = facts_of(path, "0" * 64)
    assert (facts["type"], facts["size"]) == ("elf", 15018)
    assert facts["detail"] == "ELF 64-bit shared object or position-independent executable"
    assert len(facts["strings"][0]["text"]) == 160


def test_strings_are_found_in_both_encodings() -> None:
    content = b"\x00\x01plain text\x00\x02" + "wide text".encode("utf-16le")
    found = [(entry["encoding"], entry["text"]) for entry in strings(content)]
    assert found == [("ascii", "plain text"), ("utf-16le", "wide text")]


def test_entropy_runs_from_none_to_eight_bits() -> None:
    assert (entropy(b""), entropy(b"aaaa"), entropy(bytes(range(256)))) == (0.0, 0.0, 8.0)
