"""Cases by the hundred thousand for `benchmarks/queue.py`: the distribution of a desk at work, made by the database.

One case in ten is open, most of them recent. Two of five are premium; of the open premium ones a third has a target
that runs. Companies, holders, groups, languages, kinds, states and words are skewed as they are in life. The same seed
gives the same cases.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from guardia.features.accounts import operations as accounts
from guardia.features.accounts.models import Company, Person
from guardia.features.cases.rules import words
from guardia.features.contracts.models import Contract
from guardia.kernel.ids import case_number
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Role

FIRST_SERIAL = 5_000_000
COMPANIES, ENGINEERS, TEXTS = 2_000, 40, 20_000
PASSWORD = "benchmark-of-the-queue"  # noqa: S105  of a database that is thrown away
RARE, UP_TO_5000, COMMON, EVEN, ODD = "glaciar", "impresora", "servidor", "amarillo", "turquesa"
"""Words of known frequency: 10 cases in a million, 0.45 %, 40 %, and two of 25 % each that never meet."""
SUBJECTS = (
    "Antivirus quarantines {} on all machines", "El {} no arranca tras la actualización", "Slow {} after upgrade",
    "Detección falsa en {}", "Outbreak on {} terminals", "Actualización de {} bloqueada por el proxy",
    "Console shows no {} events", "Cifrado de {} detectado en carpetas compartidas",
)  # fmt: skip


def vocabulary(rng: random.Random) -> list[str]:
    """Six thousand made-up words."""
    parts = [
        "ca",
        "re",
        "mo",
        "ti",
        "lu",
        "pes",
        "nor",
        "ga",
        "vin",
        "dor",
        "ble",
        "sac",
        "ter",
        "zo",
        "ña",
        "quí",
        "xe",
        "for",
    ]
    return ["".join(rng.choices(parts, k=rng.randint(2, 4))) for _ in range(6_000)]


def texts(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield (subject, description): words by a skewed law, and those of known frequency."""
    known = vocabulary(rng)
    weights = [1 / (rank + 20) for rank in range(len(known))]
    for number in range(TEXTS):
        said = rng.choices(known, weights, k=rng.randint(15, 60))
        said += ([COMMON], [COMMON], [], [], [])[number % 5]
        said += ([EVEN], [], [ODD], [])[number % 4]
        said += [UP_TO_5000] if number % 223 == 7 else []  # noqa: PLR2004
        rng.shuffle(said)
        yield rng.choice(SUBJECTS).format(said[0]), " ".join(said)


def fill(size: int, now: datetime) -> None:
    """Fill a migrated database that holds the sample data with `size` cases, and let it know its statistics."""
    rng = random.Random(4071)
    with journey():
        _people(now)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT setseed(0.4071)")
        _helpers(cursor, rng, size)
        with indexes_aside(cursor):
            cursor.execute(_CASES, {"size": size, "now": now, "rare": RARE, "companies": COMPANIES, "texts": TEXTS})
            cursor.execute(_EVENTS)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


class indexes_aside:  # noqa: N801  reads as a sentence
    """Drop the indexes of the big tables while they are filled, and make them again."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.made: list[str] = []

    def __enter__(self) -> None:
        self.cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('cases_case', 'cases_caseevent') "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        for name, made in self.cursor.fetchall():
            self.cursor.execute(f'DROP INDEX "{name}"')
            self.made.append(made)

    def __exit__(self, *_: object) -> None:
        for made in self.made:
            self.cursor.execute(made)


def _people(now: datetime) -> None:
    Company.objects.bulk_create([Company(name=f"Empresa {n:04d}", created_at=now) for n in range(COMPANIES)])
    roles = ((Role.ENGINEER,), (Role.ANALYST,), (Role.RELEASER,), (Role.DUTY_MANAGER, Role.ENGINEER))
    first = accounts.add_person("engineer0@bench.example", "Engineer 0", PASSWORD, now, roles=(Role.ENGINEER,))
    others = [
        Person(
            email=f"engineer{n}@bench.example", name=f"Engineer {n}", password=first.password, created_at=now,
            roles=[role.value for role in roles[0 if n < ENGINEERS * 3 // 4 else n % 4]],
        )
        for n in range(1, ENGINEERS)
    ]  # fmt: skip
    Person.objects.bulk_create(others)


def _helpers(cursor: Any, rng: random.Random, size: int) -> None:
    cursor.execute("CREATE TEMP TABLE numbers (n int PRIMARY KEY, number text)")
    with cursor.copy("COPY numbers FROM STDIN") as copy:
        for n in range(1, size + 1):
            copy.write_row((n, case_number(FIRST_SERIAL + n)))
    cursor.execute("CREATE TEMP TABLE texts (t int PRIMARY KEY, subject text, body text, plain text, vector tsvector)")
    with cursor.copy("COPY texts (t, subject, body, plain) FROM STDIN") as copy:
        for t, (subject, body) in enumerate(texts(rng)):
            normal = words.normal(f"{subject} {body}")
            copy.write_row((t, subject, normal, words.without_accents(normal)))
    cursor.execute(
        "UPDATE texts SET vector = to_tsvector('spanish', plain) || to_tsvector('english', plain)"
        " || CASE WHEN plain <> body THEN to_tsvector('spanish', body) ELSE '' END"
    )
    cursor.execute(
        "CREATE TEMP TABLE firms AS SELECT row_number() OVER (ORDER BY name) - 1 AS c, id, name,"
        " to_tsvector('simple', lower(name)) AS vector FROM accounts_company WHERE name LIKE 'Empresa%%'",
        [],
    )
    cursor.execute(
        "CREATE TEMP TABLE holders AS SELECT row_number() OVER (ORDER BY email) - 1 AS h, id, name"
        " FROM accounts_person WHERE email LIKE 'engineer%%'",
        [],
    )
    cursor.execute("CREATE TEMP TABLE plans (p int PRIMARY KEY, terms jsonb, rank int)")
    contract = Contract.objects.across_companies("a benchmark").order_by("number").first()
    if contract is None:
        raise LookupError("the sample data has no contract")
    like = _terms(contract)
    ranks = [("standard", 0), ("start", 10), ("plus", 20), ("business", 30), ("enterprise", 40)]
    for p, (code, rank) in enumerate(ranks):
        terms = {**like, "plan": code, "plan_name": code.title()}
        cursor.execute("INSERT INTO plans VALUES (%s, %s, %s)", [p, json.dumps(terms, default=str), rank])
    cursor.execute("ANALYZE numbers; ANALYZE texts; ANALYZE firms; ANALYZE holders")
    cursor.execute("CREATE TEMP TABLE base (contract_id uuid, calendar_id uuid)")
    cursor.execute("INSERT INTO base VALUES (%s, %s)", [contract.id, contract.calendar_version_id])


def _terms(contract: Contract) -> dict[str, Any]:
    plan = contract.plan
    return {
        "contract": contract.number, "plan": plan.code, "plan_name": plan.name, "lane": plan.lane,
        "policy": plan.response["premium"], "policies": plan.response,
        "calendar": {"name": "office 09-19", "version": 1, "tzdata": "2026b"},
    }  # fmt: skip


_CASES = """
WITH dice AS MATERIALIZED (
    SELECT n, random() AS r_open, random() AS r_tier, random() AS r_sev, random() AS r_state, random() AS r_kind,
        random() AS r_group, random() AS r_lang, random() AS r_due, random() AS r_plan,
        floor(%(companies)s * random() ^ 2)::int AS c, floor(40 * random() ^ 1.5)::int AS h,
        floor(%(texts)s * random())::int AS t,
        %(now)s::timestamptz - interval '4 years' * ((%(size)s - n)::float8 / %(size)s) - interval '1 minute' AS came
    FROM generate_series(1, %(size)s) AS n
), drawn AS (
    SELECT *, r_open < CASE WHEN n > 0.9 * %(size)s THEN 0.8 ELSE 0.02222 END AS is_open,
        CASE WHEN r_tier < 0.4 THEN 1 ELSE 2 END AS tier,
        CASE WHEN r_sev < 0.05 THEN 1 WHEN r_sev < 0.25 THEN 2 WHEN r_sev < 0.7 THEN 3 ELSE 4 END AS severity,
        CASE WHEN r_state < 0.15 THEN 'submitted' WHEN r_state < 0.25 THEN 'triaged' WHEN r_state < 0.65 THEN
            'in_progress' WHEN r_state < 0.85 THEN 'waiting_customer' WHEN r_state < 0.95 THEN 'with_lab'
            ELSE 'solution_offered' END AS open_state,
        CASE WHEN r_tier < 0.4 THEN 1 + floor(4 * r_plan)::int ELSE 0 END AS p
    FROM dice
), timed AS (
    SELECT *, CASE WHEN is_open AND tier = 1 AND r_due < 0.33
        THEN %(now)s::timestamptz + interval '3 days' * (r_due / 0.33) - interval '2 hours' END AS runs_until
    FROM drawn
)
INSERT INTO cases_case (id, number, kind, channel, subject, opened_by_id, opened_by_name, contract_id,
    calendar_version_id, terms, submitted_at, language, product_code, case_class, severity, state, state_reason,
    state_since, holder_id, holder_name, holder_since, clock_state, due_at, breached_at, answered_at, tier, plan_rank,
    closed_at, closed_how, last_seq, "group", queue_due_at, queue_rank, words, company_id)
SELECT (lpad(to_hex((extract(epoch FROM came) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
    numbers.number,
    CASE WHEN r_kind < 0.7 THEN 'incident' WHEN r_kind < 0.88 THEN 'service_request' ELSE 'signature_change' END,
    'portal', texts.subject, firms.id, 'Contact', base.contract_id, base.calendar_id, plans.terms, came,
    CASE WHEN r_lang < 0.8 THEN 'es' ELSE 'en' END, '',
    CASE WHEN tier = 1 THEN 'premium' ELSE 'standard' END, severity,
    CASE WHEN is_open THEN open_state ELSE 'closed' END, '', came,
    CASE WHEN is_open AND open_state NOT IN ('submitted', 'triaged') THEN holders.id END,
    CASE WHEN is_open AND open_state NOT IN ('submitted', 'triaged') THEN holders.name ELSE '' END, came,
    CASE WHEN runs_until IS NOT NULL THEN 'running' ELSE 'best_effort' END, runs_until, NULL,
    CASE WHEN NOT is_open THEN came + interval '2 hours' END, tier, plans.rank,
    CASE WHEN NOT is_open THEN came + interval '3 days' * r_due END,
    CASE WHEN NOT is_open THEN 'solved' ELSE '' END, 1,
    CASE WHEN r_group < 0.75 THEN 'first_line' WHEN r_group < 0.95 THEN 'lab' ELSE 'release' END,
    coalesce(runs_until, '9999-01-01 00:00+00'), -plans.rank,
    texts.vector || firms.vector || to_tsvector('simple', numbers.number || ' ' || left(numbers.number, 4) || ' ' ||
        right(numbers.number, 4) || CASE WHEN n %% 100000 = 99 OR n = 4071 THEN ' ' || %(rare)s ELSE '' END),
    firms.id
FROM timed JOIN numbers USING (n) JOIN texts USING (t) JOIN firms USING (c) JOIN holders USING (h) JOIN plans USING (p),
    base
ORDER BY n
"""
_EVENTS = """
INSERT INTO cases_caseevent (case_id, seq, type, schema_version, actor, occurred_at, recorded_at, payload, company_id)
SELECT id, 1, 'submitted', 1, '{"kind": "person", "id": "1", "name": "Contact", "side": "customer"}', submitted_at,
    submitted_at, jsonb_build_object('class', case_class, 'severity', severity, 'tier', tier, 'plan_rank', plan_rank,
        'text', subject, 'group', "group", 'files', '[]'::jsonb), company_id
FROM cases_case WHERE closed_at IS NULL
"""
