"""The pieces that several pages show: severity, clock, person, file, quota."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ClockStretch:
    """A covered interval of the clock: `why` is calendar, opening, call or always; seconds are working time."""

    start: datetime
    end: datetime
    seconds: int
    total_s: int
    why: str


@dataclass(frozen=True)
class ClockView:
    """The response clock as of `as_of`, with its arithmetic.

    `state`: running, best_effort, met, answered or breached. `share` is the part of the target used, 0 to 100.
    `is_soon` from 75 % on. `over_s` is how long a breach has lasted.
    """

    state: str
    as_of: datetime
    due_at: datetime | None
    answered_at: datetime | None
    breached_at: datetime | None
    target_s: int | None
    used_s: int
    remaining_s: int | None
    over_s: int
    share: int
    is_soon: bool
    stretches: tuple[ClockStretch, ...] = ()
    zone: str = "Europe/Madrid"
    hours: str = ""


@dataclass(frozen=True)
class QuotaView:
    """Premium incidents of the contract year: `total` is None where the plan is unlimited."""

    total: int | None
    used: int
    left: int | None
    year_ends_on: str


@dataclass(frozen=True)
class FileView:
    """A file of a case. `state`: sealed, erased."""

    id: str
    filename: str
    size: int
    sha256: str
    role: str


@dataclass(frozen=True)
class EngineLine:
    """What one engine said of one sample."""

    engine: str
    version: str
    outcome: str
    names: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class MailView:
    """What a message that came by mail has beside its words. `faults` and `passwords` are for staff only."""

    id: str
    sender: str
    quoted: str = ""
    has_html: bool = False
    faults: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordingView:
    """Something that was recorded in a call. `is_erased`: its sound is kept no more. `is_waiting`: nobody has dealt
    with it; `settled_by` and `settled_why` say who did, and `case_number` where it belongs.
    """

    id: str
    number: int
    title: str
    started_at: datetime
    seconds: float
    kept_days: int
    is_erased: bool = False
    is_waiting: bool = False
    settled_at: datetime | None = None
    settled_by: str = ""
    settled_why: str = ""
    case_number: str = ""


@dataclass(frozen=True)
class TimelineEntry:
    """One event as people read it.

    `kind`: message (words in a box), fact (one line), pause (time that does not count). `title` is ready to show in
    the reader's language. `tag` says whether a message is a qualified answer. `held_s` is how long the holder before
    this event had the case. `recorded_at` is told where it is later than `at`; `was_due` and `is_due` where the event
    moved the end of the response clock; `is_voided` marks an answer that counts as never given.
    """

    seq: int
    kind: str
    icon: str
    title: str
    at: datetime | None
    actor_name: str = ""
    actor_side: str = ""
    body: str = ""
    tag: str = ""
    is_own: bool = False
    is_internal: bool = False
    is_voided: bool = False
    was_due: datetime | None = None
    is_due: datetime | None = None
    files: tuple[FileView, ...] = ()
    engines: tuple[EngineLine, ...] = ()
    detail: str = ""
    recorded_at: datetime | None = None
    mail: MailView | None = None
    recordings: tuple[RecordingView, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step of the evidence chain. `state`: done, now, to_come."""

    state: str
    title: str
    detail: str = ""
    href: str = ""


@dataclass(frozen=True)
class Act:
    """Something the reader can do now, or why not: `refusal` is the sentence shown beside the disabled button."""

    name: str
    refusal: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the act may be done."""
        return not self.refusal


@dataclass(frozen=True)
class Acts:
    """The acts of a page by name."""

    by_name: dict[str, Act] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Act:
        return self.by_name.get(name, Act(name, "-"))
