"""Rosters and overrides: added, never changed."""
