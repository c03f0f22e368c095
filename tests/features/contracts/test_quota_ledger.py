"""The ledger against a model: whatever is done in whatever order, the balance is what a plain counter says."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.support.cast import Cast

from guardia.features.contracts import operations as ledger
from guardia.features.contracts import queries
from guardia.features.contracts.models import Contract, QuotaEntry
from guardia.features.contracts.rules.ledger import Allowance, YearSums, accounts, adjustment, opening
from guardia.kernel.vocabulary import SYSTEM

PLANS = {"start": 6, "plus": 12, "business": 36, "enterprise": None}
allowances = st.builds(Allowance, st.none() | st.integers(0, 50), st.integers(0, 10))
years = st.lists(
    st.builds(YearSums, st.none() | st.integers(0, 50), st.integers(-5, 20), st.integers(0, 30)), max_size=4
)


@given(allowance=allowances, left=st.integers(-50, 50))
def test_a_year_opens_with_its_allowance_and_at_most_the_carry_over(allowance: Allowance, left: int) -> None:
    opened = opening(allowance, left)
    assert opened >= 0
    if allowance.incidents is None:
        assert opened == 0
    else:
        assert allowance.incidents <= opened <= allowance.incidents + min(allowance.carry_over, max(left, 0))


@given(before=allowances, after=allowances, left=st.integers(0, 50), spent=st.integers(0, 60))
def test_a_change_of_terms_adds_the_difference_and_never_ends_below_nothing(
    before: Allowance, after: Allowance, left: int, spent: int
) -> None:
    held = -spent if before.incidents is None else left
    amount = adjustment(before, after, held)
    difference = (after.incidents or 0) - (before.incidents or 0)
    assert amount >= difference
    if after.incidents is not None:
        assert held + amount >= 0
        assert amount == difference or held + amount == 0


@given(sums=years, allowance=allowances, carried=st.integers(0, 20))
def test_writing_what_a_year_opens_with_changes_no_balance(
    sums: list[YearSums], allowance: Allowance, carried: int
) -> None:
    derived = accounts(sums, allowance, carried)
    written = [YearSums(account.opened, year.adjusted, year.spent) for account, year in zip(derived, sums, strict=True)]
    assert accounts(written, allowance, carried) == derived


@dataclass
class Model:
    """What a plain counter knows of a contract."""

    plan: str = "plus"
    carry_over: int = 0
    left: int = 12
    charged: set[UUID] = field(default_factory=set)

    @property
    def is_unlimited(self) -> bool:
        return PLANS[self.plan] is None


class LedgerMachine(RuleBasedStateMachine):
    """Spends, gives back, adjusts, changes plan and lets years go by; each act as the journeys do it, locked."""

    contract: Contract
    now: datetime

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.savepoint = transaction.savepoint()
        self.cases: list[UUID] = []
        self.of_year: dict[UUID, int] = {}
        self.year = 0

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    def _locked(self) -> Contract:
        self.now += timedelta(seconds=1)
        return ledger.lock_contract(self.contract)

    @rule(again=st.booleans(), which=st.integers(0, 200))
    def spend(self, *, again: bool, which: int) -> None:
        is_known = again and self.cases
        case_id = self.cases[which % len(self.cases)] if is_known else uuid4()
        reserved = ledger.reserve(self._locked(), case_id, SYSTEM, self.now, "")
        if case_id in self.model.charged:
            assert reserved
            return
        assert reserved == (self.model.is_unlimited or self.model.left > 0)
        if reserved:
            self.model.left -= 1
            self.model.charged.add(case_id)
            self.of_year[case_id] = self.year
            self.cases += [] if is_known else [case_id]

    @precondition(lambda self: self.cases)
    @rule(which=st.integers(0, 200))
    def give_back(self, which: int) -> None:
        case_id = self.cases[which % len(self.cases)]
        self.now += timedelta(seconds=1)
        moved = ledger.refund(case_id, self.contract.company_id, SYSTEM, self.now, "")
        assert moved == (case_id in self.model.charged)
        if moved:
            self.model.charged.remove(case_id)
            self.model.left += 1 if self.of_year[case_id] == self.year else 0

    @precondition(lambda self: self.cases)
    @rule(which=st.integers(0, 200))
    def accept(self, which: int) -> None:
        case_id = self.cases[which % len(self.cases)]
        self.now += timedelta(seconds=1)
        assert ledger.consume(case_id, self.contract.company_id, SYSTEM, self.now, "") == (
            case_id in self.model.charged
        )

    @precondition(lambda self: not self.model.is_unlimited)
    @rule(amount=st.integers(-12, 12))
    def adjust(self, amount: int) -> None:
        if self.model.left + amount >= 0:
            ledger.adjust(self._locked(), amount, SYSTEM, self.now, "")
            self.model.left += amount

    @rule(code=st.sampled_from(sorted(PLANS)))
    def change_plan(self, code: str) -> None:
        before, after = PLANS[self.model.plan], PLANS[code]
        ledger.set_plan(self._locked(), queries.get_plan(code), SYSTEM, self.now, "")
        moved = self.model.left + (after or 0) - (before or 0)
        self.model.left = moved if after is None else max(moved, 0)
        self.model.plan = code

    @rule(most=st.integers(0, 5))
    def agree_on_carry_over(self, most: int) -> None:
        ledger.set_overrides(self._locked(), {"carry_over": most}, SYSTEM, self.now, "")
        self.model.carry_over = most

    @precondition(lambda self: self.year < 2)
    @rule()
    def let_a_year_go_by(self) -> None:
        self.now += timedelta(days=365)
        self.year += 1
        allowance = PLANS[self.model.plan]
        carried = min(max(self.model.left, 0), self.model.carry_over)
        # Written at once, as the first movement of the year does; what comes back later is the old year's.
        ledger.open_year(self._locked(), SYSTEM, self.now)
        self.model.left = 0 if allowance is None else allowance + carried

    @invariant()
    def the_balance_is_the_models(self) -> None:
        contract = queries.get_contract_of_case(self.contract.id)
        today = queries.contract_today(contract, self.now)
        left, _spent = queries.balance(contract, today)
        assert left == (None if self.model.is_unlimited else self.model.left)
        assert left is None or left >= 0
        assert list(queries.year_accounts(contract, today).values())[-1].left == self.model.left

    @invariant()
    def no_case_is_charged_more_than_once(self) -> None:
        entries = list(queries.all_movements(self.contract))
        for case_id in self.cases:
            net = sum(entry.amount for entry in entries if entry.case_id == case_id)
            assert net == (-1 if case_id in self.model.charged else 0)


@pytest.mark.django_db
def test_the_ledger_holds_what_a_plain_counter_says(cast: Cast) -> None:
    LedgerMachine.contract = queries.get_contract_for(cast.engineer, "MSA-4071")
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert QuotaEntry.objects.across_companies("test").count() == 0


def test_days_of_the_model_lie_within_the_term_of_the_sample_contract() -> None:
    assert date(2026, 11, 23) + timedelta(days=2 * 365) < date(2029, 2, 1)
