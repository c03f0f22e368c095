"""The systemd units in ops/: started again for ever, and at one with the settings."""

import re
from pathlib import Path

import pytest

from guardia.doors.cli import run_server
from guardia.kernel.environment import PROJECT, BadSettings, Settings, read_settings

UNITS = sorted((PROJECT / "ops").glob("*.service"))


def settings_of(folder: Path, **values: str) -> Settings:
    return read_settings({"GUARDIA_VAR": str(folder), "GUARDIA_PRIVATE": str(folder), **values})


def lines_of(own: Settings) -> int:
    return sum(child.name == "line" for child in run_server._children(own))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_is_given_up_after_a_few_starts(unit: Path) -> None:
    about, service = unit.read_text(encoding="utf-8").split("[Service]")
    assert re.search(r"^StartLimitIntervalSec=0$", about, re.MULTILINE)
    assert re.search(r"^RestartSec=[12]$", service, re.MULTILINE)


def test_a_line_apart_is_known_to_all_and_started_by_its_unit_alone(tmp_path: Path) -> None:
    unit = (PROJECT / "ops" / "guardia-line.service").read_text(encoding="utf-8")
    told = dict(re.findall(r"(GUARDIA_LINE_[A-Z]+)=(\w+)", unit))
    assert told == {"GUARDIA_LINE_APART": "yes", "GUARDIA_LINE_PORT": "5060"}
    own = settings_of(tmp_path, **told)
    assert (own.line_port, own.line_apart, lines_of(own)) == (5060, True, 0)
    assert lines_of(settings_of(tmp_path, GUARDIA_LINE_PORT="5060")) == 1


def test_apart_is_yes_or_no(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="GUARDIA_LINE_APART: expected yes or no"):
        settings_of(tmp_path, GUARDIA_LINE_APART="maybe")
