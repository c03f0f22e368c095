"""Django's name for the feature."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "guardia.features.accounts"
    label = "accounts"
