"""Pages without the manifest of static files, and the cast at the doors."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from tests.doors.stage import Stage
from tests.support.cast import Cast

PLAIN_FILES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}


@pytest.fixture
def stage(cast: Cast) -> Iterator[Stage]:
    """The cast, at browsers, programs and machines."""
    with override_settings(STORAGES=PLAIN_FILES):
        yield Stage(cast)
