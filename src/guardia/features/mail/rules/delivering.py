"""When a mail is tried again, and what becomes of one whose handing over is in doubt.

- S-1 After a failure that may pass: again after 1, 5, 15 and 30 minutes, then every hour, for 5 days from its writing
  (RFC 5321 4.5.4.1); then it has failed.
- S-2 A mail was about to be handed over, and nobody knows whether it was: the sender died, or the answer to the last
  dot was lost (RFC 5321 4.5.3.2.6, RFC 1047). An automatic answer is uncertain at once, since two desks that answer
  each other twice are a loop. Every other mail is sent once more with the same Message-ID, by which receivers fold
  the two; in doubt a second time it is uncertain too, and a person decides.
"""

from datetime import datetime, timedelta
from typing import Final

PATIENCE: Final = timedelta(days=5)
IN_DOUBT: Final = "in doubt: "
"""What `last_reply` begins with after the first doubt."""
_WAITS: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
_LONG_WAIT: Final = timedelta(hours=1)


def next_attempt(created_at: datetime, attempts: int, now: datetime) -> datetime | None:
    """S-1: return when a mail is tried again that has failed `attempts` times, or None where it is given up."""
    if now - created_at >= PATIENCE:
        return None
    return now + (_WAITS[attempts - 1] if attempts <= len(_WAITS) else _LONG_WAIT)


def may_be_sent_again(last_reply: str, *, is_automatic: bool) -> bool:
    """S-2: whether a mail in doubt is sent once more."""
    return not is_automatic and not last_reply.startswith(IN_DOUBT)


def still_in_doubt(last_reply: str, words: str) -> str:
    """Return what is kept of a refusal, so that an earlier doubt is not forgotten by it."""
    return f"{IN_DOUBT}{words.removeprefix(IN_DOUBT)}" if last_reply.startswith(IN_DOUBT) else words
