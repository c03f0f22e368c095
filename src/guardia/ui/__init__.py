"""Components, template tags and styles; knows no feature."""
