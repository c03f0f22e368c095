"""Between the sockets and the spool: one thread that keeps the mail of all connections, with one wait for the disk.

What arrives while the disk is at work is kept together the next time. A message's future is done only after the spool
has it, or holds the OSError that kept it out. A connection that is gone by then changes nothing: its message is kept.
"""

import asyncio
import queue
import threading
from typing import Any, Final, NamedTuple

from guardia.kernel.outside import MailFacts, MailSpool

MOST_AT_ONCE: Final = 64


class _Asked(NamedTuple):
    facts: MailFacts
    raw: bytes
    answer: "asyncio.Future[Any]"


class Keeper:
    """Keeps mail for an event loop."""

    def __init__(self, spool: MailSpool) -> None:
        self._spool = spool
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="mail keeper", daemon=True)
        self._thread.start()

    async def keep(self, facts: MailFacts, raw: bytes) -> Any:
        """Return the envelope once the message is durably kept. Raises OSError."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.put(_Asked(facts, raw, answer))
        return await answer

    def close(self) -> None:
        """Keep what was handed in, and end."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._batch()
            if not batch:
                continue
            try:
                answers = self._spool.keep_many([(one.facts, one.raw) for one in batch])
            except Exception as error:  # noqa: BLE001  the thread lives on; each sender hears 451
                answers = [error for _ in batch]
            batch[0].answer.get_loop().call_soon_threadsafe(_tell, batch, answers)

    def _batch(self) -> tuple[list[_Asked], bool]:
        """Return what was handed in, at least one, and whether more may come."""
        batch: list[_Asked] = []
        while len(batch) < MOST_AT_ONCE and (not batch or not self._asked.empty()):
            one = self._asked.get()
            if one is None:
                return batch, False
            batch.append(one)
        return batch, True


def _tell(batch: list[_Asked], answers: list[Any]) -> None:
    for one, answer in zip(batch, answers, strict=True):
        if one.answer.done():
            continue  # its connection has gone
        if isinstance(answer, Exception):
            one.answer.set_exception(answer)
        else:
            one.answer.set_result(answer)
