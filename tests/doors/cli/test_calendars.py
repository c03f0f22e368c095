"""`guardia calendars`: a written calendar is checked, open cases are previewed and moved, with exit codes."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from tests.support.cast import Cast

from guardia.doors.cli import calendars
from guardia.features.sla.queries import find_calendar_version
from guardia.journeys.write_calendar import write_calendar
from guardia.reports.calendar_pages import draft_of

GOOD: dict[str, Any] = {"zone": "Europe/Madrid", "weekly": {"mon": [["09:00", "19:00"]]}, "years": [2026, 2027]}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "overlap": ({"weekly": {"mon": [["09:00", "14:00"], ["13:00", "19:00"]]}}, "weekly.mon: "),
    "zone": ({"zone": "Europe/Vigo"}, "zone: There is no time zone “Europe/Vigo”."),
    "year": ({"weekly": {"mon": [["09:00", "19:00"]]}, "years": [2026, 2040]}, "years: Give a first and a last year"),
    "date": ({"closed_on": ["2026-12-25", "2031-01-01"]}, "closed_on[1]: 2031-01-01 is outside the years"),
    "week": ({"weekly": {}}, "weekly: Give at least one window"),
}


def check(tmp_path: Path, written: object) -> int:
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    return calendars.main(["check", str(file)])


def test_a_calendar_that_could_be_saved_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, GOOD) == 0
    assert "Europe/Madrid" in capsys.readouterr().out


@pytest.mark.parametrize("what", WRONG)
def test_a_refused_calendar_ends_with_1_and_names_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    changes, sentence = WRONG[what]
    assert check(tmp_path, {**GOOD, **changes}) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("written", [[], {"zone": "Europe/Madrid", "hours": {}}, {"weekly": {"monday": []}}])
def test_what_is_no_calendar_ends_with_2(tmp_path: Path, written: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, written) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert calendars.main(["check", str(tmp_path / "missing.json")]) == 2


@pytest.mark.django_db
def test_open_cases_are_previewed_and_moved(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calendars, "database", lambda _own: nullcontext())
    cast.open("plus", severity=1)
    newest = find_calendar_version("office 09-19")
    assert newest is not None
    write_calendar(cast.duty_manager, cast.now, draft_of(newest), 1)
    asked = ["move", "office 09-19", "--by", "elena.soto@guardia.example"]
    assert calendars.main(asked) == 0
    assert "1 cases would move to office 09-19 2" in capsys.readouterr().out
    assert calendars.main([*asked, "--reason", "Agreed"]) == 0
    assert "done: 1 of 1 moved to office 09-19 2" in capsys.readouterr().out
