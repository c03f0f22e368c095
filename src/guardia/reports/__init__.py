"""Reads across features: frozen dataclasses ready to show."""
