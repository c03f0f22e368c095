"""Django's name for the outbox."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "guardia.kernel.outbox"
    label = "outbox"
