"""Calendars and the response clock."""
