"""ClamAV behind the engine interface, through the clamscan program on a folder with only our files.

Rules:
- The program's own limits are alerts here (`--alert-exceeds-max`): a file over a limit is `not_scanned`, while
  the program left alone would call it OK.
- Every name that a file bears is reported (`--allmatch`), without the suffix that marks unofficial databases.
- A folder without ClamAV files detects nothing; clamscan itself would fail on it, so it is not started.
- A path that clamscan does not answer for is `not_scanned`, never clean.
"""

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from engines.clamav_lines import literal_hits
from engines.interface import Hit
from engines.verdicts import DatabaseRefused, EngineMissing, Verdict

NAME: Final = "clamav"
SUFFIXES: Final = frozenset({".ndb", ".ldb", ".hdb", ".hsb", ".fp", ".sfp", ".ign2"})
MAX_FILE_BYTES: Final = 320 * 1024 * 1024
MAX_SCAN_BYTES: Final = 640 * 1024 * 1024
_LOAD_TIMEOUT_S: Final = 300
_SCAN: Final = (
    "--no-summary",
    "--allmatch=yes",
    "--alert-exceeds-max=yes",
    f"--max-filesize={MAX_FILE_BYTES}",
    f"--max-scansize={MAX_SCAN_BYTES}",
    "--max-scantime=60000",
)
_UNOFFICIAL: Final = ".UNOFFICIAL"
_LIMIT_ALERT: Final = "Heuristics.Limits.Exceeded"
OVER_LIMIT: Final = "over a limit of the scan"
_EMPTY: Final = frozenset({"Empty file", "Empty file."})
_BROKEN_DATABASE_STATUS: Final = 2


class ClamAv:
    """The installed clamscan program. Raises EngineMissing."""

    name = NAME

    def __init__(self) -> None:
        program = shutil.which("clamscan")
        if program is None:
            raise EngineMissing(
                "ClamAV is not installed (no program `clamscan` on the PATH): install it with "
                "`apt-get install --no-install-recommends clamav`"
            )
        self._program = program
        self.version = _version(program)

    def load(self, folder: Path) -> "ClamAvDatabase":
        """Try the files of DB/clamav on an empty file. Raises DatabaseRefused with ClamAV's own words."""
        files = folder / "clamav"
        loaded = ClamAvDatabase(self._program, files, self.version)
        if loaded.has_files():
            _try_load(self._program, files)
        return loaded


def _version(program: str) -> str:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    found = re.match(r"ClamAV ([^/\s]+)", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise EngineMissing(f"`clamscan --version` does not work: {(answer.stderr or answer.stdout).strip()[:300]}")
    return found.group(1)


def _try_load(program: str, files: Path) -> None:
    with tempfile.NamedTemporaryFile(prefix="guardia-load-") as probe:
        probe.write(b"\n")
        probe.flush()
        command = [program, f"--database={files}", "--no-summary", probe.name]
        try:
            answer = subprocess.run(command, capture_output=True, check=False, timeout=_LOAD_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise DatabaseRefused(f"ClamAV did not load the database within {_LOAD_TIMEOUT_S} s") from error
    if answer.returncode == _BROKEN_DATABASE_STATUS:
        raise DatabaseRefused(f"ClamAV refused clamav/: {_complaint(answer.stderr, files)}")


def _complaint(stderr: bytes, files: Path) -> str:
    """ClamAV's complaint in one line, naming our files and not where they happen to lie."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    text = "; ".join(line.removeprefix("LibClamAV Error: ").removeprefix("ERROR: ") for line in lines)
    return text.replace(f"{files}/", "clamav/").replace(str(files), "clamav")[:1000] or "no reason given"


class ClamAvDatabase:
    """A folder of ClamAV files that ClamAV has loaded once."""

    def __init__(self, program: str, files: Path, version: str) -> None:
        self._program = program
        self._files = files
        self._version = version

    def has_files(self) -> bool:
        return self._files.is_dir() and any(path.suffix in SUFFIXES for path in self._files.iterdir())

    def scan(
        self, paths: Sequence[Path], *, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Path, Verdict]]:
        for done, (path, verdict) in enumerate(self._verdicts(paths), start=1):
            yield path, verdict
            if progress is not None:
                progress(done)

    def locate(self, path: Path) -> list[Hit]:
        """Offsets are found by looking for the literal of a detecting `.ndb` line; other kinds have no offset."""
        ((_, verdict),) = self.scan([path])
        return [hit for name in verdict.names for hit in literal_hits(self._files, name, path)]

    def _verdicts(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Verdict]]:
        refused = {path: reason for path in paths if (reason := _unreadable(path))}
        for path, reason in refused.items():
            yield path, Verdict(NAME, self._version, "not_scanned", reason=reason)
        rest = [path for path in paths if path not in refused]
        if not self.has_files():
            yield from ((path, Verdict(NAME, self._version, "not_detected")) for path in rest)
            return
        listable = [path for path in rest if _fits_a_list(path)]
        if listable:
            yield from self._scan_list(listable)
        for path in rest:
            if not _fits_a_list(path):
                yield path, self._scan_stream(path)

    def _scan_list(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Verdict]]:
        """One clamscan over all paths; a path's verdict is ready when the program goes on to the next."""
        waiting = {os.fsencode(path): path for path in paths}
        with tempfile.NamedTemporaryFile(prefix="guardia-list-") as listing:
            listing.write(b"".join(name + b"\n" for name in waiting))
            listing.flush()
            run = _Run([self._program, f"--database={self._files}", *_SCAN, f"--file-list={listing.name}"])
            try:
                for name, words in _by_file(run.lines(), waiting):
                    yield waiting.pop(name), self._verdict(words)
                complaint = run.complaint(self._files)
            finally:
                run.close()
        for path in waiting.values():
            reason = f"ClamAV gave no verdict on this file: {complaint}"
            yield path, Verdict(NAME, self._version, "not_scanned", reason=reason)

    def _scan_stream(self, path: Path) -> Verdict:
        command = [self._program, f"--database={self._files}", *_SCAN, "-"]
        with path.open("rb") as source:
            answer = subprocess.run(command, stdin=source, capture_output=True, check=False)
        words = [line.rpartition(": ")[2] for line in answer.stdout.decode("utf-8", "replace").splitlines()]
        return self._verdict(words or [_complaint(answer.stderr, self._files)])

    def _verdict(self, words: Sequence[str]) -> Verdict:
        """Read what clamscan said of one file: `OK`, `NAME FOUND` once for each name, or trouble."""
        found = {word.removesuffix(" FOUND").removesuffix(_UNOFFICIAL) for word in words if word.endswith(" FOUND")}
        limits = sorted(name for name in found if name.startswith(_LIMIT_ALERT))
        names = sorted(found.difference(limits))
        trouble = [word for word in words if word not in {"OK", *_EMPTY} and not word.endswith(" FOUND")]
        if names:
            return Verdict(NAME, self._version, "detected", tuple(names))
        if limits:
            what = ", ".join(name.removeprefix(_LIMIT_ALERT).strip(".") for name in limits)
            return Verdict(NAME, self._version, "not_scanned", reason=f"{OVER_LIMIT}: {what}")
        if trouble or not words:
            return Verdict(NAME, self._version, "not_scanned", reason="; ".join(trouble) or "ClamAV said nothing")
        return Verdict(NAME, self._version, "not_detected")


class _Run:
    """One running clamscan. Its complaints go to a file, so that they can never block its answers."""

    def __init__(self, command: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile(prefix="guardia-errors-")  # noqa: SIM115 - closed in close()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors)

    def lines(self) -> Iterator[bytes]:
        if self._process.stdout is None:  # pragma: no cover - it was asked for above
            raise RuntimeError("clamscan was started without a pipe")
        yield from self._process.stdout

    def complaint(self, files: Path) -> str:
        self._process.wait()
        self._errors.seek(0)
        return _complaint(self._errors.read(), files)

    def close(self) -> None:
        """End the program if it still runs: the reader lost interest or failed."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._errors.close()


def _by_file(lines: Iterable[bytes], asked: Collection[bytes]) -> Iterator[tuple[bytes, list[str]]]:
    """Group the program's lines `PATH: WORD` by path. It names one path in lines that follow each other."""
    current: bytes | None = None
    words: list[str] = []
    for line in lines:
        name, separator, word = line.rstrip(b"\n").rpartition(b": ")
        if not separator or (name != current and name not in asked):
            continue
        if current is not None and name != current:
            yield current, words
            words = []
        current = name
        words.append(word.decode("utf-8", "replace"))
    if current is not None:
        yield current, words


def _unreadable(path: Path) -> str | None:
    """Why a path cannot be scanned, or None. clamscan would walk into a folder and skip a device."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot read the file: {error.strerror}"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return None if os.access(path, os.R_OK) else "cannot read the file: permission denied"


def _fits_a_list(path: Path) -> bool:
    """Whether a list with one path a line can carry this path; clamscan also strips carriage returns."""
    return not {b"\n"[0], b"\r"[0]}.intersection(os.fsencode(path))
