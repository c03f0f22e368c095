"""The one refusal of this package: a record or an operation that cannot enter a database, and where it stands."""


class OperationRefused(Exception):
    """What was wrong (`reason`) and where (`place`, such as `operations[2].record.name`)."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
