"""What people may be told by mail, each topic with what it means, and what of it is always sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.mail.queries import muted_by, standings_of
from guardia.features.mail.rules.topics import MUTABLE
from guardia.kernel.vocabulary import Actor

TOPICS: Final[Mapping[str, Callable[[], str]]] = {
    "opened": lambda: _("Request received"),
    "message": lambda: _("New message"),
    "answered": lambda: _("Qualified answer"),
    "waiting": lambda: _("Waiting for your data"),
    "solution": lambda: _("Solution offered"),
    "released": lambda: _("Correction released"),
    "closed": lambda: _("Request closed"),
    "reopened": lambda: _("Request reopened"),
    "rejected": lambda: _("Request rejected"),
    "severity_changed": lambda: _("Severity changed"),
    "severity_proposed": lambda: _("Lower severity proposed"),
    "dispute_settled": lambda: _("The severity stays as it is"),
    "answer_voided": lambda: _("Qualified answer withdrawn"),
    "called": lambda: _("Call confirmed"),
    "class_changed": lambda: _("Class of the request changed"),
    "merged": lambda: _("Request joined with another one"),
    "split": lambda: _("A second request was made of the first"),
    "acknowledged": lambda: _("Message acknowledged"),
    "proof": lambda: _("Link to confirm a message"),
    "refused": lambda: _("Message not accepted"),
    "alarm": lambda: _("Alert to staff"),
    "account": lambda: _("Account"),
}
_MEANS: Final[Mapping[str, Callable[[], str]]] = {
    "opened": lambda: _("A request of the company was opened, by whatever way, with its number."),
    "released": lambda: _("A correction reached the release lane: the database can be updated."),
    "closed": lambda: _("A request was closed, by whom and as what."),
    "reopened": lambda: _("A closed request goes on."),
    "called": lambda: _("A call about a request was confirmed; a level 1 counts around the clock from then on."),
    "merged": lambda: _("Two requests about the same go on as one."),
    "split": lambda: _("A second matter in a request goes on under its own number."),
}


@dataclass(frozen=True)
class TopicChoice:
    """A topic that may be switched off."""

    topic: str
    title: str
    meaning: str
    is_on: bool


@dataclass(frozen=True)
class MailChoices:
    """A person's choices; `standing` says whether the own address bounces (`failing`) or `complained`."""

    address: str
    choices: tuple[TopicChoice, ...]
    standing: str


def topic_title(topic: str) -> str:
    """Return a topic's title in the present language."""
    say = TOPICS.get(topic)
    return say() if say else topic


def mail_choices(actor: Actor, address: str) -> MailChoices:
    """Return what the actor has chosen to be told by mail."""
    person_id = UUID(actor.id)
    muted = muted_by([person_id]).get(person_id, frozenset())
    choices = tuple(TopicChoice(one, topic_title(one), _MEANS[one](), one not in muted) for one in MUTABLE)
    return MailChoices(address, choices, standings_of([address]).get(address, ""))
