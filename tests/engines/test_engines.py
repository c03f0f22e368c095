"""Both engines, asked the same questions on real files."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from tests.engines.conftest import LITERAL

from engines import ENGINE_NAMES, DatabaseRefused, EngineMissing, open_engine
from engines.clamav import MAX_FILE_BYTES
from engines.clamav_lines import entry_md5, longest_literal

pytestmark = pytest.mark.engines
EACH = pytest.mark.parametrize("name", ENGINE_NAMES)


@EACH
def test_the_family_is_detected_and_other_bytes_are_not(name: str, database: Path, tmp_path: Path) -> None:
    bad, good, empty = tmp_path / "bad", tmp_path / "good", tmp_path / "empty"
    bad.write_bytes(b"xx" + LITERAL)
    good.write_bytes(b"nothing here")
    empty.write_bytes(b"")
    verdicts = dict(open_engine(name).load(database).scan([bad, good, empty]))
    assert [verdicts[path].outcome for path in (bad, good, empty)] == ["detected", "not_detected", "not_detected"]
    assert verdicts[bad].names == {"yara-x": ("Lab_One",), "clamav": ("Guardia.Lab.One",)}[name]
    assert verdicts[bad].engine_version == open_engine(name).version


@EACH
def test_a_hit_is_located_by_rule_offset_and_length(name: str, database: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"x" * 40 + LITERAL + b"y" + LITERAL)
    hits = open_engine(name).load(database).locate(bad)
    assert [(hit.offset, hit.length) for hit in hits] == [(40, 24), (65, 24)]


@EACH
def test_odd_names_get_their_own_verdict(name: str, database: Path, tmp_path: Path) -> None:
    names = ["new\nline", "cr\r", "a: OK", "b: Evil FOUND", " lead", "end ", "-dash", os.fsdecode(b"\xff\xfe")]
    for at, odd in enumerate(names):
        (tmp_path / odd).write_bytes(LITERAL if at % 2 else b"harmless")
    verdicts = dict(open_engine(name).load(database).scan([tmp_path / odd for odd in names]))
    found = [verdicts[tmp_path / odd].outcome for odd in names]
    assert found == ["not_detected", "detected"] * 4


@EACH
def test_what_cannot_be_read_is_not_scanned_and_never_clean(name: str, database: Path, tmp_path: Path) -> None:
    verdicts = dict(open_engine(name).load(database).scan([tmp_path, tmp_path / "gone"]))
    assert {verdict.outcome for verdict in verdicts.values()} == {"not_scanned"}
    assert all(verdict.reason for verdict in verdicts.values())


@EACH
def test_a_database_without_files_for_the_engine_detects_nothing(name: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(LITERAL)
    ((_, verdict),) = open_engine(name).load(tmp_path / "no-database").scan([bad])
    assert verdict.outcome == "not_detected"


def test_progress_counts_every_file(database: Path, tmp_path: Path) -> None:
    paths = [tmp_path / str(at) for at in range(5)]
    for path in paths:
        path.write_bytes(b"harmless")
    for name in ENGINE_NAMES:
        seen: list[int] = []
        list(open_engine(name).load(database).scan(paths, progress=seen.append))
        assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rule x { condition: y }", "unknown identifier"),
        ('include "/etc/passwd"', "include statements not allowed"),
        ('import "no_such_module"', "unknown module"),
        ("rule x { condition: true", "syntax error"),
        ("rule x { condition: true } rule x { condition: true }", "duplicate"),
    ],
)
def test_yara_x_refuses_a_broken_rule_and_says_where(database: Path, text: str, complaint: str) -> None:
    (database / "yara" / "zz.yar").write_text(text)
    with pytest.raises(DatabaseRefused, match=f"(?s)yara/zz.yar.*{complaint}|{complaint}.*yara/zz.yar"):
        open_engine("yara-x").load(database)


def test_yara_x_refuses_a_file_that_is_no_text(database: Path) -> None:
    (database / "yara" / "zz.yar").write_bytes(b"rule \xff")
    with pytest.raises(DatabaseRefused, match="not UTF-8"):
        open_engine("yara-x").load(database)


@pytest.mark.parametrize("line", ["no line at all", "Bad.Hex:0:*:zz"])
def test_clamav_refuses_a_broken_line_without_telling_where_the_folder_is(database: Path, line: str) -> None:
    (database / "clamav" / "guardia.ndb").write_text(line + "\n")
    with pytest.raises(DatabaseRefused, match=r"clamav/guardia\.ndb") as refused:
        open_engine("clamav").load(database)
    assert str(database) not in str(refused.value)


def test_clamav_names_the_missing_program_and_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"clamscan.*apt-get install"):
        open_engine("clamav")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="yara-x, clamav"):
        open_engine("other")


def test_clamav_calls_a_file_over_its_limit_not_scanned(database: Path, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as target:
        target.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no room
    ((_, verdict),) = open_engine("clamav").load(database).scan([huge])
    assert (verdict.outcome, verdict.reason) == ("not_scanned", "over a limit of the scan: MaxFileSize")


def test_clamav_looks_into_archives(database: Path, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", LITERAL * 3)
    path = tmp_path / "a.zip"
    path.write_bytes(packed.getvalue())
    ((_, verdict),) = open_engine("clamav").load(database).scan([path])
    assert verdict.names == ("Guardia.Lab.One",)
    assert open_engine("clamav").load(database).locate(path)[0].offset is None


def test_an_ignore_entry_lapses_when_the_signature_changes(database: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(LITERAL)
    signatures = database / "clamav" / "guardia.ndb"
    line = signatures.read_text().strip()
    (database / "clamav" / "guardia.ign2").write_text(f"Guardia.Lab.One:{entry_md5(line)}\n")
    ((_, ignored),) = open_engine("clamav").load(database).scan([bad])
    signatures.write_text(line.replace(":0:*:", ":0:0:") + "\n")
    ((_, changed),) = open_engine("clamav").load(database).scan([bad])
    assert (ignored.outcome, changed.outcome) == ("not_detected", "detected")


@pytest.mark.parametrize(
    ("signature", "literal"),
    [
        ("41424344", b"ABCD"),
        ("41?24344*454647{3-5}48", b"EFG"),
        ("4?4142", b"AB"),
        ("(41|42)434445", b"CDE"),
        ("??", b""),
    ],
)
def test_the_longest_literal_is_read_in_whole_bytes(signature: str, literal: bytes) -> None:
    assert longest_literal(signature) == literal
