"""Django's name for the feature."""

from django.apps import AppConfig


class LabConfig(AppConfig):
    name = "guardia.features.lab"
    label = "lab"
