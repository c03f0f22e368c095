"""Attacks and accidents after which a leg would stay for ever, or its far end in a call that is none."""

from typing import Any

import pytest
from sippy.SipHeader import SipHeader
from sippy.SipResponse import SipResponse
from tests.doors.voice.sip.sip_office import PEER, SDP, Asked, Office, Told, request, transaction_of

from guardia.doors.voice.control import Ended
from guardia.doors.voice.sip import sdp
from guardia.doors.voice.sip.legs import ArrivingLeg, CalledLeg

ENDS = ('"Guardia" <sip:user@127.0.0.1>;tag=ours', "<sip:600@127.0.0.1>", "sip:600@127.0.0.1")
UNREADABLE = ["Negotiate", "Digest", 'Basic realm="x"', "", '"', "Digest a,b", 'Digest realm="x", nonce']


@pytest.fixture(name="office")
def _office() -> Office:
    return Office()


def called(office: Office) -> tuple[CalledLeg, Told]:
    told = Told()
    leg = CalledLeg(office, ENDS, PEER, told)
    leg.call(6000, 30.0)
    return leg, told


def take(asked: Asked, body: str = SDP) -> None:
    """Take a call of ours, as the far end does."""
    response = asked.message.genResponse(200, "OK")
    response.getHFBody("to").setTag("theirs")
    head = str(response).replace("Content-Length: 0", f"Content-Type: application/sdp\r\nContent-Length: {len(body)}")
    taken = SipResponse(head + body)
    taken.init_body()
    taken.appendHeader(SipHeader(f"Contact: <sip:600@{PEER[0]}:{PEER[1]}>"))
    asked._heard(taken, None)


@pytest.mark.parametrize("challenge", UNREADABLE)
@pytest.mark.parametrize(("code", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_a_call_whose_challenge_cannot_be_read_is_refused(
    office: Office, challenge: str, code: int, header: str
) -> None:
    _, told = called(office)
    office.asked[-1].answer(code, (header, challenge))
    office.pass_time()
    assert told.ends == [Ended("refused", code)]
    assert office.methods() == ["INVITE"]


def test_a_call_that_sippy_cannot_cancel_ends_all_the_same(office: Office) -> None:
    def fail(_: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'getHFBody'")

    office.cancel = fail
    leg, told = called(office)
    leg.hang_up()
    assert told.ends == [Ended("ours")]


def test_a_call_that_rings_too_long_ends_though_sippy_cannot_cancel_it(office: Office) -> None:
    def fail(_: Any) -> None:
        raise AttributeError("'NoneType' object has no attribute 'getHFBody'")

    office.cancel = fail
    _, told = called(office)
    office.pass_time()
    assert told.ends == [Ended("no_answer")]


@pytest.mark.parametrize("challenge", UNREADABLE)
def test_a_held_leg_whose_question_is_challenged_is_asked_again(office: Office, challenge: str) -> None:
    leg, _ = called(office)
    take(office.asked[-1])
    office.pass_time()
    for _ in range(3):
        office.pass_time()
        assert office.asked[-1].method == "OPTIONS"
        office.asked[-1].answer(407, ("Proxy-Authenticate", challenge))
    assert office.methods().count("OPTIONS") == 3
    assert leg.is_up


def test_a_bye_whose_challenge_cannot_be_read_is_not_sent_again(office: Office) -> None:
    leg, told = called(office)
    take(office.asked[-1])
    office.pass_time()
    leg.hang_up()
    office.asked[-1].answer(407, ("Proxy-Authenticate", "Negotiate"))
    office.pass_time()
    assert office.methods() == ["INVITE", "BYE"]
    assert told.ends == [Ended("ours")]


def test_a_call_that_is_taken_in_a_way_that_cannot_be_followed_hears_bye(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, told = called(office)
    monkeypatch.setattr(CalledLeg, "_aim", lambda *_: 1 / 0)
    take(office.asked[-1])
    office.pass_time()
    assert told.ends == [Ended("failed", 500)]
    assert office.methods() == ["INVITE", "BYE"]


class Arrived:
    """A call to us that is up, and whose far end has sent a re-INVITE that we said 200 to."""

    def __init__(self, office: Office) -> None:
        self.office, self.told = office, Told()
        invite = request("INVITE", 1)
        described = sdp.read(SDP, PEER[0], office.allows)
        self.leg = ArrivingLeg(office, invite, transaction_of(invite), described)
        self.leg.listen(self.told)
        self.leg.answer(6000)
        self.to = str(office.replies[-1].getHFBody("to"))
        office.acknowledge(request("ACK", 1, self.to, ""))
        again = request("INVITE", 2, self.to)
        self.transaction = transaction_of(again)
        self.leg.recvRequest(again, self.transaction)

    def acknowledge(self) -> None:
        self.office.acknowledge(request("ACK", 2, self.to, ""))


def test_a_hang_up_between_the_answer_to_a_re_invite_and_its_ack_says_bye_after_the_ack(office: Office) -> None:
    call = Arrived(office)
    call.leg.hang_up()
    assert office.methods() == []
    call.acknowledge()
    assert office.methods() == ["BYE"]
    assert call.told.ends == [Ended("ours")]


def test_a_hang_up_before_an_ack_of_a_re_invite_that_never_comes_says_bye_after_a_while(office: Office) -> None:
    call = Arrived(office)
    call.leg.hang_up()
    call.transaction.noack_cb()
    assert office.methods() == ["BYE"]
    assert call.told.ends == [Ended("ours")]


def test_a_line_that_ends_waits_for_no_ack_and_says_bye_once(office: Office) -> None:
    call = Arrived(office)
    call.leg.part()
    call.acknowledge()
    call.transaction.noack_cb()
    assert office.methods() == ["BYE"]


def test_a_far_end_that_left_before_its_ack_hears_no_bye(office: Office) -> None:
    call = Arrived(office)
    call.leg.recvRequest(request("BYE", 3, call.to, ""), None)
    call.acknowledge()
    assert office.methods() == []
    assert call.told.ends == [Ended("hung_up")]


def test_a_called_far_end_hears_one_bye_though_its_re_invite_is_open(office: Office) -> None:
    leg, told = called(office)
    take(office.asked[-1])
    office.pass_time()
    again = request("INVITE", 2)
    leg.recvRequest(again, transaction_of(again))
    leg.hang_up()
    office.acknowledge(request("ACK", 2, body=""))
    assert office.methods() == ["INVITE", "BYE"]
    assert told.ends == [Ended("ours")]
