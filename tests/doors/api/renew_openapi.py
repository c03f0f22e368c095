"""`python -m tests.doors.api.renew_openapi`: write docs/openapi.json again from the API as it is."""

import os
import tempfile

import django


def main() -> None:
    """Write the golden file."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")
        os.environ |= {"GUARDIA_VAR": folder, "GUARDIA_PRIVATE": folder}
        django.setup()
        from tests.doors.api.test_openapi import GOLDEN, described  # noqa: PLC0415  needs Django

        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(described(), encoding="utf-8")


if __name__ == "__main__":
    main()
