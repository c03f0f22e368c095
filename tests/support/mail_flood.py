"""Mail as a flood: the real listener and workers as processes that are killed, senders that try until they hear 250."""

import os
import random
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from tests.support import processes
from tests.support.ports import free_port

DESK = "soporte@guardia.example"
SENDERS = (
    "carmen.ruiz@astilleros.example",
    "lucia.ferrer@astilleros.example",
    "ivan.roldan@astilleros.example",
    "pablo.nieto@ceramicas.example",
    "sara.vidal@ceramicas.example",
    "hugo.marin@ceramicas.example",
)
TEXTS = (
    "Desde las 09:30 el análisis se detiene en {n} equipos. ¿Qué se puede hacer?",
    "The nightly scan of server {n} ends with an error since the update. Severity: 3",
    "Buenos días:\n\nEl equipo {n} marca como infectado un fichero nuestro de nóminas.\n\nUn saludo",
    "Hello,\n\nplease find the log of machine {n} attached.\n\nClass: standard\n",
)
UNLIMITED = {
    "GUARDIA_MAIL_CASES_PER_HOUR": "100000",
    "GUARDIA_MAIL_AUTOMATIC_PER_HOUR": "10000",
    "GUARDIA_MAIL_RATE_PER_MINUTE": "1000000",
    "GUARDIA_MAIL_CONNECTIONS": "200",
}


def message(n: int) -> tuple[str, bytes]:
    """Return the n-th message of the flood: who sends it, and its bytes."""
    sender = SENDERS[n % len(SENDERS)]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, DESK, f"Incidencia {n}"
    mail["Message-ID"] = f"<flood.{n}@{sender.partition('@')[2]}>"
    mail["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    mail.set_content(TEXTS[n % len(TEXTS)].format(n=n))
    if n % 5 == 0:
        mail.add_attachment(random.Random(n).randbytes(2_000), "application", "octet-stream", filename=f"log-{n}.bin")
    return sender, mail.as_bytes(policy=SMTP)


@dataclass
class Door:
    """The mail door of a test as processes: a listener on a port, and workers."""

    var: Path
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    kills: int = 0

    def start(self, name: str, **settings: str) -> None:
        """Start the listener (`listen`), or a worker (`work-…`), with settings of its own."""
        for setting, value in {**UNLIMITED, "GUARDIA_MAIL_PORT": str(self.port), "GUARDIA_MAIL_WORKERS": "1"}.items():
            os.environ[setting] = value
        act = name.partition("-")[0]
        command = [sys.executable, "-m", "guardia.doors.cli.main", "mail", act]
        self.running[name] = processes.start_command(command, self.var, **settings)

    def kill(self, name: str) -> None:
        """Kill -9 a process with what it started, and start it again."""
        processes.kill(self.running[name])
        self.kills += 1
        self.start(name)

    def stop(self) -> None:
        """Kill everything."""
        for process in self.running.values():
            if process.poll() is None:
                processes.kill(process)
        for setting in (*UNLIMITED, "GUARDIA_MAIL_PORT", "GUARDIA_MAIL_WORKERS"):
            os.environ.pop(setting, None)

    def listens(self) -> bool:
        """Whether somebody answers on the port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def send_until_taken(port: int, numbers: Sequence[int], give_up_at: float) -> int:
    """Send messages over one connection, each until the listener says 250; return how often it had to try again."""
    again = 0
    connection: smtplib.SMTP | None = None
    for n in numbers:
        sender, raw = message(n)
        while True:
            assert time.monotonic() < give_up_at, f"message {n} was not taken in time"
            try:
                connection = connection or smtplib.SMTP("127.0.0.1", port, timeout=20)
                refused = connection.sendmail(sender, [DESK], raw)
            except (OSError, smtplib.SMTPException):
                again += 1
                connection = None
                time.sleep(0.1)
            else:
                assert not refused
                break
    if connection is not None:
        connection.close()
    return again


def flood(port: int, numbers: range, *, connections: int = 4, within_s: float = 120) -> int:
    """Send these messages over several connections; return how many attempts failed and were repeated."""
    give_up_at = time.monotonic() + within_s
    with ThreadPoolExecutor(connections) as pool:
        shares = [numbers[start::connections] for start in range(connections)]
        return sum(pool.map(lambda share: send_until_taken(port, share, give_up_at), shares))
