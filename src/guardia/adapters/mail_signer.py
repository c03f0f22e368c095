"""DKIM signatures (RFC 6376) on what we send: RSA of 2048 bits with SHA-256, relaxed in headers and body.

Rules:
- The headers that a reader sees, and those by which a thread holds, are signed; From is signed once more than it
  occurs, so that a second one that is added on the way breaks the signature.
- The key is a PEM file of mode 0600. Without it mail goes out unsigned: what a customer waits for is worth more than a
  signature, and the health page says that the key is missing.
"""

import base64
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_BITS: Final = 2048
_PIECE: Final = 250
SIGNED: Final = (
    *("From", "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Auto-Submitted"),
)


@dataclass(frozen=True)
class DnsRecord:
    """The record of a key as text for a zone file; or why there is none."""

    text: str = ""
    refusal: str = ""


class DkimSigner:
    """Signs with a key file, for one selector of one domain."""

    def __init__(self, path: Path, selector: str, domain: str) -> None:
        self._path, self._selector, self._domain = path, selector, domain

    @property
    def is_ready(self) -> bool:
        """Whether there is a key."""
        return self._path.is_file()

    @cached_property
    def _key(self) -> bytes:
        return self._path.read_bytes()

    def sign(self, raw: bytes) -> bytes:
        """Return a mail with its signature before it; as it is where there is no key."""
        if not self.is_ready:
            return raw
        headers = [name.lower().encode() for name in SIGNED]
        signature: bytes = dkim.sign(
            raw,
            self._selector.encode(),
            self._domain.encode("idna"),
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=headers,
        )
        return signature + raw


@dataclass
class MarkingSigner:
    """The twin: it marks a mail instead of signing it."""

    is_ready: bool = True

    def sign(self, raw: bytes) -> bytes:
        """Return a mail with a mark before it."""
        return b"X-Signed-By: twin\r\n" + raw if self.is_ready else raw


def make_dkim_key(path: Path) -> None:
    """Make the key file where it is missing; whoever reads it finds it whole. Raises OSError."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with open(new, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, path)
    except FileExistsError:
        pass  # another process was first: its key goes on being used
    finally:
        new.unlink()


def dns_record(path: Path, selector: str, domain: str) -> DnsRecord:
    """Return the TXT record of a key, in pieces that DNS takes."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        return DnsRecord(refusal=f"{path} is no readable key: {error}")
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    pieces = " ".join(f'"{text[start : start + _PIECE]}"' for start in range(0, len(text), _PIECE))
    return DnsRecord(f"{selector}._domainkey.{domain}. IN TXT ( {pieces} )\n")
