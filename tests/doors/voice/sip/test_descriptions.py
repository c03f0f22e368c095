"""Offers and answers of audio: what is taken, what is refused, and what we say."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.hostile_packets import SDP, SDPS

from guardia.doors.voice.control import RemoteMedia
from guardia.doors.voice.sip import sdp

OURS = sdp.Ours("127.0.0.1", 20000, 7)


def read(text: str, peer: str = "127.0.0.1") -> sdp.Described:
    return sdp.read(text, peer, lambda host: host == "192.0.2.50")


def test_a_plain_offer_is_taken() -> None:
    assert read(SDP).media == RemoteMedia("127.0.0.1", 6000, "PCMU", 101)


def test_their_first_codec_of_ours_is_taken() -> None:
    described = read(SDP.replace("AVP 0 101", "AVP 18 8 0 101") + "a=rtpmap:8 pcma/8000\r\n")
    assert (described.media.codec, described.payload) == ("PCMA", 8)
    assert "m=audio 20000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000" in sdp.answer(described, OURS)


@pytest.mark.parametrize("name", ["PCMU", "PCMA"])
def test_a_codec_of_ours_under_a_number_of_the_call_is_not_agreed_to_and_then_mute(name: str) -> None:
    named = f"a=rtpmap:96 {name}/8000\r\n"
    described = read(SDP.replace("AVP 0 101", "AVP 96 0 101") + named)
    assert (described.media.codec, described.payload) == ("PCMU", 0)
    assert "m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000" in sdp.answer(described, OURS)
    with pytest.raises(sdp.Refusal, match="PCMU Or PCMA") as refusal:
        read(SDP.replace("AVP 0 101", "AVP 96 101") + named)
    assert refusal.value.code == 488


@pytest.mark.parametrize("names", ["0 PCMA/8000", "0 PCMU/16000", "0 G729/8000"])
def test_a_number_of_ours_that_is_given_another_meaning_is_not_taken(names: str) -> None:
    with pytest.raises(sdp.Refusal, match="PCMU Or PCMA"):
        read(SDP + f"a=rtpmap:{names}\r\n")


@pytest.mark.parametrize("number", [0, 8, 128, 999])
def test_keys_are_not_taken_under_a_number_that_is_a_codecs_or_fits_no_packet(number: int) -> None:
    text = SDP.replace("AVP 0 101", f"AVP {8 - min(number, 8)} {number} 8 0")
    assert read(text + f"a=rtpmap:{number} telephone-event/8000\r\n").media.digits is None


def test_every_other_stream_is_refused_in_its_place() -> None:
    text = SDP.replace("m=audio", "m=video 7000 RTP/AVP 31\r\nm=audio 6100 RTP/SAVP 0\r\nm=audio")
    answer = sdp.answer(read(text), OURS)
    lines = [line for line in answer.split("\r\n") if line.startswith("m=")]
    assert lines == ["m=video 0 RTP/AVP 31", "m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 0 101"]


@pytest.mark.parametrize(
    ("direction", "sends", "hears", "ours"),
    [
        ("sendrecv", True, True, "sendrecv"),
        ("sendonly", True, False, "recvonly"),
        ("recvonly", False, True, "sendonly"),
        ("inactive", False, False, "inactive"),
    ],
)
def test_a_direction_is_mirrored(direction: str, *, sends: bool, hears: bool, ours: str) -> None:
    described = read(SDP + f"a={direction}\r\n")
    assert (described.media.sends, described.media.hears) == (sends, hears)
    assert f"a={ours}\r\n" in sdp.answer(described, OURS)


def test_hold_in_the_old_style_is_a_far_end_that_does_not_hear() -> None:
    media = read(SDP.replace("IN IP4 127.0.0.1\r\nt", "IN IP4 0.0.0.0\r\nt")).media
    assert (media.host, media.hears) == ("127.0.0.1", False)


def test_audio_may_go_to_the_peer_or_a_listed_address_only() -> None:
    assert read(SDP.replace("IP4 127.0.0.1\r\nt", "IP4 192.0.2.50\r\nt")).media.host == "192.0.2.50"
    with pytest.raises(sdp.Refusal, match="Elsewhere"):
        read(SDP.replace("IP4 127.0.0.1\r\nt", "IP4 192.0.2.51\r\nt"))


@pytest.mark.parametrize(
    "name",
    ["multicast", "name", "third party", "broadcast", "ipv6 as ipv4", "no address", "port 0", "port 99999", "port 22"],
)
def test_a_hostile_description_is_refused(name: str) -> None:
    with pytest.raises(sdp.Refusal) as refusal:
        read(SDPS[name])
    assert refusal.value.code in {400, 488}


def test_our_offer_is_one_that_we_would_take() -> None:
    media = read(sdp.offer(OURS)).media
    assert (media.port, media.codec, media.digits) == (20000, "PCMU", 101)
    assert "o=guardia 7 2 " in sdp.offer(OURS.next())


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, SDP + text, "v=0\r\n" + text):
        with suppress(sdp.Refusal):
            assert read(candidate).media.host == "127.0.0.1"


@given(st.lists(st.sampled_from(SDP.split("\r\n")), max_size=12), st.integers(-5, 99999))
def test_lines_in_any_order_never_lead_to_a_port_that_does_not_exist(lines: list[str], port: int) -> None:
    text = "\r\n".join(["v=0", *lines]).replace("6000", str(port))
    try:
        media = read(text).media
    except sdp.Refusal:
        return
    assert 1024 <= media.port <= 65535
