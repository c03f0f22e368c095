"""Database files of builds, by content: what the lab fetches to test exactly the bytes that are to be released."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


class BuildStore:
    """A folder of files named by their SHA-256. Writing is atomic and can be repeated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Keep the files of a build."""
        for content in files.values():
            path = self.folder / hashlib.sha256(content).hexdigest()
            if not path.exists():
                handle, temporary = tempfile.mkstemp(dir=self.folder)
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(temporary).replace(path)

    def read(self, sha256: str) -> bytes:
        """Return a file's bytes; raise FileNotFoundError."""
        if len(sha256) != 64 or not sha256.isalnum():  # noqa: PLR2004  hex digits of SHA-256
            raise FileNotFoundError(f"{sha256!r} is no SHA-256")
        return (self.folder / sha256).read_bytes()
