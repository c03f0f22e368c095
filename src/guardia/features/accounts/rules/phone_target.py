"""Where the line may call a member of staff: a number of the trunk's, or a SIP address.

- A number has 3 to 15 digits, with a plus or without; spaces, dots, hyphens and brackets between them are left out.
- A SIP address is `sip:user@host` or `sip:user@host:port`: no parameters, no password, nothing to be escaped. The
  host is numeric, or the trunk's own: the line looks up no other name, so it could call none.
"""

import re
from ipaddress import AddressValueError, IPv4Address
from typing import Final

_NUMBER: Final = re.compile(r"\+?[0-9]{3,15}")
_BETWEEN_DIGITS: Final = re.compile(r"[ .()/\u00a0-]")
_ADDRESS: Final = re.compile(
    r"sip:(?P<user>[A-Za-z0-9][A-Za-z0-9._+-]{0,39})@(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]{0,59}[A-Za-z0-9])?)"
    r"(:(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE,
)
HIGHEST_PORT: Final = 65_535


def phone_target(typed: str, trunk_host: str = "") -> str | None:
    """Return what the line calls, as `+34600000000` or `sip:ana@127.0.0.1:5070`; None where it cannot."""
    text = typed.strip()
    number = _BETWEEN_DIGITS.sub("", text)
    if _NUMBER.fullmatch(number):
        return number
    found = _ADDRESS.fullmatch(text)
    if found is None or (found["port"] and not 0 < int(found["port"]) <= HIGHEST_PORT):
        return None
    host = found["host"].lower()
    if host != trunk_host.lower() and not _is_numeric(host):
        return None
    port = f":{int(found['port'])}" if found["port"] else ""
    return f"sip:{found['user']}@{host}{port}"


def _is_numeric(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
