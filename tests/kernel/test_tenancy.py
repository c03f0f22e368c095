"""A customer's rows are reached only by a query that says whose they are; a stranger's do not exist."""

import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Count, Model
from tests.support.cast import Cast

import guardia.features
from guardia.features.accounts import operations as accounts
from guardia.features.accounts import queries as accounts_queries
from guardia.features.accounts.models import Machine
from guardia.features.cases import queries as cases_queries
from guardia.features.cases import search as cases_search
from guardia.features.cases.models import Case
from guardia.features.contracts import queries as contracts_queries
from guardia.features.contracts.models import Contract
from guardia.features.contracts.queries import find_contract
from guardia.features.lab import queries as lab_queries
from guardia.features.mail import queries as mail_queries
from guardia.features.releases import operations as releases
from guardia.features.releases import queries as releases_queries
from guardia.journeys.prove_correction import issue_challenge
from guardia.kernel.errors import Forbidden, NotFound, Refused, UnscopedQuery
from guardia.kernel.tenancy import CompanyManager, CompanyRow
from guardia.kernel.vocabulary import LAB, Actor, Lane

OWN = [model for model in apps.get_models() if model.__module__.startswith("guardia.")]
CUSTOMER_ROWS = [model for model in OWN if issubclass(model, CompanyRow)]

# Rows that name a company without being a customer's: the vendor's own trail, post and calls, and the people.
NO_CUSTOMER_ROWS = {"AuditEntry", "OutboxMessage", "Person", "InboundMail", "OutboundMail", "Call", "Recording"}


def test_every_row_with_a_company_is_a_customer_row_with_the_demanding_manager() -> None:
    assert len(CUSTOMER_ROWS) >= 15
    for model in OWN:
        names_company = any(field.attname == "company_id" for field in model._meta.concrete_fields)
        assert not names_company or model in CUSTOMER_ROWS or model.__name__ in NO_CUSTOMER_ROWS, model.__name__
    for model in CUSTOMER_ROWS:
        assert type(model._default_manager) is CompanyManager, model.__name__


def _begin_async(rows: Any) -> None:
    rows.aiterator()  # refused before anything is awaited


UNSCOPED: dict[str, Callable[[Any], Any]] = {
    "iterating": list,
    "the first": lambda rows: rows.first(),
    "one by its key": lambda rows: rows.get(pk=uuid4()),
    "indexing": lambda rows: rows.order_by("pk")[0],
    "slicing": lambda rows: list(rows.order_by("pk")[:3]),
    "counting": lambda rows: rows.count(),
    "asking whether any": lambda rows: rows.exists(),
    "asking whether one is in it": lambda rows: rows.contains(rows.model(pk=uuid4())),
    "aggregating": lambda rows: rows.aggregate(n=Count("pk")),
    "values": lambda rows: list(rows.values()),
    "values list": lambda rows: list(rows.values_list("pk", flat=True)),
    "iterator": lambda rows: next(rows.iterator(), None),
    "values iterator": lambda rows: next(rows.values().iterator(), None),
    "async iterator": _begin_async,
    "many by key": lambda rows: rows.in_bulk([uuid4()]),
    "scoped rows xor unscoped ones": lambda rows: list(rows.of_company(uuid4()) ^ rows),
    "scoped rows less unscoped ones": lambda rows: list(rows.of_company(uuid4()).difference(rows)),
    "the latest": lambda rows: rows.latest("pk"),
    "truth": bool,
    "length": len,
    "showing": repr,
    "updating": lambda rows: rows.update(company_id=uuid4()),
    "removing": lambda rows: rows.delete(),
    "bulk update": lambda rows: rows.bulk_update([rows.model(pk=uuid4(), company_id=uuid4())], ["company"]),
    "get or make": lambda rows: rows.get_or_create(pk=uuid4()),
    "update or make": lambda rows: rows.update_or_create(pk=uuid4()),
    "filtered": lambda rows: list(rows.filter(pk=uuid4())),
    "excluded": lambda rows: list(rows.exclude(pk=uuid4())),
    "locked": lambda rows: list(rows.select_for_update()),
    "distinct": lambda rows: list(rows.distinct()),
    "annotated": lambda rows: list(rows.annotate(n=Count("pk"))),
    "raw SQL": lambda rows: list(rows.raw("SELECT 1")),
    "united with scoped rows": lambda rows: list(rows.of_company(uuid4()).union(rows)),
    "scoped rows or unscoped ones": lambda rows: list(rows.of_company(uuid4()) | rows),
    "unscoped rows or scoped ones": lambda rows: list(rows | rows.of_company(uuid4())),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", UNSCOPED)
def test_an_unscoped_query_raises_whichever_way_it_asks(way: str) -> None:
    for model in CUSTOMER_ROWS:
        with pytest.raises(UnscopedQuery, match=model.__name__), transaction.atomic():
            UNSCOPED[way](model._default_manager.all())


@pytest.mark.django_db
def test_the_manager_itself_refuses_raw_sql() -> None:
    with pytest.raises(UnscopedQuery):
        list(Case.objects.raw("SELECT * FROM cases_case"))


@pytest.mark.django_db
def test_a_scope_stays_with_what_is_made_of_the_query() -> None:
    rows = Case.objects.of_company(uuid4())
    for narrowed in (
        rows.filter(severity=1),
        rows.exclude(severity=1),
        rows.order_by("id"),
        rows.distinct(),
        rows.all(),
    ):
        assert list(narrowed) == []
    assert list(rows.union(Case.objects.of_company(uuid4()))) == []
    assert list(rows | Case.objects.of_company(uuid4())) == []


@pytest.mark.django_db
def test_who_belongs_to_nobody_sees_nothing(cast: Cast) -> None:
    cast.open()
    for actor in (LAB, Actor(LAB.kind, "x", "x")):
        assert list(Case.objects.visible_to(actor)) == []
        assert Case.objects.visible_to(actor).count() == 0


class Own:
    """One company's rows, of every kind that a `…_for(actor)` may return."""

    def __init__(self, cast: Cast, part: str, admin: str, lane: Lane) -> None:
        now, person = cast.now, cast.people[part]
        self.now, self.actor, self.admin = now, cast.actors[part], cast.actors[admin]
        self.number = cast.open_report(part).number
        self.case = cases_queries.get_case_for(self.actor, self.number)
        self.upload = cast.upload(part, uuid4().bytes)
        contract = find_contract(person.company_id, now)
        assert contract is not None
        self.contract = contract
        with transaction.atomic():
            self.token, _ = accounts.issue_token(person.id, person.company_id, "inventory", now)
            code = accounts.issue_code(person.company_id, "taller-07", person.id, now)
            found = accounts_queries.find_open_code(code, now)
            assert found is not None
            self.machine, _ = accounts.enrol(found, "taller-07", b"k" * 32, lane, now)
            accounts.issue_code(person.company_id, "taller-08", person.id, now)
            releases.keep_proof(
                person.company_id, self.machine.id, b"{}", uuid4().bytes, now,
                accepted=False, reason="a test", case_id=self.case.id, release_number=1,
            )  # fmt: skip
        issue_challenge(self.machine, now, self.number)


QUERIES = (accounts_queries, cases_queries, contracts_queries, lab_queries, releases_queries)
Reads = Callable[[Actor, Own], Any]
ACCESS_CHECKED: dict[str, Reads] = {
    "get_case_for": lambda actor, own: cases_queries.get_case_for(actor, own.number),
    "find_case_for": lambda actor, own: cases_queries.find_case_for(actor, own.case.id),
    "cases_for": lambda actor, _own: cases_queries.cases_for(actor),
    "queue_for": lambda actor, _own: cases_queries.queue_for(actor),
    "next_unheld": lambda actor, _own: cases_queries.next_unheld(actor),
    "scope_for": lambda actor, _own: cases_queries.scope_for(actor, "all"),
    "list_for": lambda actor, _own: cases_queries.list_for(actor, cases_queries.Narrowing()).rows,
    "newest_for": lambda actor, _own: cases_queries.newest_for(actor, cases_queries.Narrowing("all")).rows,
    "search_for": lambda actor, own: cases_search.search_for(actor, own.number).rows,
    "codes_for": lambda actor, own: accounts_queries.codes_for(actor, own.now),
    "machines_for": lambda actor, _own: accounts_queries.machines_for(actor),
    "get_machine_for": lambda actor, own: accounts_queries.get_machine_for(actor, own.machine.id),
    "own_tokens": lambda actor, _own: accounts_queries.own_tokens(actor),
    "get_own_token": lambda actor, own: accounts_queries.get_own_token(actor, own.token.id),
    "get_contract_for": lambda actor, own: contracts_queries.get_contract_for(actor, own.contract.number),
    "contracts_for": lambda actor, _own: contracts_queries.contracts_for(actor),
    "uploads_for": lambda actor, own: lab_queries.uploads_for(actor, [own.upload.id], own.now),
    "proofs_for": lambda actor, own: releases_queries.proofs_for(actor, own.case.id),
}


STAFF_ONLY: dict[str, Callable[[Actor], Any]] = {
    "mailbox_for": mail_queries.mailbox_for,
    "get_mail_for": lambda actor: mail_queries.get_mail_for(actor, uuid4()),
}
"""What the vendor's staff read, whoever's it is; it is nobody else's."""


def companies_in(answer: Any) -> set[UUID]:
    """Return whose rows an answer holds."""
    rows = list(answer) if isinstance(answer, Iterable) else [answer] if answer is not None else []
    assert all(isinstance(row, Model) for row in rows)
    return {row.company_id for row in rows}


def test_every_query_that_takes_an_actor_is_tried_here() -> None:
    found = set()
    rooms = [
        f"guardia.features.{package.name}.{room}"
        for package in pkgutil.iter_modules(guardia.features.__path__)
        for room in ("queries", "search")
    ]
    for module in [importlib.import_module(room) for room in rooms if importlib.util.find_spec(room)]:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and "actor" in inspect.signature(function).parameters:
                found.add(name)
    assert found == {*ACCESS_CHECKED, *STAFF_ONLY}


@pytest.mark.django_db
def test_what_only_staff_read_is_refused_to_everybody_else(cast: Cast) -> None:
    assert list(mail_queries.mailbox_for(cast.engineer)) == []
    for read in STAFF_ONLY.values():
        for customer in (cast.plus, cast.plus_admin, cast.standard):
            with pytest.raises(Forbidden):
                read(customer)


@pytest.mark.django_db
def test_a_customer_sees_the_own_rows_and_never_a_strangers(cast: Cast) -> None:
    plus = Own(cast, "plus", "plus_admin", Lane.ACCELERATED)
    standard = Own(cast, "standard", "standard_admin", Lane.STANDARD)
    does_not_exist = (NotFound, Refused, Contract.DoesNotExist)
    for name, read in ACCESS_CHECKED.items():
        for own, stranger in ((plus, standard), (standard, plus)):
            assert companies_in(read(own.actor, own)) == {own.actor.company_id}, name
            try:
                seen = companies_in(read(stranger.actor, own))
            except does_not_exist:
                continue
            assert own.actor.company_id not in seen, name


@pytest.mark.django_db
def test_another_contact_of_the_same_company_does_not_use_ones_uploads_or_tokens(cast: Cast) -> None:
    own = Own(cast, "plus", "plus_admin", Lane.ACCELERATED)
    with pytest.raises(Refused, match="unknown, already used"):
        lab_queries.uploads_for(cast.plus_second, [own.upload.id], cast.now)
    with pytest.raises(NotFound):
        accounts_queries.get_own_token(cast.plus_second, own.token.id)
    assert list(accounts_queries.own_tokens(cast.plus_second)) == []


@pytest.mark.django_db
def test_a_machine_is_an_actor_of_its_company_only(cast: Cast) -> None:
    own = Own(cast, "plus", "plus_admin", Lane.ACCELERATED)
    other = Own(cast, "standard", "standard_admin", Lane.STANDARD)
    machine: Machine = own.machine
    actor = accounts_queries.machine_actor(machine)
    assert companies_in(cases_queries.cases_for(actor)) == {machine.company_id}
    with pytest.raises(NotFound):
        issue_challenge(machine, cast.now, other.number)


@pytest.mark.django_db
def test_staff_see_every_company(cast: Cast) -> None:
    cast.open()
    cast.open("standard")
    assert len(companies_in(cases_queries.queue_for(cast.engineer))) == 2
