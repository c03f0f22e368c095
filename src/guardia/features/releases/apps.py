"""Django's name for the feature."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    name = "guardia.features.releases"
    label = "releases"
