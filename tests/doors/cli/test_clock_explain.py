"""`guardia clock explain`, through its door: streams in, streams and an exit code out."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from guardia.doors.cli.clock_explain import run

VECTORS = Path(__file__).parents[2] / "vectors" / "response-clock.json"


class Answer(NamedTuple):
    code: int
    out: str
    err: str


def ask(*argv: str, stdin: str = "") -> Answer:
    out, err = io.StringIO(), io.StringIO()
    code = run(list(argv), io.StringIO(stdin), out, err)
    return Answer(code, out.getvalue(), err.getvalue())


def vectors() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def test_it_answers_every_vector_in_order() -> None:
    answer = ask(str(VECTORS))
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    assert [explanation["name"] for explanation in found] == [vector["name"] for vector in vectors()]
    for explanation, vector in zip(found, vectors(), strict=True):
        assert vector["expect"].items() <= explanation.items()
        assert list(explanation) == ["name", "state", "due_at", "breached_at", "answered_at", "remaining_s", "steps"]


def test_one_scenario_on_standard_input_gives_a_list_of_one() -> None:
    answer = ask("-", stdin=json.dumps(vectors()[0]))
    assert answer.code == 0
    assert [explanation["state"] for explanation in json.loads(answer.out)] == ["running"]


def test_text_is_for_reading() -> None:
    answer = ask("--text", "-", stdin=json.dumps(vectors()[:2]))
    assert answer.code == 0
    assert [block.splitlines()[0] for block in answer.out.split("\n\n")] == [v["name"] for v in vectors()[:2]]
    assert "working hours" in answer.out


def test_a_malformed_scenario_prints_one_line_and_nothing_for_the_others(tmp_path: Path) -> None:
    broken = vectors()[:3]
    broken[2]["events"][0]["at"] = "2026-11-20T20:00:00"
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken), encoding="utf-8")
    answer = ask(str(file))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"{file}: [2].events[0].at: expected an instant with offset, like 2026-11-23T10:00:00+01:00, "
        'got "2026-11-20T20:00:00"\n'
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"calendar": {"weekly": {"mon": [["09:00", "14:00"], ["13:00", "19:00"]]}}}, "calendar.weekly.mon[1]"),
        ({"calendar": {"weekly": {"mon": [["19:00", "09:00"]]}}}, "calendar.weekly.mon[0]"),
        ({"calendar": {"weekly": {}}}, "calendar.weekly"),
        ({"calendar": {"zone": "Europe/Atlantis"}}, "calendar.zone"),
        ({"policy": {"1": {"target": "PT0H", "coverage": "calendar"}}}, "policy.1.target"),
        ({"policy": {"1": {"target": "P2Y", "coverage": "calendar"}}}, "policy.1.target"),
        ({"policy": {"1": {"target": "P40000W", "coverage": "calendar"}}}, "policy.1.target"),
        ({"policy": {"3": None}}, "policy.3"),
        ({"events": [{"at": "2026-11-23T10:00:00+01:00", "type": "answered", "qualified": True}]}, "events[0]"),
        ({"as_of": "1999-01-01T00:00:00+01:00"}, "as_of"),
    ],
    ids=[
        "overlapping windows",
        "a reversed window",
        "a week without working time",
        "an unknown zone",
        "a target of nothing",
        "a target in years",
        "a target of centuries",
        "a severity without a promise",
        "an answer before any submission",
        "judged before the submission",
    ],
)
def test_what_cannot_be_promised_or_happen_is_one_line_with_its_place(change: dict[str, Any], place: str) -> None:
    scenario = vectors()[0]
    for name, value in change.items():
        scenario[name] = {**scenario[name], **value} if isinstance(value, dict) else value
    answer = ask("-", stdin=json.dumps(scenario))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"standard input: {place}: expected ")
    assert answer.err.count("\n") == 1


def test_standard_input_is_named_when_it_is_malformed() -> None:
    answer = ask("-", stdin="{")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("standard input: line 1 column 2: expected JSON")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe[]", b"\x80", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "scenario\n.json"
    if content is not None:
        file.write_bytes(content)
    answer = ask(str(file))
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "scenario?.json: the file: expected" in answer.err


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "marked.json"
    file.write_bytes(b"\xef\xbb\xbf[]")
    assert ask(str(file)) == (0, "[]\n", "")


def test_misuse_exits_2_and_help_exits_0() -> None:
    assert ask().code == ask("a.json", "b.json").code == ask("--json", "a.json").code == 2
    assert "SCENARIO.json" in ask().err
    helped = ask("--help")
    assert (helped.code, helped.err) == (0, "")
    assert "guardia clock explain" in helped.out


def test_names_that_the_terminal_lacks_are_escaped_rather_than_fatal() -> None:
    scenario = {**vectors()[0], "name": "día \ud800"}
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert run(["--text", "-"], io.StringIO(json.dumps(scenario)), out, io.StringIO()) == 0
    out.seek(0)
    assert out.read().startswith("d\\xeda ")


def test_it_loads_neither_django_nor_a_database() -> None:
    code = (
        "import sys, io; from guardia.doors.cli.clock_explain import run;"
        "code = run(['-'], io.StringIO('[]'), sys.stdout, sys.stderr);"
        "sys.exit(code or any(name.split('.')[0] in ('django', 'psycopg') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
