"""The ASGI entry: `uvicorn guardia.config.asgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")
django.setup(set_prefix=False)

from guardia.config.sealed_body import SealedBodyHandler  # noqa: E402  Django's handlers need its apps

application = SealedBodyHandler()
