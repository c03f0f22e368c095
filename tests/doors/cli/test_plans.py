"""`guardia plans`: plans as data, checked without a database, imported all or none."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from tests.support.cast import Cast

from guardia.doors.cli import plans
from guardia.doors.cli.main import main
from guardia.features.contracts import queries
from guardia.features.contracts.rules.programme import PLANS

Said = pytest.CaptureFixture[str]


def written(folder: Path, document: Any) -> str:
    path = folder / "plans.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


@pytest.fixture
def own_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's own database is the test's."""
    monkeypatch.setattr(plans, "database", lambda _own: nullcontext())


def test_the_shipped_plans_are_in_order(tmp_path: Path, capsys: Said) -> None:
    document = [{"code": code, **plan} for code, plan in PLANS.items()]
    assert main(["plans", "check", written(tmp_path, document)]) == 0
    assert capsys.readouterr().out == "5 plans, nothing wrong\n"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "expected JSON"),
        ("[1]", "plan 1: expected an object"),
        ({"code": "Plus"}, "Plus: code: At most 20 small letters"),
        ({"code": "x", **PLANS["plus"], "lane": "fast"}, "x: lane: Choose the accelerated"),
        ({"code": "x", **PLANS["plus"], "response": {"premium": {}}}, "x: response.premium.1: This is missing."),
        ([{"code": "x", **PLANS["plus"]}] * 2, "x: this code stands twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_exit_code_2(
    tmp_path: Path, capsys: Said, document: Any, said: str
) -> None:
    source = written(tmp_path, document)
    assert main(["plans", "check", source]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"guardia: {source}: {said}" in told.err


def test_a_file_that_is_not_there_is_misuse(tmp_path: Path, capsys: Said) -> None:
    assert main(["plans", "check", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.django_db
def test_an_export_comes_in_again_as_the_same(cast: Cast, own_database: None, tmp_path: Path, capsys: Said) -> None:
    assert main(["plans", "export"]) == 0
    source = written(tmp_path, capsys.readouterr().out)
    assert main(["plans", "import", source]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{code}: same" for code in ("standard", "start", "plus", "business", "enterprise")
    ]


@pytest.mark.django_db
def test_an_import_adds_and_changes_all_or_none(cast: Cast, own_database: None, tmp_path: Path, capsys: Said) -> None:
    new = {"code": "plus-2027", **PLANS["plus"], "premium_incidents": 15}
    changed = {"code": "plus", **PLANS["plus"], "named_contacts": 3}
    cast.open()
    assert main(["plans", "import", written(tmp_path, [new, changed])]) == 1
    assert "1 open case is served under this plan" in capsys.readouterr().err
    assert not queries.plans().filter(code="plus-2027").exists()
    other = {"code": "business", **PLANS["business"], "named_contacts": 5}
    assert main(["plans", "import", written(tmp_path, [new, other])]) == 0
    assert capsys.readouterr().out == "plus-2027: added\nbusiness: changed\n"
    assert queries.get_plan("business").version == 2


@pytest.mark.django_db
def test_a_calendar_that_is_not_there_is_told_by_its_place(
    cast: Cast, own_database: None, tmp_path: Path, capsys: Said
) -> None:
    strange = {"code": "x", **PLANS["plus"], "office": {"calendar": "moon"}, "escalation": "nobody"}
    assert main(["plans", "import", written(tmp_path, strange)]) == 2
    said = capsys.readouterr().err
    assert "office.calendar: There is no calendar of this name" in said
    assert "escalation: There is no escalation policy" in said
