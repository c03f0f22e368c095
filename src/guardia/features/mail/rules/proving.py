"""Who may say that a message in quarantine is theirs, or a colleague's.

- P-1 Only a message whose sender is unknown, not proven or forged is proved by a link; everything else is for staff.
- P-2 The address of the sender is a contact's: that contact proves it, or a named contact of the same company vouches.
- P-3 It is nobody's address: a contact of any customer may vouch, but only where whoever asks holds the reference that
  was mailed to that address; otherwise a stranger's words could be read by another company.
- P-4 A link is good for 72 hours, once, while the message waits. At most three an hour answer a person's messages,
  three more may be asked for, and ten in all are sent for a message.
- P-5 Who vouches for a colleague makes the message the colleague's; who vouches for a stranger makes it the own one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

PROVABLE: Final = frozenset({"unknown_sender", "unproven", "forged"})
LINK_LIFE: Final = timedelta(hours=72)
MOST_LINKS_AN_HOUR: Final = 3
MOST_LINKS_A_MESSAGE: Final = 10


@dataclass(frozen=True)
class Contact:
    """A customer's person who may sign in."""

    person_id: UUID
    company_id: UUID
    is_named: bool = False
    """Whether the company's contract names the person as a contact now."""


def counts_for(sender: Contact | None, contact: Contact, *, has_reference: bool) -> Contact | None:
    """Return for whom a message counts where `contact` stands up for it, or None where that is not for the contact."""
    if sender is None:
        return contact if has_reference else None
    if sender.person_id == contact.person_id:
        return sender
    return sender if contact.is_named and contact.company_id == sender.company_id else None
