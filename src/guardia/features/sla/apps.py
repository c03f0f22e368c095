"""Django's name for the feature."""

from django.apps import AppConfig


class SlaConfig(AppConfig):
    name = "guardia.features.sla"
    label = "sla"
