"""Settings, environment, URLs and the ASGI entry."""
