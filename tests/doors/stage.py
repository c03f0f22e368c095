"""What tests of the doors act on: the cast signed in at browsers, programs with tokens, machines with keys.

`Stage` gives Astilleros (the Plus company) one of everything that belongs to a customer; Cerámicas are the strangers.
"""

import base64
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.http import HttpResponseBase
from django.test import Client
from tests.support.cast import Cast
from tests.support.lab_bench import Bench

from guardia.features.accounts.models import ApiToken, Machine
from guardia.features.cases import queries
from guardia.journeys.api_tokens import create_token
from guardia.journeys.enrol_machine import create_code, enrol_machine

PROBLEM = "application/problem+json"


def body_of(response: HttpResponseBase) -> bytes:
    """Return the whole body of an answer, streamed or not."""
    return b"".join(response) if response.streaming else bytes(response.content)  # type: ignore[attr-defined]


def page_of(response: HttpResponseBase) -> str:
    """Return the text of a page."""
    return body_of(response).decode()


class _Running(HTMLParser):
    """Collects what of a page would run: scripts without a file, event attributes, inline styles, foreign addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"iframe", "object", "embed", "base", "style"} or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            leads = (value or "").strip().lower()
            is_link = name in {"src", "action", "formaction", "srcset", "poster"} or (name == "href" and tag != "a")
            if name.startswith("on") or name == "style" or leads.startswith(("javascript:", "data:text")):
                self.found.append(f"{tag} {name}={value}")
            if is_link and leads and not leads.startswith(("/", "#", "data:image", "?")):
                self.found.append(f"{tag} {name}={value}")


def what_runs(page: str) -> list[str]:
    """Return what of a page would run or be fetched from elsewhere, as a browser would read it."""
    reader = _Running()
    reader.feed(page)
    return reader.found


def bearer(token: str) -> Client:
    """Return a program that sends `token`."""
    return Client(headers={"Authorization": f"Bearer {token}"})


def lab_worker() -> Client:
    """Return a lab worker with the lab's token."""
    return bearer(settings.GUARDIA.lab_token.reveal())


def with_token(**fields: Any) -> dict[str, Any]:
    """Return the fields of a form with a fresh form token."""
    return {"form_token": str(uuid4()), **fields}


@dataclass
class EnrolledMachine:
    """A machine with its private key."""

    key: Ed25519PrivateKey
    agent_id: str
    token: str
    facts: Any


@dataclass
class Stage:
    """The cast at the doors."""

    cast: Cast
    tokens: dict[str, str] = field(default_factory=dict)
    machines: dict[str, EnrolledMachine] = field(default_factory=dict)

    @property
    def bench(self) -> Bench:
        """The lab's part."""
        return Bench(self.cast)

    def browser(self, part: str, language: str = "en", **options: Any) -> Client:
        """Return the browser of somebody who is signed in."""
        client = Client(headers={"Accept-Language": language}, **options)
        client.force_login(self.cast.people[part])
        return client

    def token(self, part: str) -> str:
        """Return somebody's API token."""
        if part not in self.tokens:
            self.tokens[part] = create_token(self.cast.actors[part], self.cast.now, "monitoring")
        return self.tokens[part]

    def program(self, part: str) -> Client:
        """Return a program that acts for somebody."""
        return bearer(self.token(part))

    def machine(self, admin: str = "plus_admin") -> EnrolledMachine:
        """Return the machine of an administrator's company."""
        if admin not in self.machines:
            key = Ed25519PrivateKey.generate()
            code = create_code(self.cast.actors[admin], self.cast.now, "SRV-01")
            public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
            enrolled = enrol_machine(code, "SRV-01", public, self.cast.now)
            self.machines[admin] = EnrolledMachine(key, enrolled.agent_id, enrolled.token, enrolled.facts)
        return self.machines[admin]

    def agent(self, admin: str = "plus_admin") -> Client:
        """Return a machine's agent."""
        return bearer(self.machine(admin).token)

    @cached_property
    def released(self) -> str:
        """The number of Astilleros' report whose correction is released: it has a file, a draft and evidence."""
        number = self.bench.reported("plus")
        self.bench.released(number)
        return number

    @cached_property
    def incident(self) -> str:
        """The number of an incident of Astilleros."""
        return self.cast.open("plus").number

    def file_of(self, number: str) -> UUID:
        """Return the first file of a case."""
        case = queries.get_case_for(self.cast.analyst, number)
        return queries.files_of(case)[0].id

    @cached_property
    def token_id(self) -> UUID:
        """The id of Lucía's API token."""
        return self.token_id_of("plus")

    def token_id_of(self, part: str) -> UUID:
        """The id of somebody's API token."""
        self.token(part)
        rows = ApiToken.objects.across_companies("the test's own")
        return rows.get(person_id=self.cast.people[part].id).id

    @property
    def machine_id(self) -> UUID:
        """The id of Astilleros' machine."""
        return Machine.objects.across_companies("the test's own").get(id=self.machine().agent_id).id
