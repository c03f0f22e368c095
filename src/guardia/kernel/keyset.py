"""Paging by keys: a page starts after the last row of the page before, so that page 10,000 costs what page 1 does.

An `Order` is a row of columns, all ascending or all descending, the last one unique. A place in it is the row of its
values (`Key`); as text, for an address, it is opaque. A text that is not one of ours is refused with ValueError.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

M = TypeVar("M", bound=models.Model)
Key = tuple[Any, ...]

LONGEST: Final = 400
_BIGGEST: Final = 2**31 - 1


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _BIGGEST:
        raise ValueError(value)
    return value


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004  for the caller it is one kind of refusal
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(value)
    return instant.astimezone(UTC)


def _uuid(value: object) -> UUID:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004  for the caller it is one kind of refusal
    return UUID(value)


_READ: Final[Mapping[type, Callable[[object], Any]]] = {int: _int, datetime: _instant, UUID: _uuid}
_FIELDS: Final[Mapping[type, Callable[[], Any]]] = {
    int: models.IntegerField,
    datetime: models.DateTimeField,
    UUID: models.UUIDField,
}


_LOOKUPS: Final[Mapping[tuple[bool, bool], Any]] = {
    (False, False): GreaterThan,
    (False, True): GreaterThanOrEqual,
    (True, False): LessThan,
    (True, True): LessThanOrEqual,
}


class _Row(Func):
    """`(a, b, c)`: PostgreSQL compares rows in one step, and an index on the same columns serves it."""

    template = "ROW(%(expressions)s)"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts, output_field=BooleanField())


@dataclass(frozen=True)
class Order:
    """`name` tells one order's places from another's; `keys` are columns with their Python types."""

    name: str
    keys: Mapping[str, type] = field(hash=False)
    is_descending: bool = False

    def key_of(self, row: models.Model) -> Key:
        """Return a row's place."""
        return tuple(getattr(row, name) for name in self.keys)

    def sort(self, rows: QuerySet[M], *, backwards: bool = False) -> QuerySet[M]:
        """Return the rows in this order, or from its end."""
        sign = "-" if self.is_descending != backwards else ""
        return rows.order_by(*(f"{sign}{name}" for name in self.keys))

    def beyond(self, key: Key, *, backwards: bool = False, inclusive: bool = False) -> Q:
        """Return the condition that a row stands after `key` (before it, for `backwards`; or on it)."""
        lookup = _LOOKUPS[self.is_descending != backwards, inclusive]
        typed = zip(key, self.keys.values(), strict=True)
        there = _Row(*(Value(value, output_field=_FIELDS[kind]()) for value, kind in typed))
        return Q(lookup(_Row(*map(F, self.keys)), there))

    def text_of(self, key: Key) -> str:
        """Return a place as text for an address."""
        plain = [value.isoformat() if isinstance(value, datetime) else value for value in key]
        written = json.dumps([self.name, *plain], default=str, separators=(",", ":"))
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")

    def read(self, text: str) -> Key:
        """Return the place that `text_of` wrote. Raises ValueError for every other text."""
        try:
            written = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            name, *values = json.loads(written) if len(text) <= LONGEST else [""]
            if name != self.name:
                raise ValueError(text)
            return tuple(_READ[kind](value) for value, kind in zip(values, self.keys.values(), strict=True))
        except (TypeError, OverflowError, RecursionError, binascii.Error, UnicodeError) as error:
            raise ValueError(text) from error


def window(
    rows: QuerySet[M], order: Order, start: Key | None, length: int, *, backwards: bool = False
) -> tuple[QuerySet[M], Key | None]:
    """Return the next `length` rows after `start`, as a query, and the place where they end (None: at the last row)."""
    ahead = rows.filter(order.beyond(start, backwards=backwards)) if start else rows
    end = order.sort(ahead, backwards=backwards).values_list(*order.keys)[length - 1 : length].first()
    if end is None:
        return ahead, None
    return ahead.filter(order.beyond(end, backwards=not backwards, inclusive=True)), tuple(end)
