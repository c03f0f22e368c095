"""What a precheck's scans mean for the customer.

FN: confirmed where no engine detects the sample with the newest release of the customer's lane, else fixed in that
release. FP: confirmed where an engine detects it; else fixed in that release where the customer reported an older one,
else not reproducible. A correction that another lane already has is named too.
"""

from dataclasses import dataclass

from guardia.kernel.vocabulary import Claim


@dataclass(frozen=True)
class Precheck:
    """`outcome`: confirmed, fixed_in, not_reproducible or not_scanned; `ahead` a newer release that is right."""

    outcome: str
    ahead: int | None


def holds(claim: Claim, outcomes: list[str]) -> bool:
    """Whether the engines' outcomes are right for a file so claimed: FN wants all to detect it, FP none."""
    wanted = "detected" if claim is Claim.FALSE_NEGATIVE else "not_detected"
    return bool(outcomes) and all(outcome == wanted for outcome in outcomes)


def read(
    claim: Claim, lane_outcomes: list[str], newest_outcomes: list[str], *, reported_older: bool, newest: int
) -> Precheck:
    """Return what scans with the lane's release and with the newest one mean. Lists hold every engine and sample."""
    ahead = newest if holds(claim, newest_outcomes) else None
    if not lane_outcomes or "not_scanned" in lane_outcomes:
        return Precheck("not_scanned", None)
    if not holds(claim, lane_outcomes):
        is_wrong = claim is Claim.FALSE_NEGATIVE or "detected" in lane_outcomes
        return Precheck("confirmed" if is_wrong else "not_reproducible", ahead)
    if claim is Claim.FALSE_NEGATIVE or reported_older:
        return Precheck("fixed_in", None)
    return Precheck("not_reproducible", None)
