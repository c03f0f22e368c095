"""Who owns the transaction.

A journey opens it; an operation needs it and fails when it is missing, so that no half-made change can be kept.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")


class TransactionMissing(RuntimeError):
    """An operation was called outside a journey's transaction: a programming error."""


def journey() -> AbstractContextManager[None]:
    """Open the journey's transaction; a journey never runs inside another's."""
    return transaction.atomic(durable=False)


def operation(change: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as a change that needs, and never opens, a transaction."""

    @wraps(change)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not connection.in_atomic_block:
            raise TransactionMissing(f"{change.__module__}.{change.__qualname__} needs the transaction of a journey")
        return change(*args, **kwargs)

    return guarded
