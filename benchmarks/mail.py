"""What the mail door takes in: `python benchmarks/mail.py [--messages N] [--connections N]`.

Sends a realistic mix (Spanish and English, text and HTML, quoted answers, a third with files, a third signed with DKIM,
one in twenty from strangers) over several SMTP connections to `guardia mail listen`, and lets `guardia mail work` turn
it into cases in a PostgreSQL of its own. Measures messages a second until the last 250, and until the last case.
Beside it, in the same run: the same messages handed to a bare `aiosmtpd` that keeps nothing, and cases opened one at a
time as the portal does. Prints a table and writes `var/benchmarks/mail.json`. Exit code 1 when a target is missed.
"""

import argparse
import base64
import json
import os
import random
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "var" / "benchmarks" / "mail.json"
# Its neighbours' names (queue, mail, ...) must not hide those of other modules.
sys.path[:] = [str(ROOT / "src"), str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).parent)]
TARGET = 100.0
COMPANIES, PORTAL_CASES = 40, 100
DESK, SELECTOR = "soporte@guardia.example", "desk"
WORDS = (
    "el análisis se detiene en varios equipos desde la última actualización y nadie puede abrir sus ficheros",
    "the nightly scan ends with an error on the file server and the console shows an old version of the database",
    "un fichero de nóminas que usamos desde hace años aparece de pronto como infectado y se mueve a la cuarentena",
    "we would like to know how to exclude a folder of the build servers from the scan without losing protection",
)


def main() -> int:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guardia-benchmark-"))
    port = free_port()
    os.environ.update(
        GUARDIA_ENV="development",
        GUARDIA_VAR=str(folder / "var"),
        GUARDIA_PRIVATE=str(folder / "private"),
        GUARDIA_MAIL_PORT=str(port),
        GUARDIA_MAIL_DNS=str(folder / "zone"),
        GUARDIA_MAIL_RATE_PER_MINUTE="1000000",
        GUARDIA_MAIL_CONNECTIONS="200",
        GUARDIA_MAIL_CASES_PER_HOUR="100000",
        GUARDIA_MAIL_AUTOMATIC_PER_HOUR="10000",
        DJANGO_SETTINGS_MODULE="guardia.config.settings",
    )
    os.environ.pop("DATABASE_URL", None)
    messages = make_messages(options.messages, folder / "zone")
    from guardia.adapters.embedded_postgres import EmbeddedPostgres

    try:
        with EmbeddedPostgres(folder / "postgres", "guardia") as server:
            os.environ["GUARDIA_EMBEDDED_URL"] = os.environ["DATABASE_URL"] = server.url
            return told(measured(messages, options.connections, port))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- the mix ----


def make_messages(count: int, zone: Path) -> list[tuple[str, bytes]]:
    """Return who sends it, and its bytes, for each message; write the DNS zone that stands behind the senders."""
    import dkim
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    records: list[str] = []
    for n in range(COMPANIES):
        domain = f"company{n}.example"
        records.append(f"{domain} TXT v=spf1 ip4:127.0.0.1 ip6:::1 -all")
        records.append(f"_dmarc.{domain} TXT v=DMARC1; p=reject")
        records.append(f"{SELECTOR}._domainkey.{domain} TXT v=DKIM1; k=rsa; p={public}")
    zone.parent.mkdir(parents=True, exist_ok=True)
    zone.write_text("\n".join(records) + "\n", encoding="utf-8")
    chance = random.Random(2026)
    made = []
    for n in range(count):
        domain = f"company{n % COMPANIES}.example" if n % 20 else f"stranger{n}.example"
        sender = f"contact{n % 3}@{domain}"
        raw = _message(n, sender, chance)
        if n % 3 == 0 and n % 20:
            raw = dkim.sign(raw, SELECTOR.encode(), domain.encode(), pem, include_headers=[b"From", b"Subject"]) + raw
        made.append((sender, raw))
    return made


def _message(n: int, sender: str, chance: random.Random) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Contacto {n} <{sender}>", DESK, f"Consulta {n}: antivirus"
    mail["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = f"<{n}.{chance.getrandbits(64):x}@{sender.partition('@')[2]}>"
    text = "\n\n".join(f"{chance.choice(WORDS)}." for _ in range(chance.randint(1, 12)))
    if n % 4 == 0:
        text += "\n\nEl lun, 23 nov 2026 a las 9:12, Soporte escribió:\n> " + "\n> ".join(WORDS)
    mail.set_content(text)
    if n % 2:
        mail.add_alternative("<html><body><p>" + text.replace("\n\n", "</p><p>") + "</p></body></html>", subtype="html")
    if n % 3 == 1:
        mail.add_attachment(chance.randbytes(20_000), "application", "octet-stream", filename=f"log-{n}.bin")
    return mail.as_bytes(policy=SMTP)


# ---- measuring ----


def measured(messages: list[tuple[str, bytes]], connections: int, port: int) -> Iterator[tuple[str, float, float, str]]:
    """Yield what was measured: its name, value, target (0: none) and unit."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    prepare()
    yield "a bare aiosmtpd that keeps nothing: accepted", bare(messages, connections), 0.0, "msg/s"
    yield from reading(messages)
    yield "the portal's way, one case at a time", one_at_a_time(), 0.0, "case/s"
    with running("listen", port), running("work", 0), running("work", 0):
        sleep(3)
        started = perf_counter()
        send_all(messages, connections, port)
        accepted = perf_counter() - started
        while (undecided := len(messages) - decided()) > 0:
            assert perf_counter() - started < 600, f"{undecided} messages were not decided within ten minutes"  # noqa: PLR2004
            sleep(0.02)
        done = perf_counter() - started
    outcomes = outcomes_by_class()
    sys.stderr.write(f"{outcomes}\n")
    yield "the mail door: accepted durably (last 250)", len(messages) / accepted, 0.0, "msg/s"
    yield "the mail door: accepted and decided (last case)", len(messages) / done, TARGET, "msg/s"
    yield "of them cases", float(sum(n for (outcome, _), n in outcomes.items() if outcome == "case")), 0.0, ""


def reading(messages: list[tuple[str, bytes]]) -> Iterator[tuple[str, float, float, str]]:
    """Yield what the reader's process takes by itself: the mix one after another, and one message of 25 MB."""
    from guardia.doors.mail.reading.isolated import IsolatedReader

    large = EmailMessage()
    large["From"], large["Subject"] = "Ana <ana@company0.example>", "Un fichero grande"
    large.set_content("Va adjunto.")
    large.add_attachment(random.Random(1).randbytes(18_500_000), "application", "octet-stream", filename="large.bin")
    raw = large.as_bytes(policy=SMTP)
    with IsolatedReader((DESK,)) as reader:
        reader.read(b"x")
        started = perf_counter()
        for sender, message in messages:
            reader.read(message, sender)
        yield "the reader in its process: the mix", len(messages) / (perf_counter() - started), 0.0, "msg/s"
        started = perf_counter()
        reader.read(raw)
        yield "the reader in its process: one of 25 MB", perf_counter() - started, 0.0, "s"


def prepare() -> None:
    """Make keys, the vendor, and the companies with their contacts."""
    from django.conf import settings

    from guardia.features.accounts import operations as accounts
    from guardia.features.contracts import operations as contracts
    from guardia.features.contracts.models import Contract
    from guardia.journeys.make_sample_data import make_sample_data
    from guardia.kernel import clock
    from guardia.kernel.transactions import journey
    from guardia.wiring import hold_ceremony, make_lab_key

    settings.PASSWORD_HASHERS = ["tests.support.passwords.QuickArgon2"]  # nobody signs in here
    now = clock.now()
    assert make_lab_key(settings.GUARDIA, "dev-1") == ""
    assert hold_ceremony(settings.GUARDIA, now) == ""
    make_sample_data(now)
    model = Contract.objects.across_companies("the benchmark's own").select_related("plan").get(number="MSA-4071")
    with journey():
        for n in range(COMPANIES):
            company = accounts.add_company(f"Company {n}", now)
            contract = contracts.add_contract(
                number=f"B-{n}",
                company_id=company.id,
                plan=model.plan,
                starts_on=model.starts_on,
                ends_on=model.ends_on,
                zone=model.zone,
                calendar_version_id=model.calendar_version_id,
                now=now,
            )
            for m in range(3):
                person = accounts.add_person(
                    f"contact{m}@company{n}.example", f"Contact {n}.{m}", "x" * 24, now, company=company, language="es"
                )
                if m < 2:  # noqa: PLR2004  two named contacts, as the plan has them
                    contracts.name_contact(contract, person.id, now)


def decided() -> int:
    from guardia.features.mail.models import InboundMail

    return InboundMail.objects.count()


def outcomes_by_class() -> dict[tuple[str, str], int]:
    from django.db.models import Count

    from guardia.features.mail.models import InboundMail

    rows = InboundMail.objects.values_list("outcome", "reason").annotate(Count("id"))
    return {(outcome, reason): count for outcome, reason, count in rows}


def one_at_a_time() -> float:
    """Open cases as the portal does and return how many a second."""
    from guardia.features.accounts.queries import actor_of, find_person_by_email
    from guardia.journeys.open_case import CaseRequest, open_case
    from guardia.kernel import clock

    person = find_person_by_email("contact0@company0.example")
    assert person is not None
    request = CaseRequest("incident", "standard", 3, "A case of the portal", WORDS[1])
    started = perf_counter()
    for n in range(PORTAL_CASES):
        open_case(actor_of(person), clock.now(), request, f"benchmark-{n}")
    return PORTAL_CASES / (perf_counter() - started)


BARE = """
import sys, time
from aiosmtpd.controller import Controller
class Nothing:
    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 OK"
Controller(Nothing(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
time.sleep(600)
"""


def bare(messages: list[tuple[str, bytes]], connections: int) -> float:
    """Hand the messages to a server that keeps nothing and return how many a second it takes."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        wait_for(port)
        started = perf_counter()
        send_all(messages, connections, port)
        return len(messages) / (perf_counter() - started)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(act: str, port: int) -> Iterator[None]:
    """Run `guardia mail ACT` in the block."""
    process = subprocess.Popen([sys.executable, "-m", "guardia.doors.cli.main", "mail", act], cwd=ROOT)
    try:
        if port:
            wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    raise AssertionError(f"nobody listens on port {port}")


def send_all(messages: list[tuple[str, bytes]], connections: int, port: int) -> None:
    """Send over several connections, by two processes of their own."""
    from concurrent.futures import ProcessPoolExecutor

    shares = [messages[start::connections] for start in range(connections)]
    with ProcessPoolExecutor(2) as pool:
        halves = [shares[: connections // 2], shares[connections // 2 :]]
        assert sum(pool.map(send_shares, halves, [port, port])) == len(messages)


def send_shares(shares: list[list[tuple[str, bytes]]], port: int) -> int:
    """Send each share over a connection of its own, turn by turn; return how many were taken."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(shares) or 1) as pool:
        return sum(pool.map(lambda share: send(share, port), shares))


def send(share: list[tuple[str, bytes]], port: int) -> int:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as connection:
        for sender, raw in share:
            connection.sendmail(sender, [DESK], raw)
    return len(share)


def told(lines: Iterator[tuple[str, float, float, str]]) -> int:
    """Print and keep the results; 1 where a target is missed."""
    kept: list[dict[str, Any]] = []
    missed = False
    for name, value, target, unit in lines:
        is_missed = bool(target) and value < target
        missed = missed or is_missed
        wanted = f"at least {target:g}" if target else ""
        sys.stdout.write(f"{name:<52} {value:>9,.1f} {unit:<6} {wanted:>14}{'  MISSED' if is_missed else ''}\n")
        sys.stdout.flush()
        kept.append({"what": name, "measured": value, "target": target or None, "unit": unit})
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
