"""Addresses of SIP, read strictly and written again in one plain form.

What a stranger writes is never handed on as it came: it is taken apart, and what is understood is put together
anew, so that whoever reads it afterwards sees ASCII, one spelling and numbers in range.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

HIGHEST_PORT: Final = 65535
LONGEST_NAME: Final = 40
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,128}")
_VALUE = re.compile(r"[A-Za-z0-9.!%*_+`'~:/&$()\[\]{}|^=-]{1,128}")
_USER = re.compile(r"(?:[A-Za-z0-9_.!~*'()&=+$#;-]|%[0-9A-Fa-f]{2}){1,128}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")
_PORT = re.compile(r"[0-9]{1,5}")
# No two neighbours here may match the same marks: a name with blanks would be read in quadratic time.
_NAMED = re.compile(r'(?:"((?:[^"\\]|\\.)*)"[ \t]*|([^"<>;]*))<([^<>"\s]{1,512})>[ \t]*(.*)')
_TEL = re.compile(r"[0-9*#+().-]{1,40}")
_DISPLAY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._'-]{0,59}")
_UNCLEAN = re.compile(r"[^A-Za-z0-9+*#._-]")


class BadAddress(ValueError):
    """Something that is no address of SIP, or none that we handle."""


@dataclass(frozen=True)
class Uri:
    """A sip: address without password and headers; `host` as written, IPv6 in brackets."""

    user: str
    host: str
    port: int | None
    params: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = "" if self.port is None else f":{self.port}"
        return f"sip:{user}{self.host}{port}{write_params(self.params)}"


@dataclass(frozen=True)
class NamedUri:
    """A header such as From: an address with the header's own parameters; the name is kept if it is plain."""

    name: str
    uri: Uri
    params: tuple[tuple[str, str | None], ...]

    def param(self, key: str) -> str | None:
        """Return a parameter's value."""
        return next((value for name, value in self.params if name == key), None)

    def __str__(self) -> str:
        name = f'"{self.name}" ' if self.name else ""
        return f"{name}<{self.uri}>{write_params(self.params)}"


def read_host_port(text: str) -> tuple[str, int | None]:
    """Read a host, with or without a port of 1 to 65535. Raises BadAddress."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        host += bracket
    else:
        colon = text.find(":")
        host, rest = (text, "") if colon < 0 else (text[:colon], text[colon:])
    if not is_host(host):
        raise BadAddress("host")
    if not rest:
        return host, None
    if not (rest.startswith(":") and _PORT.fullmatch(rest[1:]) and 0 < int(rest[1:]) <= HIGHEST_PORT):
        raise BadAddress("port")
    return host, int(rest[1:])


def is_host(host: str) -> bool:
    """Whether it is a numeric address (IPv6 in brackets) or looks like a name."""
    if host.startswith("["):
        return host.endswith("]") and "%" not in host and numeric(host) is not None
    return bool(_NAME.fullmatch(host)) and (numeric(host) is not None or not re.fullmatch(r"[0-9.]+", host))


def numeric(host: str) -> str | None:
    """Return a numeric address in its usual spelling without brackets, or None."""
    try:
        return str(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def bracketed(host: str) -> str:
    """Write a numeric address as addresses of SIP have it."""
    return f"[{host}]" if ":" in host else host


def read_params(text: str) -> tuple[tuple[str, str | None], ...]:
    """Read ;key=value;key. What is quoted or odd in a value is left away. Raises BadAddress."""
    if text and not text.startswith(";"):
        raise BadAddress("parameters")
    found: dict[str, str | None] = {}
    for part in text.split(";")[1:]:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        key = key.lower()
        if not _TOKEN.fullmatch(key) or key in found:
            raise BadAddress("parameter")
        if not equals:
            found[key] = None
        elif _VALUE.fullmatch(value):
            found[key] = value
        elif key in {"tag", "branch", "transport", "expires", "received", "rport"}:
            raise BadAddress(key)
    return tuple(found.items())


def write_params(params: tuple[tuple[str, str | None], ...]) -> str:
    """Write parameters again."""
    return "".join(f";{key}" if value is None else f";{key}={value}" for key, value in params)


def read_uri(text: str) -> Uri:
    """Read a sip: address; a tel: number becomes one at a host that does not exist. Raises BadAddress."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in {"sip", "sips", "tel"}:
        raise BadAddress("scheme")
    if scheme.lower() == "tel":
        number = rest.partition(";")[0]
        if not _TEL.fullmatch(number):
            raise BadAddress("number")
        return Uri(number, "tel.invalid", None)
    before, _, after = rest.rpartition("@")
    user = before.partition(":")[0]
    if user and not _USER.fullmatch(user):
        raise BadAddress("user")
    place, semicolon, params = after.partition("?")[0].partition(";")
    host, port = read_host_port(place)
    return Uri(user, host, port, _plain_uri_params(read_params(semicolon + params)))


def _plain_uri_params(params: tuple[tuple[str, str | None], ...]) -> tuple[tuple[str, str | None], ...]:
    # sippy keeps transaction and call for ever over `transport=UDP`: it knows only the small letters.
    dropped = {"maddr", "ttl", "method", "tag"}
    kept = [(key, value) for key, value in params if key not in dropped]
    if any(key == "transport" and value is None for key, value in kept):
        raise BadAddress("transport")
    return tuple((key, value.lower() if key == "transport" and value else value) for key, value in kept)


def read_named(text: str) -> NamedUri:
    """Read `"Name" <sip:…>;params` or `sip:…;params`. Raises BadAddress."""
    match = _NAMED.fullmatch(text.strip())
    if match is None:
        if "<" in text or '"' in text:
            raise BadAddress("brackets")
        address, semicolon, params = text.strip().partition(";")
        return NamedUri("", read_uri(address), read_params(semicolon + params))
    name = (match[1] if match[1] is not None else match[2]).strip()
    return NamedUri(
        name if _DISPLAY.fullmatch(name) else "", read_uri(match[3]), read_params(match[4].replace("; ", ";").strip())
    )


def split_commas(text: str) -> list[str]:
    """Split a list at the commas outside of quotes and brackets."""
    parts, start, is_quoted, depth, skipped = [], 0, False, 0, False
    for index, mark in enumerate(text):
        if skipped:
            skipped = False
        elif is_quoted:
            skipped = mark == "\\"
            is_quoted = mark != '"'
        elif mark == '"':
            is_quoted = True
        elif mark in "<>":
            depth += 1 if mark == "<" else -1
        elif mark == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in [*parts, text[start:]]]


def clean_user(user: str | None) -> str:
    """Return a user part as it may be shown: 40 plain marks at most, or nothing."""
    return _UNCLEAN.sub("", unquote(user or ""))[:LONGEST_NAME]
