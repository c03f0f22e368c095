"""The agent's decisions about an offered release, apart from fetching it. Pure.

python-tuf has verified signatures, versions, expiry, lengths and hashes before any of this is asked. What is left:

Rules:
1. The delegated role names the machine's own lane, and one release number that is not below the installed one.
2. Every target belongs to that release and has a name that a database can have.
3. release.json says the same as the signed metadata, and lists exactly the other targets with their digests and sizes.
4. A root given at enrolment is root metadata, signed by itself, and of the lane that it is used for.
5. Every refusal is told in one sentence, with its kind, where it happened, and that the installed database stays.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Targets

from sigdist.client.refusals import AgentRefused, UpdateFault, UpdateRefused
from sigdist.records import RELEASE_FILE

ROLE_OF_LANE = {"accelerated": "fast", "standard": "stable"}
_TARGET_NAME = re.compile(r"release\.json|(?:yara|clamav)/[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NOT_FOUND = 404


@dataclass(frozen=True)
class Offer:
    """What a lane's verified metadata offers: the release and, for each file, (sha256, size)."""

    lane: str
    release: int
    label: str
    state_root: str
    files: dict[str, tuple[str, int]]

    def hashes(self) -> dict[str, str]:
        return {name: sha256 for name, (sha256, _size) in self.files.items()}


def read_offer(role: Targets, lane: str) -> Offer:
    """The offer in a verified delegated role. Raises UpdateRefused."""
    told = role.unrecognized_fields.get("guardia")
    if not isinstance(told, dict) or not isinstance(told.get("release"), int):
        raise UpdateRefused("malformed", f"the metadata of lane {lane} does not say which release it is")
    if told.get("lane") != lane:
        raise UpdateRefused(
            "wrong_lane", f"the metadata is of lane {told.get('lane')!r} and this machine is on {lane}; enrol it again"
        )
    files = {}
    for name, target in role.targets.items():
        if not _TARGET_NAME.fullmatch(name) or "sha256" not in target.hashes:
            raise UpdateRefused("malformed", f"the metadata of lane {lane} lists {name!r}, which is no database file")
        if not isinstance(target.custom, dict) or target.custom.get("release") != told["release"]:
            raise UpdateRefused("mixed", f"{name} belongs to another release than {told['release']}")
        files[name] = (target.hashes["sha256"], target.length)
    if RELEASE_FILE not in files:
        raise UpdateRefused("malformed", f"release {told['release']} has no {RELEASE_FILE}")
    return Offer(lane, told["release"], str(told.get("label")), str(told.get("state_root")), files)


def check_not_older(offer: Offer, installed: int | None) -> None:
    """Raises UpdateRefused when this machine already has a newer release."""
    if installed is not None and offer.release < installed:
        raise UpdateRefused(
            "older", f"lane {offer.lane} offers release {offer.release} and this machine has {installed}; it keeps that"
        )


def check_release_file(data: bytes, offer: Offer) -> None:
    """Raises UpdateRefused unless release.json fits the signed metadata."""
    try:
        told: Any = json.loads(data)
        files = {name: (entry["sha256"], entry["size"]) for name, entry in told["files"].items()}
        said = (told["number"], told["label"], told["state_root"])
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise UpdateRefused("malformed", f"{RELEASE_FILE} of release {offer.release} cannot be read") from wrong
    if said != (offer.release, offer.label, offer.state_root):
        raise UpdateRefused("mixed", f"{RELEASE_FILE} speaks of release {said[0]}, the metadata of {offer.release}")
    expected = {name: entry for name, entry in offer.files.items() if name != RELEASE_FILE}
    if files != expected:
        raise UpdateRefused("mixed", f"{RELEASE_FILE} lists other files than the metadata of release {offer.release}")


def check_root(data: bytes, lane: str) -> bytes:
    """`data`, once it is shown to be a root for `lane`. Raises AgentRefused."""
    try:
        loaded: Metadata[Root] = Metadata.from_bytes(data)
        if not isinstance(loaded.signed, Root):
            raise AgentRefused("the root given for this machine is other metadata; ask the vendor for root.json")
        loaded.signed.verify_delegate(Root.type, loaded.signed_bytes, loaded.signatures)
    except (exceptions.RepositoryError, ValueError) as wrong:
        raise AgentRefused(f"the root given for this machine does not verify: {wrong}") from wrong
    told = loaded.signed.unrecognized_fields.get("guardia")
    named = told.get("lane") if isinstance(told, dict) else None
    if named != lane:
        raise AgentRefused(f"the root given is of lane {named!r} and this machine is on {lane}; give that lane's root")
    return data


_BY_ERROR: tuple[tuple[type[Exception], UpdateFault, str], ...] = (
    (exceptions.ExpiredMetadataError, "expired", "is expired: somebody holds back newer releases, or none was signed"),
    (exceptions.BadVersionNumberError, "older", "is older than what this machine has seen, or does not fit together"),
    (exceptions.LengthOrHashMismatchError, "mixed", "does not fit the signed length and hash: tampered with, or mixed"),
    (exceptions.UnsignedMetadataError, "tampered", "is not signed by the keys that this machine trusts"),
    (exceptions.RepositoryError, "malformed", "is not valid metadata"),
    (exceptions.DownloadLengthMismatchError, "endless", "is longer than it may be"),
    (exceptions.SlowRetrievalError, "slow", "comes too slowly"),
    (exceptions.DownloadHTTPError, "unreachable", "was answered with an error"),
    (exceptions.DownloadError, "unreachable", "cannot be fetched"),
)


def explain(error: Exception, what: str) -> UpdateRefused:
    """The refusal that tells a person what python-tuf found wrong with `what`."""
    if isinstance(error, exceptions.DownloadHTTPError) and error.status_code == _NOT_FOUND:
        return UpdateRefused("not_published", f"{what} is not there (404): nothing is published, or access has ended")
    for kind, fault, says in _BY_ERROR:
        if isinstance(error, kind):
            detail = str(error) or type(error).__name__
            return UpdateRefused(fault, f"{what} {says} ({detail})")
    raise error
