"""Contracts under pressure: terms made at once, plans edited while cases are opened, spenders killed in the middle."""

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support import processes
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.contracts import queries
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.journeys.adjust_quota import adjust_quota, refund_incident
from guardia.journeys.change_contract import NewContract, change_plan, new_contract, renew_contract
from guardia.journeys.named_contacts import end_contact, name_contact
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.journeys.write_plan import edit_plan, plan_values
from guardia.kernel.errors import GuardiaError

pytestmark = pytest.mark.django_db(transaction=True)
PLUS = "MSA-4071"


def contract_of(cast: Cast) -> Contract:
    return queries.get_contract_for(cast.engineer, PLUS)


def left(cast: Cast) -> int | None:
    contract = contract_of(cast)
    return queries.balance(contract, queries.contract_today(contract, cast.now))[0]


def codes(errors: list[Exception]) -> set[str]:
    return {error.code if isinstance(error, GuardiaError) else repr(error) for error in errors}


def test_of_many_contracts_for_the_same_days_one_is_made_and_the_others_are_told(cast: Cast) -> None:
    company = cast.people["standard"].company_id
    asked = [
        NewContract(company, f"MSA-90{n:02d}", "plus", date(2040, 1, 1), date(2040, 12, 31), "ES-MD", "Europe/Madrid")
        for n in range(20)
    ]
    answers = at_once([partial(new_contract, cast.account_manager, cast.now, one, "Sold") for one in asked])
    assert len(returned(answers)) == 1
    assert codes(raised(answers)) == {"contract_overlaps"}


def test_a_contract_is_renewed_once_however_many_renew_it(cast: Cast) -> None:
    last_day = date(contract_of(cast).ends_on.year + 1, 1, 31)
    acts = [
        partial(renew_contract, cast.account_manager, cast.now, PLUS, f"MSA-4071-{n}", last_day, "", "Renewed")
        for n in range(2, 12)
    ]
    answers = at_once(acts)
    assert len(returned(answers)) == 1
    assert codes(raised(answers)) == {"contract_overlaps"}


def test_spenders_while_the_plan_changes_lose_and_gain_nothing(cast: Cast) -> None:
    acts: list[Any] = [cast.open] * 20
    acts[7:7] = [partial(change_plan, cast.account_manager, cast.now, PLUS, "business", "More")]
    answers = at_once(acts)
    spent = [case for case in returned(answers) if case is not None]
    assert left(cast) == 36 - len(spent)
    assert codes(raised(answers)) <= {"no_premium_left"}


def test_adjusting_down_at_once_never_goes_below_nothing(cast: Cast) -> None:
    answers = at_once([partial(adjust_quota, cast.duty_manager, cast.now, PLUS, -5, "A mistake")] * 10)
    assert len(returned(answers)) == 2
    assert codes(raised(answers)) == {"quota_below_zero"}
    assert left(cast) == 2


def test_many_who_give_one_incident_back_give_back_one(cast: Cast) -> None:
    number = cast.open().number
    answers = at_once([partial(refund_incident, cast.duty_manager, cast.now, number, "Our fault")] * 20)
    assert len(returned(answers)) == 1
    assert left(cast) == 12


def test_no_more_contacts_than_the_plan_has_are_named_at_once(cast: Cast) -> None:
    for part in ("plus", "plus_second"):
        end_contact(cast.plus_admin, cast.now, PLUS, cast.people[part].id)
    people = [cast.people[part].id for part in ("plus", "plus_second", "plus_admin")] * 5
    answers = at_once([partial(name_contact, cast.plus_admin, cast.now, PLUS, person) for person in people])
    assert codes(raised(answers)) == {"contacts_full"}
    assert len(queries.contacts_of(contract_of(cast))) == 2


def test_no_case_is_opened_under_a_plan_while_it_is_edited(cast: Cast) -> None:
    """Either a case stands and the edit is refused, or every case has the edited terms."""
    values = {**plan_values(queries.get_plan("plus")), "premium_incidents": 15}
    acts: list[Any] = [cast.open] * 8
    acts[3:3] = [partial(edit_plan, cast.account_manager, cast.now, "plus", values, "More")] * 2
    answers = at_once(acts)
    versions = set(Case.objects.across_companies("test").values_list("terms__plan_version", flat=True))
    edits_refused = sum(getattr(error, "code", "") == "plan_in_use" for error in raised(answers))
    assert len(versions) == 1
    assert versions == {queries.get_plan("plus").version}
    assert edits_refused + queries.get_plan("plus").version - 1 == 2
    assert left(cast) == (15 if edits_refused < 2 else 12) - 8


SPEND = """
import os, signal, sys
from datetime import datetime
from guardia.features.accounts.queries import actor_of, find_person_by_email
from guardia.features.contracts import operations
from guardia.journeys import open_case as journey

where, now = sys.argv[1] if len(sys.argv) > 1 else {where!r}, datetime.fromisoformat({now!r})

def die(*_args, **_more):
    os.kill(os.getpid(), signal.SIGKILL)

kept = journey.ledger.reserve
if where == "before the reservation":
    journey.ledger.reserve = die
elif where == "after the reservation":
    def reserve(*args, **more):
        kept(*args, **more)
        die()
    journey.ledger.reserve = reserve
elif where == "before the commit":
    journey.notify_customer = die

person = actor_of(find_person_by_email({email!r}))
request = journey.CaseRequest(**{request})
print(journey.open_case(person, now, request, {key!r}).number)
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before the reservation", "after the reservation", "before the commit"])
def test_a_spender_that_is_killed_leaves_nothing_and_its_repetition_everything(
    cast: Cast, tmp_path: Path, where: str
) -> None:
    request = {"kind": "incident", "case_class": "premium", "severity": 1, "subject": "Killed", "description": "While."}
    facts = {
        "now": cast.now.isoformat(),
        "email": cast.people["plus"].email,
        "request": json.dumps(request),
        "key": f"kill {where}",
    }
    processes.finish_killed(processes.start(SPEND.format(where=where, **facts), tmp_path))
    assert (left(cast), QuotaEntry.objects.across_companies("test").count()) == (12, 0)
    assert CaseEvent.objects.across_companies("test").count() == 0
    first = processes.finish(processes.start(SPEND.format(where="nowhere", **facts), tmp_path))
    again = processes.finish(processes.start(SPEND.format(where="nowhere", **facts), tmp_path))
    assert first == again
    kinds = list(QuotaEntry.objects.across_companies("test").values_list("kind", flat=True).order_by("id"))
    assert (left(cast), kinds) == (11, ["grant", "reserve"])
    assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]
