"""The storeys, rooms, doors and trust zones hold: `.importlinter`, run here so that no test run forgets it."""

import configparser

import pytest
from importlinter.cli import lint_imports
from tests.architecture.project import PROJECT, SOURCES

CONTRACTS = PROJECT / ".importlinter"


def test_every_import_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(CONTRACTS), no_cache=True, show_timings=False)
    assert code == 0, capsys.readouterr().out


def test_every_package_of_the_project_is_under_contract() -> None:
    config = configparser.ConfigParser()
    config.read(CONTRACTS, encoding="utf-8")
    named = config["importlinter"]["root_packages"].split()
    assert sorted(named) == sorted(path.parent.name for path in SOURCES.glob("*/__init__.py"))
