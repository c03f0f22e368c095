"""Cases and their append-only events."""
