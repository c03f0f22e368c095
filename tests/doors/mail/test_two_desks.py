"""Two desks that have each other as a customer: each answers the other by itself, and it ends at once.

Two whole instances: databases, listeners, workers and senders of their own, and SMTP between them. Once as they are,
once with a relay between them that strips every header by which one machine knows another.
"""

import asyncio
import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from tests.support import processes
from tests.support.database import PROJECT
from tests.support.ports import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
STRIPPED = ("Auto-Submitted", "X-Guardia-Desk", "X-Auto-Response-Suppress", "In-Reply-To", "References", "Precedence")
QUIET_S = 4.0
PREPARE = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
from django.conf import settings
from guardia.wiring import hold_ceremony, make_lab_key
from guardia.kernel import clock
make_lab_key(settings.GUARDIA, "dev-1")
hold_ceremony(settings.GUARDIA, clock.now())
from guardia.journeys.make_sample_data import make_sample_data
make_sample_data(clock.now())
from guardia.features.accounts.models import Person
Person.objects.filter(email="lucia.ferrer@astilleros.example").update(email=sys.argv[1])
"""


class Relay:
    """Hands mail on to another port, with the headers taken off by which a desk knows a machine's mail."""

    def __init__(self, to_port: int) -> None:
        self.to_port = to_port
        self.handed_on = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        mail = message_from_bytes(envelope.content)
        for name in STRIPPED:
            del mail[name]
        await asyncio.to_thread(self._hand_on, envelope.mail_from, envelope.rcpt_tos, mail.as_bytes())
        return "250 2.0.0 OK"

    def _hand_on(self, sender: str, to: list[str], raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self.to_port, timeout=20) as onward:
            onward.sendmail(sender, to, raw)
        self.handed_on += 1


@dataclass
class Desk:
    """One instance: `name` is its domain, `other` the port to which its mail goes."""

    name: str
    folder: Path
    database: str
    port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"soporte@{self.name}"

    def environment(self, outgoing: int, zone: Path) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.database,
            "GUARDIA_VAR": str(self.folder / "var"),
            "GUARDIA_PRIVATE": str(self.folder / "private"),
            "GUARDIA_SUPPORT_EMAIL": self.address,
            "GUARDIA_MAIL_PORT": str(self.port),
            "GUARDIA_MAIL_URL": f"smtp://127.0.0.1:{outgoing}",
            "GUARDIA_MAIL_DNS": str(zone),
            "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(PROJECT)]),
        }

    def start(self, other: "Desk", outgoing: int, zone: Path) -> None:
        environment = self.environment(outgoing, zone)
        subprocess.run([sys.executable, "-c", PREPARE, other.address], env=environment, cwd=PROJECT, check=True)
        guardia = [sys.executable, "-m", "guardia.doors.cli.main", "mail"]
        jobs = [sys.executable, "-m", "django", "procrastinate", "worker"]
        for command in ([*guardia, "listen"], [*guardia, "work"], jobs):
            process = subprocess.Popen(command, env=environment, cwd=PROJECT, start_new_session=True)
            self.running.append(process)

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def ask(self, question: str) -> Any:
        with psycopg.connect(self.database) as reading:
            return reading.execute(question).fetchall()

    def counts(self) -> tuple[int, int, int]:
        """How many cases, messages that arrived, and mails it has."""
        tables = ("cases_case", "mail_inboundmail", "mail_outboundmail")
        return tuple(self.ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables)  # noqa: S608  our own names

    def is_at_rest(self) -> bool:
        """Whether nothing waits to be taken in or sent."""
        waiting = self.ask("SELECT count(*) FROM mail_outboundmail WHERE state IN ('waiting', 'handing_over')")[0][0]
        new = self.folder / "private" / "mail" / "new"
        return not waiting and not (list(new.iterdir()) if new.is_dir() else [])


@pytest.fixture
def desks(db: None, tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    base = processes.database_url()
    own = connection.settings_dict
    made = []
    for letter in "ab":
        name = f"{own['NAME']}_desk_{letter}"
        with psycopg.connect(base, autocommit=True) as making:
            making.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            making.execute(f'CREATE DATABASE "{name}"')
        url = f"postgresql://{own['USER']}@/{name}?host={own['HOST']}"
        made.append(Desk(f"desk-{letter}.example", tmp_path / letter, url))
    yield made[0], made[1]
    for desk, letter in zip(made, "ab", strict=True):
        desk.stop()
        with psycopg.connect(base, autocommit=True) as dropping:
            name = f"{own['NAME']}_desk_{letter}"
            dropping.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def zone_for(desks: tuple[Desk, Desk], folder: Path) -> Path:
    """SPF and DMARC of both desks' domains, so that each proves itself to the other."""
    lines = []
    for desk in desks:
        lines += [
            f"{desk.name} TXT v=spf1 ip4:127.0.0.1 ip6:::1 -all",
            f"_dmarc.{desk.name} TXT v=DMARC1; p=reject",
        ]
    path = folder / "zone"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def settle(desks: tuple[Desk, Desk]) -> None:
    """Return once nothing has moved for a while."""
    quiet_since, before = time.monotonic(), None
    deadline = time.monotonic() + 120
    while time.monotonic() - quiet_since < QUIET_S:
        assert time.monotonic() < deadline, f"they go on and on: {[desk.counts() for desk in desks]}"
        now = [desk.counts() for desk in desks]
        if now != before or not all(desk.is_at_rest() for desk in desks):
            quiet_since, before = time.monotonic(), now
        time.sleep(0.2)


def write_to(desk: Desk, sender: str) -> None:
    """A person at the other desk writes the first message."""
    raw = (
        f"From: {sender}\r\nTo: {desk.address}\r\nSubject: Consulta\r\n"
        f"Message-ID: <first@{sender.partition('@')[2]}>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\n"
        "El servidor no se actualiza.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=20) as connection:
        connection.sendmail(sender, [desk.address], raw.encode())


def test_two_desks_that_answer_each_other_stop_at_once(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    zone = zone_for(desks, tmp_path)
    first, second = desks
    first.start(second, second.port, zone)
    second.start(first, first.port, zone)
    for desk in desks:
        processes.wait_until("it listens", lambda desk=desk: _listens(desk.port), within_s=60)
    write_to(first, second.address)
    settle(desks)
    assert first.ask("SELECT outcome, reason FROM mail_inboundmail") == [("case", "opened")]
    assert first.counts()[:2] == (1, 1)
    assert second.counts()[0] == 0
    reasons = second.ask("SELECT DISTINCT outcome, reason FROM mail_inboundmail")
    assert reasons == [("refused", "automatic")]


def test_two_desks_stop_though_a_relay_hides_that_they_are_machines(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    zone = zone_for(desks, tmp_path)
    first, second = desks
    relays = [Relay(second.port), Relay(first.port)]
    controllers = [Controller(relay, hostname="127.0.0.1", port=free_port()) for relay in relays]
    for controller in controllers:
        controller.start()
    try:
        first.start(second, controllers[0].port, zone)
        second.start(first, controllers[1].port, zone)
        for desk in desks:
            processes.wait_until("it listens", lambda desk=desk: _listens(desk.port), within_s=60)
        write_to(first, second.address)
        settle(desks)
    finally:
        for controller in controllers:
            controller.stop()
    automatic = [
        desk.ask("SELECT count(*) FROM mail_outboundmail WHERE is_automatic AND state = 'sent'") for desk in desks
    ]
    assert all(1 <= rows[0][0] <= 10 for rows in automatic), automatic
    assert sum(relay.handed_on for relay in relays) <= 60


def _listens(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2):
            return True
    except OSError:
        return False
