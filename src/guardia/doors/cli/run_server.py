"""`guardia run`: one command from nothing to a working server; `make run` calls it.

Steps, each of which finds what an earlier start has made: settings, ports, disk, database, migrations, keys, sample
data, clean corpus, static files, baseline release; then web server, job worker, tickers, lab worker, release tree and
mail, watched and started again when one ends; at last the URLs and sign-ins. Ctrl-C or SIGTERM stops every process that
it started.
"""

import argparse
import errno
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from guardia.doors.cli.children import Child, ChildFailed, Supervisor
from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.kernel import clock
from guardia.kernel.environment import Settings
from guardia.kernel.errors import GuardiaError
from guardia.wiring import hold_ceremony, make_lab_key, make_mail_key

LINE = (sys.executable, "-m", "guardia.doors.cli.main", "line")
LEAST_FREE_MB, LEAST_FREE_FIRST_MB = 300, 900


class CannotStart(Exception):
    """Why the server cannot start, in one line."""


def main(arguments: list[str]) -> int:
    """Run until told to stop. Exit 0 when stopped, 1 where it cannot start, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="guardia run", description=__doc__)
    parser.add_argument("--prepare-only", action="store_true", help="make everything ready, start nothing, and leave")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT too: a shell may start us with it ignored
        signal.signal(number, _interrupt)
    try:
        return _run(own, prepare_only=options.prepare_only)
    except KeyboardInterrupt:
        return 0
    except (CannotStart, ChildFailed) as why:
        return _complain(str(why))
    except GuardiaError as why:
        return _complain(why.sentence)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return _complain(f"the disk of {own.var} is full: free at least {LEAST_FREE_MB} MB and start again")
        raise


def _complain(line: str) -> int:
    sys.stderr.write(f"guardia: {line}\n")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _run(own: Settings, *, prepare_only: bool) -> int:
    for host, port, name in (
        (own.host, own.port, "GUARDIA_PORT"),
        (own.host, own.releases_port, "GUARDIA_RELEASES_PORT"),
        (own.mail_host, own.mail_port, "GUARDIA_MAIL_PORT"),
        (own.mail_host, own.mail_lmtp_port, "GUARDIA_MAIL_LMTP_PORT"),
    ):
        if port:
            _demand_port(host, port, name)
    if own.line_port and not own.line_apart:
        _demand_port(own.line_host, own.line_port, "GUARDIA_LINE_PORT", socket.SOCK_DGRAM)
    _demand_folders(own)
    with database(own):
        _prepare(own)
        if prepare_only:
            return 0
        supervisor = Supervisor(_children(own), own.var / "log")
        try:
            supervisor.start()
            supervisor.wait_until_healthy(f"http://{own.host}:{own.port}/healthz")
            _enrol_samples(own)
            _welcome(own)
            supervisor.watch()
        finally:
            supervisor.stop()
    return 0


# ---- before anything is written ----


def _demand_port(host: str, port: int, name: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} is taken or not allowed ({error.strerror}); set {name} to another one"
            ) from error


def _demand_folders(own: Settings) -> None:
    for folder, mode in (
        (own.var, 0o755),
        (own.private, 0o700),
        (own.private / "keys", 0o700),
        (own.private / "scratch", 0o700),
        (own.var / "mail", 0o700),
        (own.var / "log", 0o700),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=mode)
            if mode == 0o700:  # noqa: PLR2004  private folders only
                folder.chmod(mode)
        except OSError as error:
            raise CannotStart(f"cannot make the folder {folder}: {error.strerror}") from error
    free = shutil.disk_usage(own.var).free // 1024 // 1024
    needed = LEAST_FREE_MB if (own.var / "corpus").exists() else LEAST_FREE_FIRST_MB
    if free < needed:
        raise CannotStart(f"the disk of {own.var} has {free} MB free; at least {needed} MB are needed")


# ---- what must be there ----


def _prepare(own: Settings) -> None:
    from django.core.management import call_command

    _say("Database: migrations")
    is_behind = _is_behind()
    call_command("migrate", verbosity=0, interactive=False)
    if is_behind:
        _repair()
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    _make_keys(own)
    _tell_missing_engines()
    if not own.is_production:
        from guardia.journeys.make_sample_data import give_sample_phones, make_sample_data

        _say("Sample data: plans, companies, people, malware corpus, baseline release")
        make_sample_data(clock.now())
        give_sample_phones()
    _make_corpus(own)
    _publish()
    _ensure_escalation()
    _make_prompts(own)


def _is_behind() -> bool:
    """Whether migrations are to be applied to a database that was at work before."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.loader.applied_migrations and executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _repair() -> None:
    """Compute what new columns hold of old cases, and watch their clocks: once, after an upgrade."""
    from guardia.journeys.rebuild_projections import rebuild_projections
    from guardia.journeys.watch_clocks import watch_open_cases

    repaired = sum(bool(columns) for _number, columns in rebuild_projections(repair=True))
    watched = watch_open_cases(clock.now())
    if repaired or watched:
        _say(f"Upgrade: {repaired} cases computed anew, {watched} open cases watched")


def _make_keys(own: Settings) -> None:
    if own.is_production:
        return  # a production server's keys are made by people: `guardia keys`
    if not (own.private / "keys" / "lab.json").exists():
        make_lab_key(own, "dev-1")
    if why := make_mail_key(own):
        raise CannotStart(why)
    if why := hold_ceremony(own, clock.now()):
        raise CannotStart(why)


def _tell_missing_engines() -> None:
    from engines import ENGINE_NAMES, EngineMissing, open_engine

    for name in ENGINE_NAMES:
        try:
            open_engine(name)
        except EngineMissing as missing:
            _say(f"Missing engine: {missing}. Until then no release can pass the gates.")


def _make_corpus(own: Settings) -> None:
    folder = own.var / "corpus"
    _say(f"Clean corpus: up to {own.corpus_files} files of this machine")
    command = [sys.executable, "-m", "labkit.corpora", "--to", str(folder), "--limit", str(own.corpus_files)]
    if not sys.stderr.isatty():
        command.append("--quiet")
    run = subprocess.run([*command, "/usr", str(Path(sys.prefix))], stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        raise CannotStart("the clean corpus could not be made (see the line above); without it no gate can pass")
    facts = json.loads(run.stdout)
    _say(f"Clean corpus: {facts['files']} files, {facts['bytes'] / 1e6:.0f} MB")


def _publish() -> None:
    from guardia.journeys.enrol_machine import admit_subscribers
    from guardia.journeys.publish_release import publish_pending, refresh_metadata

    for done in publish_pending(clock.now()):
        _say(f"Published: {done}")
    refresh_metadata(clock.now())
    admit_subscribers(clock.now())


def _ensure_escalation() -> None:
    from guardia.journeys.fire_clocks import ensure_default_policy

    ensure_default_policy(clock.now())


def _make_prompts(own: Settings) -> None:
    if not own.line_port:
        return
    _say("Phone line: spoken prompts")
    made = subprocess.run([*LINE, "prompts"], stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode:
        why = made.stderr.strip().splitlines()[-1].removeprefix("guardia: ") if made.stderr.strip() else "no word"
        raise CannotStart(f"{why}; without a phone line set GUARDIA_LINE_PORT=0")


# ---- what runs ----


def _children(own: Settings) -> Sequence[Child]:
    python = sys.executable
    web = [python, "-m", "uvicorn", "guardia.config.asgi:application", "--host", own.host, "--port", str(own.port)]
    jobs = [python, "-m", "django", "procrastinate", "worker"]
    lab = [
        python,
        "-m",
        "labkit.worker",
        "--server",
        f"http://{own.host}:{own.port}",
        "--token-file",
        str(_token_file(own)),
    ]
    lab += ["--corpus", str(own.var / "corpus")]
    tree = [python, "-m", "sigdist.repository.serve", "--host", own.host, "--port", str(own.releases_port)]
    return [
        Child(
            "web",
            [
                *web,
                "--log-level",
                "warning",
                "--no-access-log",
                "--timeout-graceful-shutdown",
                "5",
                "--lifespan",
                "off",
            ],
        ),
        Child("jobs", jobs),
        # Two: where one dies the other goes on at once, and after an outage they share the work.
        *[Child(name, [python, "-m", "guardia.doors.cli.main", "ticker"]) for name in ("ticker", "ticker-2")],
        Child("lab", [*lab, "--name", "lab-1", "--scratch", str(own.private / "scratch" / "lab-1")], bare=True),
        # A precheck is answered in a second: it never waits behind a draft that scans the whole corpus.
        Child(
            "prechecks",
            [
                *lab,
                "--name",
                "lab-prechecks",
                "--kinds",
                "precheck",
                "--scratch",
                str(own.private / "scratch" / "lab-2"),
            ],
            bare=True,
        ),
        Child(
            "releases",
            [
                *tree,
                "--tree",
                str(own.var / "releases" / "tree"),
                "--tokens",
                str(own.var / "releases" / "subscribers"),
            ],
            bare=True,
        ),
        *_mail_children(own),
        *([Child("line", [*LINE, "run"])] if own.line_port and not own.line_apart else []),
    ]


def _mail_children(own: Settings) -> Sequence[Child]:
    """Return who takes mail in, where there is any way for it to come, and who turns it into cases."""
    mail = [sys.executable, "-m", "guardia.doors.cli.main", "mail"]
    is_open = own.mail_port or own.mail_lmtp_port or own.imap_url.reveal()
    listener = [Child("mail-in", [*mail, "listen"])] if is_open else []
    return [*listener, *[Child(f"mail-{n}", [*mail, "work"]) for n in range(1, own.mail_workers + 1)]]


def _token_file(own: Settings) -> Path:
    path = own.private / "secrets" / "lab_token"
    if not path.exists():  # given in the environment: the worker gets a file of its own
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(own.lab_token.reveal(), encoding="utf-8")
    return path


def _enrol_samples(own: Settings) -> None:
    """Enrol one machine for each sample company, once: each in its own folder, by the agent's own command."""
    if own.is_production:
        return
    from guardia.journeys.make_sample_data import COMPANIES, machine_code

    for number, facts in enumerate(COMPANIES.values(), start=1):
        home, name = own.var / "machines" / f"machine-{number}", f"SRV-{number:02d}"
        if not (home / "enrolment.json").exists():
            code = machine_code(facts["people"][0][0], name, clock.now())
            _agent("enrol", home, "--server", own.public_url, "--code", code, "--name", name)
        if not (home / "current").exists():
            _agent("update", home)


def _agent(act: str, home: Path, *words: str) -> None:
    command = [str(Path(sys.executable).with_name("guardia-agent")), act, "--home", str(home), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        _say(f"Sample machine {home.name}: {done.stderr.strip() or done.stdout.strip()}")


def _welcome(own: Settings) -> None:
    _say("")
    _say(f"Guardia is ready:  {own.public_url}")
    _say(f"  customers        {own.public_url}/")
    _say(f"  console          {own.public_url}/console/")
    _say(f"  JSON API         {own.public_url}/api/v1/openapi.json")
    _say(f"  release tree     {own.releases_url}/standard/metadata/timestamp.json")
    if own.mail_port:
        _say(f"  mail             {own.support_email}, by SMTP to {own.mail_host}:{own.mail_port}")
    if own.line_port:
        _say(f"  phone line       sip:line@{own.line_public_host}:{own.line_port}, tried with: guardia line call")
    _say(f"  logs             {own.var / 'log'}")
    if not own.is_production:
        from guardia.journeys.make_sample_data import COMPANIES, PASSWORD, PHONES, PINS, STAFF

        _say(f"\nSign-ins (development only), all with the password {PASSWORD}")
        for company, facts in COMPANIES.items():
            for email, name, is_admin in facts["people"]:
                role = ", administrator" if is_admin else ""
                pin = f", by phone {_digits(facts['contract'])} and PIN {PINS[email]}"
                _say(f"  {email:<34} {name:<14} {company}, {facts['plan']}{role}{pin}")
        for email, name, roles in STAFF:
            phone = f"; phone {PHONES[email]}" if email in PHONES else ""
            _say(f"  {email:<34} {name:<14} {', '.join(role.value.replace('_', ' ') for role in roles)}{phone}")
    _say("\nCtrl-C stops everything.")


def _digits(contract: str) -> str:
    return "".join(mark for mark in contract if mark.isdigit())
