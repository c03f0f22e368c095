"""Real threads that act at the same instant, each with its own database connection."""

import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TypeVar

from django.db import connections

T = TypeVar("T")
CONNECTIONS = 32
"""How many of them may hold a connection at the same time: the server has 100 for everybody."""


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run every act in a thread of its own, let all go at the same instant, and return what each returned or raised."""
    answers: dict[int, T | Exception] = {}
    start, room = threading.Barrier(len(acts)), threading.BoundedSemaphore(CONNECTIONS)

    def run(index: int) -> None:
        start.wait(timeout=60)
        with room:
            try:
                answers[index] = acts[index]()
            except Exception as error:  # noqa: BLE001  what was raised is what the test looks at
                answers[index] = error
            finally:
                connections.close_all()

    threads = [threading.Thread(target=copy_context().run, args=(run, index)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "an act did not end within two minutes"
    return [answers[index] for index in range(len(acts))]


def raised(answers: Sequence[T | Exception]) -> list[Exception]:
    """Return the exceptions among the answers."""
    return [answer for answer in answers if isinstance(answer, Exception)]


def returned(answers: Sequence[T | Exception]) -> list[T]:
    """Return the answers that are no exceptions."""
    return [answer for answer in answers if not isinstance(answer, Exception)]
