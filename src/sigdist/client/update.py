"""Brings the lane's newest release onto this machine. Killed at any instant it leaves a database that loads.

Rules:
1. The server is asked where the lane is; when it cannot be reached, the stored addresses are used.
2. A changed lane is not followed: its root comes only with an enrolment.
3. Everything is fetched and checked aside, loaded in every engine of this machine, and only then made current.
4. Whatever is wrong, the installed database stays, and the sentence says what it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engines import ENGINE_NAMES, DatabaseRefused, EngineMissing, open_engine
from sigdist.client.fetch import Feed
from sigdist.client.refusals import AgentRefused, ServerRefused, ServerUnreachable, UpdateRefused
from sigdist.client.server import Server
from sigdist.client.store import Enrolment, Installed, Store
from sigdist.client.trust import Offer, check_not_older, check_release_file
from sigdist.records import RELEASE_FILE, sha256_hex

Checkpoint = Callable[[str], None]
_SERVER_FAULT = 500


@dataclass(frozen=True)
class Updated:
    """What an update did. `warnings` are sentences for the user."""

    release: int
    label: str
    state_root: str
    changed: bool
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release,
            "label": self.label,
            "state_root": self.state_root,
            "changed": self.changed,
            "warnings": self.warnings,
        }


def _unwatched(_step: str) -> None:
    """Nobody watches the steps."""


def update(store: Store, *, checkpoint: Checkpoint = _unwatched) -> Updated:
    """Install what the lane offers. `checkpoint` is told each step just done. Raises AgentRefused."""
    with store.lock():
        # Step 1: where the lane is.
        enrolment, warnings = _where(store)
        installed = store.installed()
        checkpoint("1 asked")
        try:
            # Step 2: what it offers, verified by python-tuf from the pinned root.
            feed = Feed(
                enrolment.lane,
                store.metadata_folder(enrolment.lane),
                enrolment.metadata_url,
                enrolment.targets_url,
                store.pinned_root(enrolment.lane),
            )
            offer = feed.offer()
            check_not_older(offer, installed.number if installed else None)
            checkpoint("2 offered")
            changed = not _has(store, installed, offer)
            if changed:
                warnings += _install(store, feed, offer, installed, checkpoint)
        except UpdateRefused as refusal:
            kept = f"the installed release {installed.number} stays" if installed else "nothing is installed yet"
            raise UpdateRefused(refusal.kind, f"{refusal}; {kept}") from refusal  # type: ignore[arg-type]
    return Updated(offer.release, offer.label, offer.state_root, changed, warnings)


def _where(store: Store) -> tuple[Enrolment, list[str]]:
    enrolment = store.enrolment()
    try:
        told = Server(enrolment.server, enrolment.token).get("/api/v1/agents/me")
    except ServerUnreachable as away:
        return enrolment, [f"{away}; going on with the stored addresses"]
    except ServerRefused as refusal:
        if refusal.status < _SERVER_FAULT:
            raise
        return enrolment, [f"the server has a fault ({refusal}); going on with the stored addresses"]
    if told.get("lane") != enrolment.lane:
        raise UpdateRefused(
            "wrong_lane",
            f"the contract moved this machine from lane {enrolment.lane} to {told.get('lane')}; "
            "get a new code in the portal and run: guardia-agent enrol",
        )
    named = {key: told[key] for key in ("metadata_url", "targets_url", "poll_after_s") if key in told}
    fresh = replace(enrolment, **named)
    if fresh != enrolment:
        store.save_enrolment(fresh)
    return fresh, []


def _has(store: Store, installed: Installed | None, offer: Offer) -> bool:
    return (
        installed is not None and installed.number == offer.release and store.is_whole(installed.folder, offer.hashes())
    )


def _install(store: Store, feed: Feed, offer: Offer, installed: Installed | None, checkpoint: Checkpoint) -> list[str]:
    # Step 3: every file, aside. What the last release already has is copied, after its hash is checked.
    incoming = store.incoming(offer.release)
    for name, (sha256, _size) in sorted(offer.files.items()):
        kept = _kept(installed, name, sha256)
        if kept is None:
            feed.download(name, incoming / name)
        else:
            (incoming / name).write_bytes(kept)
        checkpoint(f"3 fetched {name}")
    # Step 4: the description fits the signed metadata.
    check_release_file((incoming / RELEASE_FILE).read_bytes(), offer)
    # Step 5: every engine of this machine loads it.
    warnings = check_loads(incoming, offer.release)
    checkpoint("5 loaded")
    # Step 6: its place among the releases; step 7: the switch; step 8: old ones go.
    store.adopt(incoming, offer.release)
    checkpoint("6 adopted")
    store.switch(offer.release)
    checkpoint("7 switched")
    store.prune()
    return warnings


def _kept(installed: Installed | None, name: str, sha256: str) -> bytes | None:
    path = installed.folder / name if installed else None
    if path is None or not path.is_file():
        return None
    data = path.read_bytes()
    return data if sha256_hex(data) == sha256 else None


def check_loads(folder: Path, release: int) -> list[str]:
    """Load `folder` in each engine; warnings for those that are not here. Raises UpdateRefused, AgentRefused."""
    warnings, loaded = [], 0
    for name in ENGINE_NAMES:
        try:
            open_engine(name).load(folder)
            loaded += 1
        except EngineMissing as missing:
            warnings.append(f"release {release} was not tried in {name}: {missing}")
        except DatabaseRefused as refusal:
            raise UpdateRefused("does_not_load", f"release {release} does not load in {name}: {refusal}") from refusal
    if not loaded:
        raise AgentRefused(f"this machine has no engine to load a database with: {'; '.join(warnings)}")
    return warnings
