"""Django's name for the feature."""

from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "guardia.features.contracts"
    label = "contracts"
