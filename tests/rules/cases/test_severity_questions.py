"""The suggested severity: S-1 to S-5, and that nothing is suggested from nothing."""

from itertools import product

import pytest

from guardia.features.cases.rules.severity_questions import INCOMPLETE, Answers, Machines, suggest

YES_NO_OPEN = (True, False, None)
EVERY = [Answers(*said) for said in product(YES_NO_OPEN, YES_NO_OPEN, YES_NO_OPEN, [*Machines, None])]


@pytest.mark.parametrize("answers", EVERY)
def test_one_yes_is_critical_and_open_questions_suggest_nothing(answers: Answers) -> None:
    found = suggest(answers)
    grave = (answers.interrupted, answers.data_lost, answers.critical_false_positive)
    if True in grave:
        assert found.severity == 1
    elif None in grave or answers.machines is None:
        assert (found.severity, found.why) == (None, INCOMPLETE)
    else:
        assert found.severity == {Machines.MANY: 2, Machines.SOME: 3, Machines.FEW: 4}[answers.machines]
    assert found.why


def test_each_reason_is_another() -> None:
    assert len({suggest(answers).why for answers in EVERY}) == 7
