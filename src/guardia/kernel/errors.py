"""What can go wrong, one exception for each different reaction of a door.

Each carries a stable `code` (for programs), a sentence for the person who meets it, and where it concerns a field,
that field's name. Doors translate: `NotFound` 404, `Forbidden` 403, `Invalid` 422, `Refused` 409, `TooLarge` 413.
"""

from collections.abc import Mapping


class GuardiaError(Exception):
    """Base: `code` for programs, `sentence` for people, `fields` where the error belongs to named inputs."""

    status = 500

    def __init__(self, code: str, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.fields = dict(fields or {})


class NotFound(GuardiaError):
    """There is no such thing, or it is a stranger's: both look the same from outside."""

    status = 404


class Forbidden(GuardiaError):
    """The person is known but may not do this."""

    status = 403


class Invalid(GuardiaError):
    """The input is not of the required form; `fields` says which and how."""

    status = 422


class Refused(GuardiaError):
    """The input is well formed, but the state of things does not allow the act."""

    status = 409


class TooLarge(GuardiaError):
    """More bytes than the limit were sent."""

    status = 413


class UnscopedQuery(RuntimeError):
    """Code asked for customer rows without naming whose: a programming error, never shown as a page."""
