"""Premium incidents, year by year: what a contract year is worth, and what a change of terms does to it.

- L-1 The first year opens with what the terms give (`grant`), each later one too (`renew`), and with what was left over
  of the year before, up to `carry_over`. Unlimited terms open a year with nothing, since nothing is counted down.
- L-2 What is left is what the year opened with, plus what was adjusted, less what was spent.
- L-3 A year that nobody has moved anything in yet is worth what it would open with.
- L-4 A change of terms adds the difference of the two to the running year. What was spent stays spent, and what is left
  never falls below zero by it.
- L-5 A case is charged at most one: reserving a charged case, or giving back what is not charged, moves nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """What the terms in force give a year: `incidents` is None where they are unlimited."""

    incidents: int | None
    carry_over: int = 0


@dataclass(frozen=True)
class YearSums:
    """A year's movements summed up: `opened` by grant or renew (None: not yet), `adjusted`, and `spent` by cases."""

    opened: int | None = None
    adjusted: int = 0
    spent: int = 0


@dataclass(frozen=True)
class YearAccount:
    """What a year opened with (or would), and what is left; below zero only while the terms are unlimited."""

    opened: int
    left: int
    spent: int


def opening(allowance: Allowance, left_before: int) -> int:
    """Return what a year opens with, after one in which `left_before` were left over (L-1)."""
    if allowance.incidents is None:
        return 0
    return allowance.incidents + min(max(left_before, 0), allowance.carry_over)


def accounts(years: Iterable[YearSums], allowance: Allowance, carried_in: int = 0) -> list[YearAccount]:
    """Return each year's account, the first after `carried_in` were left over of an earlier contract (L-2, L-3)."""
    found: list[YearAccount] = []
    left = carried_in
    for year in years:
        opened = opening(allowance, left) if year.opened is None else year.opened
        left = opened + year.adjusted - year.spent
        found.append(YearAccount(opened, left, year.spent))
    return found


def adjustment(before: Allowance, after: Allowance, left: int) -> int:
    """Return what a change of terms adds to the running year, which has `left` by its sums (L-4)."""
    difference = (after.incidents or 0) - (before.incidents or 0)
    return difference if after.incidents is None else max(difference, -left)
