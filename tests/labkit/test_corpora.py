import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.labkit.conftest import LITERAL, noise

from engines import Hit, Verdict
from engines.yarax import YaraX
from labkit.corpora.building import MAX_FILE_BYTES, build_corpus
from labkit.corpora.manifest import Corpus, CorpusBroken, object_path
from labkit.corpora.packages import owners
from labkit.corpora.scanning import scan_all


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for at in range(20):
        (folder / f"d{at % 4}").mkdir(parents=True, exist_ok=True)
        (folder / f"d{at % 4}" / f"f{at}").write_bytes(noise(str(at), 100 + at))
    return folder


def test_the_choice_is_the_same_whatever_the_order_on_disk(source: Path, tmp_path: Path) -> None:
    first = build_corpus([source], tmp_path / "one", limit=7)
    for path in sorted(source.rglob("f*"), reverse=True):  # written anew in another order
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    assert build_corpus([source], tmp_path / "two", limit=7) == first
    assert len(first.entries) == 7


def test_what_is_no_clean_regular_file_is_left_out(source: Path, tmp_path: Path) -> None:
    before = build_corpus([source], tmp_path / "one")
    (source / "copy").write_bytes((source / "d0" / "f0").read_bytes())
    (source / "empty").write_bytes(b"")
    (source / "big").write_bytes(bytes(MAX_FILE_BYTES + 1))
    (source / "family").write_bytes(b"xx" + LITERAL)
    (source / "link").symlink_to("/etc/passwd")
    os.mkfifo(source / "pipe")
    assert build_corpus([source], tmp_path / "two").digest == before.digest


def test_a_second_folder_tops_up(source: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for at in range(10):
        (more / f"m{at}").write_bytes(noise(f"more {at}", 50))
    manifest = build_corpus([source, more], tmp_path / "c", limit=25)
    assert [str(more) in entry.source for entry in manifest.entries].count(True) == 5


def test_half_of_the_corpus_may_be_code(source: Path, tmp_path: Path) -> None:
    for path in sorted(source.rglob("f*"))[:10]:
        path.chmod(0o755)
    manifest = build_corpus([source], tmp_path / "c", limit=10)
    assert sum(os.access(entry.source, os.X_OK) for entry in manifest.entries) == 5


def test_a_finished_corpus_is_not_built_again(source: Path, tmp_path: Path) -> None:
    first = build_corpus([source], tmp_path / "c", limit=10)
    for path in source.rglob("f*"):
        path.unlink()
    assert build_corpus([source], tmp_path / "c", limit=10) == first


def test_an_interrupted_build_goes_on(source: Path, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 20:
            raise StoppedError

    with pytest.raises(StoppedError):
        build_corpus([source], tmp_path / "c", limit=20, progress=stop)
    with pytest.raises(CorpusBroken, match="no clean corpus"):
        Corpus(tmp_path / "c")
    assert len(build_corpus([source], tmp_path / "c", limit=20).entries) == 20


def test_the_corpus_survives_its_sources(source: Path, tmp_path: Path) -> None:
    build_corpus([source], tmp_path / "c")
    for path in source.rglob("f*"):
        path.write_bytes(b"changed")
    corpus = Corpus(tmp_path / "c")
    assert all(path.stat().st_size == corpus.entry(path).size for path in corpus.paths())


def test_a_forged_manifest_is_refused(source: Path, tmp_path: Path) -> None:
    build_corpus([source], tmp_path / "c")
    path = tmp_path / "c" / "manifest.json"
    document = json.loads(path.read_text())
    document["files"].pop()
    path.write_text(json.dumps(document))
    with pytest.raises(CorpusBroken, match="digest"):
        Corpus(tmp_path / "c")
    path.write_text("{")
    with pytest.raises(CorpusBroken, match="damaged"):
        Corpus(tmp_path / "c")


def test_folders_without_files_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusBroken, match="no readable file"):
        build_corpus([tmp_path / "none"], tmp_path / "c")


def test_packages_are_found_in_both_places_of_a_merged_system(tmp_path: Path) -> None:
    (tmp_path / "libc6:amd64.list").write_text("/.\n/lib/x/libc.so.6\n/usr/bin/ldd\n")
    found = owners(["/usr/lib/x/libc.so.6", "/usr/bin/ldd", "/opt/other"], tmp_path)
    assert found == {"/usr/lib/x/libc.so.6": "libc6", "/usr/bin/ldd": "libc6"}


class _Dying:
    """A database whose engine dies over one file."""

    def scan(
        self, paths: Sequence[Path], *, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Path, Verdict]]:
        for path in paths:
            if path.name == "deadly":
                os._exit(9)
            yield path, Verdict("yara-x", "1", "not_detected")

    def locate(self, path: Path) -> list[Hit]:
        return []


@pytest.mark.engines
def test_an_engine_that_dies_leaves_files_not_scanned_and_never_clean() -> None:
    paths = [Path(f"/nowhere/{at}") for at in range(3)] + [Path("/nowhere/deadly"), Path("/nowhere/last")]
    verdicts = dict(scan_all(YaraX(), _Dying(), paths, processes=1))
    assert set(verdicts) == set(paths)
    assert verdicts[Path("/nowhere/deadly")].outcome == "not_scanned"
    assert "status 9" in (verdicts[Path("/nowhere/last")].reason or "")


@pytest.mark.engines
def test_every_file_is_answered_once_on_several_processes(corpus_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "yara").mkdir()
    (tmp_path / "yara" / "a.yar").write_text("rule Any { condition: filesize > 2010 }")
    corpus = Corpus(corpus_folder)
    paths = corpus.paths() * 20
    unique = list(dict.fromkeys(paths))
    engine = YaraX()
    seen: list[tuple[int, int]] = []
    found = list(scan_all(engine, engine.load(tmp_path), unique, processes=3, progress=lambda *at: seen.append(at)))
    assert sorted(path for path, _ in found) == sorted(unique)
    assert seen[-1] == (len(unique), len(unique))
    detected = {path for path, verdict in found if verdict.outcome == "detected"}
    assert detected == {path for path in unique if path.stat().st_size > 2010}


@pytest.mark.engines
def test_a_corpus_file_that_went_away_is_not_scanned(corpus_folder: Path, tmp_path: Path) -> None:
    engine = YaraX()
    gone = object_path(tmp_path, "0" * 64)
    ((_, verdict),) = scan_all(engine, engine.load(tmp_path), [gone])
    assert verdict.outcome == "not_scanned"


def test_the_command_builds_a_corpus_and_says_what_it_holds(source: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "labkit.corpora",
        "--quiet",
        "--to",
        str(tmp_path / "c"),
        "--limit",
        "5",
        str(source),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["files"] == 5
    command[-1] = str(tmp_path / "none")
    command[command.index("--to") + 1] = str(tmp_path / "d")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, "no readable file" in refused.stderr) == (1, True)
