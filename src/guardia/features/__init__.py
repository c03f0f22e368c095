"""Nouns; they do not know each other."""
