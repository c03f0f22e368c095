"""The door's entry in Django's list of applications: it brings templates and static files, and no tables."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "guardia.doors.portal"
    label = "portal"
