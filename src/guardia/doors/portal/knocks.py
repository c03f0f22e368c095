"""How often somebody may ask for a link without being signed in, by address and by where the request comes from.

Kept in the cache, in windows of ten minutes; the hard limits of links are in the journey's own transaction. Addresses
are kept as digests only.
"""

from hashlib import sha256
from typing import Final

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from guardia.kernel import clock

WINDOW_S: Final = 600
MOST_OF_IP: Final = 10
MOST_OF_ADDRESS: Final = 5


def client_ip(request: HttpRequest) -> str:
    """Return where a request comes from, as sign-in counts it."""
    return str(get_adapter().get_client_ip(request))


def is_too_often(kind: str, who: str, limit: int) -> bool:
    """Count one more knock, and return whether there were more than `limit` within the window."""
    window = int(clock.now().timestamp()) // WINDOW_S
    key = f"knock:{kind}:{sha256(who.strip().lower().encode()).hexdigest()[:32]}:{window}"
    if cache.add(key, 1, WINDOW_S):
        return limit < 1
    try:
        return int(cache.incr(key)) > limit
    except ValueError:  # it ended between the two: the window is over
        return False
