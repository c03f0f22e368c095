"""How long open cases take to move to a new calendar version: `python benchmarks/calendar_move.py [--cases N]`.

Fills a database of its own with open cases whose clocks run (a third has been raised or phoned), writes the next
version of their calendar, previews and carries out the move with all that it implies: events, columns, watched clocks.
Then every projection is computed again and compared. Prints a table and writes `var/benchmarks/calendar_move.json`.
Exit code 1 when the target is missed or a projection differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

# ruff: noqa: S608, SLF001  Django is set up first; the statements are made of constants and column names

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "var" / "benchmarks" / "calendar_move.json"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TARGET_S, OFFICE = 60.0, "office 09-19"
CHECKED = 2_000
# Its neighbours' names (queue, ...) must not hide those of Python's own modules.
sys.path[:] = [str(ROOT / "src"), *(path for path in sys.path if Path(path).resolve() != Path(__file__).parent)]


def main() -> int:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--help-with", default="", help="for the second process: the move's id")
    options = parser.parse_args()
    size = options.cases
    if options.help_with:
        return help_with(options.help_with)
    folder = Path(tempfile.mkdtemp(prefix="guardia-benchmark-"))
    os.environ.update(GUARDIA_ENV="development", GUARDIA_VAR=str(folder / "var"), GUARDIA_PRIVATE=str(folder / "keys"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")
    os.environ.pop("DATABASE_URL", None)
    from guardia.adapters.embedded_postgres import EmbeddedPostgres

    try:
        with EmbeddedPostgres(folder / "postgres", "guardia") as server:
            os.environ["GUARDIA_EMBEDDED_URL"] = server.url
            return measure(size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(size: int) -> int:
    """Fill, write, preview, move and compare; print what each took."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    taken: dict[str, float] = {}
    fill(size)
    boss, version = next_version()
    from guardia.journeys.move_calendar import preview_move

    began = perf_counter()
    seen = preview_move(boss, NOW, OFFICE, version)
    taken["preview"] = perf_counter() - began
    began = perf_counter()
    move_id, batches = carried_out(boss, version)
    taken["move"] = perf_counter() - began
    differing = compare()
    facts = {"cases": size, "moved": moved(move_id), "breached": seen.breached, "batches": batches}
    return told({**facts, "differing": differing, "seconds": taken, "target_s": TARGET_S})


def told(result: dict[str, Any]) -> int:
    """Print and keep the result; 1 where it is not good enough."""
    for name, value in result["seconds"].items():
        sys.stdout.write(f"{name:<10} {value:8.1f} s\n")
    rate = result["moved"] / result["seconds"]["move"]
    sys.stdout.write(
        f"{result['moved']} cases in {result['batches']} batches, {rate:,.0f} a second; target {TARGET_S} s\n"
    )
    sys.stdout.write(
        f"{result['breached']} foreseen as breached; {result['differing']} projections differ of {CHECKED}\n"
    )
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    is_good = result["seconds"]["move"] <= TARGET_S and not result["differing"] and result["moved"] == result["cases"]
    return 0 if is_good else 1


def fill(size: int) -> None:
    """Make open cases as copies of one that was opened by its form, each with an arrival and a history of its own.

    Their columns and watched clocks follow from a first move, to a version with the same hours.
    """
    from django.conf import settings
    from django.db import connection

    from guardia.features.cases.models import Case
    from guardia.journeys import make_sample_data
    from guardia.journeys.open_case import CaseRequest, open_case
    from guardia.wiring import make_lab_key

    make_lab_key(settings.GUARDIA, "bench-1")
    make_sample_data.CORPUS_SIZE = 0
    make_sample_data.make_sample_data(NOW - timedelta(days=30))
    request = CaseRequest(kind="incident", case_class="premium", severity=1, subject="Subject", description="Words")
    number = open_case(actor("lucia.ferrer@astilleros.example"), NOW - timedelta(hours=2), request, str(uuid4())).number
    case = Case.objects.across_companies("a benchmark").get(number=number)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE made (number text, at timestamptz, severity int)")
        with cursor.copy("COPY made FROM STDIN") as copy:
            for index in range(size - 1):
                copy.write_row((f"9{index:07d}", NOW - timedelta(seconds=1 + index % 9_000), 1 + index % 3))
        columns = [field.column for field in Case._meta.concrete_fields]
        taken = ", ".join(OWN.get(name, f'held."{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        cursor.execute(
            f"INSERT INTO cases_case ({names}) SELECT {taken} FROM made, cases_case held WHERE held.id = %s", [case.id]
        )
        cursor.execute(SUBMITTED, [case.id, case.id])
        cursor.execute(SECOND, [case.id])
        cursor.execute("VACUUM ANALYZE")
    boss, version = next_version()
    carried_out(boss, version)


OWN = {
    "id": "gen_random_uuid()",
    "number": "made.number",
    "submitted_at": "made.at",
    "state_since": "made.at",
    "severity": "made.severity",
    "last_seq": "2",
    "due_at": "NULL",
    "clock_state": "'best_effort'",
    "queue_due_at": "'9999-01-01T00:00:00Z'",
}
COLUMNS = "(company_id, case_id, seq, type, schema_version, actor, occurred_at, recorded_at, payload)"
SUBMITTED = f"""
INSERT INTO cases_caseevent {COLUMNS}
SELECT made.company_id, made.id, 1, 'submitted', 1, held.actor, made.submitted_at, made.submitted_at,
       jsonb_set(held.payload, '{{severity}}', to_jsonb(made.severity))
FROM cases_case made, cases_caseevent held WHERE held.case_id = %s AND held.seq = 1 AND made.id <> %s
"""
SECOND = f"""
INSERT INTO cases_caseevent {COLUMNS}
SELECT company_id, id, 2, CASE right(number, 1) WHEN '1' THEN 'phone_confirmed' WHEN '4' THEN 'severity_changed' ELSE 'message' END,
       1, '{{"kind": "person", "id": "x", "name": "Marta", "side": "staff"}}', submitted_at, submitted_at,
       CASE right(number, 1) WHEN '4' THEN '{{"from": 3, "to": 1, "reason": "r"}}'::jsonb ELSE '{{"text": "t", "how": "known"}}' END
FROM cases_case WHERE id <> %s
"""  # noqa: E501


def actor(email: str) -> Any:
    """One of the sample data's people."""
    from guardia.features.accounts.queries import actor_of, find_person_by_email

    return actor_of(find_person_by_email(email))


def next_version() -> tuple[Any, int]:
    """Write the next version: Monday's first two hours more are closed each time."""
    from guardia.features.sla.queries import find_calendar_version
    from guardia.journeys.write_calendar import write_calendar
    from guardia.reports.calendar_pages import draft_of

    newest = find_calendar_version(OFFICE)
    boss = actor("elena.soto@guardia.example")
    week = {"mon": "09:00-19:00" if newest.version == 1 else "09:00-09:30, 09:45-19:00"}
    draft = draft_of(newest)
    _name, version = write_calendar(boss, NOW, replace(draft, weekly={**draft.weekly, **week}), newest.version)
    return boss, version


def carried_out(boss: Any, version: int) -> tuple[Any, int]:
    """Move everything to a version in two processes, as the job does; return the move's id and this one's batches."""
    from guardia.journeys.move_calendar import carry_on, start_move

    move_id = start_move(boss, NOW, OFFICE, version, "benchmark")
    helper = subprocess.Popen([sys.executable, __file__, "--help-with", str(move_id)])
    batches = sum(1 for _counts in carry_on(move_id, lambda: NOW))
    if helper.wait():
        raise SystemExit("the second process failed")
    return move_id, batches


def help_with(move_id: str) -> int:
    """What the second process does."""
    import django

    django.setup()
    from guardia.journeys.move_calendar import carry_on

    sum(1 for _counts in carry_on(UUID(move_id), lambda: NOW))
    return 0


def moved(move_id: Any) -> int:
    """How many cases a move moved."""
    from guardia.features.sla.queries import find_calendar_move

    return int(find_calendar_move(move_id).moved)


def compare() -> int:
    """Compute the projections of some cases again; return how many differ from the stored ones."""
    from guardia.features.cases.models import Case
    from guardia.journeys.case_log import projected

    rows = Case.objects.across_companies("a benchmark").filter(number__startswith="9").select_related("company")
    differing = 0
    for case in rows.defer("words").order_by("id")[:CHECKED]:
        columns = set(projected(case)) - INVENTED
        differing += bool(columns)
    return differing


INVENTED = {"severity", "called_at", "acknowledged_at", "terms"}
"""Columns that the copies of `fill` do not have right before anything moves: they follow from its second events."""


if __name__ == "__main__":
    sys.exit(main())
