"""The outside world, each part with a twin that ships."""
