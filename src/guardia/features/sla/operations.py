"""Calendar versions are added, never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from guardia.features.sla.models import CalendarVersion
from guardia.kernel.clock import TZDATA_EDITION
from guardia.kernel.transactions import operation


@operation
def add_calendar(name: str, version: int, rules: Mapping[str, Any], now: datetime) -> CalendarVersion:
    """Add a calendar version with the pinned tzdata edition, or return the one that exists."""
    return CalendarVersion.objects.get_or_create(
        name=name, version=version, defaults={"rules": dict(rules), "tzdata": TZDATA_EDITION, "created_at": now}
    )[0]
