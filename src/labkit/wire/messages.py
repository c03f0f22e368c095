"""The messages between the server's lab gate and a lab worker.

Rules:
- Whatever comes over the wire is checked here once; the rest of the lab works with typed values.
- A message that does not parse raises WireError with the place (`payload.samples[0].size`) and what is wrong there.
- A data key never shows in a repr, hence not in a log.
- Records and operations stay JSON objects here: sigdist.records owns their meaning.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeVar, cast, get_args

Json = dict[str, Any]
Claim = Literal["FN", "FP"]
Role = Literal["claim", "malware", "memory"]
Expect = Literal["detected", "not_detected"]
Kind = Literal["precheck", "draft", "gates"]
GateName = Literal["claim", "clean_corpus", "lost_detections", "memory", "lint", "load"]
GateState = Literal["waiting", "running", "passed", "failed"]

GATE_NAMES: Final = get_args(GateName)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FILE_NAME: Final = re.compile(r"(?:(?:yara|clamav)/)?[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)+")
_KEY_BYTES: Final = 32
_T = TypeVar("_T")


class WireError(ValueError):
    """A message is not what the protocol says; the text names the place."""


@dataclass(frozen=True)
class SampleRef:
    """A sample that the worker may fetch, with its data key and what is expected of it."""

    sha256: str
    size: int
    key: bytes = field(repr=False)
    role: Role
    expect: Expect
    case: str | None
    name: str

    def to_json(self) -> Json:
        return {**asdict(self), "key": base64.b64encode(self.key).decode("ascii")}


@dataclass(frozen=True)
class BuildFile:
    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class BuildRef:
    """A build of the database: its number, and the files to fetch."""

    number: int
    label: str
    state_root: str
    digest: str
    files: tuple[BuildFile, ...]

    def to_json(self) -> Json:
        return {**asdict(self), "files": [asdict(file) for file in self.files]}


@dataclass(frozen=True)
class PrecheckPayload:
    claim: Claim
    detection: str | None
    samples: tuple[SampleRef, ...]
    lane: BuildRef
    newest: BuildRef


@dataclass(frozen=True)
class DraftPayload:
    claim: Claim
    case: str
    author: str
    date: str
    samples: tuple[SampleRef, ...]
    base: BuildRef
    records: tuple[Json, ...]
    malware: tuple[SampleRef, ...]
    memory: tuple[SampleRef, ...]


@dataclass(frozen=True)
class Budgets:
    load_s: float = 60.0
    load_mb: float = 1024.0


@dataclass(frozen=True)
class GatesPayload:
    claim: Claim
    case: str
    samples: tuple[SampleRef, ...]
    build: BuildRef
    base: BuildRef
    changed: BuildRef
    operations: tuple[Json, ...]
    records_changed: tuple[Json, ...]
    budgets: Budgets

    def of(self, role: Role) -> tuple[SampleRef, ...]:
        return tuple(sample for sample in self.samples if sample.role == role)


Payload = PrecheckPayload | DraftPayload | GatesPayload


@dataclass(frozen=True)
class Job:
    id: str
    kind: Kind
    lease: str = field(repr=False)
    lease_s: float
    payload: Payload


@dataclass(frozen=True)
class Failure:
    """One reason why a gate failed: the rule, the file, the place in it and what is there."""

    what: str
    engine: str | None = None
    rule: str | None = None
    pattern: str | None = None
    file: str | None = None
    package: str | None = None
    size: int | None = None
    offset: int | None = None
    length: int | None = None
    hex: tuple[tuple[int, str], ...] = ()

    def to_json(self) -> Json:
        return {**asdict(self), "hex": [[offset, row] for offset, row in self.hex]}


@dataclass(frozen=True)
class GateResult:
    """How far a gate is, and what it found."""

    gate: GateName
    state: GateState
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    summary: str = ""
    counts: Mapping[str, int | float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def to_json(self) -> Json:
        return {
            "gate": self.gate,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "seconds": round(self.seconds, 3),
            "summary": self.summary,
            "counts": dict(self.counts),
            "failures": [failure.to_json() for failure in self.failures],
        }


def parse_job(document: object) -> Job:
    """Read what a lease answered. Raises WireError with the place."""
    job = _object(document, "job")
    kind = cast("Kind", _choice(job, "kind", "job", get_args(Kind)))
    payload = _object(job.get("payload"), "payload")
    return Job(
        _text(job, "id", "job"),
        kind,
        _text(job, "lease", "job"),
        _number(job, "lease_s", "job"),
        _PAYLOADS[kind](payload),
    )


def parse_sample(document: object, place: str = "sample") -> SampleRef:
    """A sample reference of the wire. Raises WireError that names the place."""
    sample = _object(document, place)
    case = sample.get("case")
    return SampleRef(
        _sha256(sample, place),
        _whole(sample, "size", place),
        _key(sample, place),
        cast("Role", _choice(sample, "role", place, get_args(Role))),
        cast("Expect", _choice(sample, "expect", place, get_args(Expect))),
        None if case is None else str(case),
        _text(sample, "name", place),
    )


def parse_build(document: object, place: str = "build") -> BuildRef:
    """A build reference of the wire. Raises WireError that names the place."""
    build = _object(document, place)
    return BuildRef(
        _whole(build, "number", place),
        _text(build, "label", place),
        _text(build, "state_root", place),
        _text(build, "digest", place),
        _list(build, "files", place, _file),
    )


def _precheck(payload: Json) -> PrecheckPayload:
    detection = payload.get("detection")
    if detection is not None and not isinstance(detection, str):
        raise WireError("payload.detection must be a string or null")
    return PrecheckPayload(
        _claim(payload),
        detection or None,
        _list(payload, "samples", "payload", parse_sample),
        parse_build(payload.get("lane"), "payload.lane"),
        parse_build(payload.get("newest"), "payload.newest"),
    )


def _draft(payload: Json) -> DraftPayload:
    return DraftPayload(
        _claim(payload),
        _case(payload),
        _text(payload, "author", "payload"),
        _text(payload, "date", "payload"),
        _list(payload, "samples", "payload", parse_sample),
        parse_build(payload.get("base"), "payload.base"),
        _list(payload, "records", "payload", _object),
        _list(payload, "malware", "payload", parse_sample),
        _list(payload, "memory", "payload", parse_sample),
    )


def _gates(payload: Json) -> GatesPayload:
    budgets = _object(payload.get("budgets") or {"load_s": 60, "load_mb": 1024}, "payload.budgets")
    return GatesPayload(
        _claim(payload),
        _case(payload),
        _list(payload, "samples", "payload", parse_sample),
        parse_build(payload.get("build"), "payload.build"),
        parse_build(payload.get("base"), "payload.base"),
        parse_build(payload.get("changed"), "payload.changed"),
        _list(payload, "operations", "payload", _object),
        _list(payload, "records_changed", "payload", _object),
        Budgets(_number(budgets, "load_s", "payload.budgets"), _number(budgets, "load_mb", "payload.budgets")),
    )


_PAYLOADS: Final[dict[Kind, Callable[[Json], Payload]]] = {"precheck": _precheck, "draft": _draft, "gates": _gates}


def _object(document: object, place: str) -> Json:
    if not isinstance(document, dict):
        raise WireError(f"{place} must be an object, not {type(document).__name__}")
    return document


def _list(parent: Json, name: str, place: str, read: Callable[[object, str], _T]) -> tuple[_T, ...]:
    entries = parent.get(name)
    if not isinstance(entries, list):
        raise WireError(f"{place}.{name} must be a list")
    return tuple(read(entry, f"{place}.{name}[{at}]") for at, entry in enumerate(entries))


def _text(parent: Json, name: str, place: str) -> str:
    text = parent.get(name)
    if not isinstance(text, str):
        raise WireError(f"{place}.{name} must be a string")
    return text


def _whole(parent: Json, name: str, place: str) -> int:
    number = parent.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise WireError(f"{place}.{name} must be a whole number, 0 or more")
    return number


def _number(parent: Json, name: str, place: str) -> float:
    number = parent.get(name)
    if not isinstance(number, int | float) or isinstance(number, bool) or number <= 0:
        raise WireError(f"{place}.{name} must be a number above 0")
    return float(number)


def _choice(parent: Json, name: str, place: str, choices: tuple[str, ...]) -> str:
    chosen = parent.get(name)
    if chosen not in choices:
        raise WireError(f"{place}.{name} must be one of {', '.join(choices)}, not {chosen!r}")
    return cast("str", chosen)


def _sha256(parent: Json, place: str) -> str:
    digest = _text(parent, "sha256", place)
    if _SHA256.fullmatch(digest) is None:
        raise WireError(f"{place}.sha256 must be 64 lower-case hex digits")
    return digest


def _key(parent: Json, place: str) -> bytes:
    try:
        key = base64.b64decode(_text(parent, "key", place), validate=True)
    except binascii.Error as error:
        raise WireError(f"{place}.key must be base64") from error
    if len(key) != _KEY_BYTES:
        raise WireError(f"{place}.key must hold {_KEY_BYTES} bytes")
    return key


def _file(document: object, place: str) -> BuildFile:
    file = _object(document, place)
    name = _text(file, "name", place)
    if _FILE_NAME.fullmatch(name) is None:
        raise WireError(f"{place}.name is no name of a database file: {name[:80]!r}")
    return BuildFile(name, _sha256(file, place), _whole(file, "size", place))


def _claim(payload: Json) -> Claim:
    return cast("Claim", _choice(payload, "claim", "payload", get_args(Claim)))


def _case(payload: Json) -> str:
    case = payload.get("case")
    if not isinstance(case, str | int) or isinstance(case, bool):
        raise WireError("payload.case must be the case's number")
    return str(case)
