"""Which of the vendor's groups a person belongs to: membership follows roles."""

from collections.abc import Iterable

from guardia.kernel.vocabulary import ROLES_OF_GROUP, Group, Role


def groups_of(roles: Iterable[Role | str]) -> tuple[Group, ...]:
    """Return the groups that somebody with these roles works for; a duty manager leads, and works for, all of them."""
    own = {Role(role) for role in roles}
    return tuple(group for group in Group if Role.DUTY_MANAGER in own or own & ROLES_OF_GROUP[group])
