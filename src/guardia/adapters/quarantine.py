"""The quarantine: sealed objects in a folder of mode 0700, written as they stream in, never in the clear.

`FolderQuarantine` is the real one, `MemoryQuarantine` its twin for tests; one contract test runs against both. An
intake that is not finished leaves nothing. Names are random: neither content nor company can be read off them.
"""

import io
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from guardia.kernel.outside import Intake
from labkit.wire.sealed import Sealer, open_sealed


class FolderIntake:
    """Writes to `incoming/`, moves to `objects/` when finished."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.name = secrets.token_hex(20)
        self._temporary = folder / "incoming" / self.name
        self._final = folder / "objects" / self.name[:2] / self.name
        self._file = open(self._temporary, "xb", opener=_private)  # noqa: SIM115  closed by finish or abandon
        self._sealer = Sealer(self._file, key)

    def write(self, chunk: bytes) -> None:
        self._sealer.write(chunk)

    def finish(self) -> None:

        self._sealer.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._final.parent.mkdir(mode=0o700, exist_ok=True)
        self._temporary.rename(self._final)

    def abandon(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:

    return os.open(path, flags, 0o600)


class FolderQuarantine:
    """Objects as files of mode 0600 under a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in (folder, folder / "incoming", folder / "objects"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.chmod(0o700)

    def intake(self, key: bytes) -> Intake:
        return FolderIntake(self.folder, key)

    def _path(self, name: str) -> Path:
        if not name.isalnum():
            raise FileNotFoundError(f"{name!r} is no name of a quarantine object")
        return self.folder / "objects" / name[:2] / name

    def open(self, name: str) -> BinaryIO:
        return self._path(name).open("rb")

    def read_clear(self, name: str, key: bytes) -> Iterator[bytes]:
        with self.open(name) as file:
            yield from open_sealed(file, key)

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def sweep(self, before: datetime) -> int:
        left = [path for path in (self.folder / "incoming").iterdir() if path.stat().st_mtime < before.timestamp()]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


class MemoryIntake:
    """Collects sealed bytes in memory."""

    def __init__(self, objects: dict[str, bytes], key: bytes) -> None:
        self.name = secrets.token_hex(20)
        self._objects = objects
        self._buffer = io.BytesIO()
        self._sealer = Sealer(self._buffer, key)

    def write(self, chunk: bytes) -> None:
        self._sealer.write(chunk)

    def finish(self) -> None:
        self._sealer.finish()
        self._objects[self.name] = self._buffer.getvalue()

    def abandon(self) -> None:
        self._buffer = io.BytesIO()


class MemoryQuarantine:
    """The twin for tests."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def intake(self, key: bytes) -> Intake:
        return MemoryIntake(self.objects, key)

    def open(self, name: str) -> BinaryIO:
        if name not in self.objects:
            raise FileNotFoundError(name)
        return io.BytesIO(self.objects[name])

    def read_clear(self, name: str, key: bytes) -> Iterator[bytes]:
        yield from open_sealed(self.open(name), key)

    def remove(self, name: str) -> None:
        self.objects.pop(name, None)

    def sweep(self, before: datetime) -> int:  # noqa: ARG002  the port's signature
        return 0  # an unfinished intake of this twin never reaches the shared objects
