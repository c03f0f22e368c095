"""Decisions about mail: pure."""
