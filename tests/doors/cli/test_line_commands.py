"""`guardia line …`: what makes no sense is refused with one line and exit code 2, before anything is rung."""

from pathlib import Path

import pytest

from guardia.doors.cli import line


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("VAR", "PRIVATE"):
        monkeypatch.setenv(f"GUARDIA_{name}", str(tmp_path / name.lower()))


def refusal_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the last line said of arguments that are refused."""
    try:
        code = line.main(arguments)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else -1
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    return said.err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["call", "sip:x@127.0.0.1:99999"], "99999"),
        (["call", "127.0.0.1"], "sip:line@127.0.0.1:8003"),
        (["call", "--from", "a@b"], "--from"),
        (["call", "--for", "-1"], "--for"),
        (["call", "--record", "/no/such/folder/x.wav"], "--record"),
        (["call", "--keys", "1,later"], "'later'"),
        (["call", "--talk", "/no/such/file.wav"], "/no/such/file.wav"),
        (["answer", "--port", "99999"], "--port"),
        (["answer", "--port", "five"], "--port"),
        (["answer", "--times", "0"], "--times"),
        (["answer", "--after", "-1"], "--after"),
        (["answer", "--busy", "--decline"], "--decline"),
        ([], "act"),
    ],
)
def test_nonsense_is_refused_by_its_name(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert named in refusal_of(arguments, capsys)


@pytest.mark.parametrize("act", ["run", "call"])
def test_without_a_line_nothing_is_served_or_called(
    act: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GUARDIA_LINE_PORT", "0")
    assert refusal_of([act], capsys) == "guardia: there is no phone line: GUARDIA_LINE_PORT is 0"
