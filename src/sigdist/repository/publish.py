"""Puts a build on a lane. Killed at any instant and run again, it ends at the same single head.

Rules:
1. One publisher at a time holds the tree's lock.
2. Before anything is written: a number below the head's is refused; the head's number with other bytes is refused;
   the head's number with the same bytes is already done. Standard never goes ahead of accelerated.
3. Objects first (named by their hash), then the delegated role, then the snapshot: none of them is reachable yet. The
   timestamp comes last and is the switch: one rename, before it clients see the old release, after it the new one.
4. A numbered metadata file is never overwritten, for a cache may hold it. Left over from a killed run it is used when
   it says the same, else its number is passed over.
5. What was published is read back and verified before the step is called done.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import SPECIFICATION_VERSION, Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from sigdist.records import Build, build_digest, sha256_hex
from sigdist.repository.atomic import lock, write_atomically
from sigdist.repository.chain import GUARDIA, Chain, Head, head_of, read_chain
from sigdist.repository.keyring import KeyRing
from sigdist.repository.lanes import Lane, expiry, lane_named, metadata_folder, object_path, tree_lock
from sigdist.repository.refusals import KeysRefused, ReleaseRefused, TreeDamaged

Checkpoint = Callable[[str], None]
_SPEC = ".".join(SPECIFICATION_VERSION)
_REUSE_WITHIN = timedelta(hours=1)
_Numbered = TypeVar("_Numbered", Snapshot, Targets)


def _unwatched(_step: str) -> None:
    """Nobody watches the steps."""


def publish(
    tree: Path, lane: str, build: Build, keys: KeyRing, now: datetime, *, checkpoint: Checkpoint = _unwatched
) -> Head:
    """Make `build` the head of `lane`. `checkpoint` is told the name of each step just done.

    Raises ReleaseRefused (nothing changed), TreeDamaged, KeysRefused, OSError (run again once it is mended).
    """
    where = lane_named(lane)
    if build_digest(build.files) != build.digest:
        raise ReleaseRefused(f"release {build.number}: its files do not give its digest; build it again")
    with lock(tree_lock(tree)):
        # Step 1: what is there, verified, and whether this release may follow it.
        chain = read_chain(tree, where)
        current = head_of(chain)
        if current is not None and _already_done(current, build):
            return current
        _check_other_lane(tree, where, build)
        checkpoint("1 checked")
        # Step 2: the objects, each named by its hash; nothing points at them yet.
        for name, data in sorted(build.files.items()):
            _write_object(object_path(tree, where, name, sha256_hex(data)), data)
            checkpoint(f"2 object {name}")
        # Steps 3 to 5: role, snapshot, and the timestamp that switches.
        write_head(tree, chain, _role(chain, build, now), keys, now, checkpoint)
        # Step 6: read back.
        return _read_back(tree, where, build)


def _already_done(current: Head, build: Build) -> bool:
    if build.number < current.release:
        raise ReleaseRefused(
            f"release {build.number} is older than {current.release}, which lane {current.lane} already has; "
            "to go back, publish a higher number that carries REVERT"
        )
    if build.number > current.release:
        return False
    if build.digest != current.digest:
        raise ReleaseRefused(
            f"release {build.number} is on lane {current.lane} with other bytes; give the new content a new number"
        )
    return True


def _check_other_lane(tree: Path, lane: Lane, build: Build) -> None:
    if lane.name != "standard":
        return
    ahead = head_of(read_chain(tree, lane_named("accelerated")))
    if ahead is None or ahead.release < build.number:
        raise ReleaseRefused(f"release {build.number} is not on accelerated yet; publish it there first")
    if ahead.release == build.number and ahead.digest != build.digest:
        raise ReleaseRefused(f"release {build.number} has other bytes on accelerated; one number, one content")


def _write_object(path: Path, data: bytes) -> None:
    # An object of the right name and wrong bytes can only be damage: it is mended, not trusted.
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def _role(chain: Chain, build: Build, now: datetime) -> Targets:
    files = {}
    for name, data in sorted(build.files.items()):
        target = TargetFile.from_data(name, data, ["sha256"])
        target.unrecognized_fields["custom"] = {"release": build.number}
        files[name] = target
    previous = chain.published.role.version if chain.published else 0
    role = Targets(previous + 1, _SPEC, expiry(now, "role"), files)
    role.unrecognized_fields[GUARDIA] = {
        "lane": chain.lane.name,
        "release": build.number,
        "label": build.label,
        "state_root": build.state_root,
    }
    return role


def write_head(
    tree: Path, chain: Chain, role: Targets, keys: KeyRing, now: datetime, checkpoint: Checkpoint = _unwatched
) -> None:
    """Sign and write role, snapshot and timestamp, the switch last. The caller holds the lock."""
    lane, folder, published = chain.lane, metadata_folder(tree, chain.lane), chain.published
    # Step 3: the delegated role, signed by every holder whose key is here.
    role_meta = _write_numbered(folder, lane.role, role, _holders(lane, keys), keys)
    checkpoint("3 role")
    # Step 4: the snapshot, which ties top-level targets and role together.
    previous = published.snapshot.version if published else 0
    meta = {"targets.json": chain.targets_meta, f"{lane.role}.json": role_meta}
    snapshot = Snapshot(previous + 1, _SPEC, expiry(now, "snapshot"), meta)
    snapshot_meta = _write_numbered(folder, "snapshot", snapshot, [lane.key("snapshot")], keys)
    checkpoint("4 snapshot")
    # Step 5: the timestamp. Its rename is the moment of publication.
    write_timestamp(tree, chain, snapshot_meta, keys, now)
    checkpoint("5 timestamp")


def write_timestamp(tree: Path, chain: Chain, snapshot_meta: MetaFile, keys: KeyRing, now: datetime) -> None:
    """Point the lane at this snapshot. The caller holds the lock."""
    previous = chain.published.timestamp.version if chain.published else 0
    timestamp = Metadata(Timestamp(previous + 1, _SPEC, expiry(now, "timestamp"), snapshot_meta))
    timestamp.sign(keys.signer(chain.lane.key("timestamp")))
    write_atomically(metadata_folder(tree, chain.lane) / "timestamp.json", timestamp.to_bytes())


def _holders(lane: Lane, keys: KeyRing) -> list[str]:
    held = [name for name in lane.role_keys if keys.holds(name)]
    if len(held) < lane.role_threshold:
        raise KeysRefused(f"role {lane.role} needs {lane.role_threshold} keys and {len(held)} are in {keys.folder}")
    return held


def _write_numbered(folder: Path, role: str, wanted: _Numbered, signers: list[str], keys: KeyRing) -> MetaFile:
    while (path := folder / f"{wanted.version}.{role}.json").exists():
        if _says_the_same(path, wanted, signers, keys):
            return MetaFile.from_data(wanted.version, path.read_bytes(), ["sha256"])
        wanted.version += 1
    signed = Metadata(wanted)
    for name in signers:
        signed.sign(keys.signer(name), append=True)
    data = signed.to_bytes()
    write_atomically(path, data)
    return MetaFile.from_data(wanted.version, data, ["sha256"])


def _says_the_same(path: Path, wanted: Snapshot | Targets, signers: list[str], keys: KeyRing) -> bool:
    try:
        there = Metadata.from_bytes(path.read_bytes())
    except RepositoryError as wrong:
        raise TreeDamaged(f"{path} is not metadata: {wrong}; restore the tree") from wrong
    said, meant = there.signed.to_dict(), wanted.to_dict()
    late = wanted.expires - there.signed.expires
    said.pop("expires")
    meant.pop("expires")
    ids = {keys.public_key(name).keyid for name in signers}
    return said == meant and abs(late) < _REUSE_WITHIN and ids <= set(there.signatures)


def _read_back(tree: Path, lane: Lane, build: Build) -> Head:
    written = head_of(read_chain(tree, lane))
    if written is None or written.release != build.number or written.digest != build.digest:
        raise TreeDamaged(f"lane {lane.name} does not show release {build.number} after publishing it; check the disk")
    return written
