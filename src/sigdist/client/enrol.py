"""Makes this machine known to the server, once, with a one-time code.

Rules:
1. The machine's key is made here and never leaves; the server gets its public part.
2. Trust starts at a root. One that the user brings (`--root`) is pinned; without it the server's is, and the user is
   told its SHA-256 to compare with what the vendor publishes.
3. Nothing of an earlier enrolment is lost until the new one is stored whole.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sigdist.client.refusals import AgentRefused, ServerRefused
from sigdist.client.server import Server
from sigdist.client.store import Enrolment, Store
from sigdist.client.trust import ROLE_OF_LANE, check_root
from sigdist.records import sha256_hex

_TEXTS = ("agent_id", "token", "lane", "metadata_url", "targets_url")


@dataclass(frozen=True)
class Enrolled:
    """The stored enrolment, whether the root came from the server, and sentences for the user."""

    enrolment: Enrolment
    root_from_server: bool
    warnings: list[str]


def enrol(store: Store, server_url: str, code: str, name: str, root: bytes | None, now: datetime) -> Enrolled:
    """Enrol with `code` and pin a root. Raises AgentRefused; then the machine is enrolled as it was before."""
    with store.lock():
        server = Server(server_url)
        warnings = []
        if server.in_clear:
            warnings.append(f"{server_url} is not encrypted: code and token can be read on the way; use https")
        key = store.pending_key()
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        answer = server.post("/api/v1/agents/enrol", {"code": code, "name": name, "public_key": public})
        _check(answer)
        lane = answer["lane"]
        given = root if root is not None else _root_of(answer)
        pinned = check_root(given, lane)
        store.pin_root(lane, pinned)
        enrolment = Enrolment(
            server=server_url.rstrip("/"),
            agent_id=answer["agent_id"],
            name=name,
            lane=lane,
            metadata_url=answer["metadata_url"],
            targets_url=answer["targets_url"],
            poll_after_s=answer["poll_after_s"],
            enrolled_at=now.isoformat(),
            root_sha256=sha256_hex(pinned),
            token=answer["token"],
            private_key=key.private_bytes_raw().hex(),
        )
        store.save_enrolment(enrolment)
        return Enrolled(enrolment, root is None, warnings)


def _check(answer: dict[str, Any]) -> None:
    missing = [field for field in _TEXTS if not isinstance(answer.get(field), str)]
    if not isinstance(answer.get("poll_after_s"), int):
        missing.append("poll_after_s")
    if missing:
        raise ServerRefused(
            200, f"the server's answer lacks {', '.join(missing)}; is its version too old for this agent?"
        )
    if answer["lane"] not in ROLE_OF_LANE:
        raise ServerRefused(
            200, f"the server put this machine on lane {answer['lane']!r}, unknown here; update the agent"
        )


def _root_of(answer: dict[str, Any]) -> bytes:
    if not isinstance(answer.get("root"), dict):
        raise AgentRefused("the server sent no root; get root.json from the vendor and give it with --root")
    # The form in which the repository writes metadata, so that the digest is the one that people can compare.
    return json.dumps(answer["root"], separators=(",", ":"), sort_keys=True).encode("utf-8")
