"""Every address of the server says who is let in and who is not, and keeps to it."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.architecture.door_words import Door
from tests.architecture.doors_table import DOORS as OTHER_DOORS
from tests.architecture.doors_table_mail import MAIL_DOORS
from tests.conftest import MONDAY_10
from tests.doors.conftest import PLAIN_FILES
from tests.doors.stage import Stage, bearer, lab_worker, with_token
from tests.support.cast import make_cast
from tests.support.lab_bench import gates_passed, scanned

from guardia.doors.api.urls import api
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import get_contract_for, licences_of
from guardia.features.lab.models import Draft
from guardia.journeys.change_class import change_class
from guardia.journeys.change_severity import change_severity
from guardia.journeys.enrol_machine import create_code
from guardia.journeys.lab_work import LeasedJob
from guardia.journeys.move_case import close_case, wait_for_customer
from guardia.journeys.take_case import take_case
from guardia.kernel import clock

pytestmark = pytest.mark.django_db
DOORS = {**OTHER_DOORS, **MAIL_DOORS}
PARTS = {"owner": "plus", "admin": "plus_admin", "stranger": "standard", "stranger_admin": "standard_admin"}


def _routes() -> dict[str, list[URLPattern]]:
    found: dict[str, list[URLPattern]] = {}

    def walk(patterns: list[Any], before: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, before + str(pattern.pattern))
            else:
                found.setdefault(before + str(pattern.pattern), []).append(pattern)

    walk(get_resolver().url_patterns, "")
    return found


ROUTES = _routes()


@dataclass
class World:
    """One of everything that Astilleros own, in every state that an act needs."""

    stage: Stage
    code: str
    public_key: str
    job: LeasedJob
    machine_id: UUID
    token_id: UUID
    staff_token_id: UUID
    cases: dict[str, str] = field(default_factory=dict)
    files: dict[str, UUID] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    visitors: dict[str, Client] = field(default_factory=dict)

    @property
    def calendar_id(self) -> UUID:
        return self._contract.calendar_version_id

    @property
    def licence_id(self) -> UUID:
        return next(iter(licences_of(self._contract))).id

    @property
    def _contract(self) -> Contract:
        return get_contract_for(self.stage.cast.engineer, "MSA-4071")

    @property
    def lease(self) -> dict[str, str]:
        return {"X-Lease": self.job.lease}

    def job_and(self, what: str = "") -> dict[str, Any]:
        first = {"sample": self.job.payload["samples"][0], "file": self.job.payload["lane"]["files"][0]}
        return {"job_id": self.job.id} | ({"sha256": first[what]["sha256"]} if what else {})


def _make_world() -> World:
    stage = Stage(make_cast(MONDAY_10))
    cast, bench, now = stage.cast, stage.bench, stage.cast.now
    cases = {"released": stage.released}
    files = {"released": stage.file_of(stage.released)}
    drafts: dict[str, Draft] = {}
    for name in ("proposed", "gated", "reviewed", "failed", "ahead"):
        cases[name] = bench.reported()
    bench.propose(cases["proposed"])
    for name in ("gated", "reviewed", "failed"):
        draft = bench.drafted(cases[name])
        passes = name != "failed"
        bench.hand_in(bench.lease("gates"), gates_passed() if passes else {"gates": []})
        drafts[name] = bench.draft(cases[name], draft.number)
    bench.review(drafts["reviewed"])
    for name in ("held", "waiting", "closed"):
        cases[name] = cast.open("plus").number
        take_case(cast.engineer, now, cases[name])
    wait_for_customer(cast.engineer, now, cases["waiting"], reason="Data asked for")
    close_case(cast.engineer, now, cases["closed"], how="solved", reason="Done")
    change_severity(cast.engineer, now, cases["waiting"], 3, "A workaround holds.")
    cases["standard"] = cast.open("plus").number
    change_class(cast.engineer, now, cases["standard"], "standard", "Our own outage")
    cases["ahead"] = cast.open_report("standard").number
    _find_ahead(stage)
    cast.open_report("plus")  # its precheck is leased, so that there is a job; another waits for the lease
    job = bench.lease("precheck")
    cast.open_report("plus")
    world = World(
        stage=stage,
        code=create_code(cast.plus_admin, now, "SRV-03"),
        public_key=base64.b64encode(bytes(32)).decode(),
        job=job,
        machine_id=stage.machine_id,
        token_id=stage.token_id,
        staff_token_id=stage.token_id_of("engineer"),
        cases=cases,
        files=files,
        drafts=drafts,
    )
    world.visitors = _visitors(stage)
    return world


def _find_ahead(stage: Stage) -> None:
    """Do the precheck of a standard case: the accelerated lane holds its correction already."""
    job = stage.bench.lease("precheck")
    found = scanned(job, "not_detected")
    for scan in found["scans"]:
        if scan["build"] == job.payload["newest"]["number"]:
            scan["verdicts"] = {
                name: {**said, "outcome": "detected", "names": ["Lab.New"]} for name, said in scan["verdicts"].items()
            }
    stage.bench.hand_in(job, found)


def _visitors(stage: Stage) -> dict[str, Client]:
    staff = ("engineer", "analyst", "reviewer", "releaser", "duty_manager", "account_manager")
    people = {name: stage.browser(part) for name, part in PARTS.items()} | {part: stage.browser(part) for part in staff}
    programs = {
        "token": stage.program("plus"),
        "stranger_token": stage.program("standard"),
        "staff_token": stage.program("engineer"),
        "machine": stage.agent(),
        "stranger_machine": stage.agent("standard_admin"),
        "lab": lab_worker(),
    }
    return {"anonymous": Client(), "nobody": bearer("gt_guessed"), **people, **programs}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, keys: None, quick_passwords: None) -> Iterator[World]:
    """The world, made once; what a visitor changes is undone."""
    with (
        django_db_blocker.unblock(),
        override_settings(STORAGES=PLAIN_FILES),
        clock.frozen_at(MONDAY_10),
        transaction.atomic(),
    ):
        yield _make_world()
        transaction.set_rollback(True)


def _knock(world: World, visitor: str, route: str, door: Door) -> HttpResponseBase:
    pattern = ROUTES[route][0]
    url = _address(route, pattern, dict(door.arguments(world)))
    client, headers = world.visitors[visitor], dict(door.headers(world))
    sends: dict[str, Any] = {}
    if door.json:
        sends = {"data": dict(door.json(world)), "content_type": "application/json"}
    elif door.form:
        sends = {"data": with_token(**door.form(world))}
    elif door.method == "post":
        sends = {"data": b"harmless bytes", "content_type": "application/octet-stream"}
    with transaction.atomic():
        answer: HttpResponseBase = getattr(client, door.method)(url, headers=headers, **sends)
        transaction.set_rollback(True)
    return answer


def _address(route: str, pattern: URLPattern, arguments: dict[str, Any]) -> str:
    if route.startswith("^"):
        return reverse(str(pattern.name), kwargs=arguments)
    words = (word for word in route.split("/"))
    return "/" + "/".join(
        str(arguments[word.strip("<>").split(":")[-1]]) if word.startswith("<") else word for word in words
    )


def test_every_address_says_who_is_let_in() -> None:
    unsaid = sorted(ROUTES.keys() - DOORS.keys())
    assert not unsaid, (
        f"These addresses do not say who is let in: {unsaid}. Add each to DOORS in tests/architecture/doors_table.py, "
        "with the status of every visitor: those who are refused, and those who are let in."
    )
    gone = sorted(DOORS.keys() - ROUTES.keys())
    assert not gone, f"These addresses are gone: {gone}. Take them out of DOORS in tests/architecture/doors_table.py."


def test_every_method_of_the_api_says_who_is_let_in() -> None:
    taken = {
        (f"api/v1/{prefix.strip('/')}/{path.strip('/')}".replace("//", "/").replace("{", "<").replace("}", ">"), method)
        for prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    said = {(route, door.method.upper()) for route, doors in DOORS.items() for door in doors}
    assert len(taken) >= 9
    assert taken - said == set(), "add a Door for each of these methods to DOORS in tests/architecture/doors_table.py"


@pytest.mark.parametrize("route", sorted(DOORS))
def test_each_door_lets_in_whom_it_says_and_nobody_else(world: World, route: str) -> None:
    for door in DOORS[route]:
        forgotten = set(door.visitors) - door.statuses.keys()
        assert not forgotten, f"{door.method.upper()} {route}: say what {sorted(forgotten)} get"
        for visitor in door.visitors:
            answer = _knock(world, visitor, route, door)
            expected = door.statuses[visitor]
            said = "" if answer.streaming else answer.content[-300:].decode(errors="replace")  # type: ignore[attr-defined]
            assert answer.status_code == expected, f"{door.method.upper()} {route} by {visitor}: {said}"
            _look_at_refusal(door, visitor, answer)


def _look_at_refusal(door: Door, visitor: str, answer: HttpResponseBase) -> None:
    """A stranger to a page is sent to sign in; staff are sent home; programs get problem documents."""
    where = answer.headers.get("Location", "")
    if door.zone in {"portal", "console"} and visitor == "anonymous":
        assert where.startswith(f"{settings.LOGIN_URL and reverse(settings.LOGIN_URL)}?next=/")
    if door.zone == "portal" and visitor not in {"anonymous", *PARTS}:
        assert where == reverse("console:queue")
    if door.zone in {"contacts", "machines", "lab"} and answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("route", sorted(route for route, doors in DOORS.items() if doors[0].zone == "console"))
def test_a_customer_cannot_tell_a_console_page_from_one_that_is_not_there(world: World, route: str) -> None:
    door = DOORS[route][0]
    missing = world.visitors["owner"].get("/console/nothing-here/")
    assert _knock(world, "owner", route, door).status_code == missing.status_code == 404


def _without(number: str, answer: Any) -> str:
    """Return a page without the number asked for and the tokens that differ every time."""
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", answer.content.decode().replace(number, ""))


def test_a_strangers_object_looks_like_one_that_does_not_exist(world: World) -> None:
    stranger, program = world.visitors["stranger"], world.visitors["stranger_token"]
    number = world.cases["released"]
    with transaction.atomic():
        for client, address in ((stranger, "/cases/{}/"), (program, "/api/v1/cases/{}")):
            theirs, none = client.get(address.format(number)), client.get(address.format("40710105"))
            assert theirs.status_code == none.status_code == 404
            assert _without(number, theirs) == _without("40710105", none)
        transaction.set_rollback(True)
