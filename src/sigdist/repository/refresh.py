"""Signs a lane's metadata anew before it runs out, so that a quiet lane is not taken for a frozen one.

Rules:
1. Timestamp and snapshot are signed anew when less than half of their life is left, the role when a third is.
2. A role is signed anew only where enough of its keys are; otherwise it is left, and `publish` will do it.
3. The release does not change; a lane that never published has nothing to refresh.
"""

from datetime import datetime
from pathlib import Path

from tuf.api.metadata import Targets

from sigdist.repository.atomic import lock
from sigdist.repository.chain import Chain, read_chain
from sigdist.repository.keyring import KeyRing
from sigdist.repository.lanes import PERIODS, expiry, lane_named, tree_lock
from sigdist.repository.publish import write_head, write_timestamp

_LEFT = {"timestamp": 2, "snapshot": 2, "role": 3}


def refresh(tree: Path, lane: str, keys: KeyRing, now: datetime, *, force: bool = False) -> bool:
    """Sign anew what is due (with `force`, all of it); whether anything was. Raises TreeDamaged, KeysRefused."""
    with lock(tree_lock(tree)):
        chain = read_chain(tree, lane_named(lane))
        published = chain.published
        if published is None:
            return False
        if force or _due(published.role.expires, "role", now) or _due(published.snapshot.expires, "snapshot", now):
            write_head(tree, chain, _next_role(chain, keys, now, force=force), keys, now)
            return True
        if _due(published.timestamp.expires, "timestamp", now):
            write_timestamp(tree, chain, published.timestamp.snapshot_meta, keys, now)
            return True
        return False


def _due(expires: datetime, period: str, now: datetime) -> bool:
    return expires - now < PERIODS[period] / _LEFT[period]


def _next_role(chain: Chain, keys: KeyRing, now: datetime, *, force: bool) -> Targets:
    if chain.published is None:
        raise ValueError("a lane without a release has no role to sign")
    role = chain.published.role
    held = sum(keys.holds(name) for name in chain.lane.role_keys)
    if (force or _due(role.expires, "role", now)) and held >= chain.lane.role_threshold:
        role.version += 1
        role.expires = expiry(now, "role")
    return role
