"""Small made-up messages for the tests of reading."""

from email.message import EmailMessage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))


def mail(body: str | bytes, *headers: str, sender: str = "Carmen Ruiz <carmen.ruiz@astilleros.example>") -> bytes:
    """Return a message with these headers and this body, line ends as in a mail."""
    head = "\r\n".join([f"From: {sender}", "Subject: Prueba", "Message-ID: <1@astilleros.example>", *headers])
    return head.encode() + b"\r\n\r\n" + (body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode())


def parts(*pieces: str, kind: str = "mixed", boundary: str = "b1", end: str = "--b1--\n") -> bytes:
    """Return a multipart message of pieces, each with its own head."""
    body = "".join(f"--{boundary}\n{piece}\n" for piece in pieces) + end
    return mail(body, "MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="{boundary}"')


def well_formed() -> EmailMessage:
    """Return a message as a good library writes it."""
    message = EmailMessage()
    message["From"] = "Carmen Ruiz <carmen.ruiz@astilleros.example>"
    message["Subject"] = "Incidencia número 3"
    message["Message-ID"] = "<well@astilleros.example>"
    message.set_content("Desde las 09:30 el análisis se detiene.\n")
    return message
