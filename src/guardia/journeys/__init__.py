"""Verbs across features; each owns its transaction."""
