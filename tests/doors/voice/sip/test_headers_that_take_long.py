"""Attacks by headers that are read in more than linear time: while one is read, nothing else of the process runs.

The limits of packets are lifted here, so that growth shows: twice what a packet may hold, and all of it.
"""

import pytest
from tests.support import hostile_packets
from tests.support.growth import assert_linear
from tests.support.hostile_packets import SDP

from guardia.doors.voice.sip import digest, packets, sdp
from guardia.doors.voice.sip.guard import judge

WHOLE = 2 * packets.BIGGEST
FILLERS = {
    "blanks": " ",
    "tabs": "\t",
    "blanks of another kind": "\xa0",
    "quotes": '"',
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "commas": ",",
    "semicolons": ";",
    "opened brackets": "<",
    "closed brackets": ">",
    "square brackets": "[",
    "equals": "=",
    "colons": ":",
    "at marks": "@",
    "dots": ".",
    "percents": "%41",
    "letters": "a",
    "digits": "1",
    "slashes": "/",
    "parameters": ";a=b",
    "quoted parameters": 'a="b',
    "addresses": "<sip:a@b>,",
    "names with blanks": "a ",
}
HEADERS = (
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Record-Route",
    "Max-Forwards",
    "Expires",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Require",
    "Replaces",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "X-Unknown",
)
STARTS = ("INVITE sip:ring@127.0.0.1 SIP/2.0", "SIP/2.0 200 OK", "SIP/2.0 401 No")


@pytest.fixture(autouse=True)
def _lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIGGEST", "LONGEST_LINE", "MOST_HEADERS", "MOST_VIAS", "MOST_ADDRESSES"):
        monkeypatch.setattr(packets, name, 16 * WHOLE)
    monkeypatch.setattr(sdp, "LONGEST", 16 * WHOLE)


def shapes(filler: str, size: int) -> list[str]:
    """Return the filler alone, between marks, in a quoted name, in an address, and behind one."""
    filled = filler * (size // len(filler))
    return [
        filled,
        f"a{filled}b",
        f'"{filled}',
        f'"a" {filled}b',
        f"<sip:a{filled}",
        f"<sip:a@127.0.0.1>{filled}b",
        f"SIP/2.0/UDP{filled}127.0.0.1;branch=z9hG4bK1",
        f"SIP/2.0/UDP 127.0.0.1{filled};branch=z9hG4bK1",
        f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1{filled}",
    ]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("filler", FILLERS)
def test_a_header_that_is_filled_with_one_mark_is_judged_in_linear_time(header: str, filler: str) -> None:
    def attacks(size: int) -> list[bytes]:
        changed = [{header.replace("-", "_"): shape} for shape in shapes(FILLERS[filler], size)]
        return [
            hostile_packets.packet(start=start, **{"CSeq": f"1 {method}", **each})
            for each in changed
            for start in STARTS
            for method in ("INVITE", "REGISTER")[: 1 if start.startswith("INVITE") else 2]
        ]

    def read(given: list[bytes]) -> None:
        for data in given:
            judge(data, b"key")

    assert_linear(read, attacks(WHOLE), attacks(WHOLE // 2))


@pytest.mark.parametrize("filler", FILLERS)
def test_a_start_a_header_name_and_folds_are_judged_in_linear_time(filler: str) -> None:
    def attacks(size: int) -> list[bytes]:
        filled = FILLERS[filler] * (size // len(FILLERS[filler]))
        return [
            *(
                hostile_packets.packet(start=start)
                for start in (filled, f"INVITE sip:{filled} SIP/2.0", f"SIP/2.0 200 {filled}")
            ),
            hostile_packets.packet(**{f"X{filled}": "x"}),
            hostile_packets.packet(X="x" + f"\r\n {FILLERS[filler]}" * (size // 8)),
        ]

    def read(given: list[bytes]) -> None:
        for data in given:
            judge(data, b"key")

    assert_linear(read, attacks(WHOLE), attacks(WHOLE // 2))


@pytest.mark.parametrize("line", ["m=audio 6000 RTP/AVP 0 ", "c=IN IP4 ", "a=rtpmap:", "a=", "v=0", "o=", ""])
@pytest.mark.parametrize("filler", FILLERS)
def test_a_description_is_read_in_linear_time(line: str, filler: str) -> None:
    def read(size: int) -> None:
        for text in (FILLERS[filler] * size, f"{SDP}{line}{FILLERS[filler] * size}\r\n"):
            try:
                sdp.read(text, "127.0.0.1", lambda _: True)
            except sdp.Refusal:
                continue

    assert_linear(read, WHOLE, WHOLE // 2)


@pytest.mark.parametrize("filler", FILLERS)
def test_a_challenge_is_read_in_linear_time(filler: str) -> None:
    account = digest.Account("user", "password")

    def read(size: int) -> None:
        filled = FILLERS[filler] * size
        for challenge in (
            f"Digest {filled}",
            f'Digest realm="{filled}',
            f"Digest a{filled}b",
            f"Digest realm{filled}=x",
        ):
            digest.answer([challenge], account, "INVITE", "sip:a@b")

    assert_linear(read, WHOLE, WHOLE // 2)
