"""A person's own views of the queue: save, rename, delete, put in order. Nobody sees another's."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.accounts.operations import set_languages
from guardia.features.cases import operations, queries
from guardia.features.cases.rules.queue_filter import LANGUAGES, QueueFilter
from guardia.journeys.take_case import demand_staff
from guardia.kernel.errors import Invalid, Refused
from guardia.kernel.plain_text import one_line
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LONGEST_NAME: Final = 60
MOST_VIEWS: Final = 30


def _name(text: str) -> str:
    name = " ".join(one_line(text).split())
    if not name or len(name) > LONGEST_NAME:
        sentence = _("Give the view a name of at most %(limit)d characters.") % {"limit": LONGEST_NAME}
        raise Invalid("view_name", sentence, {"name": sentence})
    return name


def save_view(actor: Actor, now: datetime, name: str, wanted: QueueFilter) -> str:
    """Keep a view under a name and return its id; the view that had the name is replaced. Raises Invalid, Refused."""
    demand_staff(actor)
    name = _name(name)
    with journey():
        person_id = UUID(actor.id)
        operations.lock_key(actor.id, "saved views")
        own = list(queries.views_of(person_id))
        same = next((view for view in own if view.name == name), None)
        if same is not None:
            operations.save_view(same, filters=wanted.written())
            return str(same.id)
        if len(own) >= MOST_VIEWS:
            sentence = _("You have %(limit)d views. Delete one first.") % {"limit": MOST_VIEWS}
            raise Refused("too_many_views", sentence)
        return str(operations.add_view(person_id, name, wanted.written(), now).id)


def rename_view(actor: Actor, view_id: UUID, name: str) -> None:
    """Give an own view another name. Raises NotFound, Invalid, Refused."""
    demand_staff(actor)
    name = _name(name)
    with journey():
        operations.lock_key(actor.id, "saved views")
        view = queries.get_view(UUID(actor.id), view_id)
        if queries.views_of(UUID(actor.id)).filter(name=name).exclude(id=view.id).exists():
            sentence = _("You have another view of this name.")
            raise Refused("view_name_taken", sentence, {"name": sentence})
        operations.save_view(view, name=name)


def delete_view(actor: Actor, view_id: UUID) -> str:
    """Forget an own view and return its name. Raises NotFound."""
    demand_staff(actor)
    with journey():
        view = queries.get_view(UUID(actor.id), view_id)
        operations.delete_view(view)
        return str(view.name)


def move_view(actor: Actor, view_id: UUID, *, up: bool) -> None:
    """Let an own view change places with the one above or below; at the end nothing changes. Raises NotFound."""
    demand_staff(actor)
    with journey():
        operations.lock_key(actor.id, "saved views")
        queries.get_view(UUID(actor.id), view_id)
        own = list(queries.views_of(UUID(actor.id)))
        at = next(place for place, view in enumerate(own) if view.id == view_id)
        to = at - 1 if up else at + 1
        if 0 <= to < len(own):
            own[at], own[to] = own[to], own[at]
        operations.order_views(own)


def choose_languages(actor: Actor, languages: list[str]) -> None:
    """Say in which languages the actor answers customers: "take next" gives cases of these. Raises Invalid."""
    demand_staff(actor)
    chosen = [language for language in LANGUAGES if language in languages]
    if not chosen:
        sentence = _("Choose at least one language.")
        raise Invalid("no_language", sentence, {"languages": sentence})
    with journey():
        set_languages(UUID(actor.id), chosen)
