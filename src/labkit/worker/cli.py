"""The command `guardia-lab-worker`: reads its options, stands ready for SIGTERM, and runs the loop.

Exit codes: 0 ended as asked (SIGTERM, SIGINT, --once), 1 refused or failed, 2 misuse.
"""

import argparse
import signal
import socket
from pathlib import Path
from types import FrameType
from typing import NoReturn

from engines import ENGINE_NAMES, EngineMissing, open_engine
from labkit.corpora.manifest import Corpus, CorpusBroken
from labkit.worker.gate import LabGate, WorkerRefused
from labkit.worker.loop import Worker, say
from labkit.worker.scratch import Scratch, ScratchTaken


class _Stopped(BaseException):
    """Somebody asked the worker to end."""


def main() -> int:
    """Work until told to stop. 0: stopped when told; 1: cannot work; 2: misuse."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        token = options.token_file.read_text(encoding="utf-8").strip()
        scratch = Scratch(options.scratch)
    except (OSError, ScratchTaken) as error:
        say(str(error))
        return 1
    if not token:
        say(f"the token file {options.token_file} is empty")
        return 1
    gate = LabGate(options.server, token)
    _say_what_is_missing(options.corpus)
    try:
        Worker(options.name, gate, options.corpus, scratch, options.kinds).run(once=options.once)
    except _Stopped:
        say("stopped")
    except WorkerRefused as error:
        say(str(error))
        return 1
    finally:
        _ignore_signals()
        scratch.wipe()
        scratch.close()
        gate.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="guardia-lab-worker", description="Does the lab's jobs: scans, drafts and gates, apart from the server."
    )
    parser.add_argument("--server", required=True, help="the server's address, such as http://127.0.0.1:8000")
    parser.add_argument("--token-file", required=True, type=Path, help="a file that holds the lab token")
    parser.add_argument("--corpus", required=True, type=Path, help="the clean corpus's folder")
    parser.add_argument("--scratch", required=True, type=Path, help="a folder of this worker's own for opened samples")
    parser.add_argument("--name", default=socket.gethostname(), help="the name under which this worker is shown")
    parser.add_argument(
        "--kinds", nargs="*", default=(), choices=("precheck", "draft", "gates"), help="only these jobs"
    )
    parser.add_argument("--once", action="store_true", help="wait for one job, do it, and end")
    options = parser.parse_args()
    if not options.server.startswith(("http://", "https://")):
        parser.error("--server must begin with http:// or https://")
    return options


def _say_what_is_missing(corpus: Path) -> None:
    """Say at once what will fail jobs later; the worker still works, and those jobs say it again."""
    for name in ENGINE_NAMES:
        try:
            open_engine(name)
        except EngineMissing as error:
            say(f"warning: {error}")
    try:
        facts = Corpus(corpus).manifest
        say(f"ready; clean corpus of {len(facts.entries)} files")
    except CorpusBroken as error:
        say(f"warning: {error}")


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    _ignore_signals()
    raise _Stopped


def _ignore_signals() -> None:
    """Cleaning up is not to be interrupted by a second, impatient signal."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
