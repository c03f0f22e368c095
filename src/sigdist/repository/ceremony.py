"""Makes the keys and the first root and targets of both lanes. Run once; run again, it goes on where it was.

Rules:
1. The keys come first, each written whole; then `keys.json`; then, for each lane, targets and last root.json.
2. What is there is kept: a second run makes nothing new and changes no key. Keys made for development stay so:
   a ceremony that would relabel them is refused.
3. Root asks for 3 of 5 keys, the delegated role for what its lane says; every other role for one.
"""

from datetime import datetime
from pathlib import Path

from securesystemslib.signer import SSlibKey
from tuf.api.metadata import SPECIFICATION_VERSION, DelegatedRole, Delegations, Metadata, Root, Targets

from sigdist.repository.atomic import lock, write_atomically
from sigdist.repository.keyring import KEYS_FILE, KeyRing, key_file, make_private_key, read_private_key, write_keys_file
from sigdist.repository.lanes import (
    DELEGATED_PATHS,
    EVIDENCE_KEY,
    LANES,
    ROOT_THRESHOLD,
    Lane,
    expiry,
    metadata_folder,
    tree_lock,
)
from sigdist.repository.refusals import KeysRefused

_SPEC = ".".join(SPECIFICATION_VERSION)


def ceremony(keys_folder: Path, tree: Path, now: datetime, *, passphrase: str, development: bool) -> KeyRing:
    """Keys in `keys_folder` and first metadata in `tree`; the opened key ring. Raises KeysRefused, OSError."""
    if not passphrase:
        raise KeysRefused("the keys need a passphrase; give one that is not empty")
    keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys_folder.chmod(0o700)
    with lock(keys_folder / ".ceremony.lock"), lock(tree_lock(tree)):
        # Step 1: keys that are not there yet; step 2: the list of their public parts.
        if not (keys_folder / KEYS_FILE).exists():
            write_keys_file(keys_folder, _make_keys(keys_folder, passphrase), development=development)
        keys = KeyRing.open(keys_folder, passphrase)
        if keys.development != development:
            kind = "development" if keys.development else "production"
            raise KeysRefused(f"{keys_folder} already holds {kind} keys; use another folder")
        # Step 3: for each lane, targets and then root.
        for lane in LANES.values():
            _found_lane(tree, lane, keys, now)
    return keys


def _make_keys(folder: Path, passphrase: str) -> dict[str, SSlibKey]:
    public = {}
    for name in [name for lane in LANES.values() for name in lane.key_names()] + [EVIDENCE_KEY]:
        if not key_file(folder, name).exists():
            make_private_key(folder, name, passphrase)
        public[name] = SSlibKey.from_crypto(read_private_key(folder, name, passphrase).public_key())
    return public


def _found_lane(tree: Path, lane: Lane, keys: KeyRing, now: datetime) -> None:
    folder = metadata_folder(tree, lane)
    if not (folder / "1.root.json").exists():
        write_atomically(folder / "1.targets.json", _first_targets(lane, keys, now).to_bytes())
        write_atomically(folder / "1.root.json", _first_root(lane, keys, now).to_bytes())
    if not (folder / "root.json").exists():
        write_atomically(folder / "root.json", (folder / "1.root.json").read_bytes())


def _first_root(lane: Lane, keys: KeyRing, now: datetime) -> Metadata[Root]:
    root = Root(1, _SPEC, expiry(now, "root"), consistent_snapshot=True)
    root.unrecognized_fields["guardia"] = {"lane": lane.name}
    for name in lane.root_keys:
        root.add_key(keys.public_key(name), Root.type)
    for role in ("targets", "snapshot", "timestamp"):
        root.add_key(keys.public_key(lane.key(role)), role)
    root.roles[Root.type].threshold = ROOT_THRESHOLD
    signed = Metadata(root)
    for name in lane.root_keys:
        signed.sign(keys.signer(name), append=True)
    return signed


def _first_targets(lane: Lane, keys: KeyRing, now: datetime) -> Metadata[Targets]:
    holders = [keys.public_key(name) for name in lane.role_keys]
    role = DelegatedRole(
        lane.role,
        [key.keyid for key in holders],
        lane.role_threshold,
        terminating=True,
        paths=DELEGATED_PATHS,
    )
    delegations = Delegations({key.keyid: key for key in holders}, {lane.role: role})
    signed = Metadata(Targets(1, _SPEC, expiry(now, "targets"), {}, delegations))
    signed.sign(keys.signer(lane.key("targets")))
    return signed
