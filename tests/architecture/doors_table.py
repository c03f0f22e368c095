"""Who is let in where: an entry for every address of the server, read by `test_access`.

An entry is a list of `Door`: a method, what is sent, and the status that each visitor gets. Visitors that an entry does
not name get the usual refusal of its zone (`REFUSALS`). Astilleros own every object of the world; Cerámicas are the
strangers: theirs are a contact, an administrator, a token and a machine.
"""

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

DOORS: Mapping[str, list[Door]] = {
    # ---- for everybody ----
    "healthz": PUBLIC,
    "sign-in/": [Door("everybody", {"anonymous": 200} | same(302, *CUSTOMERS, *STAFF))],
    "sign-out/": [Door("everybody", {"anonymous": 302} | same(200, *CUSTOMERS, *STAFF))],
    "password/reset/": PUBLIC,
    "password/reset/sent/": PUBLIC,
    "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": [
        Door("everybody", ALL, arguments=lambda _: {"uidb36": "1", "key": "no-key"})
    ],
    "password/reset/done/": PUBLIC,
    "account/inactive/": TO_SIGN_IN,
    "account/sign-up/": TO_SIGN_IN,
    "language/": [Door("everybody", same(302, *BROWSERS), "post", form=fields(language="es"))],
    "theme/": [Door("everybody", same(303, *BROWSERS), "post", form=fields(theme="dark"))],
    "": [Door("everybody", same(302, *BROWSERS))],
    # ---- portal ----
    "cases/": [Door("portal", ALL_CUSTOMERS)],
    "cases/new/": [
        Door("portal", ALL_CUSTOMERS),
        Door(
            "portal",
            same(DONE, *CUSTOMERS),
            "post",
            form=fields(kind="incident", case_class="standard", severity="2", subject="One", description="Two"),
        ),
    ],
    "uploads/": [Door("portal", same(201, *CUSTOMERS), "post", headers=fields(**{"X-Filename": "a.bin"}))],
    "cases/<str:number>/": page(case("released")),
    "cases/<str:number>/messages/": act(case("released"), LETTER, same(DONE, *INSIDE)),
    "cases/<str:number>/close/": act(
        case("released"), fields(how="withdrawn", reason="Not needed"), same(DONE, *INSIDE)
    ),
    "cases/<str:number>/reopen/": act(case("closed"), REASON, same(DONE, *INSIDE)),
    "cases/<str:number>/proposal/": act(case("waiting"), fields(decision="agree"), same(DONE, *INSIDE)),
    "cases/<str:number>/dispute/": act(case("held"), fields(wanted="2", reason="Two lines"), same(DONE, *INSIDE)),
    "cases/<str:number>/class/": act(
        case("standard"), fields(case_class="premium", reason="It is urgent"), same(DONE, "owner"), admin=409
    ),
    "cases/<str:number>/files/<uuid:file_id>/": page(case_and_file("released")),
    "cases/<str:number>/evidence/": page(case("released")),
    "machines/": [Door("portal", ALL_CUSTOMERS)],
    "machines/codes/": act(
        nothing, fields(name="SRV-02"), same(200, "admin", "stranger_admin"), owner=403, stranger=403
    ),
    "machines/<uuid:machine_id>/revoke/": act(
        lambda world: {"machine_id": world.machine_id}, REASON, {"admin": DONE}, owner=403, stranger=403
    ),
    "tokens/": [Door("portal", ALL_CUSTOMERS)],
    "tokens/new/": act(nothing, fields(name="script"), same(200, *CUSTOMERS)),
    "tokens/<uuid:token_id>/revoke/": act(
        lambda world: {"token_id": world.token_id}, nothing, {"owner": DONE}, admin=404
    ),
    "cases/new/severity/": [Door("portal", ALL_CUSTOMERS)],
    "contract/": [Door("portal", ALL_CUSTOMERS)],
    "contract/movements/": [Door("portal", ALL_CUSTOMERS)],
    "contract/movements.csv": [Door("portal", ALL_CUSTOMERS)],
    "contract/contacts/": act(
        nothing, person("plus_second"), {"admin": DONE}, owner=403, stranger=403, stranger_admin=404
    ),
    "contract/contacts/end/": act(
        nothing, person("plus_second"), {"admin": DONE}, owner=403, stranger=403, stranger_admin=404
    ),
    "cases/<str:number>/live": live("live portal", case("released"), same(200, *INSIDE, *STAFF)),
    "contract/report/": [Door("portal", ALL_CUSTOMERS)],
    "contract/report/report.csv": [Door("portal", ALL_CUSTOMERS)],
    "contract/statements/": [Door("portal", ALL_CUSTOMERS)],
    "contract/statements/<str:month>/": [Door("portal", ALL_CUSTOMERS, arguments=statement_of)],
    "contract/statements/<str:month>/cases.csv": [Door("portal", ALL_CUSTOMERS, arguments=statement_of)],
    # ---- console ----
    "console/": [Door("console", ANY_STAFF)],
    "console/queue/": staff_page(),
    "console/queue/act/": staff_act(
        nothing,
        lambda world: {"act": "put_back", "case": world.cases["held"], "reason": "because the test says so"},
        ANY_STAFF,
    ),
    "console/queue/views/": staff_act(nothing, fields(name="Plus, level 1"), ANY_STAFF),
    "console/queue/views/<uuid:view_id>/": staff_act(
        lambda world: {"view_id": world.machine_id}, fields(act="up"), {}, others=404
    ),  # nobody has a view of that id, and nobody reaches another's
    "console/queue/languages/": staff_act(nothing, fields(languages="es"), ANY_STAFF),
    "console/take-next/": staff_act(
        nothing, nothing, ANY_STAFF | {"account_manager": 409}
    ),  # account managers belong to no group that serves the queue
    "console/queue/<str:number>/take/": staff_act(case("released"), nothing, ANY_STAFF),
    "console/cases/<str:number>/": staff_page(case("released")),
    "console/cases/<str:number>/take/": staff_act(case("released"), REASON, ANY_STAFF),
    "console/cases/<str:number>/messages/": staff_act(case("released"), LETTER, ANY_STAFF),
    "console/cases/<str:number>/answer/": staff_act(
        case("held"), fields(text="The analysis", how="analysis"), {"engineer": DONE}, others=409
    ),
    "console/cases/<str:number>/wait/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/resume/": staff_act(case("waiting"), REASON, ANY_STAFF),
    "console/cases/<str:number>/to-lab/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/solution/": staff_act(case("held"), LETTER, ANY_STAFF),
    "console/cases/<str:number>/close/": staff_act(case("held"), fields(how="solved", reason="Done"), ANY_STAFF),
    "console/cases/<str:number>/reopen/": staff_act(case("closed"), REASON, ANY_STAFF),
    "console/cases/<str:number>/reject/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/files/<uuid:file_id>/": staff_page(case_and_file("released")),
    "console/cases/<str:number>/evidence/": staff_page(case("released")),
    "console/cases/<str:number>/severity/": staff_act(case("held"), fields(severity="2", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/dispute/": staff_act(in_state("disputed"), REASON, ANY_STAFF),
    "console/cases/<str:number>/call/": staff_act(case("held"), fields(how="known", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/void/": staff_act(in_state("answered"), void_form, LEAD),
    "console/cases/<str:number>/late/": staff_act(
        case("held"), fields(kind="phone_confirmed", occurred_at="2026-11-23T10:00", reason=WHY), ANY_STAFF
    ),
    "console/cases/<str:number>/late/<int:seq>/": staff_act(late_entry, fields(decision="accept", reason=WHY), LEAD),
    "console/cases/<str:number>/class/": staff_act(case("held"), fields(case_class="standard", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/alarm/": staff_act(case("held"), nothing, ANY_STAFF),
    "console/cases/<str:number>/assign/": staff_act(case("held"), person("analyst"), ANY_STAFF),
    "console/cases/<str:number>/put-back/": staff_act(case("held"), REASON, ANY_STAFF),
    "console/cases/<str:number>/group/": staff_act(case("held"), fields(group="lab", reason=WHY), ANY_STAFF),
    "console/cases/<str:number>/merge/": staff_act(
        case("held"), lambda world: {"into": world.cases["waiting"], "reason": WHY}, ANY_STAFF
    ),
    "console/cases/<str:number>/split/": staff_act(
        case("held"), fields(subject="Another thing", text="It is about the console.", reason=WHY), ANY_STAFF
    ),
    "console/calendars/": staff_page(),
    "console/calendars/<str:name>/": staff_page(lambda _: {"name": OFFICE}),
    "console/calendars/new/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}),
        *staff_act(nothing, calendar_form("Office Vigo"), LEAD),
    ],
    "console/calendars/<str:name>/edit/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=lambda _: {"name": OFFICE}),
        *staff_act(lambda _: {"name": "office 10-17"}, calendar_form(""), LEAD),
    ],
    "console/calendars/<str:name>/<int:version>/contracts/": staff_act(calendar_version, contract_of_calendar, LEAD),
    "console/calendars/<str:name>/<int:version>/move/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=calendar_version),
        *staff_act(calendar_version, REASON, LEAD),
    ],
    "console/calendars/moves/<uuid:move_id>/": staff_page(calendar_move),
    "console/calendars/moves/<uuid:move_id>/live": live("live console", calendar_move, ALL_STAFF),
    "console/lab/": staff_page(),
    "console/lab/<str:number>/": staff_page(case("released")),
    "console/lab/<str:number>/precheck/": staff_act(case("released"), nothing, ANY_STAFF),
    "console/lab/<str:number>/determination/": staff_act(
        case("released"), fields(verdict="fn_confirmed", text="It is harmful"), {"analyst": DONE, "reviewer": 409}
    ),  # the reviewer may analyse, but does not hold this case
    "console/lab/<str:number>/proposals/": staff_act(case("released"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/": staff_act(
        case("proposed"), fields(proposal="0", title="A rule", reason="As proposed"), ANALYSTS
    ),
    "console/lab/<str:number>/join/": staff_act(case("ahead"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/<int:n>/": staff_page(draft("released")),
    "console/lab/<str:number>/drafts/<int:n>/gates/": staff_act(draft("failed"), nothing, ANALYSTS),
    "console/lab/<str:number>/drafts/<int:n>/review/": staff_act(
        draft("gated"), lambda world: {"build_digest": world.drafts["gated"].build_digest}, {"reviewer": DONE}
    ),
    "console/lab/<str:number>/drafts/<int:n>/approve/": staff_act(
        draft("reviewed"),
        lambda world: {
            "build_digest": world.drafts["reviewed"].build_digest,
            "confirm": world.drafts["reviewed"].build_label,
        },
        {"releaser": DONE},
    ),
    "console/tokens/": staff_page(),
    "console/tokens/new/": staff_act(nothing, fields(name="phone line"), ALL_STAFF),
    "console/tokens/<uuid:token_id>/revoke/": staff_act(
        lambda world: {"token_id": world.staff_token_id}, nothing, {"engineer": DONE}, others=404
    ),
    "console/duty/": staff_page(),
    "console/duty/live": live("live console", nothing, ALL_STAFF),
    "console/alerts/": staff_page(),
    "console/alerts/live": live("live console", nothing, ALL_STAFF),
    "console/alerts/<str:number>/acknowledge/": staff_act(case("held"), nothing, same(DONE, *STAFF)),
    "console/escalation/": staff_page(),
    "console/escalation/<slug:code>/": staff_page(lambda _: {"code": "default"}),
    "console/escalation/<slug:code>/edit/": [
        *staff_page(lambda _: {"code": "default"}),
        *staff_act(lambda _: {"code": "default"}, a_policy, same(DONE, "duty_manager")),
    ],
    "console/roster/": staff_page(),
    "console/roster/<slug:code>/rotation/": [
        Door("console", same(403, *STAFF) | {"duty_manager": 200}, arguments=lambda _: {"code": "on_duty"}),
        Door("console", same(403, *STAFF) | {"duty_manager": DONE}, "post", lambda _: {"code": "on_duty"}, a_rotation),
    ],
    "console/roster/<slug:code>/overrides/": staff_act(
        lambda _: {"code": "on_duty"}, takeover, same(DONE, "engineer", "duty_manager")
    ),
    "console/roster/overrides/<uuid:override_id>/revoke/": staff_act(an_override, nothing, same(DONE, "duty_manager")),
    "console/reports/": staff_page(),
    "console/reports/report.csv": staff_page(),
    "console/contracts/<str:number>/statements/": staff_page(CONTRACT),
    "console/contracts/<str:number>/statements/<str:month>/": staff_page(statement_of),
    "console/contracts/<str:number>/statements/<str:month>/cases.csv": staff_page(statement_of),
    "console/releases/": staff_page(),
    "console/releases/standard-batch/": staff_act(nothing, REASON, same(DONE, "releaser", "duty_manager")),
    "console/releases/<int:n>/evidence/": staff_page(lambda _: {"n": 2}),
    "console/contracts/": staff_page(),
    "console/contracts/new/": [
        *staff_page(),
        *staff_act(
            nothing,
            lambda world: {
                "company": world.stage.cast.people["plus"].company_id,
                "number": "MSA-5000",
                "plan": "plus",
                "first_day": "2040-01-01",
                "last_day": "2040-12-31",
                "region": "ES-MD",
                "zone": "Europe/Madrid",
                "reason": "Sold",
            },
            MANAGERS,
        ),
    ],
    "console/contracts/<str:number>/": staff_page(CONTRACT),
    "console/contracts/<str:number>/statement.csv": staff_page(CONTRACT),
    "console/contracts/<str:number>/<str:act>/": [
        *contract_act("renew", fields(number="MSA-5000", last_day="2030-01-31")),
        *contract_act("plan", fields(plan="business")),
        *contract_act("overrides", fields(incidents="own", premium_incidents="20")),
        *contract_act("manager", fields(person="")),
        *contract_act("calendar", lambda world: {"calendar": world.calendar_id}),
        *contract_act("name_contact", person("plus_second")),
        *contract_act("end_contact", person("plus_second")),
        *contract_act(
            "licence", fields(product="endpoint-8.2", seats="5", first_day="2026-01-01", last_day="2026-12-31")
        ),
        *contract_act("end_licence", lambda world: {"licence": world.licence_id}),
        *contract_act("adjust", fields(amount="2", direction="add")),
        *contract_act("refund", lambda world: {"case": world.cases["held"]}),
    ],
    "console/plans/": staff_page(),
    "console/plans/<slug:code>/": staff_page(lambda _: {"code": "business"}),
    "console/plans/<slug:code>/edit/": [
        *staff_page(lambda _: {"code": "business"}),
        *staff_act(lambda _: {"code": "business"}, fields(**A_PLAN), MANAGERS),
    ],
    "console/plans/<slug:code>/retire/": staff_act(
        lambda _: {"code": "business"}, fields(retired="on", reason="Old"), MANAGERS
    ),
    "console/products/": [
        *staff_page(),
        *staff_act(
            nothing, fields(code="endpoint-9", name="Atalaya Endpoint 9", line="Endpoint", phase="full"), MANAGERS
        ),
    ],
    "console/cases/<str:number>/live": live("live console", case("released"), ALL_STAFF),
    "console/lab/<str:number>/live": live("live console", case("released"), ALL_STAFF),
    "console/lab/<str:number>/drafts/<int:n>/live": live("live console", draft("released"), ALL_STAFF),
    "console/releases/live": live("live console", nothing, ALL_STAFF),
    # ---- JSON API ----
    "api/v1/": [Door("everybody", same(404, *BROWSERS))],
    "api/v1/openapi.json": PUBLIC,
    "api/v1/uploads": [Door("contacts", same(201, "token", "stranger_token"), "post")],
    "api/v1/cases": [
        Door("contacts", same(200, "token", "stranger_token")),
        Door(
            "contacts",
            same(201, "token", "stranger_token"),
            "post",
            json=fields(kind="incident", case_class="standard", severity=2, subject="One", description="Two"),
        ),
    ],
    "api/v1/cases/<number>": [Door("contacts", {"token": 200, "stranger_token": 404}, arguments=case("released"))],
    "api/v1/cases/<number>/messages": [
        Door("contacts", {"token": 201, "stranger_token": 404}, "post", case("released"), json=LETTER)
    ],
    "api/v1/cases/<number>/severity-dispute": [
        Door(
            "contacts",
            {"token": 200, "stranger_token": 404},
            "post",
            case("held"),
            json=fields(wanted=3, reason="It can wait."),
        )
    ],
    "api/v1/cases/<number>/severity-proposal": [
        Door("contacts", {"token": 200, "stranger_token": 404}, "post", case("waiting"), json=fields(agrees=True))
    ],
    "api/v1/cases/<number>/class": [
        Door(
            "contacts",
            {"token": 200, "stranger_token": 404},
            "post",
            case("standard"),
            json=fields(case_class="premium", reason="It cannot wait."),
        )
    ],
    "api/v1/desk/cases/<number>/phone-confirmation": [
        Door("desk", {"staff_token": 200}, "post", case("held"), json=fields(how="known", reason="Known by voice."))
    ],
    "api/v1/contract": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/contract/statement": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/severity-suggestion": [Door("contacts", same(200, "token", "stranger_token"))],
    "api/v1/agents/enrol": [
        Door(
            "everybody",
            same(201, *BROWSERS),
            "post",
            json=lambda world: {"code": world.code, "public_key": world.public_key, "name": "SRV-03"},
        ),
        Door(
            "everybody",
            same(409, *BROWSERS),
            "post",
            json=lambda world: {"code": "ABCDE-ABCDE-ABCDE-ABCDE", "public_key": world.public_key, "name": "SRV-03"},
        ),
    ],
    "api/v1/agents/me": [Door("machines", same(200, "machine", "stranger_machine"))],
    "api/v1/agents/me/challenges": [
        Door(
            "machines",
            {"machine": 201, "stranger_machine": 404},
            "post",
            json=lambda world: {"case": world.cases["released"]},
        )
    ],
    "api/v1/agents/me/proofs": [
        Door(
            "machines",
            same(200, "machine", "stranger_machine"),  # judged, and refused in the answer: `accepted` is false
            "post",
            json=fields(statement="e30=", signature="e30="),
        )
    ],
    # ---- lab gate ----
    "lab/v1/lease": [Door("lab", {"lab": 200}, "post", json=fields(worker="w"))],
    "lab/v1/jobs/<uuid:job_id>/samples/<str:sha256>": [
        Door("lab", {"lab": 200}, arguments=lambda w: w.job_and("sample"), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, arguments=lambda w: w.job_and("sample")),
    ],
    "lab/v1/jobs/<uuid:job_id>/files/<str:sha256>": [
        Door("lab", {"lab": 200}, arguments=lambda w: w.job_and("file"), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, arguments=lambda w: w.job_and("file")),
    ],
    "lab/v1/jobs/<uuid:job_id>/progress": [
        Door("lab", {"lab": 204}, "post", lambda w: w.job_and(), json=fields(steps=[]), headers=lambda w: w.lease),
        Door("lab", {"lab": 409}, "post", lambda w: w.job_and(), json=fields(steps=[])),
    ],
    "lab/v1/jobs/<uuid:job_id>/result": [
        Door(
            "lab",
            {"lab": 204},
            "post",
            lambda w: w.job_and(),
            json=fields(ok=False, error="None"),
            headers=lambda w: w.lease,
        ),
        Door("lab", {"lab": 409}, "post", lambda w: w.job_and(), json=fields(ok=False, error="None")),
    ],
}
