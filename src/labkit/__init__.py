"""The lab: touches samples; no database, no keys of its own, no Django."""
