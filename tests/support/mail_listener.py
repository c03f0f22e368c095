"""`guardia mail listen` as a process of its own, on free ports and in folders of its own, without a database."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from guardia.adapters.lab_keys import LabKeys
from guardia.adapters.mail_spool import FolderSpool
from tests.support.ports import free_port

READY_WITHIN_S = 30
FOREIGN = ("DATABASE_URL", "GUARDIA_", "DJANGO_", "PYTEST_")
SUPPORT = "soporte@guardia.example"


class MailListener:
    """A listener that can be killed and started again over the same folders."""

    def __init__(self, home: Path, **more: str) -> None:
        self.home, self.port, self.lmtp_port = home, free_port(), free_port()
        self.private = home / "private"
        key_file = self.private / "keys" / "lab.json"
        keys = LabKeys.read(key_file, production=False) if key_file.exists() else LabKeys.make(key_file, "dev-1")
        self.spool = FolderSpool(self.private / "mail", keys)
        own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.environment = own | {
            "GUARDIA_VAR": str(home / "var"),
            "GUARDIA_PRIVATE": str(self.private),
            "GUARDIA_MAIL_PORT": str(self.port),
            "GUARDIA_MAIL_LMTP_PORT": str(self.lmtp_port),
            **more,
        }
        self.log = home / "listener.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it greets."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "guardia.doors.cli.main", "mail", "listen"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                    probe.recv(100)
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"no greeting within {READY_WITHIN_S} s")

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it gently, and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def messages(self) -> list[bytes]:
        """Return what it has kept, in order."""
        return [self.spool.read(mail_id)[1] for mail_id in sorted(self.spool._names())]
