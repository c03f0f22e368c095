"""`guardia tour`: the main job on a running server, over the same doors that people use.

Separate signed-in people (their own sessions) and separate agent folders: a false negative is reported on the portal,
a false positive over the JSON API, each by a Plus and a Standard company; each is confirmed, corrected, gated,
reviewed, released, fetched by the agents and closed by their proofs. Every step is checked and timed; the first that
fails ends the tour with exit code 1.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from guardia.doors.cli.settled import settings_or_complaint
from guardia.doors.cli.tour_story import Story
from guardia.doors.cli.web_person import StepFailed

LITERAL = b"LAB-HARMLESS-FAMILY-0001"


class Stopwatch:
    """Names and times the steps."""

    def __init__(self, *, quiet: bool) -> None:
        self.steps: list[dict[str, Any]] = []
        self.quiet = quiet
        self._last = time.monotonic()

    def done(self, name: str) -> None:
        """Note that a step is done; its time counts from the one before."""
        now = time.monotonic()
        self.steps.append({"name": name, "seconds": round(now - self._last, 3)})
        self._last = now
        if not self.quiet:
            sys.stdout.write(f"{self.steps[-1]['seconds']:8.2f} s  {name}\n")
            sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Drive the tour; exit 0 where every step held, 1 at the first that does not, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="guardia tour", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave samples and installed databases there")
    parser.add_argument("--samples", type=Path, metavar="FOLDER", help="use this folder's fn.bin and fp.bin")
    parser.add_argument("--server", metavar="URL", help="the server (default: GUARDIA_PUBLIC_URL)")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    if options.keep and options.keep.exists() and any(options.keep.iterdir()):
        return _misuse(f"--keep {options.keep}: the folder is not empty; name a new one")
    for name in ("fn.bin", "fp.bin") if options.samples else ():
        if not (options.samples / name).is_file():
            return _misuse(f"--samples {options.samples}: there is no {name} in it")
    watch = Stopwatch(quiet=options.json)
    with tempfile.TemporaryDirectory(prefix="guardia-tour-") as scratch:
        work = options.keep.absolute() if options.keep else Path(scratch) / "tour"
        work.mkdir(parents=True, exist_ok=True)
        _samples(options.samples, work)
        return _tour(Story(options.server or own.public_url, work, watch), watch, as_json=options.json)


def _misuse(line: str) -> int:
    sys.stderr.write(f"guardia tour: {line}\n")
    return 2


def _samples(given: Path | None, work: Path) -> None:
    if given:
        for name in ("fn.bin", "fp.bin"):
            shutil.copyfile(given / name, work / name)
        return
    core = os.urandom(512)
    (work / "fn.bin").write_bytes(os.urandom(20_000) + core * 4 + os.urandom(30_000))
    (work / "fp.bin").write_bytes(b"clean tool " + os.urandom(25_000) + LITERAL + os.urandom(5_000))


def _tour(story: Story, watch: Stopwatch, *, as_json: bool) -> int:
    report: dict[str, Any] = {"ok": False, "steps": watch.steps}
    try:
        report["tuf"] = story.tell()
        report["ok"] = True
    except (StepFailed, httpx.HTTPError) as error:
        report["error"] = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"guardia tour: after {len(watch.steps)} steps: {report['error']}\n")
    if as_json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    elif report["ok"]:
        sys.stdout.write(f"{sum(step['seconds'] for step in watch.steps):8.2f} s  in all; every step held\n")
    return 0 if report["ok"] else 1
