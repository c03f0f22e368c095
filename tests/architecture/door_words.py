"""What the table of doors is written with: a door, its visitors, and the facts that a knock needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from guardia.features.cases.queries import cases_for, facts_of, get_case_for
from guardia.features.cases.rules.pending import waiting_entries
from guardia.features.sla.queries import find_calendar_version
from guardia.journeys import case_log
from guardia.journeys.answer_case import answer_case
from guardia.journeys.change_severity import dispute_severity
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_calendar import start_or_take_up
from guardia.journeys.override_duty import override_duty
from guardia.journeys.take_case import take_case
from guardia.journeys.write_calendar import write_calendar
from guardia.reports.calendar_pages import draft_of

SIGN_IN, STAFF_TO_CONSOLE, DONE = 302, 302, 303
CUSTOMERS = ("owner", "admin", "stranger", "stranger_admin")
STAFF = ("engineer", "analyst", "reviewer", "releaser", "duty_manager", "account_manager")
BROWSERS = ("anonymous", *CUSTOMERS, *STAFF)
PROGRAMS = ("nobody", "token", "stranger_token", "staff_token", "machine", "stranger_machine", "lab")

Facts = Callable[[Any], Mapping[str, Any]]
ALL_REFUSED = dict.fromkeys(CUSTOMERS, 404) | {"anonymous": SIGN_IN}
REFUSALS: Mapping[str, Mapping[str, int]] = {
    "portal": {"anonymous": SIGN_IN, "stranger": 404, "stranger_admin": 404} | dict.fromkeys(STAFF, STAFF_TO_CONSOLE),
    "console": ALL_REFUSED,
    "live portal": {"anonymous": 401, "stranger": 404, "stranger_admin": 404},
    "live console": ALL_REFUSED | {"anonymous": 401},
    "contacts": dict.fromkeys(("nobody", "staff_token", "machine", "stranger_machine", "lab"), 401),
    "desk": dict.fromkeys(("nobody", "token", "stranger_token", "machine", "stranger_machine", "lab"), 401),
    "machines": dict.fromkeys(("nobody", "token", "stranger_token", "staff_token", "lab"), 401),
    "lab": dict.fromkeys(("nobody", "token", "stranger_token", "staff_token", "machine", "stranger_machine"), 401),
    "everybody": {},
}


def nothing(_world: Any) -> Mapping[str, Any]:
    """Neither arguments nor fields."""
    return {}


@dataclass(frozen=True)
class Door:
    """One way of knocking at an address, and what each visitor gets."""

    zone: str
    allowed: Mapping[str, int]
    method: str = "get"
    arguments: Facts = nothing
    form: Facts | None = None
    json: Facts | None = None
    headers: Facts = nothing
    refused: Mapping[str, int] = field(default_factory=dict)

    @property
    def statuses(self) -> dict[str, int]:
        """Every visitor's status; a visitor that nobody thought of has none, and the test says so."""
        return {**REFUSALS[self.zone], **self.allowed, **self.refused}

    @property
    def visitors(self) -> tuple[str, ...]:
        """Who knocks."""
        return PROGRAMS if self.zone in {"contacts", "desk", "machines", "lab"} else BROWSERS


def case(name: str) -> Facts:
    """The number of one of the world's cases."""
    return lambda world: {"number": world.cases[name]}


def case_and_file(name: str) -> Facts:
    """A case and its file."""
    return lambda world: {"number": world.cases[name], "file_id": world.files[name]}


def draft(name: str) -> Facts:
    """A case and its only draft."""
    return lambda world: {"number": world.cases[name], "n": 1}


def fields(**values: Any) -> Facts:
    """Fields of a form."""
    return lambda _world: values


def same(status: int, *parts: str) -> dict[str, int]:
    """The same status for several visitors."""
    return dict.fromkeys(parts, status)


INSIDE = ("owner", "admin")
ALL_STAFF, ALL_CUSTOMERS, ALL = same(200, *STAFF), same(200, *CUSTOMERS), same(200, *BROWSERS)
REASON = fields(reason="because the test says so")


def page(arguments: Facts = nothing, allowed: Mapping[str, int] | None = None) -> list[Door]:
    """A page of the portal about a customer's object."""
    return [Door("portal", allowed or same(200, *INSIDE), arguments=arguments)]


def act(arguments: Facts, form: Facts, allowed: Mapping[str, int], **refused: int) -> list[Door]:
    """A form of the portal."""
    return [Door("portal", allowed, "post", arguments, form, refused=refused)]


def staff_page(arguments: Facts = nothing) -> list[Door]:
    """A page of the console."""
    return [Door("console", ALL_STAFF, arguments=arguments)]


def staff_act(arguments: Facts, form: Facts, allowed: Mapping[str, int], others: int = 403) -> list[Door]:
    """A form of the console; staff who are not named get `others`."""
    return [Door("console", same(others, *STAFF) | dict(allowed), "post", arguments, form)]


def live(zone: str, arguments: Facts, allowed: Mapping[str, int]) -> list[Door]:
    """A stream of events."""
    return [Door(zone, allowed, arguments=arguments)]


PUBLIC = [Door("everybody", ALL)]
TO_SIGN_IN = [Door("everybody", same(302, *BROWSERS))]
ANY_STAFF = same(DONE, *STAFF)
ANALYSTS = same(DONE, "analyst", "reviewer")
"""Paula reviews, and may analyse other cases."""
LETTER = fields(text="A text")

MANAGERS = same(DONE, "duty_manager", "account_manager")


def CONTRACT(_world: Any) -> Mapping[str, Any]:  # noqa: N802  named like the table's other constants
    """The contract of Astilleros."""
    return {"number": "MSA-4071"}


def person(part: str) -> Facts:
    """A field with somebody's id."""
    return lambda world: {"person": world.stage.cast.people[part].id, "reason": "because the test says so"}


def contract_act(name: str, form: Facts) -> list[Door]:
    """A form of a contract's page."""
    return staff_act(
        lambda _: {"number": "MSA-4071", "act": name},
        lambda world: {"reason": "because the test says so", **form(world)},
        MANAGERS,
    )


HOUR_LATER, TWO_LATER = "2026-11-23T11:00", "2026-11-23T12:00"


def takeover(world: Any) -> Mapping[str, Any]:
    """The analyst takes over the engineer's duty for an hour."""
    analyst = world.stage.cast.analyst.id
    return {"person": analyst, "starts_at": HOUR_LATER, "ends_at": TWO_LATER, "reason": "Dentist"}


def an_override(world: Any) -> Mapping[str, Any]:
    """A change of duty that the duty manager made."""
    cast, later = world.stage.cast, world.stage.cast.now + timedelta(hours=1)
    person = UUID(cast.analyst.id)
    made = override_duty(cast.duty_manager, cast.now, "on_duty", person, cast.now, later, "Dentist")
    return {"override_id": made}


def a_policy(_world: Any) -> Mapping[str, Any]:
    """One step: the holder is told in the console."""
    row = {"when": "response.75", "to": "holder", "by": "console", "severities": ["1", "2"], "classes": "premium"}
    return {f"steps.0.{name}": value for name, value in row.items()} | {
        "name": "All plans",
        "seen": "0",
        "save": "edit",
    }


def a_rotation(world: Any) -> Mapping[str, Any]:
    """The analyst alone, every week."""
    facts = {"every": "P1W", "weekday": "mon", "time": "09:00", "starts_on": "2026-11-23", "zone": "Europe/Madrid"}
    return {**facts, "people": world.stage.cast.analyst.id, "holidays-by": "none", "reason": "Holiday", "do": "save"}


def statement_of(_world: Any) -> Mapping[str, Any]:
    """The running month of Astilleros' contract."""
    return {"number": "MSA-4071", "month": "2026-11"}


def _plan_form() -> dict[str, str]:
    promises = {f"response.{c}.{s}.coverage": "calendar" for c in ("premium", "standard") for s in "1234"}
    facts = {"name": "Business", "rank": "30", "premium_incidents": "40", "named_contacts": "4", "lane": "accelerated"}
    rest = {"escalation": "default", "office.calendar": "office 09-19", "reason": "More", "save": "edit"}
    return promises | facts | rest


A_PLAN = _plan_form()
OFFICE = "office 09-19"


def calendar_version(world: Any) -> Mapping[str, Any]:
    """The second version of the office's calendar, made when first asked for."""
    newest = find_calendar_version(OFFICE)
    if newest is not None and newest.version == 1:
        cast = world.stage.cast
        write_calendar(cast.duty_manager, cast.now, draft_of(newest), 1)
    return {"name": OFFICE, "version": 2}


def calendar_move(world: Any) -> Mapping[str, Any]:
    """A move of open cases to it."""
    calendar_version(world)
    cast = world.stage.cast
    return {"move_id": start_or_take_up(cast.duty_manager, cast.now, OFFICE, 2, "because the test says so")}


def contract_of_calendar(world: Any) -> Mapping[str, Any]:
    """The contract that holds the first version."""
    case = get_case_for(world.stage.cast.engineer, world.cases["held"])
    return {"contract": case.contract_id, "reason": "because the test says so"}


def calendar_form(name: str) -> Facts:
    """A whole calendar, to be saved."""
    return fields(name=name, zone="Europe/Madrid", mon="09:00-14:00, 16:00-19:00", do="save", after="0")


def in_state(name: str) -> Facts:
    """A case in a state of the promise, made when first asked for."""

    def arguments(world: Any) -> Mapping[str, Any]:
        cast = world.stage.cast
        known = cases_for(cast.engineer).values_list("number", flat=True)
        if world.cases.get(name) not in known:  # another test's was undone with it
            world.cases[name] = cast.open("plus").number
            take_case(cast.engineer, cast.now, world.cases[name])
            PROMISE[name](cast, world.cases[name])
        return {"number": world.cases[name]}

    return arguments


def joined(world: Any) -> Mapping[str, Any]:
    """A case that was joined with another one, made when first asked for."""
    cast = world.stage.cast
    known = cases_for(cast.engineer).values_list("number", flat=True)
    if world.cases.get("joined") not in known:
        world.cases["joined"], kept = (cast.open("plus", case_class="standard").number for _ in range(2))
        merge_case(cast.engineer, cast.now, world.cases["joined"], kept, "The same")
    return {"number": world.cases["joined"]}


def _with_late_entry(cast: Any, number: str) -> None:
    case = get_case_for(cast.engineer, number)
    when = cast.now.isoformat()
    payload = {
        "type": "phone_confirmed",
        "occurred_at": when,
        "payload": {"how": "known", "reason": "r"},
        "reason": "r",
    }
    case_log.add(case, "late_entry", cast.engineer, cast.now, {**payload, "internal": True})


PROMISE: Mapping[str, Callable[[Any, str], object]] = {
    "answered": lambda cast, number: answer_case(
        cast.engineer, cast.now, number, text="It is the driver.", how="analysis"
    ),
    "disputed": lambda cast, number: dispute_severity(cast.plus, cast.now, number, 2, "Two lines stand still."),
    "late": _with_late_entry,
}


def late_entry(world: Any) -> Mapping[str, Any]:
    """A late entry that waits."""
    number = in_state("late")(world)["number"]
    return {"number": number, "seq": waiting_entries(facts_of(get_case_for(world.stage.cast.engineer, number)))[0].seq}


def void_form(world: Any) -> Mapping[str, Any]:
    """The number of the case stands for its answer."""
    return {"reason": "because the test says so", "confirm": in_state("answered")(world)["number"]}


LEAD = {"duty_manager": DONE}
WHY = "because the test says so"
