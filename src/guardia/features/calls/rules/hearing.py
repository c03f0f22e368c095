"""Who hears what was recorded: engineers and duty managers everything, a company's people what was said to their cases.

A conversation is for staff alone, and so is a message of somebody unknown, whatever case staff attach it to.
"""

from typing import Final

from guardia.kernel.vocabulary import Actor, Role

HEARERS: Final = frozenset({Role.ENGINEER, Role.DUTY_MANAGER})
FOR_CUSTOMERS: Final = frozenset({"description", "message"})


def may_hear(actor: Actor) -> bool:
    """Whether the actor hears recordings of every company, and deals with messages that wait."""
    return bool(actor.roles & HEARERS)


def is_for_customers(kind: str, *, waits_for_staff: bool) -> bool:
    """Whether a recording of a case may be heard by the people of its company; `waits_for_staff`: it does, or did."""
    return kind in FOR_CUSTOMERS and not waits_for_staff
