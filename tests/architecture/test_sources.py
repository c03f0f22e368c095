"""Names, sizes and habits of the sources, which neither ruff nor import-linter looks at."""

import ast
import re
from collections.abc import Iterator

import pytest
from tests.architecture.project import kept_texts, modules

LONGEST = 500
BINS = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager", "managers", "tools", "stuff"}
CLOCKS = {
    "src/guardia/kernel/clock.py": "now",
    "src/sigdist/client/cli.py": "wall_clock",
    "src/sigdist/repository/serve.py": "wall_clock",
}
"""The only functions that look at the wall clock: the server's, and one for each program that ships without it."""
CLOCK_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "timezone.now",
    "time.time",
    "time.time_ns",
}
DOCUMENTED = re.compile(r"src/(labkit|sigdist)/|src/guardia/journeys/|/rules/|/operations\.py$")
WRITTEN_BY_HAND = re.compile(r"\.(py|css|js|html|md|sh|toml|ini)$|^Makefile$")


def test_no_file_is_longer_than_500_lines() -> None:
    long = {
        name: lines
        for name, text in kept_texts().items()
        if WRITTEN_BY_HAND.search(name) and (lines := text.count("\n")) > LONGEST
    }
    assert long == {}


def test_files_and_folders_name_a_thing_or_an_act_never_a_bin() -> None:
    parts = {name: {part.partition(".")[0] for part in name.split("/")} for name in kept_texts()}
    assert [name for name, words in parts.items() if words & BINS] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, text in modules().items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert silent == []


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def test_every_public_function_of_rules_operations_journeys_and_zones_says_what_it_promises() -> None:
    silent = [
        f"{name}:{function.lineno} {function.name}"
        for name, text in modules().items()
        if DOCUMENTED.search(name)
        for function in _functions(ast.parse(text))
        if not ast.get_docstring(function)
    ]
    assert silent == []


def _clock_calls(node: ast.AST) -> set[str]:
    called = {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    return {name for name in called if ".".join(name.split(".")[-2:]) in CLOCK_CALLS}


def test_nobody_but_the_clocks_asks_what_time_it_is() -> None:
    looks = {name: _clock_calls(tree) for name, text in modules().items() if _clock_calls(tree := ast.parse(text))}
    assert looks.keys() == CLOCKS.keys()


@pytest.mark.parametrize(("name", "function"), CLOCKS.items())
def test_a_clock_is_one_function_of_its_module(name: str, function: str) -> None:
    body = ast.parse(modules()[name]).body
    looking = [node.name for node in body if isinstance(node, ast.FunctionDef) and _clock_calls(node)]
    assert looking == [function]


def test_customers_rows_are_never_asked_for_past_the_tenancy() -> None:
    asked = [
        name
        for name, text in modules().items()
        if name != "src/guardia/kernel/tenancy.py"
        and any(isinstance(node, ast.Attribute) and node.attr == "unscoped" for node in ast.walk(ast.parse(text)))
    ]
    assert asked == []


def test_work_across_companies_names_a_reason_that_can_be_read() -> None:
    unsaid = [
        f"{name}:{call.lineno}"
        for name, text in modules().items()
        if name != "src/guardia/kernel/tenancy.py"
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "across_companies"
        if not (call.args and isinstance(call.args[0], ast.Constant) and len(str(call.args[0].value)) > 3)
    ]
    assert unsaid == []
