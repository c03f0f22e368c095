"""Django's name for the feature."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "guardia.features.calls"
    label = "calls"
