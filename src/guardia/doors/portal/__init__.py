"""The customers' web."""
