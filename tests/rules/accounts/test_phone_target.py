"""Where the line may call staff: what people type becomes one number or address, everything else is refused."""

import pytest

from guardia.features.accounts.rules.phone_target import phone_target


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("+34 600 000 000", "+34600000000"),
        (" 600-00.00(00)1 ", "6000000001"),
        ("+34\u00a0600\u00a0000\u00a0000", "+34600000000"),
        ("201", "201"),
        ("SIP:Marta.I@192.0.2.7:05060", "sip:Marta.I@192.0.2.7:5060"),
        ("sip:marta@127.0.0.1:5061", "sip:marta@127.0.0.1:5061"),
    ],
)
def test_a_number_or_address_is_kept_as_the_line_calls_it(typed: str, called: str) -> None:
    assert phone_target(typed) == called
    assert phone_target(called) == called


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("sip:marta@pbx.example", "sip:marta@pbx.example"),
        ("SIP:Marta.I@PBX.Example:05060", "sip:Marta.I@pbx.example:5060"),
        ("sip:marta@127.0.0.1:5061", "sip:marta@127.0.0.1:5061"),
    ],
)
def test_the_trunks_own_host_is_called_by_its_name(typed: str, called: str) -> None:
    assert phone_target(typed, "PBX.example") == called
    assert phone_target(called, "pbx.example") == called


@pytest.mark.parametrize(
    "host",
    [
        "pbx.example",
        "b..c",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "256.0.0.1",
        "127.0.0.1.example",
    ],
)
@pytest.mark.parametrize("trunk", ["", "sip.provider.example", "203.0.113.9"])
def test_no_address_is_kept_that_the_line_could_never_call(host: str, trunk: str) -> None:
    assert phone_target(f"sip:marta@{host}", trunk) is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "call me",
        "12",
        "1234567890123456",
        "++34600000000",
        "34+600000000",
        "٠٠٣٤٦٠٠",
        "600000000\r\nX: y",
        "marta@pbx.example",
        "sips:marta@pbx.example",
        "sip:@pbx.example",
        "sip:marta@",
        "sip:marta:secret@pbx.example",
        "sip:marta@pbx.example:0",
        "sip:marta@pbx.example:65536",
        "sip:marta@pbx.example;transport=tcp",
        "sip:marta@pbx.example?Subject=x",
        "sip:marta@pbx.example\r\nVia: x",
        "sip:mar ta@pbx.example",
        f"sip:{'a' * 41}@pbx.example",
    ],
)
def test_everything_else_is_refused(typed: str) -> None:
    assert phone_target(typed, "pbx.example") is None
