"""Sweep what phone calls leave behind: sound whose time of keeping is over, calls whose line died, old wrong tries.

Sound goes by when its call began. What still waits for staff is kept, with the whole of its call. First the journal
goes, then it is said that the sound is erased: nothing is said to be erased that is still there. Whoever is killed
between the two leaves rows without a journal, and the next sweep says it of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from guardia.features.accounts.operations import forget_wrong_tries
from guardia.features.calls import operations as calls
from guardia.features.calls.queries import calls_not_handed_in, recordings_to_erase, recordings_waiting
from guardia.features.calls.rules.handing_in import INTERRUPTED
from guardia.kernel.outside import JournalLocked, JournalUnreadable, outside
from guardia.kernel.transactions import journey

DEAD_AFTER: Final = timedelta(minutes=2)
TRIES_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True)
class SweptCalls:
    """How many journals went, how many calls were ended, how many wrong tries were forgotten."""

    journals: int
    ended: int
    tries: int


def sweep_calls(now: datetime, kept_days: int) -> SweptCalls:
    """Erase sound of calls that began more than `kept_days` ago, end calls that nobody draws, forget old tries."""
    return SweptCalls(_erase(now, now - timedelta(days=kept_days)), _end_dead(now), _forget_tries(now))


def _erase(now: datetime, before: datetime) -> int:
    journals = outside().call_journals
    waiting = set(recordings_waiting().values_list("call_id", flat=True))
    gone = set(journals.forget(before, waiting))
    over = set(recordings_to_erase(before).values_list("call_id", flat=True)) - waiting
    with journey():
        calls.erase_recordings(gone | {call_id for call_id in over if not journals.has(call_id)}, now)
    return len(gone)


def _end_dead(now: datetime) -> int:
    """End calls that no line draws any more; one that has a journal is ended by its being handed in."""
    dead = calls_not_handed_in(now - DEAD_AFTER).filter(ended_at=None)
    ended = [call for call in dead if not _has_journal(call.id)]
    with journey():
        for call in ended:
            calls.save_call(call.id, ended_at=call.seen_at, outcome=INTERRUPTED, step="", step_detail="")
    return len(ended)


def _has_journal(call_id: UUID) -> bool:
    try:
        outside().call_journals.read(call_id)
    except JournalLocked:
        return True
    except (FileNotFoundError, JournalUnreadable):
        return False
    return True


def _forget_tries(now: datetime) -> int:
    with journey():
        return forget_wrong_tries(now - TRIES_KEPT)
