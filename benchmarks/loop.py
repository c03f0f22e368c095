"""Machine time of the main job's loop, from the accepted report to the proof: `python benchmarks/loop.py`.

Runs `guardia tour --json` against the server at GUARDIA_PUBLIC_URL (or --server URL); where none answers, starts one on
ports and folders of its own and stops it afterwards. People's steps are immediate, so what is left is the machine's.
Prints a table and writes `var/benchmarks/loop.json`. Exit code 0 when the loop is within its target, 1 when not or when
the tour fails, 2 for bad settings.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from guardia.kernel.environment import PROJECT, BadSettings, Settings, read_settings

REPORT = PROJECT / "var" / "benchmarks" / "loop.json"
SERVER_VAR = REPORT.parent / "server"
SERVER_PRIVATE = PROJECT / "private" / "benchmarks"
GUARDIA = [sys.executable, "-c", "from guardia.doors.cli.main import entry; entry()"]
TARGET_S = 60.0
READY_WITHIN_S = 600
FIRST_AFTER = "FN: both companies report (portal)"
LAST = "FN: its proof closes the Plus case"


class BenchmarkFailed(Exception):
    """Why there is nothing to measure, in one line."""


def loop_steps(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps between the accepted report and the received proof, of the tour's whole list."""
    names = [step["name"] for step in steps]
    if FIRST_AFTER not in names or LAST not in names:
        raise BenchmarkFailed(f"the tour has no step called {FIRST_AFTER!r} or {LAST!r}; name them here as it does")
    return steps[names.index(FIRST_AFTER) + 1 : names.index(LAST) + 1]


def answers(server: str) -> bool:
    """Whether a server is ready there."""
    try:
        with urllib.request.urlopen(f"{server}/healthz", timeout=5):  # noqa: S310  an http URL from the settings
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_server() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Start a server for the benchmark alone; yield its URL and environment; stop it."""
    port, releases_port, mail_port = free_port(), free_port(), free_port()
    environment = {
        **os.environ,
        "GUARDIA_PORT": str(port),
        "GUARDIA_RELEASES_PORT": str(releases_port),
        "GUARDIA_MAIL_PORT": str(mail_port),
        "GUARDIA_PUBLIC_URL": f"http://localhost:{port}",
        "GUARDIA_RELEASES_URL": f"http://localhost:{releases_port}",
        "GUARDIA_VAR": str(SERVER_VAR),
        "GUARDIA_PRIVATE": str(SERVER_PRIVATE),
    }
    forget()
    print("No server answers; starting one for the benchmark")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    with (REPORT.parent / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen([*GUARDIA, "run"], env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(process, f"http://localhost:{port}", Path(log.name))
            yield f"http://localhost:{port}", environment
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            forget()


def forget() -> None:
    """Remove what a benchmark's server left, so that each starts alike; its corpus is kept."""
    left = [path for path in SERVER_VAR.glob("*") if path.name != "corpus"]
    for folder in [*left, SERVER_PRIVATE]:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], server: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while "Guardia is ready" not in log.read_text(encoding="utf-8"):
        if process.poll() is not None:
            raise BenchmarkFailed(f"the server ended with {process.returncode}; see {log}")
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"{server} was not ready within {READY_WITHIN_S} s; see {log}")
        time.sleep(0.5)


def tour(server: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Run the tour and return its steps."""
    done = subprocess.run(
        [*GUARDIA, "tour", "--json", "--server", server], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkFailed(f"the tour failed: {done.stderr.strip()}")
    steps: list[dict[str, Any]] = json.loads(done.stdout)["steps"]
    return steps


def corpus_files(settings: Settings) -> int | None:
    """How many clean files this machine's gates scan, where the corpus lies here."""
    manifest = settings.var / "corpus" / "manifest.json"
    return len(json.loads(manifest.read_bytes())["files"]) if manifest.is_file() else None


def tell(steps: list[dict[str, Any]], files: int | None) -> bool:
    """Print the table, write the report, and return whether the target is met."""
    for step in steps:
        print(f"{step['seconds']:8.2f} s  {step['name'].removeprefix('FN: ')}")
    total = float(sum(step["seconds"] for step in steps))
    is_met = total <= TARGET_S
    print(f"{total:8.2f} s  report accepted to proof received   target {TARGET_S:.0f} s{'' if is_met else '  MISSED'}")
    facts = {
        "python": sys.version.split()[0],
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "corpus_files": files,
    }
    report = {**facts, "steps": steps, "total_s": round(total, 3), "target_s": TARGET_S, "is_met": is_met}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    machine = f"{facts['cpus']} processors, load {facts['load']}, {files or '?'} clean files"
    print(f"written to {REPORT.relative_to(PROJECT)}: {machine}")
    return is_met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--server", metavar="URL", help="the server to measure (default: GUARDIA_PUBLIC_URL)")
    options = parser.parse_args()
    try:
        settings = read_settings(os.environ)
        server = options.server or settings.public_url
        if options.server or answers(server):
            return 0 if tell(loop_steps(tour(server, os.environ)), corpus_files(settings)) else 1
        with own_server() as (own, environment):
            steps = loop_steps(tour(own, environment))
            return 0 if tell(steps, corpus_files(read_settings(environment))) else 1
    except BadSettings as wrong:
        sys.stderr.write(f"loop: {wrong}\n")
        return 2
    except BenchmarkFailed as why:
        sys.stderr.write(f"loop: {why}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
