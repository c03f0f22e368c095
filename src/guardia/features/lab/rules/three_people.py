"""Three people: author, reviewer, releaser. The database enforces it; this rule says it in a sentence beforehand.

A draft is reviewed after all gates have passed on exactly its build, and released after review, each by a person who
holds the role and has no other of the three on this draft.
"""

from collections.abc import Mapping, Sequence

from guardia.kernel.vocabulary import Actor, Claim, Role
from guardia.kernel.words import gettext_noop

ACTS = {"reviewer": ("gated", Role.REVIEWER), "releaser": ("reviewed", Role.RELEASER)}
_TAKEN = {
    "author": gettext_noop("You wrote this draft; another person does this."),
    "reviewer": gettext_noop("You reviewed this draft; another person releases it."),
    "releaser": gettext_noop("You released this draft already."),
}
_STATE = {
    "saved": gettext_noop("The gates have not run on this draft yet."),
    "gating": gettext_noop("The gates are still running."),
    "gate_failed": gettext_noop("A gate failed; this build cannot be released."),
    "gated": gettext_noop("A reviewer comes first."),
    "reviewed": gettext_noop("This draft is reviewed already."),
    "approved": gettext_noop("This draft is released already."),
    "superseded": gettext_noop(
        "A newer draft or another release took the place of this one. "
        "Save the draft again, so that the gates run on the new bytes."
    ),
}


def refusal(slot: str, draft_state: str, actor: Actor, taken: Mapping[str, str]) -> str:
    """Return why `actor` may not fill `slot` now, or an empty string. `taken` maps filled slots to person ids."""
    needed_state, needed_role = ACTS[slot]
    if needed_role not in actor.roles:
        if needed_role is Role.REVIEWER:
            return gettext_noop("Only a reviewer may do this.")
        return gettext_noop("Only a releaser may do this.")
    for other, person_id in taken.items():
        if person_id == actor.id:
            return _TAKEN[other]
    if draft_state != needed_state:
        return _STATE[draft_state]
    return ""


def holds_role(slot: str, actor: Actor) -> bool:
    """Whether the actor has the role that `slot` asks for."""
    return ACTS[slot][1] in actor.roles


def undetermined(claim: Claim, verdicts: Sequence[str]) -> str:
    """Return why no draft of a case may be approved yet, or an empty string: the last determination must confirm it."""
    wanted = "fn_confirmed" if claim is Claim.FALSE_NEGATIVE else "fp_confirmed"
    if verdicts and verdicts[-1] == wanted:
        return ""
    return gettext_noop("The lab has not confirmed the claim. The holder of the case records the determination first.")
