"""Who of the vendor's staff changes contracts, plans, products and the ledger; everybody else of the staff reads."""

from typing import Final

from guardia.kernel.vocabulary import Role

MANAGERS: Final = frozenset({Role.ACCOUNT_MANAGER, Role.DUTY_MANAGER})
