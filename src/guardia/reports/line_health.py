"""Whether the phone line is at work: its last sign of life, calls and trunk, journals that wait, prompts that lack."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings

from guardia.features.calls.queries import line_beats
from guardia.kernel.outside import outside

SILENT_AFTER: Final = timedelta(seconds=15)


@dataclass(frozen=True)
class LineHealth:
    """The line's figures. `trunk`: `none`, `registered`, `trying`, `refused`, or empty where no line was seen.

    `where` is the address that it listens on. `journals_waiting` counts those of living calls too.
    """

    is_up: bool
    last_at: datetime | None
    calls: int
    trunk: str
    where: str
    missing_prompts: tuple[str, ...] = ()
    journals_waiting: int = 0
    journals_unreadable: int = 0


def line_state(now: datetime) -> LineHealth | None:
    """Return what the line last said of itself, without the disk; None where no line is configured."""
    own = settings.GUARDIA
    if not own.line_port:
        return None
    beats = list(line_beats()[:20])
    up = [beat for beat in beats if now - beat.seen_at <= SILENT_AFTER]
    newest = beats[0] if beats else None
    missing = newest.facts.get("missing_prompts", ()) if newest else ()
    return LineHealth(
        is_up=bool(up),
        last_at=newest.seen_at if newest else None,
        calls=sum(beat.calls for beat in up),
        trunk=newest.trunk if newest else "",
        where=f"{own.line_host}:{own.line_port}",
        missing_prompts=tuple(str(one) for one in missing),
    )


def line_health(now: datetime) -> LineHealth | None:
    """Return the figures with those of the journals on disk; None where no line is configured. Raises OSError."""
    state = line_state(now)
    if state is None:
        return None
    journals = outside().call_journals
    return replace(state, journals_waiting=journals.count_waiting(), journals_unreadable=journals.count_unreadable())


def is_well(health: LineHealth) -> bool:
    """Whether calls are taken: the line is up, its trunk does not refuse it, and every prompt is there."""
    return health.is_up and health.trunk != "refused" and not health.missing_prompts


def line_part(now: datetime) -> Mapping[str, Any] | None:
    """Return what `/healthz` says of the line; None where none is configured."""
    health = line_health(now)
    if health is None:
        return None
    figures = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(health).items()
    }
    return {"ok": is_well(health), **figures}
