"""The company's contract over the API: terms, every movement of premium incidents, and a suggested severity."""

from datetime import date, datetime

from django.http import HttpRequest
from ninja import Router, Schema

from guardia.doors.api.authentication import ContactToken, contact_of
from guardia.kernel import clock
from guardia.reports.contract_page import own_contract_page
from guardia.reports.quota_statement import own_statement
from guardia.reports.severity_suggestion import severity_suggestion

router = Router(auth=ContactToken(), tags=["contract"])


class Quota(Schema):
    """Premium incidents of the running contract year; `total` and `left` are null where they are unlimited."""

    total: int | None
    used: int
    left: int | None
    year_ends_on: date


class Target(Schema):
    """The premium response target of one severity, in words."""

    severity: int
    target: str


class ContactAnswer(Schema):
    """A present named contact."""

    name: str
    since: datetime


class LicenceAnswer(Schema):
    """A licence; `code` is what a case's `product_code` takes. `state`: running, to_come, over, unsupported."""

    code: str
    product: str
    seats: int
    first_day: date
    last_day: date
    phase: str
    phase_ends_on: date | None
    state: str


class ContractAnswer(Schema):
    """The contract in term, else the next to begin, else the last. `state`: running, to_come, over."""

    number: str
    company: str
    plan: str
    state: str
    first_day: date
    last_day: date
    zone: str
    region: str
    lane: str
    hours: str
    account_manager: str
    named_contacts_limit: int
    named_contacts: list[ContactAnswer]
    premium_incidents: Quota
    targets: list[Target]
    licences: list[LicenceAnswer]


class MovementAnswer(Schema):
    """One movement. `left` is null while the contract is unlimited; `case` is empty for those of the year itself."""

    at: datetime
    kind: str
    amount: int
    left: int | None
    case: str
    who: str
    reason: str


class YearAnswer(Schema):
    """A contract year with its movements, oldest first."""

    first_day: date
    last_day: date
    opened: int
    adjusted: int
    spent: int
    left: int | None
    is_running: bool
    movements: list[MovementAnswer]


class StatementAnswer(Schema):
    """Every movement of premium incidents, the newest year first."""

    number: str
    company: str
    plan: str
    years: list[YearAnswer]


class SuggestionAnswer(Schema):
    """`severity` is null while the answers do not suffice."""

    severity: int | None
    sentence: str


@router.get("/contract", response=ContractAnswer, summary="The company's contract")
def get_contract(request: HttpRequest) -> ContractAnswer:
    """Return the contract of the token's company."""
    page = own_contract_page(contact_of(request), clock.now())
    return ContractAnswer(
        number=page.number,
        company=page.company,
        plan=page.plan,
        state=page.state,
        first_day=page.starts_on,
        last_day=page.last_day,
        zone=page.zone,
        region=page.region,
        lane=page.lane,
        hours=page.hours,
        account_manager=page.account_manager,
        named_contacts_limit=page.most_contacts,
        named_contacts=[ContactAnswer(name=row.name, since=row.since) for row in page.contacts],
        premium_incidents=Quota(
            total=page.quota.total,
            used=page.quota.used,
            left=page.quota.left,
            year_ends_on=date.fromisoformat(page.quota.year_ends_on),
        ),
        targets=[Target(severity=severity, target=target) for severity, target in page.targets],
        licences=[
            LicenceAnswer(**{name: getattr(row, name) for name in LicenceAnswer.model_fields}) for row in page.licences
        ],
    )


@router.get("/contract/statement", response=StatementAnswer, summary="Every movement of premium incidents")
def get_statement(request: HttpRequest) -> StatementAnswer:
    """Return the statement of the token's company."""
    shown = own_statement(contact_of(request), clock.now())
    years = [
        YearAnswer(
            first_day=year.first_day,
            last_day=year.last_day,
            opened=year.opened,
            adjusted=year.adjusted,
            spent=year.spent,
            left=year.left,
            is_running=year.is_running,
            movements=[
                MovementAnswer(
                    at=line.at,
                    kind=line.kind,
                    amount=line.amount,
                    left=line.left,
                    case=line.case_number,
                    who=line.who,
                    reason=line.reason,
                )
                for line in year.movements
            ],
        )
        for year in shown.years
    ]
    return StatementAnswer(number=shown.number, company=shown.company, plan=shown.plan, years=years)


@router.get("/severity-suggestion", response=SuggestionAnswer, summary="Suggest a severity from plain answers")
def suggest_severity(
    request: HttpRequest,  # noqa: ARG001  ninja's signature
    interrupted: bool | None = None,  # noqa: FBT001  a query parameter
    data_lost: bool | None = None,  # noqa: FBT001  a query parameter
    critical_false_positive: bool | None = None,  # noqa: FBT001  a query parameter
    machines: str = "",
) -> SuggestionAnswer:
    """Suggest; the caller chooses. `machines`: few (up to 10), some (up to 100) or many."""
    found = severity_suggestion(
        interrupted=interrupted,
        data_lost=data_lost,
        critical_false_positive=critical_false_positive,
        machines=machines,
    )
    return SuggestionAnswer(severity=found.severity, sentence=found.sentence)
