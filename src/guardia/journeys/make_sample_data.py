"""Sample data of a development server: plans, two companies, their people, the vendor's staff, a malware corpus and
the baseline release. Made once; a second run finds everything there. Refused in production.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import holidays
from django.conf import settings

from guardia.features.accounts import operations as accounts
from guardia.features.accounts.queries import actor_of, find_person_by_email, vendor_company
from guardia.features.contracts import operations as contracts
from guardia.features.contracts.rules.programme import OFFICES, PLANS, WEEKDAYS
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import get_sample_of, malware_corpus
from guardia.features.releases import operations as releases
from guardia.features.releases.queries import head
from guardia.features.releases.rules.numbering import next_label
from guardia.features.sla.operations import add_calendar
from guardia.journeys.database_state import next_state
from guardia.journeys.receive_file import receive_file
from guardia.kernel.errors import Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import SYSTEM, Lane, Role
from sigdist.records import Add, Record, build

PASSWORD = "guardia-development-only"  # noqa: S105  printed at every start of a development server
LITERAL = b"LAB-HARMLESS-FAMILY-0001"
ZONE = "Europe/Madrid"
CORPUS_SIZE = 24
VENDOR = "Guardia"
COMPANIES: dict[str, dict[str, Any]] = {
    "Astilleros del Norte": {
        "plan": "plus",
        "contract": "MSA-4071",
        "people": [
            ("carmen.ruiz@astilleros.example", "Carmen Ruiz", True),
            ("lucia.ferrer@astilleros.example", "Lucía Ferrer", False),
            ("ivan.roldan@astilleros.example", "Iván Roldán", False),
        ],
    },
    "Cerámicas Duero": {
        "plan": "standard",
        "contract": "STD-2210",
        "people": [
            ("pablo.nieto@ceramicas.example", "Pablo Nieto", True),
            ("sara.vidal@ceramicas.example", "Sara Vidal", False),
            ("hugo.marin@ceramicas.example", "Hugo Marín", False),
        ],
    },
}
STAFF = [
    ("marta.ibanez@guardia.example", "Marta Ibáñez", (Role.ENGINEER,)),
    ("tomas.vega@guardia.example", "Tomás Vega", (Role.ANALYST, Role.ENGINEER)),
    ("paula.olmo@guardia.example", "Paula Olmo", (Role.REVIEWER, Role.ANALYST)),
    ("jon.prieto@guardia.example", "Jon Prieto", (Role.RELEASER,)),
    ("elena.soto@guardia.example", "Elena Soto", (Role.DUTY_MANAGER, Role.ENGINEER)),
]


def make_sample_data(now: datetime) -> None:
    """Make what is missing of the sample data."""
    if settings.GUARDIA.is_production:
        raise Refused("development_only", "Sample data and its passwords are refused in production.")
    with journey():
        releases.lock_log()
        _staff(now)
        calendars = {name: add_calendar(name, 1, _office(hours, now), now) for name, hours in OFFICES.items()}
        plans = {code: contracts.save_plan(code, values) for code, values in PLANS.items()}
        for name, facts in COMPANIES.items():
            _company(name, facts, plans[facts["plan"]], calendars, now)
    _fill_corpus(now)
    _baseline(now)


def _office(hours: tuple[str, str], now: datetime) -> dict[str, Any]:
    closed = holidays.country_holidays("ES", subdiv="MD", years=range(now.year, now.year + 3))
    return {
        "zone": ZONE,
        "weekly": {day: [list(hours)] for day in WEEKDAYS},
        "closed_on": sorted(day.isoformat() for day in closed),
    }


def _staff(now: datetime) -> None:
    accounts.add_company(VENDOR, now, is_vendor=True)
    for email, name, roles in STAFF:
        accounts.add_person(email, name, PASSWORD, now, roles=roles, language="en")


def _company(name: str, facts: dict[str, Any], plan: Any, calendars: dict[str, Any], now: datetime) -> None:
    company = accounts.add_company(name, now)
    start = date(now.year, 2, 1) if now.month > 1 else date(now.year - 1, 2, 1)
    calendar = calendars[plan.office["calendar"]]
    contract = contracts.add_contract(
        facts["contract"], company.id, plan, start, start.replace(year=start.year + 3), calendar.id, now
    )
    people = [
        accounts.add_person(email, full, PASSWORD, now, company=company, is_company_admin=admin, language="es")
        for email, full, admin in facts["people"]
    ]
    for person in [person for person in people if not person.is_company_admin][: plan.named_contacts]:
        contracts.name_contact(contract, person.id, now)


def _family(index: int) -> Iterator[bytes]:
    """Yield a harmless member of the test family: the literal among bytes that differ for each member."""
    source = random.Random(f"harmless {index}")  # noqa: S311  repeatable filling, not a secret
    yield source.randbytes(500 + 700 * index)
    yield LITERAL
    yield source.randbytes(300 + 100 * index)


def _fill_corpus(now: datetime) -> None:
    if len(malware_corpus()) >= CORPUS_SIZE:
        return
    person = find_person_by_email(STAFF[1][0])
    if person is None:
        raise Refused("sample_staff_missing", f"{STAFF[1][0]} is gone; make the sample data in an empty database.")
    for index in range(CORPUS_SIZE):
        received = receive_file(actor_of(person), now, f"family-0001-{index:02d}.bin", _family(index))
        with journey():
            lab.add_to_corpus(get_sample_of(vendor_company().id, received.sha256), received.filename, now)


def baseline_records() -> list[Record]:
    """Return the baseline's harmless test rule, for both engines."""
    source = (
        "rule Lab_Harmless_Family_0001\n{\n  meta:\n"
        '    case = "baseline"\n    author = "Guardia lab"\n    date = "2026-11-22"\n'
        f'    sample_sha256 = "{sha256(LITERAL).hexdigest()}"\n'
        f'  strings:\n    $literal = "{LITERAL.decode()}" ascii\n  condition:\n    $literal\n}}\n'
    )
    line = f"Lab.Harmless.Family.0001:0:*:{LITERAL.hex()}"
    return [
        Record.make("yara_rule", "Lab_Harmless_Family_0001", None, source=source),
        Record.make("clamav_line", "Lab.Harmless.Family.0001", None, database="ndb", line=line),
    ]


def _baseline(now: datetime) -> None:
    with journey():
        releases.lock_log()
        if head() is not None:
            return
        steps = [Add(record).to_json() for record in baseline_records()]
        label = next_label([], now.date())
        after = next_state(0, steps)
        made = build(after, 1, label)
        release = releases.append_release(1, label, steps, made.state_root, made.digest, now, draft_id=None)
        for lane in (Lane.ACCELERATED, Lane.STANDARD):
            releases.request_publication(lane, release, SYSTEM, now)


def machine_code(email: str, machine_name: str, now: datetime) -> str:
    """Return a one-time code for a sample machine, asked for by its company's administrator."""
    person = find_person_by_email(email)
    if person is None or person.company_id is None:
        raise Refused("sample_person_missing", f"{email} is gone.")
    with journey():
        return accounts.issue_code(UUID(str(person.company_id)), machine_name, person.id, now)
