"""Nothing of the machine on which the project was written stays in it: no path, no registry, no download address."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.architecture.project import PROJECT, kept_texts

PUBLIC_REGISTRIES = {"pypi" + ".org", "files.python" + "hosted.org", "registry.npmjs" + ".org"}
HOMES = re.compile(r"(?<![\w.])/(?:home|Users)/[A-Za-z]")


def _configured_registries() -> set[str]:
    """The hosts from which this very machine installs: of the environment, of pip and of npm."""
    said = [value for name, value in os.environ.items() if re.search("index|registry|proxy", name, re.IGNORECASE)]
    pip = [sys.executable, "-m", "pip", "config", "list"]
    said += subprocess.run(pip, capture_output=True, text=True, check=False).stdout.splitlines()
    said += [path.read_text(encoding="utf-8") for path in (Path.home() / ".npmrc",) if path.is_file()]
    urls = re.findall(r"https?://[^\s'\"]+", "\n".join(said))
    hosts = {host for url in urls if (host := urlsplit(url).hostname)}
    return {host for host in hosts if host not in {"localhost", "127.0.0.1"}}


def test_no_file_names_a_registry() -> None:
    hosts = PUBLIC_REGISTRIES | _configured_registries()
    named = [(name, host) for name, text in kept_texts().items() for host in hosts if host in text]
    assert named == []


def test_no_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    own = str(PROJECT)
    held = [name for name, text in kept_texts().items() if own in text or HOMES.search(text)]
    assert held == []


def test_the_python_lock_has_a_hash_for_each_package_and_no_address() -> None:
    lines = kept_texts()["requirements.lock"].splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    pinned = [line for line in lines if re.match(r"[A-Za-z0-9]", line)]
    assert pinned
    assert [line for line in pinned if not re.match(r"[A-Za-z0-9_.-]+==\S+( ; .+)? \\$", line)] == []


def test_the_npm_lock_has_a_hash_for_each_package_and_no_address() -> None:
    packages = json.loads(kept_texts()["package-lock.json"])["packages"]
    fetched = {name: facts for name, facts in packages.items() if name}
    assert fetched
    assert [name for name, facts in fetched.items() if "resolved" in facts or "integrity" not in facts] == []
