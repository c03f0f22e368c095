"""A build of every type of record, in the engines that customers have: it loads, and each record does what it says."""

import hashlib
from pathlib import Path

import pytest
from tests.sigdist.stage import FAMILY, ndb, yara

from engines import ENGINE_NAMES, open_engine
from sigdist.records import Record, State, build, sha256_hex

BAD = b"some clean bytes " + FAMILY
ALLOWED = b"a harmless program that holds " + FAMILY
HASHED = b"a file that is known by its hash alone"


def _hash_like(kind: str, name: str, data: bytes) -> Record:
    return Record.make(kind, name, "1017", sha256=sha256_hex(data), size=len(data))


def _verdicts(folder: Path, records: list[Record], data: bytes) -> dict[str, tuple[str, ...]]:
    made = build(State.of(records), 1, "20261122.1")
    for name, content in made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sample = folder / "sample.bin"
    sample.write_bytes(data)
    found = {}
    for engine in ENGINE_NAMES:
        ((_path, verdict),) = open_engine(engine).load(folder).scan([sample])
        assert verdict.outcome != "not_scanned", verdict.reason
        found[engine] = verdict.names
    return found


LDB = Record.make(
    "clamav_line", "Lab.L", None, database="ldb", line=f"Lab.L;Engine:81-255,Target:0;0&1;{'41' * 8};{'42' * 8}"
)
HDB = Record.make("clamav_line", "Lab.H", None, database="hdb", line=f"{hashlib.md5(HASHED).hexdigest()}:38:Lab.H")  # noqa: S324
ALL = [
    ndb("Lab.Family"),
    yara("Lab_Family"),
    LDB,
    _hash_like("hash", "Lab.Known", HASHED),
    _hash_like("allow", "Lab.Allowed", ALLOWED),
    Record.make("ignore", "Lab.Ignored", None, signature="Lab.Absent", entry_md5="0" * 32),
]


@pytest.mark.engines
@pytest.mark.parametrize(
    ("data", "yara_x", "clamav"),
    [
        (BAD, ("Lab_Family",), ("Lab.Family",)),
        (ALLOWED, ("Lab_Family",), ()),
        (HASHED, ("Lab_Known",), ("Lab.Known",)),
        (b"A" * 8 + b"B" * 8, (), ("Lab.L",)),
        (b"nothing to see", (), ()),
    ],
)
def test_every_type_of_record_does_what_it_says(
    tmp_path: Path, data: bytes, yara_x: tuple[str, ...], clamav: tuple[str, ...]
) -> None:
    assert _verdicts(tmp_path, ALL, data) == {"yara-x": yara_x, "clamav": clamav}


@pytest.mark.engines
def test_an_ignored_entry_is_silent_until_its_line_changes(tmp_path: Path) -> None:
    signature = ndb("Lab.Family")
    md5 = hashlib.md5(signature.body["line"].encode()).hexdigest()  # noqa: S324 - ClamAV names entries by MD5
    ignored = Record.make("ignore", "Quiet", None, signature="Lab.Family", entry_md5=md5)
    assert _verdicts(tmp_path / "a", [signature, ignored], BAD)["clamav"] == ()
    corrected = ndb("Lab.Family", FAMILY[:-1])
    assert _verdicts(tmp_path / "b", [corrected, ignored], BAD)["clamav"] == ("Lab.Family",)


@pytest.mark.engines
def test_a_line_with_the_md5_of_a_file_is_found_by_it(tmp_path: Path) -> None:
    assert _verdicts(tmp_path, [HDB], HASHED)["clamav"] == ("Lab.H",)


@pytest.mark.engines
@pytest.mark.parametrize("record", ALL, ids=lambda record: record.type)
def test_a_build_of_one_record_alone_loads(tmp_path: Path, record: Record) -> None:
    _verdicts(tmp_path, [record], b"anything")


@pytest.mark.engines
def test_a_build_of_nothing_loads_and_finds_nothing(tmp_path: Path) -> None:
    assert _verdicts(tmp_path, [], BAD) == {"yara-x": (), "clamav": ()}
