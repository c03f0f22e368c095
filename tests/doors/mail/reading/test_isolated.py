"""Reading in a process of its own: stopped, killed, flooded, orphaned; there is always a letter."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doors.mail.reading.mails import PNG, mail, well_formed

from guardia.doors.mail.reading import faults, wire
from guardia.doors.mail.reading.isolated import IsolatedReader
from guardia.doors.mail.reading.message import read_letter

OURS = ("soporte@guardia.example",)


@pytest.fixture
def reader() -> Iterator[IsolatedReader]:
    with IsolatedReader(OURS) as made:
        yield made


def with_file(content: bytes) -> bytes:
    message = well_formed()
    message.add_attachment(content, "application", "zip", filename="a.zip")
    return message.as_bytes()


def test_a_letter_is_the_same_as_without_a_process(reader: IsolatedReader) -> None:
    raw = with_file(PNG)
    assert reader.read(raw, "x@y.example") == read_letter(raw, "x@y.example", OURS)
    assert reader.read(raw, "") == read_letter(raw, "", OURS)
    assert reader.read(b"", None) == read_letter(b"", None, OURS)


def test_a_process_that_hangs_is_replaced_and_the_message_kept() -> None:
    with IsolatedReader(OURS, within_s=0.5) as reader:
        reader.read(b"x")
        assert reader.pid
        os.kill(reader.pid, signal.SIGSTOP)
        begun = time.monotonic()
        letter = reader.read(with_file(bytes(3_000_000)))
        assert time.monotonic() - begun < 2.5
        assert letter.faults == (faults.NOT_READ_IN_TIME,)
        assert letter.subject == "Incidencia número 3"
        assert letter.attachments[0].name == "message.eml"
        assert reader.read(mail("hola")).text == "hola"


def test_a_process_that_was_killed_is_replaced_at_once(reader: IsolatedReader) -> None:
    for _ in range(3):
        assert reader.read(mail("hola")).text == "hola"
        assert reader.pid
        os.kill(reader.pid, signal.SIGKILL)
    assert reader.read(mail("hola")).faults == ()


def test_killed_at_any_moment_there_is_a_letter(reader: IsolatedReader) -> None:
    chance, done = random.Random(7), False

    def kill() -> None:
        while not done:
            time.sleep(chance.uniform(0.05, 0.5))
            if reader.pid:
                try:
                    os.kill(reader.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it has just been replaced

    killer = Thread(target=kill)
    killer.start()
    try:
        raw = with_file(chance.randbytes(2_000_000))
        letters = [reader.read(raw) for _ in range(8)]
    finally:
        done = True
        killer.join()
    assert {letter.sender for letter in letters} == {"carmen.ruiz@astilleros.example"}
    assert all(letter.attachments for letter in letters)


def test_25_mb_come_back_whole() -> None:
    content = random.Random(1).randbytes(18_500_000)
    with IsolatedReader(OURS, within_s=60) as reader:  # how long it takes: benchmarks/mail.py
        assert reader.read(with_file(content)).attachments[0].content == content


def test_one_process_reads_them_all(reader: IsolatedReader) -> None:
    raw = mail("Desde las 09:30 no se actualiza.\n")
    reader.read(raw)
    first = reader.pid
    for _ in range(300):
        assert reader.read(raw).text == "Desde las 09:30 no se actualiza."
    assert reader.pid == first is not None


def test_it_dies_with_its_parent() -> None:
    program = (
        "import sys, time; from guardia.doors.mail.reading.isolated import IsolatedReader\n"
        "reader = IsolatedReader(); reader.read(b'x'); print(reader.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(child)


def _is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123  a file of the kernel
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_has_no_environment_of_ours(reader: IsolatedReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIA_SECRET_KEY", "secret")
    reader.read(b"x")
    with open(f"/proc/{reader.pid}/environ", "rb") as environ:  # noqa: PTH123  a file of the kernel
        assert b"GUARDIA" not in environ.read()


@given(st.binary(max_size=60), st.binary(max_size=20))
@settings(max_examples=200)
def test_an_answer_that_is_no_letter_is_refused(text: bytes, content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any of its kinds
        wire.unpacked_letter(text, content)


def test_a_letter_survives_the_way() -> None:
    letter = read_letter(with_file(PNG), "", OURS)
    first, *rest = wire.packed_letter(letter)
    assert wire.unpacked_letter(first[wire.LENGTHS.size :], b"".join(rest)) == letter
