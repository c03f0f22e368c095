"""Background entries."""
