"""The `guardia` command: one entry, a module for each subcommand.

Exit codes: 0 done, 1 refused or failed, 2 misuse (bad arguments, bad settings, malformed input).
"""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from django.db import OperationalError

from guardia.kernel.errors import GuardiaError

COMMANDS = {
    "run": ("guardia.doors.cli.run_server", "start everything: database, sample data, web, workers, release tree"),
    "tour": ("guardia.doors.cli.tour", "drive the main job on a running server as separate people and machines"),
    "clock": ("guardia.doors.cli.clock", "explain the response clock of a scenario (clock explain FILE)"),
    "calendars": ("guardia.doors.cli.calendars", "check a calendar, move open cases (calendars check FILE, move NAME)"),
    "ticker": ("guardia.doors.cli.ticker", "wait for what the clocks have to say, record it, and tell people"),
    "mail": ("guardia.doors.cli.mail", "take mail in (mail listen), turn it into cases (mail work)"),
    "line": ("guardia.doors.cli.line", "serve the phone line (line run), try it (line call, line answer)"),
    "plans": ("guardia.doors.cli.plans", "check, import and export plans as data (plans check FILE)"),
    "rebuild": ("guardia.doors.cli.rebuild", "compute every projection again and show what differs"),
    "keys": ("guardia.doors.cli.keys", "make lab and signing keys (keys lab, keys ceremony)"),
    "evidence": ("guardia.doors.cli.evidence", "verify a release's signed evidence (evidence verify FILE)"),
    "settings": ("guardia.doors.cli.settings", "show the settings in force, secrets hidden"),
}


def usage() -> str:
    """Return what `guardia --help` prints."""
    lines = [f"  {name:<10} {what}" for name, (_module, what) in COMMANDS.items()]
    return "usage: guardia COMMAND [ARGUMENTS]\n\n" + "\n".join(lines) + "\n\nguardia COMMAND --help tells more.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(usage())
        return 0 if arguments else 2
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"guardia: no command {arguments[0]!r}\n{usage()}")
        return 2
    run: Callable[[list[str]], int] = import_module(COMMANDS[arguments[0]][0]).main
    try:
        return run(arguments[1:])
    except BrokenPipeError:
        return 1
    except OperationalError as error:
        return _complain(f"the database does not answer: {str(error).splitlines()[0]}")
    except GuardiaError as error:
        return _complain(error.sentence)
    except OSError as error:
        return _complain(f"cannot use {error.filename}: {error.strerror}" if error.filename else str(error))


def _complain(line: str) -> int:
    sys.stderr.write(f"guardia: {line}\n")
    return 1


def entry() -> None:
    """Leave with the exit code."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
