"""Where nothing is waited for: the signalling thread says so around what would otherwise make something, or read it.

Threads begin without it: what they are given may wait.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MAY_WAIT: ContextVar[bool] = ContextVar("may_wait", default=True)


def may_wait() -> bool:
    """Whether a file may be read and a program run here."""
    return _MAY_WAIT.get()


@contextmanager
def unwaiting() -> Iterator[None]:
    """Within it nothing may be waited for."""
    before = _MAY_WAIT.set(False)
    try:
        yield
    finally:
        _MAY_WAIT.reset(before)
