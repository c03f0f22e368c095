"""The answer to a digest challenge of SIP (RFC 3261 and 8760): MD5 and SHA-256, with `qop=auth` or, for MD5, without.

The password leaves only as a digest, and nothing here is ever logged.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

_PARAM = re.compile(r'([A-Za-z-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_ALGORITHMS = {"SHA-256": "sha256", "MD5": "md5"}


@dataclass(frozen=True)
class Account:
    """A user and password at a trunk."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.user!r}, …)"


def answer(challenges: Sequence[str], account: Account, method: str, uri: str) -> str | None:
    """Return the value of (Proxy-)Authorization for the strongest challenge that we can answer, or None."""
    read = [_read(challenge) for challenge in challenges]
    for name in _ALGORITHMS:
        for challenge in read:
            if challenge.get("algorithm", "MD5").upper() == name and _is_answerable(challenge):
                return _respond(challenge, name, account, method, uri)
    return None


def _read(challenge: str) -> dict[str, str]:
    scheme, _, rest = challenge.strip().partition(" ")
    if scheme.lower() != "digest":
        return {"algorithm": "none"}
    return {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _PARAM.finditer(rest)}


def _is_answerable(challenge: dict[str, str]) -> bool:
    qops = [word.strip().lower() for word in challenge.get("qop", "auth").split(",")]
    return "realm" in challenge and "nonce" in challenge and "auth" in qops


def _respond(challenge: dict[str, str], name: str, account: Account, method: str, uri: str) -> str:
    def digest(text: str) -> str:
        return hashlib.new(_ALGORITHMS[name], text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = challenge["realm"], challenge["nonce"]
    secret = digest(f"{account.user}:{realm}:{account.password}")
    asked = digest(f"{method}:{uri}")
    parts = [f'username="{account.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "qop" in challenge:
        count, ours = "00000001", secrets.token_hex(8)
        response = digest(f"{secret}:{nonce}:{count}:{ours}:auth:{asked}")
        parts += ["qop=auth", f"nc={count}", f'cnonce="{ours}"']
    else:
        response = digest(f"{secret}:{nonce}:{asked}")
    parts += [f'response="{response}"', f"algorithm={name}"]
    if "opaque" in challenge:
        parts.append(f'opaque="{challenge["opaque"]}"')
    return "Digest " + ", ".join(parts)
