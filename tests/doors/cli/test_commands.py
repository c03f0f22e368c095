"""The `guardia` command: exit codes, and complaints of one line instead of tracebacks."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.doors.stage import Stage
from tests.support.database import PROJECT

from guardia.doors.cli import main as command
from guardia.doors.cli import run_server
from guardia.features.cases.models import Case
from guardia.kernel.environment import read_settings

GUARDIA = str(Path(sys.executable).with_name("guardia"))
LONG = "s3cret-" + "x" * 20


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a server of its own, which nothing of this test run leaks into."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("GUARDIA_", "DATABASE_"))}
    return {**bare, "GUARDIA_VAR": str(tmp_path / "var"), "GUARDIA_PRIVATE": str(tmp_path / "private")}


def run(home: dict[str, str], *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `guardia` as a process of its own."""
    environment = {**home, **settings}
    return subprocess.run(
        [GUARDIA, *words], env=environment, capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one line with which a command was refused."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


# ---- usage ----


def test_help_names_every_command_and_each_command_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (module, _what) in command.COMMANDS.items():
        assert f"  {name} " in shown
        assert (PROJECT / "src" / f"{module.replace('.', '/')}.py").exists(), f"guardia {name} has no module"


@pytest.mark.parametrize("name", sorted(command.COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = command.main([name, "--help"])
    except SystemExit as left:
        code = int(left.code or 0)
    assert code == 0
    told = capsys.readouterr()
    assert "usage" in (told.out + told.err).lower()


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["keys"], ["keys", "fly"], ["clock"], ["rebuild", "--fly"], ["run", "--fly"], ["settings", "x"]],
)
def test_misuse_is_told_with_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = command.main(words)
    except SystemExit as left:
        code = int(left.code or 0)
    told = capsys.readouterr()
    assert code == 2
    assert "usage" in told.out + told.err


def test_an_unknown_command_is_named(home: dict[str, str]) -> None:
    done = run(home, "fly")
    assert done.returncode == 2
    assert done.stderr.startswith("guardia: no command 'fly'\nusage: ")


# ---- settings ----


@pytest.mark.parametrize("words", [["settings"], ["rebuild"], ["run"], ["keys", "lab", "k1"]])
def test_bad_settings_stop_every_command_with_a_line_each(home: dict[str, str], words: list[str]) -> None:
    done = run(home, *words, GUARDIA_PORT="x", GUARDIA_CORPUS_FILES="0")
    assert done.returncode == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["GUARDIA_PORT", "GUARDIA_CORPUS_FILES"]


def test_settings_are_shown_without_secrets(home: dict[str, str]) -> None:
    hidden = {"DATABASE_URL": "postgresql://u:hunter2@host/name", "GUARDIA_MAIL_URL": "smtp://u:hunter2@mail:25"}
    done = run(home, "settings", GUARDIA_SECRET_KEY=LONG, GUARDIA_PORT="8123", **hidden)
    assert done.returncode == 0
    assert "s3cret" not in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    shown = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if " " in line)
    assert shown["port"] == "8123"
    assert shown["line_rtp_ports"] == "20000-22999"
    assert shown["line_peers"] == "127.0.0.0/8, ::1/128"
    assert {line for line in done.stdout.splitlines() if "None" in line or "range(" in line} == set()


# ---- run ----


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["GUARDIA_PORT", "GUARDIA_RELEASES_PORT", "GUARDIA_MAIL_PORT"])
def test_a_taken_port_is_said_before_anything_is_written(home: dict[str, str], taken: int, name: str) -> None:
    line = one_line(run(home, "run", **{name: str(taken)}), 1)
    assert f"port {taken}" in line
    assert f"set {name} to another one" in line
    assert not Path(home["GUARDIA_VAR"]).exists()


def test_a_folder_that_cannot_be_made_is_named(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = one_line(run(home, "run", GUARDIA_VAR=str(tmp_path / "file" / "var"), GUARDIA_PORT="18471"), 1)
    assert str(tmp_path / "file" / "var") in line
    private = one_line(run(home, "run", GUARDIA_PRIVATE=str(tmp_path / "file"), GUARDIA_PORT="18471"), 2)
    assert private.startswith("guardia: GUARDIA_PRIVATE: cannot keep secrets in ")


def test_a_full_disk_is_said_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("var", "private"):
        monkeypatch.setenv(f"GUARDIA_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("GUARDIA_PORT", "18473")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 1024 * 1024))
    assert run_server.main(["--prepare-only"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    needed = run_server.LEAST_FREE_FIRST_MB
    assert line == f"guardia: the disk of {tmp_path / 'var'} has 5 MB free; at least {needed} MB are needed"


def test_a_disk_that_fills_while_it_starts_is_said_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("var", "private"):
        monkeypatch.setenv(f"GUARDIA_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("GUARDIA_PORT", "18475")
    monkeypatch.setattr(run_server, "database", fill)
    assert run_server.main(["--prepare-only"]) == 1
    assert f"is full: free at least {run_server.LEAST_FREE_MB} MB" in capsys.readouterr().err


def test_private_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    own = read_settings({"GUARDIA_VAR": str(tmp_path / "var"), "GUARDIA_PRIVATE": str(tmp_path / "private")})
    run_server._demand_folders(own)
    for folder in (own.private, own.private / "keys", own.private / "scratch"):
        assert folder.stat().st_mode & 0o777 == 0o700


# ---- keys ----


def test_a_lab_key_is_made_once_and_told_to_nobody(home: dict[str, str]) -> None:
    made = run(home, "keys", "lab", "dev-1")
    file = Path(home["GUARDIA_PRIVATE"]) / "keys" / "lab.json"
    assert (made.returncode, made.stdout + made.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    assert "is there already" in one_line(run(home, "keys", "lab", "dev-2"), 1)
    assert file.read_text() == before


def test_a_development_key_is_refused_in_production(home: dict[str, str]) -> None:
    secrets = dict.fromkeys(("GUARDIA_SECRET_KEY", "GUARDIA_SIGNING_PASSPHRASE", "GUARDIA_LAB_TOKEN"), LONG)
    production = {**secrets, "GUARDIA_ENV": "production", "DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}
    assert "development key" in one_line(run(home, "keys", "lab", "dev-1", **production), 1)
    unwritable = one_line(run(home, "keys", "lab", "k1", **{**production, "GUARDIA_PRIVATE": "/proc/none"}), 1)
    assert "/proc/none" in unwritable


def test_the_key_of_mail_is_made_once_and_its_dns_record_is_printed_each_time(home: dict[str, str]) -> None:
    first = run(home, "keys", "dkim")
    file = Path(home["GUARDIA_PRIVATE"]) / "keys" / "dkim.pem"
    assert (first.returncode, first.stderr, file.stat().st_mode & 0o777) == (0, "", 0o600)
    assert first.stdout.startswith('guardia._domainkey.guardia.example. IN TXT ( "v=DKIM1; k=rsa; p=')
    assert run(home, "keys", "dkim").stdout == first.stdout


# ---- rebuild and clock ----


def test_a_database_that_does_not_answer_is_said_without_its_password(home: dict[str, str]) -> None:
    line = one_line(run(home, "rebuild", DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/name"), 1)
    assert line.startswith("guardia: the database does not answer: ")
    assert "hunter2" not in line


@pytest.mark.django_db
def test_rebuild_finds_no_difference_then_one_and_mends_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("guardia.doors.cli.rebuild.database", lambda _: nullcontext())
    number = stage.released
    assert command.main(["rebuild"]) == 0
    assert capsys.readouterr().out == "1 cases, 0 differ\n"
    rows = Case.objects.across_companies("the test's own")
    rows.update(state="submitted", holder_name="Nobody")
    assert command.main(["rebuild"]) == 1
    assert capsys.readouterr().out == f"{number}: holder_name, state\n1 cases, 1 differ\n"
    assert command.main(["rebuild", "--repair"]) == 0
    assert command.main(["rebuild"]) == 0


def test_the_clock_explains_a_scenario_and_refuses_what_is_none(home: dict[str, str], tmp_path: Path) -> None:
    missing = run(home, "clock", "explain", str(tmp_path / "none.json"))
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    (tmp_path / "bad.json").write_text("{")
    bad = run(home, "clock", "explain", str(tmp_path / "bad.json"))
    assert (bad.returncode, "Traceback" in bad.stderr) == (2, False)
