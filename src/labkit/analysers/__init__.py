"""Analysers: what a sample is, and which correction of the database would put its verdict right."""
