"""The map and the list of targets are whole: a package or a target that they leave out fails here."""

import os
import re
import subprocess

import pytest
from tests.architecture.project import PROJECT, kept_texts, modules

MAP = "docs/map.md"
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


def packages() -> list[str]:
    """Every package under `src`, as a path; Django's own folders (migrations, templatetags) are left out."""
    found = {name.rpartition("/")[0].removeprefix("src/") for name in modules() if name.endswith("/__init__.py")}
    return sorted(name for name in found if not name.endswith(("/migrations", "/templatetags")))


@pytest.mark.parametrize("package", packages())
def test_the_map_says_where_a_file_of_this_package_goes(package: str) -> None:
    assert f"`{package}/`" in kept_texts()[MAP]


def test_the_map_names_only_what_exists() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*)/`", kept_texts()[MAP])
    roots = (PROJECT, PROJECT / "src", PROJECT / "src/guardia/features/lab")  # the last for the names of rooms
    assert [name for name in named if not any((root / name).is_dir() for root in roots)] == []


def test_help_lists_every_target() -> None:
    text = kept_texts()["Makefile"]
    targets = set(TARGET.findall(text))
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    outside_make = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=PROJECT, env=outside_make, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[1] for line in shown.splitlines()}
    assert targets == listed == set(phony.group(1).split())
