"""Django's name for the feature."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "guardia.features.cases"
    label = "cases"
