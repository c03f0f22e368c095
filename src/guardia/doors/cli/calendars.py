"""`guardia calendars check FILE.json|-`, `… move NAME [VERSION] --by EMAIL [--reason WHY]`, `… carry-on`.

Rules:
- `check` needs neither Django nor a database: the same rules that refuse a version in the console. Exit 0 where the
  calendar could be saved, 1 where it is refused (each complaint on a line, with its place), 2 where it is no calendar.
- `move` without a reason only shows what it would do; with one it moves the open cases of older versions, here and
  now. Killed and started again it goes on where it was. Exit 1 where it is refused.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.features.sla.rules.calendars import WEEKDAYS
from guardia.features.sla.rules.draft_calendar import DraftCalendar, WrittenCalendar, check
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.explanations import printable


def main(arguments: list[str]) -> int:
    """Run `calendars check` or `calendars move`."""
    parser = argparse.ArgumentParser(prog="guardia calendars", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("check", help="say whether a written calendar could be saved")
    one.add_argument(
        "file", metavar="FILE.json", help="{zone, weekly, closed_on, open_on, ...}; - reads standard input"
    )
    other = commands.add_parser("move", help="move open cases of older versions to a version")
    other.add_argument("name", help="the calendar's name")
    other.add_argument("version", nargs="?", type=int, help="the newest where none is said")
    other.add_argument("--by", required=True, metavar="EMAIL", help="the duty manager who answers for it")
    other.add_argument("--reason", default="", help="why; without it nothing moves, and what would is shown")
    commands.add_parser("carry-on", help="help with moves that are under way, until nothing is left")
    options = parser.parse_args(arguments)
    if options.command == "check":
        return _check(options.file)
    own = settings_or_complaint()
    if own is None:
        return 2
    with database(own):
        return _carry_on() if options.command == "carry-on" else _moved(options)


def _check(file: str) -> int:
    source = "standard input" if file == "-" else file
    try:
        written, complaints = check(DraftCalendar.parse(_read(file)))
    except Malformed as error:
        sys.stderr.write(printable(f"{source}: {error}") + "\n")
        return 2
    for complaint in complaints:
        sys.stderr.write(printable(f"{source}: {_place(complaint.field)}: {complaint.form % complaint.parts}") + "\n")
    if written is None:
        return 1
    sys.stdout.write(_said(written))
    return 0


def _read(file: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Malformed("the file", "a JSON file that can be read", reason) from error


def _place(field: str) -> str:
    """Return where the file has what the editor calls `field`."""
    name, _, index = field.partition("-")
    places = {"closure": f"closed_on[{index}]", "exception": f"open_on, date {index}"}
    return f"weekly.{field}" if field in WEEKDAYS else places.get(name, field)


def _said(written: WrittenCalendar) -> str:
    rules = written.rules
    windows = sum(len(day) for day in rules["weekly"].values())
    return (
        f"a calendar of {rules['zone']}: {windows} weekly windows, {len(rules['closed_on'])} closed dates, "
        f"{len(rules.get('open_on', {}))} dates with other hours\n"
    )


def _carry_on() -> int:
    from guardia.journeys.move_calendar import carry_on_all
    from guardia.kernel import clock

    sys.stdout.write(f"{carry_on_all(clock.now)} batches\n")
    return 0


def _moved(options: argparse.Namespace) -> int:
    from guardia.features.accounts.queries import actor_of, find_person_by_email
    from guardia.journeys.move_calendar import carry_on, preview_move, start_or_take_up
    from guardia.kernel import clock
    from guardia.kernel.errors import Forbidden
    from guardia.reports.calendar_pages import get_version

    person = find_person_by_email(options.by)
    if person is None:
        raise Forbidden("person_unknown", f"{options.by} has no account here.")
    actor = actor_of(person)
    version = get_version(options.name, options.version).version
    seen = preview_move(actor, clock.now(), options.name, version)
    if not options.reason:
        sys.stdout.write(
            f"{seen.total} cases would move to {options.name} {version}: {seen.earlier} due earlier, {seen.later} "
            f"later, {seen.unchanged} unchanged; {seen.breached} breached at once\n"
        )
        return 0
    move_id = start_or_take_up(actor, clock.now(), options.name, version, options.reason, seen.breached)
    moved = total = 0
    for moved, total in carry_on(move_id, clock.now):
        sys.stdout.write(f"{moved} of {total} moved\n")
    sys.stdout.write(f"done: {moved} of {total} moved to {options.name} {version}\n")
    return 0
