"""The webhook for escalations: one URL, of the operator's setting only, so that no case can choose where we call.

Rules:
- The body is signed: `Guardia-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 of `SECONDS.BODY` with the shared secret. The
  receiver compares it, and refuses old instants; a message that is sent again carries the ids it had.
- No redirect is followed, no proxy of the environment is used, the whole exchange ends within `TIMEOUT_S`, and of the
  answer no more than `MOST_READ` bytes are read. Only a 2xx counts as taken.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from guardia.kernel.outside import WebhookRefused

TIMEOUT_S = 10.0
MOST_READ = 4096
MOST_SENT = 256 * 1024
SIGNATURE = "Guardia-Signature"


def signature(secret: str, body: bytes, now: datetime) -> str:
    """Return the signature header of a body sent at an instant."""
    seconds = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class HttpWebhook:
    """Posts to the operator's receiver."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = url, secret

    @property
    def is_set(self) -> bool:
        """Whether the operator named a receiver."""
        return bool(self._url)

    def send(self, body: bytes, now: datetime) -> None:
        """Post a signed body. Raises WebhookRefused."""
        if len(body) > MOST_SENT:
            raise WebhookRefused(f"the message has {len(body)} bytes, more than {MOST_SENT}")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Guardia",
            SIGNATURE: signature(self._secret, body, now),
        }
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                said = next(answer.iter_bytes(MOST_READ), b"")[:MOST_READ]
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookRefused(f"the receiver of the webhook cannot be reached: {type(error).__name__}") from error
        if not answer.is_success:
            words = said.decode(errors="replace")[:200]
            raise WebhookRefused(f"the receiver of the webhook answered {answer.status_code}: {words}")


@dataclass
class RememberedWebhook:
    """The twin: it keeps what was sent, and refuses as long as it is told to."""

    is_set: bool = True
    refuses: bool = False
    sent: list[tuple[bytes, datetime]] = field(default_factory=list)

    def send(self, body: bytes, now: datetime) -> None:
        """Keep a body. Raises WebhookRefused."""
        if len(body) > MOST_SENT:
            raise WebhookRefused(f"the message has {len(body)} bytes, more than {MOST_SENT}")
        if self.refuses:
            raise WebhookRefused("the receiver of the webhook answered 503: try later")
        self.sent.append((body, now))
