"""The customers' wheel: what is in it, what is not, and that it works by itself."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tuf

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    place = PROJECT / "packaging/agent"
    done = subprocess.run(command, cwd=place, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("guardia_agent-*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_it_holds_engines_records_and_client_and_nothing_else(unpacked: Path) -> None:
    places = {path.relative_to(unpacked).parts[:2] for path in unpacked.rglob("*.py")}
    assert {place[0] for place in places} == {"engines", "sigdist"}
    assert {place[1] for place in places if place[0] == "sigdist"} == {"__init__.py", "records", "client"}
    assert not list(unpacked.rglob("__pycache__"))


def test_it_imports_nothing_that_customers_must_not_have(unpacked: Path) -> None:
    allowed = {"engines", "sigdist", "tuf", "securesystemslib", "cryptography", "urllib3", "yara_x"}
    for path in unpacked.rglob("*.py"):
        for name in _imported(path):
            top = name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{path.name} imports {name}"
            assert not name.startswith("sigdist.repository"), f"{path.name} imports {name}"


def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_it_names_what_it_needs(unpacked: Path) -> None:
    (described,) = unpacked.glob("*.dist-info")
    metadata = (described / "METADATA").read_text(encoding="utf-8")
    lines = [line.split()[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    needed = {re.split("[<>=]", line)[0] for line in lines}
    assert needed == {"tuf", "securesystemslib", "cryptography", "urllib3", "yara-x"}
    assert "guardia-agent = sigdist.client.cli:main" in (described / "entry_points.txt").read_text(encoding="utf-8")


def test_it_runs_from_its_own_folder_alone(unpacked: Path) -> None:
    """-I and -S keep the project's own sources away; only what the wheel asks for is put on the path."""
    third = str(Path(str(tuf.__file__)).parents[1])
    program = (
        f"import sys; sys.path[:0] = [{str(unpacked)!r}, {third!r}]\n"
        "from sigdist.client.cli import main\n"
        "import sigdist\n"
        f"assert sigdist.__file__.startswith({str(unpacked)!r}), sigdist.__file__\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('django', 'guardia', 'labkit')]\n"
        "sys.exit(main(['--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for command in ("enrol", "update", "scan", "verify", "status"):
        assert command in done.stdout
