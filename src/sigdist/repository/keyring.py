"""The signing keys in their folder: read, never shown.

Rules:
1. The folder is 0700 and its files 0600; a folder open to others is refused. Private keys are PKCS#8, encrypted.
2. `keys.json` names every key, its role-holder's public part, and whether these are development keys.
3. A private key is decrypted when it first signs and kept in memory only. No repr, pickle or message shows one.
4. A folder may hold only some of the private keys (offline keys stay away); asking for an absent one is refused.
"""

import json
import stat
from pathlib import Path
from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.exceptions import KeyMismatchError
from securesystemslib.signer import CryptoSigner, SSlibKey

from sigdist.repository.atomic import write_atomically
from sigdist.repository.refusals import KeysRefused

KEYS_FILE = "keys.json"
KEYS_FORMAT = "guardia-keys/1"


class KeyRing:
    """The keys of a folder. Open it with `KeyRing.open`."""

    def __init__(self, folder: Path, passphrase: str, public: dict[str, SSlibKey], *, development: bool) -> None:
        self.folder = folder
        self.development = development
        self._passphrase = passphrase
        self._public = public
        self._signers: dict[str, CryptoSigner] = {}

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> "KeyRing":
        """The key ring in `folder`. Raises KeysRefused: no folder, open to others, damaged, wrong passphrase."""
        check_private_folder(folder)
        public, development = read_keys_file(folder / KEYS_FILE)
        ring = cls(folder, passphrase, public, development=development)
        ring._check_passphrase()
        return ring

    def names(self) -> list[str]:
        """Every key that the ring knows, by name."""
        return sorted(self._public)

    def holds(self, name: str) -> bool:
        """Whether the private part of `name` is here."""
        return name in self._public and key_file(self.folder, name).is_file()

    def public_key(self, name: str) -> SSlibKey:
        """The public part of `name`. Raises KeysRefused when there is no such key."""
        if name not in self._public:
            raise KeysRefused(f"{self.folder} knows no key called {name}")
        return self._public[name]

    def signer(self, name: str) -> CryptoSigner:
        """A signer for `name`. Raises KeysRefused when its private part is absent or does not open."""
        if name not in self._signers:
            self._signers[name] = self._load(name)
        return self._signers[name]

    def _load(self, name: str) -> CryptoSigner:
        public = self.public_key(name)
        try:
            return CryptoSigner(read_private_key(self.folder, name, self._passphrase), public)
        except KeyMismatchError as wrong:
            raise KeysRefused(f"the private key {name} in {self.folder} is not the one in {KEYS_FILE}") from wrong

    def _check_passphrase(self) -> None:
        held = next((name for name in self.names() if self.holds(name)), None)
        if held is not None:
            self.signer(held)

    def __repr__(self) -> str:
        kind = "development" if self.development else "production"
        return f"KeyRing({str(self.folder)!r}, {len(self._public)} {kind} keys)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key ring is not pickled: open the folder again in the other process")


def check_private_folder(folder: Path) -> None:
    """Raises KeysRefused unless `folder` is there and closed to everybody else."""
    if not folder.is_dir():
        raise KeysRefused(f"there is no key folder {folder}; hold the key ceremony first")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise KeysRefused(f"{folder} is open to others; run: chmod 700 {folder}")


def read_keys_file(path: Path) -> tuple[dict[str, SSlibKey], bool]:
    """The public keys that `path` lists, by name, and whether they are for development. Raises KeysRefused, OSError."""
    try:
        listed = json.loads(path.read_bytes())
    except FileNotFoundError as missing:
        raise KeysRefused(f"{path.parent} has no {path.name}; hold the key ceremony first") from missing
    except ValueError as wrong:
        raise KeysRefused(f"{path} is not JSON; restore it from its copy") from wrong
    if not isinstance(listed, dict) or listed.get("format") != KEYS_FORMAT:
        raise KeysRefused(f"{path} is not of format {KEYS_FORMAT}; restore it from its copy")
    return {name: _public_key(name, entry) for name, entry in listed["keys"].items()}, bool(listed["development"])


def key_file(folder: Path, name: str) -> Path:
    """Where the private key `name` lies, encrypted."""
    return folder / f"{name}.pem"


def read_private_key(folder: Path, name: str, passphrase: str) -> Ed25519PrivateKey:
    """The private key `name`. Raises KeysRefused; no message holds key or passphrase."""
    path = key_file(folder, name)
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.encode("utf-8"))
    except FileNotFoundError as missing:
        raise KeysRefused(f"the private key {name} is not in {folder}; bring it, or sign where it is") from missing
    except (ValueError, TypeError) as wrong:
        raise KeysRefused(f"{path} does not open with this passphrase") from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysRefused(f"{path} is not an Ed25519 key")
    return key


def make_private_key(folder: Path, name: str, passphrase: str) -> None:
    """Write a new key, encrypted, 0600."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode("utf-8"))
    )
    write_atomically(key_file(folder, name), pem, mode=0o600)


def write_keys_file(folder: Path, public: dict[str, SSlibKey], *, development: bool) -> None:
    """Write `keys.json`: the ids and public parts of all keys."""
    keys = {name: {"keyid": key.keyid, **key.to_dict()} for name, key in sorted(public.items())}
    listed = {"format": KEYS_FORMAT, "development": development, "keys": keys}
    write_atomically(folder / KEYS_FILE, json.dumps(listed, indent=1).encode() + b"\n", mode=0o600)


def _public_key(name: str, entry: Any) -> SSlibKey:
    try:
        fields = dict(entry)
        return SSlibKey.from_dict(fields.pop("keyid"), fields)
    except (KeyError, TypeError, ValueError) as wrong:
        raise KeysRefused(f"{KEYS_FILE} describes the key {name} wrongly; restore it from its copy") from wrong
