"""The real web server as a process of its own on a free loopback port, on the test database: to be killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import httpx
from django.db import connection

from tests.support.ports import free_port

STARTS_WITHIN_S = 30


def database_url() -> str:
    """The URL of the test database in use."""
    facts = connection.settings_dict
    host, port = facts["HOST"], facts["PORT"]
    if str(host).startswith("/"):
        return f"postgresql://{facts['USER']}@/{facts['NAME']}?host={host}"
    return f"postgresql://{facts['USER']}:{facts['PASSWORD']}@{host}:{port or 5432}/{facts['NAME']}"


@dataclass
class WebProcess:
    """uvicorn with the real application; `kill` is kill -9."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it answers."""
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "guardia.config.settings",
        }
        command = [sys.executable, "-m", "uvicorn", "guardia.config.asgi:application", "--host", "127.0.0.1", "--port"]
        self.process = subprocess.Popen(
            [*command, str(self.port), "--log-level", "error", "--lifespan", "off"],
            env=environment,
            start_new_session=True,
        )
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the web server ended at its start"
            try:
                httpx.get(f"{self.url}/healthz", timeout=2)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return  # whatever it says, it answers
        raise AssertionError("the web server did not answer in time")

    def kill(self) -> None:
        """Kill it, now."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
