"""The registration at a trunk whose name, password or presence is not what it should be."""

import socket
from typing import Any

import pytest
from tests.doors.voice.sip.sip_office import Office

from guardia.doors.voice.sip.registration import Registrar, Trunk
from guardia.doors.voice.sip.sippy_control import SippyControl

OK = ("Expires", "300")
FIRST, SECOND = "198.51.100.1", "198.51.100.2"


class Names:
    """A resolver that says what it is told to."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, *_: Any) -> list[Any]:
        if not self.found:
            raise OSError("Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (host, 0)) for host in self.found]


@pytest.fixture(name="names")
def _names(monkeypatch: pytest.MonkeyPatch) -> Names:
    names = Names()
    monkeypatch.setattr("guardia.doors.voice.sip.registration.socket.getaddrinfo", names)
    return names


@pytest.fixture(name="office")
def _office() -> Office:
    return Office()


def named(office: Office) -> Registrar:
    return Registrar(office, Trunk.read("sip://user:password@trunk.example"))


def numbered(office: Office) -> Registrar:
    registrar = Registrar(office, Trunk.read(f"sip://user:password@{FIRST}"))
    registrar.start()
    return registrar


def test_a_name_that_is_answered_with_one_address_at_a_time_makes_no_strangers(office: Office, names: Names) -> None:
    registrar = named(office)
    names.found = [FIRST]
    registrar.start()
    office.take_turn()
    office.asked[-1].answer(200, OK)
    names.found = [SECOND]
    office.now = 240.0
    office.pass_time()
    office.take_turn()
    assert office.asked[-1].host == SECOND
    assert office.allows(FIRST)
    assert office.allows(SECOND)


def test_each_address_that_was_named_is_proved_to_and_no_other() -> None:
    peers, trunk = ["127.0.0.0/8"], "sip://user:password@trunk.example"
    control = SippyControl(host="127.0.0.1", port=0, public_host="127.0.0.1", peers=peers, trunk=trunk, call_limit=1)
    try:
        control.trunk_is_at((FIRST,))
        control.trunk_is_at((SECOND,))
        assert [control.account_for(host) is not None for host in (FIRST, SECOND, "127.0.0.1", "")] == [
            True,
            True,
            False,
            False,
        ]
    finally:
        control._watchdog.stop()
        control.transactions.shutdown()


def test_a_trunk_that_is_well_is_not_left_for_another_of_its_addresses(office: Office, names: Names) -> None:
    registrar = named(office)
    names.found = [FIRST, SECOND]
    registrar.start()
    office.take_turn()
    office.asked[-1].answer(200, OK)
    names.found = [SECOND, FIRST]
    office.pass_time()
    office.take_turn()
    assert (office.asked[-1].method, office.asked[-1].host) == ("REGISTER", FIRST)


def test_a_registration_is_refreshed_while_names_cannot_be_looked_up(office: Office, names: Names) -> None:
    registrar = named(office)
    names.found = [FIRST]
    registrar.start()
    office.take_turn()
    office.asked[-1].answer(200, OK)
    names.found = []
    office.pass_time()
    before = office.methods().count("REGISTER")
    office.take_turn()
    assert office.methods().count("REGISTER") == before + 1
    assert office.asked[-1].host == FIRST
    assert registrar.state == "registered"


def test_a_name_that_was_never_found_is_tried_again(office: Office, names: Names) -> None:
    assert names.found == []
    named(office).start()
    office.take_turn()
    assert office.methods() == []
    assert 5.0 in office.pauses()


def test_a_name_that_is_none_does_not_end_the_upkeep(office: Office) -> None:
    Registrar(office, Trunk.read(f"sip://user:password@{'x' * 70}.example")).start()
    office.take_turn()
    assert 5.0 in office.pauses()


def test_a_trunk_that_answers_again_is_registered_at_once(office: Office) -> None:
    registrar = numbered(office)
    for _ in range(8):
        office.asked[-1].answer(408)
        office.planned[-1].act()
    office.asked[-1].answer(408)
    assert office.pauses()[-1] == 300.0
    registrar._ask()
    office.asked[-1].answer(200)
    assert office.pauses()[-1] == 0
    office.planned[-1].act()
    office.asked[-1].answer(200, OK)
    assert registrar.state == "registered"


def test_a_trunk_that_answers_but_does_not_register_us_is_not_pressed(office: Office) -> None:
    registrar = numbered(office)
    office.asked[-1].answer(408)
    registrar._ask()
    office.asked[-1].answer(200)
    office.planned[-1].act()
    office.asked[-1].answer(503)
    pauses = office.pauses()[-1]
    registrar._ask()
    before = office.methods().count("REGISTER")
    office.asked[-1].answer(200)
    assert pauses == 5.0
    assert 0 not in office.pauses()[-2:]
    assert office.methods().count("REGISTER") == before


@pytest.mark.parametrize("header", [("Expires", "999999999"), ("Contact", f"{Office.contact};expires=999999999")])
def test_a_registration_is_not_believed_to_last_longer_than_was_asked(office: Office, header: tuple[str, str]) -> None:
    numbered(office)
    office.asked[-1].answer(200, header)
    assert office.pauses()[-1] == 240.0


@pytest.mark.parametrize("challenge", ["Negotiate", "Digest", 'Basic realm="x"', "", '"', "Digest a,b"])
@pytest.mark.parametrize(("code", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_a_challenge_that_cannot_be_answered_is_a_refusal(
    office: Office, challenge: str, code: int, header: str
) -> None:
    registrar = numbered(office)
    office.asked[-1].answer(code, (header, challenge))
    assert registrar.state == "refused"
    assert office.methods() == ["REGISTER"]
    assert office.pauses()[-1] == 5.0


def test_a_good_challenge_beside_a_basic_one_is_answered(office: Office) -> None:
    numbered(office)
    challenges = [("WWW-Authenticate", 'Basic realm="b"'), ("WWW-Authenticate", 'Digest realm="r", nonce="n"')]
    office.asked[-1].answer(401, *challenges)
    proof = str(office.asked[-1].message.getHFs("authorization")[0])
    assert proof.startswith('Authorization: Digest username="user", realm="r"')
