"""The room's entry in Django's list of applications."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "guardia.ui"
    label = "ui"
