"""What the documents show is true: console blocks are run and compared, python blocks are run, links lead somewhere.

In a console block, `$ ` begins a command and what follows is its output; `...` stands for any text, as in doctest.
Plain fences are for what needs a server or a person.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.architecture.project import PROJECT, kept_texts

FENCE = re.compile(r"^( *)```(console|python)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMANDS = {"guardia", "guardia-agent", "guardia-lab-worker", "make"}


class Block(NamedTuple):
    """A fenced block and where it begins."""

    document: str
    line: int
    language: str
    text: str


def documents() -> dict[str, str]:
    """Every Markdown document of the project."""
    return {name: text for name, text in kept_texts().items() if name.endswith(".md")}


def blocks(language: str) -> list[object]:
    """The blocks of one language, as parameters that name their place."""
    return [
        pytest.param(block, id=f"{block.document}:{block.line}")
        for block in _all_blocks()
        if block.language == language
    ]


def _all_blocks() -> Iterator[Block]:
    for name, text in documents().items():
        for found in FENCE.finditer(text):
            indent, language, body = found.groups()
            line = text.count("\n", 0, found.start()) + 1
            yield Block(name, line, language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE))


def steps(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with its expected output."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a console block begins with a command, not with {parts[0]!r}"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def as_pattern(expected: str) -> str:
    """A regular expression for an expected output in which `...` is any text."""
    return ".*".join(re.escape(part) for part in expected.strip().split("...")).replace(r"\ ", " ")


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """The environment of a command: nothing of the person who runs the tests."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "100",
        "GUARDIA_VAR": str(tmp_path / "var"),
        "GUARDIA_PRIVATE": str(tmp_path / "private"),
    }


@pytest.mark.parametrize("block", blocks("console"))
def test_a_command_says_what_the_document_shows(block: Block, surroundings: dict[str, str]) -> None:
    for command, expected in steps(block.text):
        words = shlex.split(command)
        assert words[0] in COMMANDS, f"{command!r}: only the project's own commands are run"
        done = subprocess.run(
            words,
            cwd=PROJECT,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout.strip()
        assert re.fullmatch(as_pattern(expected), said, re.DOTALL), f"$ {command}\n{said}"


@pytest.mark.parametrize("block", blocks("python"))
def test_an_example_in_python_holds(block: Block) -> None:
    exec(compile(block.text, f"{block.document}:{block.line}", "exec"), {})  # noqa: S102  our own documents


@pytest.mark.parametrize("name", sorted(documents()))
def test_every_link_inside_the_project_leads_somewhere(name: str) -> None:
    targets = [target for target in LINK.findall(documents()[name]) if "://" not in target]
    folder = (PROJECT / name).parent
    assert [target for target in targets if not (folder / target).exists()] == []


def test_there_are_examples_of_both_kinds() -> None:
    assert {block.language for block in _all_blocks()} == {"console", "python"}
