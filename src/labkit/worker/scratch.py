"""The folder in which opened samples lie while their job is done, and nowhere else, and not longer.

Rules:
- Folders are 0700, files 0600. Names come from us (a digest, a number), never from a sample or a message.
- A job's folder is wiped when the job ends, however it ends; what a killed worker left is wiped at the next start.
- One worker has a scratch folder for itself; a second one is refused.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_LOCK: Final = ".worker.lock"
_JOB: Final = "job-"


class ScratchTaken(Exception):
    """Another worker uses this scratch folder."""


class Scratch:
    """A worker's own scratch folder. Raises ScratchTaken, or OSError where the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise ScratchTaken(f"another lab worker uses {folder}: give each worker its own --scratch") from error
        self.wipe()

    def wipe(self) -> None:
        """Remove whatever earlier jobs left."""
        for left in self._folder.glob(f"{_JOB}*"):
            shutil.rmtree(left)

    @contextmanager
    def job(self) -> Iterator[Path]:
        """A private folder for one job, wiped at the end."""
        folder = Path(tempfile.mkdtemp(prefix=_JOB, dir=self._folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        os.close(self._lock)


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only we can read, opened for writing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        yield target
