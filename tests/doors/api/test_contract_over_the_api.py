"""The contract over the API: terms, statement, suggestion; the same rules as on the pages."""

import pytest
from tests.doors.stage import Stage

pytestmark = pytest.mark.django_db


def test_the_contract_says_its_terms(stage: Stage) -> None:
    told = stage.program("plus").get("/api/v1/contract").json()
    assert (told["number"], told["plan"], told["state"], told["last_day"]) == (
        "MSA-4071", "Plus", "running", "2029-01-31"
    )  # fmt: skip
    assert told["premium_incidents"] == {"total": 12, "used": 0, "left": 12, "year_ends_on": "2027-01-31"}
    assert [row["name"] for row in told["named_contacts"]] == ["Lucía Ferrer", "Iván Roldán"]
    assert {row["code"]: row["state"] for row in told["licences"]}["endpoint-6.0"] == "unsupported"


def test_the_statement_holds_every_movement_by_year(stage: Stage) -> None:
    number = stage.cast.open().number
    told = stage.program("plus").get("/api/v1/contract/statement").json()
    (year,) = told["years"]
    assert (year["opened"], year["spent"], year["left"], year["is_running"]) == (12, 1, 11, True)
    assert [(line["kind"], line["amount"], line["left"], line["case"]) for line in year["movements"]] == [
        ("grant", 12, 12, ""),
        ("reserve", -1, 11, number),
    ]


def test_a_stranger_reads_the_own_contract(stage: Stage) -> None:
    assert stage.program("standard").get("/api/v1/contract").json()["number"] == "STD-2210"


@pytest.mark.parametrize(
    ("asked", "severity"),
    [
        ("interrupted=true", 1),
        ("interrupted=false&data_lost=false&critical_false_positive=false&machines=some", 3),
        ("machines=many", None),
        ("", None),
    ],
)
def test_a_severity_is_suggested(stage: Stage, asked: str, severity: int | None) -> None:
    assert stage.program("plus").get(f"/api/v1/severity-suggestion?{asked}").json()["severity"] == severity


def test_answers_that_mean_nothing_are_refused_by_field(stage: Stage) -> None:
    refused = stage.program("plus").get("/api/v1/severity-suggestion?machines=horde")
    assert refused.status_code == 422
    assert list(refused.json()["fields"]) == ["machines"]
