"""What people are told by mail, and what of it they may switch off.

What a person of the vendor's writes or decides is always sent: answers, questions, classes, severities, rejections. So
is what proves a sender or opens an account, and what staff are alerted of. The rest tells what the page shows as well.
"""

from collections.abc import Collection
from typing import Final

MUTABLE: Final = ("opened", "released", "closed", "reopened", "called", "merged", "split")
"""Topics that a person may switch off, in the order of the page."""
ALWAYS: Final = (
    *("message", "answered", "answer_voided", "waiting", "solution", "rejected"),
    *("severity_changed", "severity_proposed", "dispute_settled", "class_changed", "proof"),
)
"""Topics of customers that are always sent."""
ACCOUNT: Final = "account"
SECRET: Final = frozenset({ACCOUNT, "proof"})
"""Mails with a secret link: their words are wiped once they were sent, or given up."""


def muted_of(chosen: Collection[str]) -> frozenset[str]:
    """Return what of a choice counts: only what may be switched off."""
    return frozenset(chosen) & frozenset(MUTABLE)


def is_withheld(standing: str, topic: str, *, is_automatic: bool) -> bool:
    """Whether a mail is kept back from an address that bounces (`failing`) or complained (`complained`).

    A failing address gets no automatic answers, but notices are still tried; who complained gets what must be told.
    """
    if standing == "failing":
        return is_automatic
    return standing == "complained" and (is_automatic or topic in MUTABLE)
