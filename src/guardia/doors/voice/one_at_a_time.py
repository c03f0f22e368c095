"""A kind of question that is asked once at a time, since asking again would hold one more thread where records hang.

One that hangs holds back the next of its kind for no longer than `HANGS_S`: whatever hung it may be over.
"""

from typing import Final

HANGS_S: Final = 60.0


class OneAtATime:
    """Instants are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._asked, self._until = 0, 0.0

    def is_free(self, now: float) -> bool:
        """Whether it may be asked."""
        return now >= self._until

    def begin(self, now: float) -> int:
        """Ask; return which question of its kind it is."""
        self._asked, self._until = self._asked + 1, now + HANGS_S
        return self._asked

    def is_latest(self, asked: int) -> bool:
        """Whether no other was asked since, this one having hung."""
        return asked == self._asked

    def end(self, asked: int) -> None:
        """It was answered, or could not be: the next may be asked."""
        if self.is_latest(asked):
            self._until = 0.0
