"""Messages that are too large, too deep or too many for files: made when they are asked for, always the same bytes."""

import base64
from collections.abc import Callable, Mapping

SENDER = "lucia.ferrer@astilleros.example"


def head(subject: str, more: str = "") -> bytes:
    """The headers of a contact's mail, up to those of its content."""
    return (
        f"From: =?utf-8?Q?Luc=C3=ADa_Ferrer?= <{SENDER}>\r\nTo: soporte@guardia.example\r\nSubject: {subject}\r\n"
        f"Date: Mon, 23 Nov 2026 10:31:12 +0100\r\nMessage-ID: <{subject.replace(' ', '.')}@astilleros.example>\r\n"
        f"MIME-Version: 1.0\r\n{more}"
    ).encode()


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
WORDS = b"El servidor de planos no se actualiza.\r\n"


def of_25_megabytes() -> bytes:
    """A mail whose attachment fills 25 MB on the wire."""
    content = base64.encodebytes(bytes(range(256)) * 72_000).replace(b"\n", b"\r\n")
    return (
        head("of 25 megabytes", 'Content-Type: multipart/mixed; boundary="b25"\r\n\r\n')
        + (b"--b25\r\n" + PLAIN + WORDS)
        + b'--b25\r\nContent-Type: application/octet-stream; name="volcado.bin"\r\n'
        + b'Content-Disposition: attachment; filename="volcado.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + content[: 25_000_000 // 78 * 78]
        + b"--b25--\r\n"
    )


def header_of_100_kilobytes() -> bytes:
    """One unfolded header of 100 kB."""
    return head("header of 100 kilobytes", f"X-Trace: {'abcdefghi ' * 10_000}\r\n") + PLAIN + WORDS


def subject_of_100_kilobytes() -> bytes:
    """A subject of encoded words without end."""
    words = "\r\n ".join(["=?utf-8?B?w7FhbmTDui0=?="] * 4_000)
    return head("@").replace(b"Subject: @", b"Subject: " + words.encode()) + PLAIN + WORDS


def ten_thousand_headers() -> bytes:
    """10,000 headers."""
    more = "".join(f"X-Hop-{number}: relay {number}\r\n" for number in range(10_000))
    return head("ten thousand headers", more) + PLAIN + WORDS


def ten_thousand_references() -> bytes:
    """10,000 ids of other mails."""
    ids = "".join(f"\r\n <id{number}@astilleros.example>" for number in range(10_000))
    return head("ten thousand references", f"References:{ids}\r\n") + PLAIN + WORDS


def a_thousand_nested_parts() -> bytes:
    """1,000 boxes, each within the one before, the words in the last."""
    levels = 1_000
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="n%d"\r\n\r\n--n%d\r\n' % (level, level) for level in range(levels)
    )
    closing = b"".join(b"\r\n--n%d--\r\n" % level for level in reversed(range(levels)))
    return head("a thousand nested parts") + opening + PLAIN + WORDS + closing


def a_thousand_nested_messages() -> bytes:
    """1,000 messages, each within the one before."""
    shells = b"".join(
        b"Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: level %d\r\n" % level
        for level in range(1_000)
    )
    return head("a thousand nested messages") + shells + PLAIN + WORDS


def ten_thousand_parts() -> bytes:
    """10,000 parts side by side."""
    parts = b"".join(
        b'--p\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="f%d.txt"\r\n\r\nx\r\n' % number
        for number in range(10_000)
    )
    return (
        head("ten thousand parts", 'Content-Type: multipart/mixed; boundary="p"\r\n\r\n')
        + (b"--p\r\n" + PLAIN + WORDS)
        + parts
        + b"--p--\r\n"
    )


def a_line_of_five_megabytes() -> bytes:
    """A text of one line."""
    return head("a line of five megabytes") + PLAIN + WORDS + b"a" * 5_000_000 + b"\r\n"


def five_megabytes_of_quotes() -> bytes:
    """Own words, and then nothing but quote marks."""
    return head("five megabytes of quotes") + PLAIN + WORDS + b"> > > \r\n" * 625_000


def html_of_ten_thousand_levels() -> bytes:
    """Boxes in boxes, as HTML."""
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    boxes = 10_000
    return head("html of ten thousand levels") + html + b"<div>" * boxes + WORDS + b"</div>" * boxes


def html_of_five_megabytes() -> bytes:
    """A table that a report generator made."""
    row = b"<tr><td style='color:red'>SRV-01</td><td>&ntilde;</td></tr>\r\n"
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + WORDS + b"</p><table>"
    return head("html of five megabytes") + html + row * 80_000 + b"</table>"


def open_tags_without_end() -> bytes:
    """HTML that opens and never closes."""
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + WORDS + b"</p>"
    return head("open tags without end") + html + b"<a href='x'><b><i><table><tr><td>" * 30_000


def boundaries_without_parts() -> bytes:
    """A million beginnings of a part, none with anything in it."""
    opening = 'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    return head("boundaries without parts", opening) + (b"--x\r\n" + PLAIN + WORDS) + b"--x\r\n" * 500_000


def a_parameter_in_ten_thousand_pieces() -> bytes:
    """A file name continued ten thousand times (RFC 2231)."""
    pieces = "".join(f";\r\n filename*{number}*=%61" for number in range(10_000))
    part = f"Content-Type: application/octet-stream\r\nContent-Disposition: attachment{pieces}\r\n\r\nx\r\n".encode()
    opening = 'Content-Type: multipart/mixed; boundary="k"\r\n\r\n'
    return head("a parameter in pieces", opening) + (b"--k\r\n" + PLAIN + WORDS) + b"--k\r\n" + part + b"--k--\r\n"


def a_thousand_senders() -> bytes:
    """1,000 From headers."""
    return (
        b"".join(b"From: p%d@correo.example\r\n" % number for number in range(1_000)) + head("senders") + PLAIN + WORDS
    )


BIG: Mapping[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        *(of_25_megabytes, header_of_100_kilobytes, subject_of_100_kilobytes, ten_thousand_headers),
        *(ten_thousand_references, a_thousand_nested_parts, a_thousand_nested_messages, ten_thousand_parts),
        *(a_line_of_five_megabytes, five_megabytes_of_quotes, html_of_ten_thousand_levels, html_of_five_megabytes),
        *(open_tags_without_end, boundaries_without_parts, a_parameter_in_ten_thousand_pieces, a_thousand_senders),
    )
}
"""All of them: a named contact's, with words that can be read, but for those below."""
WITHOUT_ONE_SENDER = {"a_thousand_senders"}
WITHOUT_WORDS_OF_ITS_OWN = {"a_thousand_nested_messages"}
"""Their words lie too deep: what they hold is attached."""
