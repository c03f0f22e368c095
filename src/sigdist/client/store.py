"""The agent's folder: its enrolment, its pinned root, its releases. All file I/O of the agent's state is here.

    HOME/enrolment.json            who this machine is, with its private key            0600
    HOME/pending.key               a key whose enrolment is not confirmed yet           0600
    HOME/trust/LANE/pinned.json    the root this machine trusts; LANE/metadata/ is python-tuf's
    HOME/incoming/NUMBER/          a release being fetched; nothing reads it
    HOME/releases/NUMBER/          yara/ clamav/ release.json
    HOME/current -> releases/NUMBER

Rules:
1. The folder is 0700 and the agent's alone; one with other things in it is refused. Every file is written beside its
   place and renamed into it.
2. `current` is a symbolic link that is replaced by a rename: at every instant it leads to a whole release, or there is
   none yet. A release folder gets its name only when everything in it is on disk.
3. Three releases are kept. One command at a time changes the folder.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sigdist.client.refusals import AgentRefused, NotEnrolled
from sigdist.records import RELEASE_FILE, sha256_hex

KEPT_RELEASES = 3
DATABASE_FOLDERS = ("yara", "clamav")
_OURS = {".lock", "enrolment.json", "pending.key", "trust", "releases", "current", "incoming"}


@dataclass(frozen=True)
class Enrolment:
    """Who this machine is to the server. The repr shows neither token nor key."""

    server: str
    agent_id: str
    name: str
    lane: str
    metadata_url: str
    targets_url: str
    poll_after_s: int
    enrolled_at: str
    root_sha256: str
    token: str
    private_key: str

    def __repr__(self) -> str:
        return f"Enrolment({self.agent_id!r} at {self.server!r}, lane {self.lane!r})"

    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.private_key))


@dataclass(frozen=True)
class Installed:
    """A release on this machine. `folder` is its own folder, not the link, so an update does not move it."""

    number: int
    label: str
    state_root: str
    folder: Path


class Store:
    """The agent's folder at `home`, made if it is not there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            there = {path.name for path in home.iterdir()}
            if there and not there & _OURS:
                raise AgentRefused(f"{home} holds other things; choose an empty folder with --home")
            home.chmod(0o700)
        except OSError as wrong:
            raise AgentRefused(f"cannot use {home}: {wrong.strerror}; choose another folder with --home") from wrong

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for a change. Raises AgentRefused when another agent does."""
        descriptor = os.open(self.home / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                raise AgentRefused(f"another guardia-agent is changing {self.home}; wait until it is done") from held
            yield
        finally:
            os.close(descriptor)

    # Who this machine is

    def enrolment(self) -> Enrolment:
        """Raises NotEnrolled."""
        path = self.home / "enrolment.json"
        try:
            return Enrolment(**json.loads(path.read_bytes()))
        except FileNotFoundError as missing:
            raise NotEnrolled(
                f"this machine is not enrolled ({path} is missing); run: guardia-agent enrol --server URL --code CODE"
            ) from missing
        except (ValueError, TypeError) as wrong:
            raise NotEnrolled(f"{path} is damaged; enrol this machine again with a new code") from wrong

    def save_enrolment(self, enrolment: Enrolment) -> None:
        self._write("enrolment.json", json.dumps(asdict(enrolment), indent=1).encode())
        (self.home / "pending.key").unlink(missing_ok=True)

    def pending_key(self) -> Ed25519PrivateKey:
        """The key to enrol with. Kept until the enrolment is stored, so that a killed enrolment can be repeated."""
        path = self.home / "pending.key"
        if not path.exists():
            self._write(path.name, Ed25519PrivateKey.generate().private_bytes_raw().hex().encode())
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text()))

    # Whom it trusts

    def pin_root(self, lane: str, root: bytes) -> None:
        """Trust `root` for `lane` from now on; what was learned under another root is forgotten."""
        pinned = self._trust(lane) / "pinned.json"
        if pinned.exists() and pinned.read_bytes() != root:
            shutil.rmtree(self.metadata_folder(lane), ignore_errors=True)
        self._write(f"trust/{lane}/pinned.json", root)

    def pinned_root(self, lane: str) -> bytes:
        """Raises AgentRefused when this machine has no root for `lane`."""
        try:
            return (self._trust(lane) / "pinned.json").read_bytes()
        except FileNotFoundError as missing:
            raise AgentRefused(
                f"this machine trusts no root for lane {lane}; enrol it again with a new code, which brings that root"
            ) from missing

    def metadata_folder(self, lane: str) -> Path:
        folder = self._trust(lane) / "metadata"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # What it has

    def installed(self) -> Installed | None:
        """The release that `current` leads to."""
        link = self.home / "current"
        if not link.exists():
            return None
        folder = link.resolve()
        try:
            told = json.loads((folder / RELEASE_FILE).read_bytes())
            return Installed(told["number"], told["label"], told["state_root"], folder)
        except (OSError, ValueError, KeyError, TypeError) as wrong:
            raise AgentRefused(f"{folder / RELEASE_FILE} cannot be read; remove {link} and run update") from wrong

    def need_installed(self) -> Installed:
        """Raises AgentRefused before the first update."""
        installed = self.installed()
        if installed is None:
            raise AgentRefused(f"there is no database in {self.home} yet; run: guardia-agent update")
        return installed

    def incoming(self, number: int) -> Path:
        """An empty folder to fetch release `number` into; leftovers of killed updates are removed."""
        shutil.rmtree(self.home / "incoming", ignore_errors=True)
        folder = self.home / "incoming" / str(number)
        for name in DATABASE_FOLDERS:
            (folder / name).mkdir(parents=True)
        return folder

    def adopt(self, incoming: Path, number: int) -> Path:
        """Give a fetched release its place among the releases, after everything in it is on disk."""
        for path in sorted(incoming.rglob("*"), reverse=True):
            _flush(path)
        _flush(incoming)
        place = self.home / "releases" / str(number)
        place.parent.mkdir(exist_ok=True)
        if place.exists():
            _mend(place, incoming)
        else:
            incoming.rename(place)
        _flush(place.parent)
        return place

    def switch(self, number: int) -> None:
        """Let `current` lead to release `number`: one rename."""
        beside = self.home / ".current.tmp"
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path("releases") / str(number))
        beside.replace(self.home / "current")
        _flush(self.home)

    def prune(self) -> None:
        """Keep the newest releases and the current one."""
        current = (self.home / "current").resolve()
        folders = [path for path in (self.home / "releases").iterdir() if path.name.isdigit()]
        for old in sorted(folders, key=lambda path: int(path.name), reverse=True)[KEPT_RELEASES:]:
            if old.resolve() != current:
                shutil.rmtree(old)
        shutil.rmtree(self.home / "incoming", ignore_errors=True)

    def is_whole(self, folder: Path, hashes: dict[str, str]) -> bool:
        """Whether `folder` holds exactly these database files, byte for byte."""
        there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        return there.keys() == hashes.keys() and all(
            sha256_hex(path.read_bytes()) == hashes[name] for name, path in there.items()
        )

    def _trust(self, lane: str) -> Path:
        return self.home / "trust" / lane

    def _write(self, name: str, data: bytes) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = path.parent / f".{path.name}.tmp"
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush(path.parent)


def _mend(place: Path, incoming: Path) -> None:
    """Make `place`, which is damaged and perhaps in use, what `incoming` is: file by file, each by a rename."""
    wanted = {path.relative_to(incoming): path for path in incoming.rglob("*") if path.is_file()}
    for name, path in wanted.items():
        (place / name).parent.mkdir(exist_ok=True)
        path.replace(place / name)
    for path in [path for path in place.rglob("*") if path.is_file() or path.is_symlink()]:
        if path.relative_to(place) not in wanted:
            path.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
