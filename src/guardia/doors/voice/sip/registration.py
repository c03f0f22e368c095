"""The trunk: the account at a provider or PBX, kept registered, and asked every half minute whether it is still there.

A registration is refreshed well before it runs out; what fails is tried again after pauses that double up to five
minutes, and at once when a trunk that did not answer does so again. The trunk's name is looked up in a thread of its
own, since a look-up may take long; where that fails, the address that is known goes on being used.
"""

import logging
import re
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote, unquote, urlsplit

from sippy.SipCallId import SipCallId
from sippy.SipContact import SipContact
from sippy.SipExpires import SipExpires
from sippy.SipFrom import SipFrom
from sippy.SipHeader import SipHeader
from sippy.SipRequest import SipRequest
from sippy.SipTo import SipTo
from sippy.SipURL import SipURL

from guardia.doors.voice.control import Timer
from guardia.doors.voice.sip import digest
from guardia.doors.voice.sip.addresses import bracketed, numeric
from guardia.doors.voice.sip.wire import Transactions, Written, raw_of, told

logger = logging.getLogger(__name__)

State = Literal["none", "trying", "registered", "refused"]
ASKED_FOR_S: Final = 300
ASKED_EVERY_S: Final = 30.0
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 300.0
_REFUSALS: Final = frozenset({401, 403, 404, 407})
_TOO_BRIEF: Final = 423
_NOBODY: Final = 408
"""What sippy says where nobody answered."""


@dataclass(frozen=True)
class Trunk:
    """Where the trunk is, and our account there."""

    host: str
    port: int
    account: digest.Account

    @classmethod
    def read(cls, url: str) -> "Trunk":
        """Read sip://user:password@host:port."""
        parts = urlsplit(url)
        account = digest.Account(unquote(parts.username or ""), unquote(parts.password or ""))
        return cls(parts.hostname or "", parts.port or 5060, account)

    @property
    def identity(self) -> str:
        """Our own address there."""
        return f"sip:{quote(self.account.user, safe='+*')}@{bracketed(self.host)}"


class Office(Protocol):
    """What the registrar needs of the call control."""

    transactions: Transactions
    contact: str

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        """Do something after a while."""

    def call_soon(self, act: Callable[[], None]) -> None:
        """Do something in the signalling thread, from any thread."""

    def trunk_is_at(self, addresses: tuple[str, ...]) -> None:
        """Take note of numeric addresses of the trunk, besides those that were named before."""


class Registrar:
    """Who keeps us registered. `state` is for the health page; `address` is where the trunk was found."""

    def __init__(self, office: Office, trunk: Trunk, *, asked_every_s: float = ASKED_EVERY_S) -> None:
        self.state: State = "trying"
        self.address: tuple[str, int] | None = None
        self._office, self._trunk = office, trunk
        self._asked_every_s = asked_every_s
        self._call_id, self._tag = secrets.token_hex(16), secrets.token_hex(8)
        self._number = 0
        self._wanted_s = ASKED_FOR_S
        self._pause_s = FIRST_PAUSE_S
        self._timer: Timer | None = None
        """Of the next round; None while a round is under way."""
        self._is_away = False
        self._is_stopped = False
        host = numeric(trunk.host)
        if host is not None:
            self._found((host,))

    def start(self) -> None:
        """Register, and go on doing so."""
        self._try()
        self._office.later(self._asked_every_s, self._ask)

    def stop(self) -> None:
        """Take the registration back."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self.state == "registered" and self.address is not None:
            self._register(0, None)

    def _try(self) -> None:
        self._timer = None
        if self._is_stopped:
            return
        if self.address is None or numeric(self._trunk.host) is None:
            threading.Thread(target=self._look_up, name="trunk-look-up", daemon=True).start()
        else:
            self._register(self._wanted_s, None)

    def _look_up(self) -> None:
        try:
            found = socket.getaddrinfo(self._trunk.host, None, socket.AF_INET, socket.SOCK_DGRAM)
            hosts = tuple(str(entry[4][0]) for entry in found)
        except (OSError, ValueError):  # a ValueError is a name that cannot be written as one
            hosts = ()
        self._office.call_soon(lambda: self._looked_up(hosts))

    def _looked_up(self, hosts: tuple[str, ...]) -> None:
        if self._is_stopped:
            return
        if hosts:
            self._found(hosts)
        elif self.address is None:
            self._failed(0, "its name was not found")
            return
        self._register(self._wanted_s, None)

    def _found(self, hosts: tuple[str, ...]) -> None:
        is_well = self.state == "registered" and self.address is not None and numeric(self.address[0]) in hosts
        if not is_well:
            self.address = (bracketed(hosts[0]), self._trunk.port)
        self._office.trunk_is_at(hosts)

    def _register(self, wanted_s: int, proof: tuple[str, str] | None) -> None:
        def heard(response: Any, _: Any) -> None:
            try:
                self._registered(response, wanted_s, is_proved=proof is not None)
            except Exception:  # noqa: BLE001 (an answer must not break its transaction's end)
                told("registration")
                self._failed(0, "its answer could not be read")

        try:
            self._send("REGISTER", heard, wanted_s, proof)
        except Exception:  # noqa: BLE001 (a round that cannot even begin must be followed by another)
            told("registration")
            self._failed(0, "it could not be asked")

    def _registered(self, response: Any, wanted_s: int, *, is_proved: bool) -> None:
        code, _ = response.getSCode()
        if code < 200:  # noqa: PLR2004 (not the last word)
            return
        if code in {401, 407} and not is_proved:
            proof = self._proof(response, code)
            if proof is not None:
                self._register(wanted_s, proof)
                return
        if self._is_stopped:
            return
        if code < 300:  # noqa: PLR2004 (taken)
            if self.state != "registered":
                logger.info("Registered at the trunk")
            self.state, self._pause_s, self._is_away = "registered", FIRST_PAUSE_S, False
            self._again(max(1.0, self._granted(response, wanted_s) * 0.8))
            return
        if code == _TOO_BRIEF:
            self._wanted_s = 3600
        self._failed(code, f"it answered {code}")

    def _proof(self, response: Any, code: int) -> tuple[str, str] | None:
        asked, given = (
            ("www-authenticate", "Authorization") if code == 401 else ("proxy-authenticate", "Proxy-Authorization")  # noqa: PLR2004
        )
        proof = digest.answer(raw_of(response, asked), self._trunk.account, "REGISTER", self._where())
        return None if proof is None else (given, proof)

    def _granted(self, response: Any, wanted_s: int) -> int:
        ours = self._office.contact.partition(">")[0]
        for body in response.getHFBodys("contact"):
            match = re.search(r";expires=([0-9]{1,9})", str(body))
            if match is not None and ours in str(body):
                return min(int(match[1]), wanted_s)
        if response.countHFs("expires"):
            return min(int(response.getHFBody("expires").getNum()), wanted_s)
        return wanted_s

    def _failed(self, code: int, what: str) -> None:
        if self._is_stopped:
            return
        self.state = "refused" if code in _REFUSALS else "trying"
        self._is_away = self._is_away or code == _NOBODY
        logger.warning("Not registered at the trunk: %s; tried again in %.0f s", what, self._pause_s)
        self._again(self._pause_s)
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)

    def _again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._office.later(seconds, self._try)

    def _ask(self) -> None:
        if self._is_stopped:
            return
        self._office.later(self._asked_every_s, self._ask)
        if self.address is not None:
            self._send("OPTIONS", self._asked, None, None)

    def _asked(self, response: Any, _: Any) -> None:
        code, _phrase = response.getSCode()
        if code < 200 or self._is_stopped:  # noqa: PLR2004 (not the last word)
            return
        if code == _NOBODY:
            self._is_away = True
            if self.state == "registered":
                self.state = "trying"
                logger.warning("The trunk does not answer")
                self._hurry()
        elif self._is_away and code < 500 and self._timer is not None:  # noqa: PLR2004 (its own failures)
            self._is_away, self._pause_s = False, FIRST_PAUSE_S
            self._hurry()

    def _hurry(self) -> None:
        """Begin the next round now, unless one is under way."""
        if self._timer is not None:
            self._again(0)

    def _where(self) -> str:
        return str(SipURL(f"sip:{bracketed(self._trunk.host)}:{self._trunk.port}"))

    def _send(
        self, method: str, heard: Callable[[Any, Any], None], expires_s: int | None, proof: tuple[str, str] | None
    ) -> None:
        self._number += 1
        message = SipRequest(
            method=method,
            ruri=SipURL(self._where()),
            fr0m=SipFrom(body=f"<{self._trunk.identity}>;tag={self._tag}"),
            to=SipTo(body=f"<{self._trunk.identity}>"),
            cseq=self._number,
            callid=SipCallId(self._call_id),
            contact=SipContact(body=self._office.contact),
            target=(self.address, "udp"),
            expires=None if expires_s is None else SipExpires(number=expires_s),
        )
        if proof is not None:
            message.appendHeader(SipHeader(name=proof[0].lower(), body=Written(proof[1], proof[0])))
        self._office.transactions.newTransaction(message, resp_cb=heard, cb_ifver=2)
