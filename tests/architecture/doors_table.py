"""Who is let in where: an entry for every address of the server, read by `test_access`.

An entry is a list of `Door`: a method, what is sent, and the status that each visitor gets. Visitors that an entry does
not name get the usual refusal of its zone (`REFUSALS`). Astilleros own every object of the world; Cerámicas are the
strangers: theirs are a contact, an administrator, a token and a machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SIGN_IN, STAFF_TO_CONSOLE, DONE = 302, 302, 303
CUSTOMERS = ("owner", "admin", "stranger", "stranger_admin")
STAFF = ("engineer", "analyst", "reviewer", "releaser", "duty_manager")
BROWSERS = ("anonymous", *CUSTOMERS, *STAFF)
PROGRAMS = ("nobody", "token", "stranger_token", "machine", "stranger_machine", "lab")

Facts = Callable[[Any], Mapping[str, Any]]
ALL_REFUSED = dict.fromkeys(CUSTOMERS, 404) | {"anonymous": SIGN_IN}
REFUSALS: Mapping[str, Mapping[str, int]] = {
    "portal": {"anonymous": SIGN_IN, "stranger": 404, "stranger_admin": 404} | dict.fromkeys(STAFF, STAFF_TO_CONSOLE),
    "console": ALL_REFUSED,
    "live portal": {"anonymous": 401, "stranger": 404, "stranger_admin": 404},
    "live console": ALL_REFUSED | {"anonymous": 401},
    "contacts": dict.fromkeys(("nobody", "machine", "stranger_machine", "lab"), 401),
    "machines": dict.fromkeys(("nobody", "token", "stranger_token", "lab"), 401),
    "lab": dict.fromkeys(("nobody", "token", "stranger_token", "machine", "stranger_machine"), 401),
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
        return PROGRAMS if self.zone in {"contacts", "machines", "lab"} else BROWSERS


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
    "contract/": [Door("portal", ALL_CUSTOMERS)],
    "cases/<str:number>/live": live("live portal", case("released"), same(200, *INSIDE, *STAFF)),
    # ---- console ----
    "console/": [Door("console", ANY_STAFF)],
    "console/queue/": staff_page(),
    "console/take-next/": staff_act(nothing, nothing, ANY_STAFF),
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
    "console/releases/": staff_page(),
    "console/releases/standard-batch/": staff_act(nothing, REASON, same(DONE, "releaser", "duty_manager")),
    "console/releases/<int:n>/evidence/": staff_page(lambda _: {"n": 2}),
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
