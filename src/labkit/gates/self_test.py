"""The self-test set: small harmless files of several kinds that every build has to be able to scan.

The standard anti-virus test file is put together here at run time, so that no file of this project is ever flagged.
"""

import io
import zipfile
from pathlib import Path
from typing import Final

_TEST_FILE_PARTS: Final = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE", "!$H+H*")


def write_self_test(folder: Path) -> list[Path]:
    """Write the set into `folder` and return its paths."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for name, content in _contents().items():
        path = folder / name
        path.write_bytes(content)
        written.append(path)
    return written


def _contents() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "a harmless member\n" * 50)
    return {
        "test-file": "".join(_TEST_FILE_PARTS).encode("ascii"),
        "empty": b"",
        "text": b"Nothing of interest stands here.\n" * 20,
        "script": b"#!/bin/sh\necho hello\n",
        "document": b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n",
        "program": b"\x7fELF\x02\x01\x01" + bytes(57),
        "archive": packed.getvalue(),
        "zeros": bytes(64 * 1024),
        "all-bytes": bytes(range(256)) * 64,
    }
