"""What commands share before they touch the database: settings read with plain complaints, Django set up."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from guardia.kernel.environment import BadSettings, Settings, read_settings
from guardia.wiring import running_database


def settings_or_complaint() -> Settings | None:
    """Return the settings, or None after telling what is wrong with them, a line each."""
    try:
        return read_settings(os.environ)
    except BadSettings as error:
        sys.stderr.write("".join(f"guardia: {line}\n" for line in str(error).splitlines()))
        return None


@contextmanager
def database(own: Settings) -> Iterator[None]:
    """Have a database and Django's apps within the block."""
    with running_database(own):
        import django

        django.setup()
        yield
