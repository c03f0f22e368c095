"""Other processes on the test's database: to be killed for real, and to come back as if nothing had been.

What a process runs is a small Python text with Django set up; its folders are those of this test.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import connection

from guardia.adapters.release_tree import SignedTree
from tests.support.database import PROJECT

_PROLOGUE = "import django\ndjango.setup()\n"


def database_url() -> str:
    """Return the URL of the database that this test has."""
    own = connection.settings_dict
    return f"postgresql://{own['USER']}@/{own['NAME']}?host={own['HOST']}"


def environment(var: Path) -> dict[str, str]:
    """Return the environment of a server of its own folder `var`, on this test's database and with its keys."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "GUARDIA_VAR": str(var),
        "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT)]),
    }


def start(text: str, var: Path) -> subprocess.Popen[str]:
    """Start a process that runs `text` with Django set up."""
    return start_command([sys.executable, "-c", _PROLOGUE + text], var)


def start_command(command: Sequence[str], var: Path, **settings: str) -> subprocess.Popen[str]:
    """Start a command in the environment of this test, with settings of its own."""
    return subprocess.Popen(
        list(command),
        env={**environment(var), **settings},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Return what a process printed; fail with its complaint where it did not end well within a minute."""
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    return said


def finish_killed(process: subprocess.Popen[str]) -> None:
    """Wait until a process that kills itself is dead; fail where it ended in any other way."""
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"ended with {process.returncode}, not killed: {complaint}"


def kill(process: subprocess.Popen[str]) -> None:
    """Kill -9 a process and those it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def wait_until(what: str, holds: object, within_s: float = 30.0) -> None:
    """Return once `holds()` is true; fail with `what` after `within_s`."""
    assert callable(holds)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s} s: {what}")


def release_tree(var: Path) -> SignedTree:
    """Return the signed tree of a server whose folder is `var`, with the keys of this test run."""
    own = settings.GUARDIA
    return SignedTree(
        tree=var / "releases" / "tree",
        tokens=var / "releases" / "subscribers",
        keys=own.private / "keys" / "signing",
        passphrase=own.signing_passphrase.reveal(),
        production=False,
    )
