"""What the agent tells its user when it does not do what was asked. Each ends the command with exit code 1."""

from typing import Literal

UpdateFault = Literal[
    "unreachable",
    "not_published",
    "slow",
    "endless",
    "expired",
    "older",
    "tampered",
    "mixed",
    "wrong_lane",
    "malformed",
    "does_not_load",
]


class AgentRefused(Exception):
    """One sentence: what was wrong, where, what to do."""

    kind: str = "refused"


class NotEnrolled(AgentRefused):
    """The machine has no enrolment; `guardia-agent enrol` comes first."""

    kind = "not_enrolled"


class ServerRefused(AgentRefused):
    """The server answered, and said no."""

    kind = "server_refused"

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class ServerUnreachable(AgentRefused):
    """No usable answer came from the server."""

    kind = "unreachable"


class UpdateRefused(AgentRefused):
    """The offered release is not taken; the installed database stays as it is."""

    def __init__(self, fault: UpdateFault, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = fault
