"""Sample data of a development server: plans, two companies, their people, the vendor's staff, a malware corpus and
the baseline release. Made once; a second run finds everything there. Refused in production.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings

from guardia.features.accounts import operations as accounts
from guardia.features.accounts.queries import actor_of, find_person_by_email, pin_made_at, vendor_company
from guardia.features.contracts import operations as contracts
from guardia.features.contracts.queries import licences_of
from guardia.features.contracts.rules.programme import OFFICES, PLANS, PRODUCTS, WEEKDAYS
from guardia.features.duty import operations as duty
from guardia.features.duty.queries import versions_of
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import get_sample_of, malware_corpus
from guardia.features.releases import operations as releases
from guardia.features.releases.queries import head
from guardia.features.releases.rules.numbering import next_label
from guardia.features.sla.operations import add_calendar_version
from guardia.features.sla.queries import find_calendar_version
from guardia.features.sla.rules.draft_calendar import DraftCalendar
from guardia.journeys.database_state import next_state
from guardia.journeys.edit_roster import with_holiday_dates
from guardia.journeys.phone_pins import keep_pin
from guardia.journeys.receive_file import receive_file
from guardia.journeys.write_calendar import checked
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
        "licences": {"endpoint-8.2": 240, "endpoint-6.0": 12, "gateway-3.1": 2},
        "people": [
            ("carmen.ruiz@astilleros.example", "Carmen Ruiz", True),
            ("lucia.ferrer@astilleros.example", "Lucía Ferrer", False),
            ("ivan.roldan@astilleros.example", "Iván Roldán", False),
        ],
    },
    "Cerámicas Duero": {
        "plan": "standard",
        "contract": "STD-2210",
        "licences": {"endpoint-7.4": 35},
        "people": [
            ("pablo.nieto@ceramicas.example", "Pablo Nieto", True),
            ("sara.vidal@ceramicas.example", "Sara Vidal", False),
            ("hugo.marin@ceramicas.example", "Hugo Marín", False),
        ],
    },
}
PINS = {
    "carmen.ruiz@astilleros.example": "290653",
    "lucia.ferrer@astilleros.example": "407118",
    "ivan.roldan@astilleros.example": "583204",
    "pablo.nieto@ceramicas.example": "716092",
    "sara.vidal@ceramicas.example": "350847",
    "hugo.marin@ceramicas.example": "648315",
}
"""By which the sample contacts are known on the phone; printed at every start of a development server."""
PHONES = {
    "marta.ibanez@guardia.example": "sip:marta@127.0.0.1:5070",
    "tomas.vega@guardia.example": "sip:tomas@127.0.0.1:5071",
    "elena.soto@guardia.example": "sip:elena@127.0.0.1:5072",
}
"""Where the sample engineers are called: `guardia line answer --port 5070` is the first one's phone."""
STAFF = [
    ("marta.ibanez@guardia.example", "Marta Ibáñez", (Role.ENGINEER,)),
    ("tomas.vega@guardia.example", "Tomás Vega", (Role.ANALYST, Role.ENGINEER)),
    ("paula.olmo@guardia.example", "Paula Olmo", (Role.REVIEWER, Role.ANALYST)),
    ("jon.prieto@guardia.example", "Jon Prieto", (Role.RELEASER,)),
    ("elena.soto@guardia.example", "Elena Soto", (Role.DUTY_MANAGER, Role.ENGINEER)),
    ("rosa.lamas@guardia.example", "Rosa Lamas", (Role.ACCOUNT_MANAGER,)),
]
ROSTERS = {
    "on_duty": ("marta.ibanez@guardia.example", "tomas.vega@guardia.example"),
    "duty_manager": ("elena.soto@guardia.example",),
}


def make_sample_data(now: datetime) -> None:
    """Make what is missing of the sample data."""
    if settings.GUARDIA.is_production:
        raise Refused("development_only", "Sample data and its passwords are refused in production.")
    with journey():
        releases.lock_log()
        _staff(now)
        _rosters(now)
        calendars = {name: _calendar(name, hours, now) for name, hours in OFFICES.items()}
        plans = {code: contracts.save_plan(code, values) for code, values in PLANS.items()}
        products = {code: contracts.add_product(code, values) for code, values in PRODUCTS.items()}
        for name, facts in COMPANIES.items():
            contract = _company(name, facts, plans[facts["plan"]], calendars, now)
            _licences(contract, [(products[code], seats) for code, seats in facts["licences"].items()])
            _account_manager(contract)
    _fill_corpus(now)
    _baseline(now)


def _calendar(name: str, hours: tuple[str, str], now: datetime) -> Any:
    """Return the first version of an office's calendar, Madrid's public holidays closed for three years."""
    week = {day: "-".join(hours) for day in WEEKDAYS}
    draft = DraftCalendar(name, ZONE, week, str(now.year), str(now.year + 2), country="ES", region="MD")
    return find_calendar_version(name, 1) or add_calendar_version(checked(draft), 1, SYSTEM, now)


def _staff(now: datetime) -> None:
    accounts.add_company(VENDOR, now, is_vendor=True)
    for email, name, roles in STAFF:
        accounts.add_person(email, name, PASSWORD, now, roles=roles, language="en")


def _rosters(now: datetime) -> None:
    """Engineers take turns by the week, hand over on Mondays at 9:00, and wait for a working day on holidays."""
    monday = now.date() - timedelta(days=now.weekday())
    for code, emails in ROSTERS.items():
        roster = duty.lock_roster(code)
        people = [find_person_by_email(email) for email in emails]
        if versions_of(code).exists() or None in people:
            continue
        rules = {
            "zone": ZONE,
            "people": [str(person.id) for person in people if person],
            "hand_over": {"every": "P1W", "weekday": "mon", "time": "09:00"},
            "starts_on": monday.isoformat(),
            "holidays": with_holiday_dates({"by": "next_working_day", "country": "ES", "region": "MD"}, now),
        }
        duty.add_version(roster, rules, now - timedelta(days=60), "Sample roster", SYSTEM, now)


def _company(name: str, facts: dict[str, Any], plan: Any, calendars: dict[str, Any], now: datetime) -> Any:
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
    for person in people:
        if pin_made_at(person.id, company.id) is None:
            keep_pin(person.id, company.id, PINS[person.email], now)
    return contract


def _licences(contract: Any, wanted: list[tuple[Any, int]]) -> None:
    if licences_of(contract).exists():
        return
    for product, seats in wanted:
        contracts.add_licence(contract, product, seats, contract.starts_on, contract.ends_on)


def _account_manager(contract: Any) -> None:
    person = find_person_by_email("rosa.lamas@guardia.example")
    if person is not None and contract.account_manager_id is None:
        contracts.set_account_manager(contract, person.id)


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


def give_sample_phones() -> None:
    """Let the line call the sample engineers who have no phone, at test phones of this machine."""
    with journey():
        for email, phone in PHONES.items():
            person = find_person_by_email(email)
            if person is not None and not person.phone:
                accounts.set_phone(person.id, phone)


def machine_code(email: str, machine_name: str, now: datetime) -> str:
    """Return a one-time code for a sample machine, asked for by its company's administrator."""
    person = find_person_by_email(email)
    if person is None or person.company_id is None:
        raise Refused("sample_person_missing", f"{email} is gone.")
    with journey():
        return accounts.issue_code(UUID(str(person.company_id)), machine_name, person.id, now)
