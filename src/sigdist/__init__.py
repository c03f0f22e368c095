"""Both sides of a release; no Django."""
