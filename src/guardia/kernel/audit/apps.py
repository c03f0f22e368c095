"""Django's name for the audit trail."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "guardia.kernel.audit"
    label = "audit"
