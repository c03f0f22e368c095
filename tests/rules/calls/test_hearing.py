"""Who hears recordings: two roles everything, customers what was said to their own cases."""

import pytest

from guardia.features.calls.rules.hearing import is_for_customers, may_hear
from guardia.kernel.vocabulary import Actor, ActorKind, Role


@pytest.mark.parametrize("role", list(Role))
def test_engineers_and_duty_managers_hear_and_no_other_role(role: Role) -> None:
    actor = Actor(ActorKind.PERSON, "1", "Somebody", roles=frozenset({role}))
    assert may_hear(actor) == (role in {Role.ENGINEER, Role.DUTY_MANAGER})


@pytest.mark.parametrize(
    ("kind", "waits", "is_theirs"),
    [
        ("description", False, True),
        ("message", False, True),
        ("message", True, False),
        ("conversation", False, False),
        ("something new", False, False),
    ],
)
def test_customers_hear_what_was_said_to_a_case_and_no_conversation_and_no_stranger(
    kind: str, *, waits: bool, is_theirs: bool
) -> None:
    assert is_for_customers(kind, waits_for_staff=waits) == is_theirs
