"""Django's name for the mail feature."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "guardia.features.mail"
    label = "mail"
