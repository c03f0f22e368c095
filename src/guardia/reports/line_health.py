"""Whether the phone line is at work: its last sign of life, calls and trunk, journals that wait, prompts that lack."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from guardia.features.calls.queries import line_beats
from guardia.kernel.outside import outside

SILENT_AFTER: Final = timedelta(seconds=15)
GONE_AFTER: Final = timedelta(days=7)
"""Where no line is configured here, one that was silent for longer has been taken away; until then it is dead."""


@dataclass(frozen=True)
class LineHealth:
    """The line's figures. `trunk`: `none`, `registered`, `trying`, `refused`, or empty where no line was seen.

    `where` is the address that it says it listens on, or should. `journals_waiting` counts those of living calls too,
    `journals_locked` those of them whose lab key is missing, `journals_unreadable` what was set aside.
    """

    is_up: bool
    last_at: datetime | None
    calls: int
    trunk: str
    where: str
    missing_prompts: tuple[str, ...] = ()
    journals_waiting: int = 0
    journals_locked: int = 0
    journals_unreadable: int = 0


def line_state(now: datetime) -> LineHealth | None:
    """Return what the line last said of itself, without the disk; None where there is none.

    There is one where one is configured here, where it has a unit apart, and where one was seen lately: the settings of
    its unit may be others than these.
    """
    own = settings.GUARDIA
    beats = list(line_beats()[:20])
    newest = beats[0] if beats else None
    is_seen = newest is not None and now - newest.seen_at <= GONE_AFTER
    if not (own.line_port or own.line_apart or is_seen):
        return None
    up = [beat for beat in beats if now - beat.seen_at <= SILENT_AFTER]
    facts = newest.facts if newest else {}
    return LineHealth(
        is_up=bool(up),
        last_at=newest.seen_at if newest else None,
        calls=sum(beat.calls for beat in up),
        trunk=newest.trunk if newest else "",
        where=str(facts.get("where") or f"{own.line_host}:{own.line_port}"),
        missing_prompts=tuple(str(one) for one in facts.get("missing_prompts", ())),
    )


def line_health(now: datetime) -> LineHealth | None:
    """Return the figures with those of the journals on disk; None where there is no line. Raises OSError."""
    state = line_state(now)
    if state is None:
        return None
    journals = outside().call_journals
    return replace(
        state,
        journals_waiting=journals.count_waiting(),
        journals_locked=journals.count_locked(),
        journals_unreadable=journals.count_unreadable(),
    )


def is_well(health: LineHealth) -> bool:
    """Whether calls are taken and heard: the line is up, its trunk does not refuse it, every prompt is there, and every
    journal can be read.
    """
    is_taken = health.is_up and health.trunk != "refused" and not health.missing_prompts
    return is_taken and not health.journals_locked and not health.journals_unreadable


def line_part(now: datetime) -> Mapping[str, Any] | None:
    """Return what `/healthz` says of the line; None where there is none."""
    health = line_health(now)
    if health is None:
        return None
    figures = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(health).items()
    }
    return {"ok": is_well(health), **figures}
