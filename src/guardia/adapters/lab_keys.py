"""The lab's wrapping keys: each sample has its own key, wrapped by the current lab key (AES key wrap, RFC 3394).

The key file names its keys: `{"current": "dev-1", "keys": {"dev-1": base64 of 32 bytes}}`. The id is stored with every
wrapped key, so that a new current key leaves the old ones readable. Ids that begin with `dev-` are refused in
production. Nothing here shows a key in a repr.
"""

import base64
import binascii
import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEY_BYTES = 32


class LabKeysRefused(Exception):
    """The key file cannot be used; the message says where and why."""


class LabKeyMissing(LabKeysRefused):
    """The key file lacks the key that something is sealed with."""


class LabKeys:
    """The wrapping keys of one key file."""

    def __init__(self, current: str, keys: dict[str, bytes]) -> None:
        self.current = current
        self._keys = keys

    def __repr__(self) -> str:
        return f"LabKeys(current={self.current!r}, {len(self._keys)} keys)"

    @classmethod
    def read(cls, path: Path, *, production: bool) -> "LabKeys":
        """Return the keys of a file; raise LabKeysRefused, in production for development keys too."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            keys = {name: base64.b64decode(text, validate=True) for name, text in data["keys"].items()}
            current = data["current"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise LabKeysRefused(f"{path}: no readable lab key file ({type(error).__name__})") from error
        if not isinstance(current, str) or current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise LabKeysRefused(f"{path}: each key needs {KEY_BYTES} bytes, and `current` must name one of them")
        if production and current.startswith("dev-"):
            raise LabKeysRefused(
                f"{path}: {current} is a development key, refused in production; make one with `guardia keys lab`"
            )
        return cls(current, keys)

    @classmethod
    def make(cls, path: Path, key_id: str) -> "LabKeys":
        """Make a new key file with one key, mode 0600."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = secrets.token_bytes(KEY_BYTES)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(
            json.dumps({"current": key_id, "keys": {key_id: base64.b64encode(key).decode()}}), encoding="utf-8"
        )
        return cls(key_id, {key_id: key})

    def new_key(self) -> tuple[bytes, bytes, str]:
        """Return a new sample key, its wrapped form and the id of the key that wraps it."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, aes_key_wrap(self._keys[self.current], key), self.current

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return a sample's key. Raises LabKeysRefused where its key does not fit, LabKeyMissing where it is gone."""
        if key_id not in self._keys:
            raise LabKeyMissing(f"the lab key file lacks the key {key_id} that wraps this sample's key")
        try:
            return aes_key_unwrap(self._keys[key_id], wrapped)
        except InvalidUnwrap as error:
            raise LabKeysRefused(f"the key {key_id} does not open this sample's key") from error
