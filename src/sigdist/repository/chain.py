"""Reads a lane's metadata from the tree and verifies it from root to the delegated role, with python-tuf.

Rules:
1. The newest N.root.json counts; every older one back to 1 must lead to it (each signed by its predecessor and itself).
2. Timestamp, snapshot, targets and role verify against their delegator; lengths and hashes fit.
3. A lane without timestamp.json has never published: it has root and targets, and no head.
4. Expiry is not looked at here: an expired head is still the head, and publishing on it is how it gets fresh again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from sigdist.records import digest_of_hashes
from sigdist.repository.lanes import Lane, lane_named, metadata_folder
from sigdist.repository.refusals import TreeDamaged

GUARDIA = "guardia"
_Signed = TypeVar("_Signed", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True)
class Published:
    """The metadata that the lane's timestamp leads to."""

    timestamp: Timestamp
    snapshot: Snapshot
    role: Targets


@dataclass(frozen=True)
class Chain:
    """A lane's verified metadata; `published` is None before the first release."""

    lane: Lane
    root: Root
    targets: Targets
    targets_meta: MetaFile
    published: Published | None


@dataclass(frozen=True)
class Head:
    """What a lane points at."""

    lane: str
    release: int
    label: str
    state_root: str
    digest: str
    files: dict[str, str]
    timestamp_version: int
    snapshot_version: int
    role_version: int


def head(tree: Path, lane: str) -> Head | None:
    """What `lane` points at, verified; None before its first release. Raises TreeDamaged, ValueError."""
    return head_of(read_chain(tree, lane_named(lane)))


def head_of(chain: Chain) -> Head | None:
    """The head of a chain that is already read."""
    published = chain.published
    if published is None:
        return None
    told = published.role.unrecognized_fields[GUARDIA]
    hashes = {name: target.hashes["sha256"] for name, target in sorted(published.role.targets.items())}
    return Head(
        lane=chain.lane.name,
        release=told["release"],
        label=told["label"],
        state_root=told["state_root"],
        digest=digest_of_hashes(hashes),
        files=hashes,
        timestamp_version=published.timestamp.version,
        snapshot_version=published.snapshot.version,
        role_version=published.role.version,
    )


def read_chain(tree: Path, lane: Lane) -> Chain:
    """The lane's metadata, verified. Raises TreeDamaged naming what does not verify."""
    folder = metadata_folder(tree, lane)
    try:
        root = _newest_root(folder)
        return _read_published(folder, lane, root)
    except FileNotFoundError as missing:
        raise TreeDamaged(f"{missing.filename} is missing; hold the key ceremony or restore the tree") from missing
    except (RepositoryError, KeyError, ValueError) as wrong:
        raise TreeDamaged(f"the metadata of lane {lane.name} in {folder} does not verify: {wrong}") from wrong


def _newest_root(folder: Path) -> Root:
    root = _load(folder, "1.root", Root)
    root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    while (folder / f"{root.signed.version + 1}.root.json").exists():
        following = _load(folder, f"{root.signed.version + 1}.root", Root)
        root.signed.verify_delegate(Root.type, following.signed_bytes, following.signatures)
        following.signed.verify_delegate(Root.type, following.signed_bytes, following.signatures)
        root = following
    return root.signed


def _read_published(folder: Path, lane: Lane, root: Root) -> Chain:
    if not (folder / "timestamp.json").exists():
        version = max(int(path.name.split(".")[0]) for path in folder.glob("*.targets.json"))
        targets = _load(folder, f"{version}.targets", Targets)
        root.verify_delegate(Targets.type, targets.signed_bytes, targets.signatures)
        return Chain(lane, root, targets.signed, _meta(folder, "targets", version), None)
    timestamp = _load(folder, "timestamp", Timestamp)
    root.verify_delegate(Timestamp.type, timestamp.signed_bytes, timestamp.signatures)
    snapshot_meta = timestamp.signed.snapshot_meta
    snapshot_meta.verify_length_and_hashes((folder / f"{snapshot_meta.version}.snapshot.json").read_bytes())
    snapshot = _load(folder, f"{snapshot_meta.version}.snapshot", Snapshot)
    root.verify_delegate(Snapshot.type, snapshot.signed_bytes, snapshot.signatures)
    targets_meta = snapshot.signed.meta["targets.json"]
    targets = _listed(folder, "targets", targets_meta)
    root.verify_delegate(Targets.type, targets.signed_bytes, targets.signatures)
    role = _listed(folder, lane.role, snapshot.signed.meta[f"{lane.role}.json"])
    targets.signed.verify_delegate(lane.role, role.signed_bytes, role.signatures)
    if role.signed.unrecognized_fields[GUARDIA]["lane"] != lane.name:
        raise TreeDamaged(f"{folder} holds metadata of another lane")
    published = Published(timestamp.signed, snapshot.signed, role.signed)
    return Chain(lane, root, targets.signed, targets_meta, published)


def _listed(folder: Path, role: str, meta: MetaFile) -> Metadata[Targets]:
    meta.verify_length_and_hashes((folder / f"{meta.version}.{role}.json").read_bytes())
    return _load(folder, f"{meta.version}.{role}", Targets)


def _load(folder: Path, name: str, kind: type[_Signed]) -> Metadata[_Signed]:
    loaded: Metadata[_Signed] = Metadata.from_bytes((folder / f"{name}.json").read_bytes())
    if not isinstance(loaded.signed, kind):
        raise TreeDamaged(f"{folder / name}.json is not {kind.type} metadata")
    return loaded


def _meta(folder: Path, role: str, version: int) -> MetaFile:
    return MetaFile.from_data(version, (folder / f"{version}.{role}.json").read_bytes(), ["sha256"])
