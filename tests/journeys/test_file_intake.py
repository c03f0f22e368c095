"""A file arrives sealed; what is refused, broken or a repetition leaves nothing behind."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from tests.support import processes
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.adapters.quarantine import FolderIntake, FolderQuarantine
from guardia.features.cases.queries import files_of, get_case_for
from guardia.features.lab.models import Sample, Upload
from guardia.journeys.hand_out_file import hand_out_file
from guardia.journeys.receive_file import FileIntake, receive_file, safe_name
from guardia.kernel import outside
from guardia.kernel.errors import Forbidden, Invalid, TooLarge
from guardia.kernel.vocabulary import LAB

pytestmark = pytest.mark.django_db
PLAIN = b"PLAINTEXT-THAT-MUST-NOT-LIE-ON-DISK "


class Kept:
    """A quarantine of this test's own, and what lies in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.quarantine = FolderQuarantine(folder)

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def kept(cast: Cast, tmp_path: Path) -> Iterator[Kept]:
    own = Kept(tmp_path / "quarantine")
    with outside.replaced(quarantine=own.quarantine):
        yield own


def rows() -> tuple[int, int]:
    """Return how many samples and uploads there are besides the malware corpus."""
    samples = Sample.objects.across_companies("a test counts").exclude(company__is_vendor=True).count()
    return samples, Upload.objects.across_companies("a test counts").exclude(company__is_vendor=True).count()


def test_a_file_lies_sealed_and_nothing_of_it_in_the_clear(cast: Cast, kept: Kept) -> None:
    received = cast.upload(content=PLAIN * 50_000)
    assert received.size == len(PLAIN) * 50_000
    assert len(kept.files()) == 1
    for path in [*kept.files(), *Path(settings.GUARDIA.var).rglob("*")]:
        if path.is_file():
            assert PLAIN[:20] not in path.read_bytes(), path


def test_handing_it_out_leaves_nothing_in_the_clear_either(cast: Cast, kept: Kept, tmp_path: Path) -> None:
    received = cast.upload(content=PLAIN * 5000)
    number = cast.open(uploads=(received.id,)).number
    file = files_of(get_case_for(cast.plus, number)).get()
    handed = hand_out_file(cast.plus, cast.now, number, file.id)
    with handed.content as archive:
        assert PLAIN[:20] not in archive.read()
    assert all(PLAIN[:20] not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_file_over_the_limit_leaves_nothing(cast: Cast, kept: Kept) -> None:
    limit = settings.GUARDIA.upload_limit
    received = receive_file(cast.plus, cast.now, "fits.bin", [b"x" * limit])
    assert received.size == limit
    before = kept.files()
    with pytest.raises(TooLarge, match="larger than"):
        receive_file(cast.plus, cast.now, "big.bin", [b"y" * limit, b"y"])
    assert kept.files() == before
    assert rows() == (1, 1)


def test_the_rest_of_a_file_over_the_limit_is_not_even_read(cast: Cast, kept: Kept) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"z" * (1 << 20)

    with pytest.raises(TooLarge):
        receive_file(cast.plus, cast.now, "endless.bin", endless())
    assert len(taken) == settings.GUARDIA.upload_limit // (1 << 20) + 1
    assert kept.files() == []


@pytest.mark.parametrize("failure", [ConnectionResetError, KeyboardInterrupt, GeneratorExit])
def test_a_broken_stream_leaves_nothing(cast: Cast, kept: Kept, failure: type[BaseException]) -> None:
    def broken() -> Iterator[bytes]:
        yield PLAIN * 1000
        raise failure

    with pytest.raises(failure):
        receive_file(cast.plus, cast.now, "broken.bin", broken())
    assert kept.files() == []
    assert rows() == (0, 0)


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
def test_an_empty_file_is_refused_and_leaves_nothing(cast: Cast, kept: Kept, chunks: list[bytes]) -> None:
    with pytest.raises(Invalid, match="is empty"):
        receive_file(cast.plus, cast.now, "empty.bin", chunks)
    assert kept.files() == []
    assert rows() == (0, 0)


@pytest.mark.parametrize("where", ["write", "finish"])
def test_a_full_disk_leaves_nothing(cast: Cast, kept: Kept, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    if where == "write":
        monkeypatch.setattr(FolderIntake, "write", full)
    else:
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        receive_file(cast.plus, cast.now, "sample.bin", [PLAIN])
    monkeypatch.undo()
    assert kept.files() == []
    assert rows() == (0, 0)


def test_a_database_that_fails_at_the_end_leaves_nothing(
    cast: Cast, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr("guardia.features.lab.operations.add_upload", down)
    with pytest.raises(ConnectionError):
        receive_file(cast.plus, cast.now, "sample.bin", [PLAIN])
    assert kept.files() == []


def test_the_same_bytes_of_one_company_are_kept_once(cast: Cast, kept: Kept) -> None:
    first = cast.upload("plus", PLAIN, "one.bin")
    second = cast.upload("plus_second", PLAIN, "two.bin")
    assert first.sha256 == second.sha256
    assert first.id != second.id
    assert rows() == (1, 2)
    assert len(kept.files()) == 1


def test_the_same_bytes_of_two_companies_are_kept_apart_under_two_keys(cast: Cast, kept: Kept) -> None:
    cast.upload("plus", PLAIN)
    cast.upload("standard", PLAIN)
    found = list(Sample.objects.across_companies("a test reads").exclude(company__is_vendor=True))
    assert len({sample.company_id for sample in found}) == 2
    assert len({sample.object_name for sample in found}) == 2
    assert len({bytes(sample.wrapped_key) for sample in found}) == 2
    raw = {path.read_bytes() for path in kept.files()}
    assert len(raw) == 2


def test_who_belongs_to_nobody_sends_nothing(cast: Cast, kept: Kept) -> None:
    with pytest.raises(Forbidden):
        FileIntake(LAB, cast.now, "x")
    assert kept.files() == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\factura.pdf", "factura.pdf"),
        ("a\x00b\r\nc.bin", "abc.bin"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("dir/", "unnamed"),
        ("x" * 400 + ".bin", "x" * 251 + ".bin"),
    ],
)
def test_a_name_is_never_a_path(sent: str, shown: str) -> None:
    assert safe_name(sent) == shown


@pytest.mark.django_db(transaction=True)
def test_the_same_bytes_sent_many_times_at_once_are_kept_once(cast: Cast, kept: Kept) -> None:
    answers = at_once([lambda: cast.upload("plus", PLAIN * 100) for _ in range(12)])
    assert not raised(answers)
    assert len({received.id for received in returned(answers)}) == 12
    assert rows() == (1, 12)
    assert len(kept.files()) == 1
    sample = Sample.objects.across_companies("a test reads").exclude(company__is_vendor=True).get()
    key = outside.outside().lab_keys.unwrap(bytes(sample.wrapped_key), sample.key_id)
    assert b"".join(kept.quarantine.read_clear(sample.object_name, key)) == PLAIN * 100


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_while_a_file_arrives_leaves_only_sealed_bytes_that_are_swept(
    cast: Cast, tmp_path: Path
) -> None:
    text = f"""
import os, signal
from datetime import datetime
from pathlib import Path
from guardia.adapters.quarantine import FolderQuarantine
from guardia.features.accounts.queries import actor_of, find_person_by_email
from guardia.journeys.receive_file import receive_file
from guardia.kernel import outside
def chunks():
    yield {PLAIN!r} * 100_000
    os.kill(os.getpid(), signal.SIGKILL)
with outside.replaced(quarantine=FolderQuarantine(Path({str(tmp_path / "q")!r}))):
    who = actor_of(find_person_by_email("lucia.ferrer@astilleros.example"))
    receive_file(who, datetime.fromisoformat({cast.now.isoformat()!r}), "sample.bin", chunks())
"""
    processes.finish_killed(processes.start(text, tmp_path / "var"))
    own = Kept(tmp_path / "q")
    assert [path.parent.name for path in own.files()] == ["incoming"]
    assert PLAIN[:20] not in own.files()[0].read_bytes()
    assert rows() == (0, 0)
    assert own.quarantine.sweep(datetime.fromtimestamp(own.files()[0].stat().st_mtime + 1, UTC)) == 1
    assert own.files() == []
