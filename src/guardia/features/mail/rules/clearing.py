"""Who clears the quarantine: engineers and duty managers decide about a message, everybody of the staff reads it."""

from typing import Final

from guardia.kernel.vocabulary import Actor, Role

CLEARERS: Final = frozenset({Role.ENGINEER, Role.DUTY_MANAGER})


def may_clear(actor: Actor) -> bool:
    """Whether the actor decides about messages in quarantine."""
    return bool(actor.roles & CLEARERS)
