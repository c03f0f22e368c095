"""Django's name for the feature."""

from django.apps import AppConfig


class DutyConfig(AppConfig):
    name = "guardia.features.duty"
    label = "duty"
