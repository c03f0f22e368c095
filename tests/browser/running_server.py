"""`guardia run` as people start it, on free ports and in folders of its own; `stop` ends every process of it.

It brings its own embedded database, keys, sample data, a small corpus of clean files, job worker, lab workers and
release tree, so that nothing of the test process is shared with it.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.ports import free_port

READY_WITHIN_S = 150
STOP_WITHIN_S = 30
CLEAN_FILES = 200
FOREIGN = ("DATABASE_URL", "GUARDIA_", "DJANGO_", "PYTEST_")


class RunningServer:
    """The server and everything that belongs to it."""

    def __init__(self) -> None:
        self.port, releases_port, self.mail_port, self.line_port = (free_port() for _ in range(4))
        self.url = f"http://localhost:{self.port}"
        self.var = Path(tempfile.mkdtemp(prefix="guardia-browser-"))
        self.private = Path(tempfile.mkdtemp(prefix="guardia-browser-private-"))
        self.log = self.var / "run.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environment |= {
            "GUARDIA_PORT": str(self.port),
            "GUARDIA_RELEASES_PORT": str(releases_port),
            "GUARDIA_MAIL_PORT": str(self.mail_port),
            "GUARDIA_LINE_PORT": str(self.line_port),
            "GUARDIA_LINE_RING_SECONDS": "2",
            "GUARDIA_VAR": str(self.var / "var"),
            "GUARDIA_PRIVATE": str(self.private),
            "GUARDIA_CORPUS_FILES": str(CLEAN_FILES),
            "GUARDIA_UPLOAD_LIMIT_MB": "4",
        }
        command = [str(Path(sys.executable).with_name("guardia")), "run"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def corpus(self) -> Path:
        """The folder of the clean files."""
        return self.var / "var" / "corpus"

    def wait_until_ready(self) -> None:
        """Return once the sign-ins are printed; fail with the log where it ends before."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            said = self.log.read_text(encoding="utf-8", errors="replace")
            assert self.process.poll() is None, f"guardia run ended: {said}"
            if "Ctrl-C stops everything." in said:
                return
            time.sleep(0.1)
        raise AssertionError(f"guardia run was not ready within {READY_WITHIN_S} s: {said}")

    def stop(self) -> None:
        """Ask it to end, and return once it has; its folders go with it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        for folder in (self.var, self.private):
            shutil.rmtree(folder, ignore_errors=True)
