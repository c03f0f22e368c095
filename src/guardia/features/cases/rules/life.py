"""A case's life: which act is open in which state, and the state that it leads to.

States and moves as in the service description: submitted → triaged → in progress ⇄ waiting for customer / lab →
solution offered → closed → reopened, or rejected. An act that is not open is refused with the sentence given here.
"""

from dataclasses import dataclass

from guardia.kernel.vocabulary import CaseState
from guardia.kernel.words import gettext_noop

S = CaseState
OPEN = frozenset(S) - {S.CLOSED, S.REJECTED}
WORKED_ON = OPEN - {S.SUBMITTED}


@dataclass(frozen=True)
class Move:
    """An act: the states in which it is open, the state after it (None: stays), whether it needs the holder."""

    open_in: frozenset[CaseState]
    leads_to: CaseState | None
    refusal: str


MOVES = {
    "take": Move(OPEN, S.IN_PROGRESS, gettext_noop("The case is closed. Reopen it first.")),
    "assign": Move(OPEN, S.IN_PROGRESS, gettext_noop("The case is closed. Reopen it first.")),
    "put_back": Move(OPEN, None, gettext_noop("The case is closed. Reopen it first.")),
    "change_group": Move(OPEN, None, gettext_noop("The case is closed. Reopen it first.")),
    "message": Move(OPEN, None, gettext_noop("The case is closed. Reopen it first.")),
    "answer": Move(OPEN, None, gettext_noop("The case is closed. Reopen it first.")),
    "wait": Move(
        WORKED_ON - {S.WAITING_CUSTOMER},
        S.WAITING_CUSTOMER,
        gettext_noop("Only a case that somebody has taken, and that does not wait yet, can wait for the customer."),
    ),
    "resume": Move(
        frozenset({S.WAITING_CUSTOMER}), S.IN_PROGRESS, gettext_noop("The case is not waiting for the customer.")
    ),
    "to_lab": Move(OPEN - {S.WITH_LAB}, S.WITH_LAB, gettext_noop("The case is with the lab already, or closed.")),
    "solution": Move(WORKED_ON, S.SOLUTION_OFFERED, gettext_noop("Take the case before offering a solution.")),
    "close": Move(OPEN, S.CLOSED, gettext_noop("The case is closed already.")),
    "reopen": Move(frozenset({S.CLOSED}), S.REOPENED, gettext_noop("Only a closed case can be reopened.")),
    "reject": Move(
        frozenset({S.SUBMITTED, S.TRIAGED, S.IN_PROGRESS, S.WITH_LAB}),
        S.REJECTED,
        gettext_noop("An answered or closed case cannot be rejected."),
    ),
}


def refusal(act: str, state: CaseState) -> str:
    """Return why `act` is not open in `state`, or an empty string where it is."""
    move = MOVES[act]
    return "" if state in move.open_in else move.refusal


def state_after(act: str, state: CaseState) -> CaseState:
    """Return the state that `act` leads to from `state`."""
    return MOVES[act].leads_to or state
