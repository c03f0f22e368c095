"""`guardia evidence verify FILE`: whether a release's signed evidence holds, without the server.

1. The envelope is signed by the evidence key: that of this server's `keys.json`, or of `--key FILE` (another copy of
   `keys.json`, or a PEM public key).
2. What it says is derived again from its parts: the build's digest from the files' hashes, all six gates passed in both
   engines on a corpus that is not empty, three different people in the three roles.
3. With `--database FOLDER` (an agent's `current`, or a copy), the files there are those spoken of, byte for byte.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.signer import Key, SSlibKey

from guardia.doors.cli.settled import settings_or_complaint
from guardia.features.lab.rules.gates import shortfalls
from guardia.kernel.ids import spoken
from sigdist.records import digest_of_hashes
from sigdist.repository import EVIDENCE_KEY, EvidenceRefused, KeysRefused, check_files, read_keys_file, verify_evidence

ROLES = ["author", "releaser", "reviewer"]


class Misuse(Exception):
    """A file or folder that cannot be read as what it should be."""


def main(arguments: list[str]) -> int:
    """Exit 0 where the evidence holds, 1 where it does not, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="guardia evidence", description=__doc__)
    verify = parser.add_subparsers(dest="what", required=True).add_parser("verify", help="verify a release's evidence")
    verify.add_argument("file", type=Path, metavar="FILE", help="the envelope, as got from the case's page")
    verify.add_argument("--database", type=Path, metavar="FOLDER", help="an installed database to compare with")
    verify.add_argument("--key", type=Path, metavar="FILE", help="keys.json or a PEM public key (default: this server)")
    verify.add_argument("--json", action="store_true", help="print what is signed and what is wrong, as JSON")
    options = parser.parse_args(arguments)
    try:
        path = options.key or _own_keys()
        if path is None:
            return 2
        said = verify_evidence(_read_envelope(options.file), read_key(path))
        wrong = complaints(said)
        if options.database:
            wrong += _differences(said, options.database)
        _tell(said, wrong, options)
    except Misuse as why:
        sys.stderr.write(f"guardia evidence: {why}\n")
        return 2
    except (EvidenceRefused, KeysRefused) as why:
        sys.stderr.write(f"guardia evidence: {why}\n")
        return 1
    return 1 if wrong else 0


# ---- what is read ----


def _own_keys() -> Path | None:
    own = settings_or_complaint()
    return own.private / "keys" / "signing" / "keys.json" if own else None


def _read_envelope(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise Misuse(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Misuse(f"{path} is not JSON; give the file as it was downloaded") from error


def read_key(path: Path) -> Key:
    """The evidence key of a `keys.json`, or the one public key of a PEM file. Raises KeysRefused, Misuse."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misuse(f"cannot read the key {path}: {error.strerror}") from error
    if not content.startswith(b"-----BEGIN"):
        keys, _development = read_keys_file(path)
        if EVIDENCE_KEY not in keys:
            raise KeysRefused(f"{path} lists no key called {EVIDENCE_KEY}")
        return keys[EVIDENCE_KEY]
    try:
        return SSlibKey.from_crypto(load_pem_public_key(content))
    except ValueError as error:
        raise Misuse(f"{path} is not a PEM public key; a private key is never asked for") from error


def _differences(said: Mapping[str, Any], folder: Path) -> list[str]:
    if not folder.is_dir():
        raise Misuse(f"there is no folder {folder}; give the one that holds release.json")
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    try:
        check_files(said, files)
    except EvidenceRefused as refusal:
        return [f"{folder}: {refusal}"]
    return []


# ---- what is derived again ----


def complaints(said: Mapping[str, Any]) -> list[str]:
    """Why a signed statement does not show a release that was earned; empty where it does.

    Raises EvidenceRefused where the statement lacks what a release's evidence holds.
    """
    try:
        predicate, release = said["predicate"], said["predicate"]["release"]
        digest = digest_of_hashes({subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]})
        wrong = [] if digest == release["build_digest"] else [f"its files give the digest {digest}, not the signed one"]
        wrong += shortfalls(predicate)
        wrong += [
            f"gate {gate['gate']}: {gate['done']} of {gate['total']}, {len(gate['failures'])} failures"
            for gate in predicate["gates"]
            if gate["done"] != gate["total"] or gate["failures"]
        ]
        approvals = predicate["approvals"]
        if sorted(one["role"] for one in approvals) != ROLES or len({one["person"] for one in approvals}) != len(ROLES):
            wrong.append("it was not approved by three different people: author, reviewer, releaser")
    except (KeyError, TypeError, ValueError, AttributeError) as missing:
        what = f"{type(missing).__name__} {missing}"
        raise EvidenceRefused(f"what is signed is not a release's evidence: {what}") from missing
    return wrong


# ---- what is shown ----


def _tell(said: Mapping[str, Any], wrong: list[str], options: argparse.Namespace) -> None:
    if options.json:
        sys.stdout.write(json.dumps({"ok": not wrong, "wrong": wrong, "statement": said}, indent=1) + "\n")
        return
    compared = str(options.database or "not compared (give --database FOLDER)")
    sys.stdout.write("".join(f"{line}\n" for line in _account(said, compared)))
    for line in wrong:
        sys.stderr.write(f"guardia evidence: {line}\n")
    sys.stdout.write("The evidence does not hold.\n" if wrong else "The evidence holds.\n")


def _account(said: Mapping[str, Any], compared: str) -> list[str]:
    predicate, release = said["predicate"], said["predicate"]["release"]
    engines = ", ".join(f"{name} {version}" for name, version in sorted(predicate["engines"].items()))
    return [
        f"release    {release['label']} (number {release['number']})",
        f"state root {release['state_root']}",
        f"digest     {release['build_digest']} of {len(said['subject'])} files",
        f"database   {compared}",
        f"case       {spoken(predicate['case'])}",
        f"engines    {engines}; {predicate['corpus']['files']} clean files",
        *(f"gate       {_gate(gate)}" for gate in predicate["gates"]),
        *(f"{one['role']:<10} {one['name']}, {one['at']}" for one in predicate["approvals"]),
    ]


def _gate(gate: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {what}" for what, number in gate.get("counts", {}).items())
    return f"{gate['gate']:<16} {gate['state']:<7} {gate['done']} of {gate['total']}  ({counts})"
