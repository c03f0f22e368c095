"""YARA-X behind the engine interface.

Rules:
- Rules are compiled from source at every load; compiled blobs have no integrity check and are never stored.
- Includes are off: a rule's text comes from people, and must not read files of the machine.
- The engine can panic, which Python sees as a BaseException. A panic over one file is that file's `not_scanned`.
- It looks at a file's raw bytes; it does not unpack.
- It holds the interpreter's lock for a whole scan: for many files use processes, never threads.
"""

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.interface import Hit
from engines.verdicts import DatabaseRefused, EngineMissing, Verdict

NAME: Final = "yara-x"
SCAN_TIMEOUT_S: Final = 60
MAX_HITS: Final = 64
_OURS_TO_DIE_OF: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)

try:
    import yara_x
except ImportError as error:
    _import_error: ImportError | None = error
else:
    _import_error = None


class YaraX:
    """The installed yara-x wheel. Raises EngineMissing."""

    name = NAME

    def __init__(self) -> None:
        if _import_error is not None:
            raise EngineMissing(
                f"YARA-X is not installed ({_import_error}): install it with `pip install yara-x`"
            ) from _import_error
        self.version = importlib.metadata.version("yara-x")

    def load(self, folder: Path) -> "YaraXDatabase":
        """Compile DB/yara/*.yar, all of it or nothing. Raises DatabaseRefused with file, line and column."""
        compiler = yara_x.Compiler(includes_enabled=False)
        for path in sorted((folder / "yara").glob("*.yar")):
            _add(compiler, path, f"yara/{path.name}")
        return YaraXDatabase(_build(compiler), self.version)


def _add(compiler: "yara_x.Compiler", path: Path, origin: str) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatabaseRefused(f"YARA-X refused {origin}: not UTF-8 text at byte {error.start}") from error
    except OSError as error:
        raise DatabaseRefused(f"YARA-X cannot read {origin}: {error.strerror}") from error
    _add_text(compiler, text, origin)


def _add_text(compiler: "yara_x.Compiler", text: str, origin: str) -> None:
    try:
        compiler.add_source(text, origin=origin)
    except yara_x.CompileError as error:
        raise DatabaseRefused(f"YARA-X refused {origin}: {error}") from error
    except _OURS_TO_DIE_OF:
        raise
    except BaseException as panic:
        raise DatabaseRefused(f"YARA-X panicked on {origin}: {panic}") from panic


def _build(compiler: "yara_x.Compiler") -> "yara_x.Rules":
    try:
        return compiler.build()
    except _OURS_TO_DIE_OF:
        raise
    except BaseException as panic:
        raise DatabaseRefused(f"YARA-X panicked while it built the rules: {panic}") from panic


class YaraXDatabase:
    """Compiled rules. It may be forked after loading; each process then has its own copy."""

    def __init__(self, rules: "yara_x.Rules", version: str) -> None:
        self._rules = rules
        self._version = version
        self._scanner: yara_x.Scanner | None = None

    def scan(
        self, paths: Sequence[Path], *, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Path, Verdict]]:
        for done, path in enumerate(paths, start=1):
            yield path, self._verdict(path)
            if progress is not None:
                progress(done)

    def locate(self, path: Path) -> list[Hit]:
        hits: list[Hit] = []
        for rule in self._scan_one(path).matching_rules:
            places = [
                Hit(rule.identifier, pattern.identifier, match.offset, match.length)
                for pattern in rule.patterns
                for match in pattern.matches
            ]
            hits += places[:MAX_HITS] or [Hit(rule.identifier, "condition", None, None)]
        return hits

    def _scan_one(self, path: Path) -> "yara_x.ScanResults":
        if self._scanner is None:
            self._scanner = yara_x.Scanner(self._rules)
            self._scanner.set_timeout(SCAN_TIMEOUT_S)
            self._scanner.max_matches_per_pattern(MAX_HITS)
        if path.stat().st_size == 0:
            return self._scanner.scan(b"")
        return self._scanner.scan_file(str(path))

    def _verdict(self, path: Path) -> Verdict:
        try:
            names = tuple(rule.identifier for rule in self._scan_one(path).matching_rules)
        except OSError as error:
            return self._not_scanned(f"cannot read the file: {error.strerror or error}")
        except yara_x.TimeoutError:
            return self._not_scanned(f"the scan took longer than {SCAN_TIMEOUT_S} s")
        except yara_x.ScanError as error:
            return self._not_scanned(f"YARA-X could not scan the file: {error}")
        except _OURS_TO_DIE_OF:
            raise
        except BaseException as panic:  # noqa: BLE001 - a panic of the engine is not an Exception
            self._scanner = None  # its state after a panic is unknown
            return self._not_scanned(f"YARA-X panicked: {panic}")
        return Verdict(NAME, self._version, "detected" if names else "not_detected", names)

    def _not_scanned(self, reason: str) -> Verdict:
        return Verdict(NAME, self._version, "not_scanned", reason=reason)


@dataclass(frozen=True)
class RuleFacts:
    """A rule as the compiler sees it. Metadata keeps its order; a key may occur more than once."""

    name: str
    metadata: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class SourceFacts:
    """What the compiler says about a source: its rules, imports, and warnings as (code, text)."""

    rules: tuple[RuleFacts, ...]
    imports: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...]


def examine(source: str, origin: str) -> SourceFacts:
    """Compile one source by itself and say what is in it. Raises DatabaseRefused, EngineMissing."""
    if _import_error is not None:
        raise EngineMissing(f"YARA-X is not installed ({_import_error})") from _import_error
    compiler = yara_x.Compiler(includes_enabled=False)
    _add_text(compiler, source, origin)
    warnings = tuple((str(warning["code"]), str(warning["text"])) for warning in compiler.warnings())
    rules = _build(compiler)
    facts = tuple(RuleFacts(rule.identifier, tuple(rule.metadata)) for rule in rules)
    return SourceFacts(facts, tuple(sorted(set(rules.imports()))), warnings)
