"""Done once, answered as often as asked: an `Idempotency-Key` or form token makes a repetition give the first answer.

Requests with the same key wait for each other. The same key with another request is refused, for it can only be a
mistake. Keys are kept for 24 hours.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.cases import operations, queries
from guardia.kernel.errors import Refused
from guardia.kernel.vocabulary import Actor

KEPT_FOR = timedelta(hours=24)
LONGEST_KEY = 120


def once(
    actor: Actor,
    now: datetime,
    key: str | None,
    act: str,
    request: Mapping[str, Any],
    do: Callable[[], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Return `do()` for the first request with `key`, and its answer for every repetition. Needs a transaction."""
    if not key:
        return do()
    if len(key) > LONGEST_KEY:
        raise Refused(
            "idempotency_key_too_long",
            _("The idempotency key is longer than %(limit)s characters.") % {"limit": LONGEST_KEY},
        )
    if not key.isprintable():
        raise Refused("idempotency_key_malformed", _("The idempotency key holds characters that are not printable."))
    owner = f"{actor.kind.value}:{actor.id}"
    digest = hashlib.sha256(json.dumps([act, request], sort_keys=True, default=str).encode()).hexdigest()
    operations.lock_key(owner, key)
    kept = queries.find_answer(owner, key, since=now - KEPT_FOR)
    if kept is None:
        answer = do()
        operations.keep_answer(owner, key, digest, answer, now)
        return answer
    if kept.request_digest != digest:
        raise Refused(
            "idempotency_key_reused", _("This key was used for another request. Send the new request with a new key.")
        )
    answer_before: Mapping[str, Any] = kept.answer
    return answer_before
